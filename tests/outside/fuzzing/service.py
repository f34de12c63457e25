"""The service as the harness itself uses it: accounts, organizations, and what is in them."""

from __future__ import annotations

import base64
import hmac
import itertools
import os
import time
from dataclasses import dataclass
from typing import Any

import requests
from passkeys import Device

PASSKEYS = "/api/v1/auth/passkeys"
EMAIL_CHANGE = "/api/v1/auth/email/change"

# Nothing that anybody guesses: of every account that the harness makes, and what one may change it to.
PASSWORD = "seven lanterns over a quiet harbour"
OTHER_PASSWORD = "nine kettles under a loud bridge"


class Refused(Exception):
    """The service did not do what the harness cannot do without."""


@dataclass(frozen=True)
class Session:
    """Somebody who is signed in."""

    email: str
    password: str
    access_token: str
    refresh_token: str


@dataclass(frozen=True)
class Authenticator:
    """An authenticator app (RFC 6238), as it is set up with the secret that the service shows."""

    secret: str

    def code(self, ahead: int = 0) -> str:
        """The code of so many steps ahead. That of the next one is taken as well, so that nobody waits for a second."""
        step = int(time.time()) // 30 + ahead
        digest = hmac.digest(base64.b32decode(self.secret), step.to_bytes(8, "big"), "sha1")
        # RFC 4226, section 5.3.
        start = digest[-1] & 0xF
        number = int.from_bytes(digest[start : start + 4], "big") & 0x7FFF_FFFF
        return f"{number % 1_000_000:06}"


@dataclass(frozen=True)
class Guarded:
    """Somebody with an authenticator app, whose next code is that of the step ahead."""

    session: Session
    app: Authenticator


@dataclass(frozen=True)
class Holder:
    """Somebody with a passkey."""

    session: Session
    device: Device


class Service:
    """A few requests of the harness's own, which are counted nowhere."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        # WebAuthn knows no addresses.
        self._origin = self.url.replace("127.0.0.1", "localhost")
        # Accounts of all processes of a run, and of runs against one database, have addresses of their own.
        self._process, self._numbers = os.urandom(6).hex(), itertools.count(1)
        self._session = requests.Session()
        self._given: set[str] = set()

    def call(self, method: str, path: str, token: str | None = None, body: Any = None) -> Any:
        """The answer's `data`; `None` where it has no body."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        response = self._session.request(method, self.url + path, headers=headers, json=body, timeout=30)
        if not response.ok:
            raise Refused(f"{method} {path}: {response.status_code} {response.text[:300]}")
        return response.json()["data"] if response.content else None

    def document(self) -> dict[str, Any]:
        """The OpenAPI document, as it is served."""
        response = self._session.get(self.url + "/openapi.json", timeout=30)
        response.raise_for_status()
        return response.json()

    def has_limits(self) -> bool:
        """Whether rate limits are on: their headers are absent where they are not."""
        response = self._session.post(self.url + "/api/v1/auth/logout", json={"refreshToken": "none"}, timeout=30)
        return "RateLimit-Limit" in response.headers

    def sign_in(self, email: str, password: str) -> Session:
        """A session of an account that exists."""
        data = self.call("POST", "/api/v1/auth/login", body={"email": email, "password": password})
        return Session(email, password, data["accessToken"], data["refreshToken"])

    def register(self, organization: str | None = None) -> Session:
        """A session of a new account, the owner of a new organization where one is named."""
        email = self.new_email()
        body = {"email": email, "password": PASSWORD, "name": "Fuzzer", "organizationName": organization}
        data = self.call("POST", "/api/v1/auth/register", body=body)
        return Session(email, PASSWORD, data["accessToken"], data["refreshToken"])

    def begin_app(self) -> Guarded:
        """A new account whose authenticator app is still to be confirmed."""
        session = self.register()
        setup = self.call("POST", "/api/v1/auth/mfa/totp", session.access_token)
        return Guarded(session, Authenticator(setup["secret"]))

    def guard(self) -> Guarded:
        """A new account that is asked for a code at sign-in."""
        guarded = self.begin_app()
        body = {"code": guarded.app.code()}
        self.call("POST", "/api/v1/auth/mfa/totp/confirm", guarded.session.access_token, body)
        return guarded

    def first_step(self, guarded: Guarded) -> str:
        """The token with which a sign-in is completed that has begun."""
        body = {"email": guarded.session.email, "password": guarded.session.password}
        return self.call("POST", "/api/v1/auth/login", body=body)["mfaToken"]

    def trust(self) -> Guarded:
        """A new account that trusts a device, which used up the next code."""
        guarded = self.guard()
        body = {"mfaToken": self.first_step(guarded), "code": guarded.app.code(1), "trustDevice": True}
        self.call("POST", "/api/v1/auth/mfa/verify", body=body)
        return guarded

    def passkey(self, token: str) -> tuple[Device, dict[str, Any]]:
        """A device for the account of this token, and with what its passkey is registered."""
        device = Device(self._origin)
        return device, device.create(self.call("POST", f"{PASSKEYS}/options", token))

    def hold(self) -> Holder:
        """A new account with a passkey."""
        session = self.register()
        device, credential = self.passkey(session.access_token)
        self.call("POST", PASSKEYS, session.access_token, credential)
        return Holder(session, device)

    def add_passkey(self, token: str) -> str:
        """The id of a new passkey of the account of this token."""
        return self.call("POST", PASSKEYS, token, self.passkey(token)[1])["id"]

    def proof(self, holder: Holder) -> dict[str, Any]:
        """With what a passkey signs in, once."""
        return holder.device.get(self.call("POST", f"{PASSKEYS}/login/options"))

    def link(self, page: str) -> str:
        """The secret of a link to this page, as it was mailed to a new account."""
        email = self.register().email
        if page == "reset-password":
            self.call("POST", "/api/v1/auth/password/forgot", body={"email": email})
        return self.mailed(page, email)

    def begin_email_change(self, token: str) -> str:
        """The address that the account of this token wants from now on, which is asked by mail."""
        email = self.new_email()
        self.call("POST", EMAIL_CHANGE, token, {"email": email})
        return email

    def email_change(self) -> str:
        """The secret of a link by which a new account gets another address."""
        return self.mailed("confirm-email-change", self.begin_email_change(self.register().access_token))

    def invitation(self, email: str) -> str:
        """The secret of an invitation of this address, to an organization where it has no account."""
        token = self.register("Hosts").access_token
        organization = self.call("GET", "/api/v1/organizations", token)[0]["id"]
        invitation = {"email": email, "role": "viewer"}
        self.call("POST", f"/api/v1/organizations/{organization}/members/invite", token, invitation)
        return self.mailed("accept-invitation", email)

    def mailed(self, page: str, email: str) -> str:
        """The secret of a link to this page that was mailed to this address, which is given once."""
        start, until = f"/{page}?token=", time.monotonic() + 30
        while time.monotonic() < until:
            for mail in self.call("GET", "/dev/mail"):
                if mail["to"] == email and start in mail["text"]:
                    secret = mail["text"].split(start, 1)[1].split()[0]
                    if secret not in self._given:
                        self._given.add(secret)
                        return secret
        raise Refused(f"no mail with a link to {page} came for {email}")

    def new_email(self) -> str:
        """An address that nobody has."""
        return f"fuzzer-{self._process}-{next(self._numbers)}@example.com"

    def new_domain(self) -> str:
        """A domain that nobody has."""
        return f"fuzzer-{self._process}-{next(self._numbers)}.example"

    def found(self, token: str) -> str:
        """The id of a new organization that belongs to the account of this token."""
        return self.call("POST", "/api/v1/organizations", token, {"name": "Spare"})["id"]
