"""A device with a passkey on it (WebAuthn Level 3), as far as a service sees one.

It answers what a browser would be answered, in the JSON that a browser makes of it. Nobody has to touch it, and it
takes everybody for its owner.
"""

from __future__ import annotations

import os
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.cose import ES256
from fido2.utils import sha256, websafe_decode, websafe_encode
from fido2.webauthn import Aaguid, AttestationObject, AttestedCredentialData, AuthenticatorData, CollectedClientData

# Somebody is there, and is the owner.
PRESENT_AND_VERIFIED = AuthenticatorData.FLAG.UP | AuthenticatorData.FLAG.UV


class Device:
    """A device that has one passkey, from `create` on."""

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._id, self._user, self._signed = os.urandom(32), b"", 0

    def create(self, options: dict[str, Any]) -> dict[str, Any]:
        """The passkey, made for whom these options name."""
        self._user = websafe_decode(options["user"]["id"])
        public_key = ES256.from_cryptography_key(self._key.public_key())
        data = AuthenticatorData.create(
            sha256(options["rp"]["id"].encode()),
            PRESENT_AND_VERIFIED | AuthenticatorData.FLAG.AT,
            self._signed,
            AttestedCredentialData.create(Aaguid.NONE, self._id, public_key),
        )
        client = self._client(CollectedClientData.TYPE.CREATE, options)
        return self._credential(client, attestationObject=AttestationObject.create("none", data, {}))

    def get(self, options: dict[str, Any]) -> dict[str, Any]:
        """The proof that one has it."""
        self._signed += 1
        data = AuthenticatorData.create(sha256(options["rpId"].encode()), PRESENT_AND_VERIFIED, self._signed)
        client = self._client(CollectedClientData.TYPE.GET, options)
        signature = self._key.sign(data + client.hash, ec.ECDSA(hashes.SHA256()))
        return self._credential(client, authenticatorData=data, signature=signature, userHandle=self._user)

    def _client(self, kind: str, options: dict[str, Any]) -> CollectedClientData:
        return CollectedClientData.create(kind, options["challenge"], self._origin)

    def _credential(self, client: CollectedClientData, **response: bytes) -> dict[str, Any]:
        named = websafe_encode(self._id)
        members = {"clientDataJSON": client, **response}
        return {
            "id": named,
            "rawId": named,
            "type": "public-key",
            "clientExtensionResults": {},
            "response": {name: websafe_encode(value) for name, value in members.items()},
        }
