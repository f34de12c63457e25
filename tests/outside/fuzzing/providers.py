"""People who sign in through a provider, which was not written here: what their browser and an app of theirs do for it."""

from __future__ import annotations

import base64
import hashlib
import os
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import requests
from schemathesis import Case, Response
from service import Refused, Service

OIDC = "/api/v1/auth/oidc"
AUTHORIZE = f"{OIDC}/{{provider}}/authorize"
CALLBACK = f"{OIDC}/{{provider}}/callback"

IDENTITIES = "/api/v1/auth/identities"
IDENTITY = f"{IDENTITIES}/{{identity}}"

# Two of the providers, of two issuers: who is somebody at one of them is nobody at the other.
PROVIDER, OTHER_PROVIDER = "basic", "post"

COOKIE = "tenantry-sign-in"

# More than any sign-in takes.
MOST_REDIRECTS = 20


class People:
    """Accounts of the provider at this address, which makes one for every address that it is asked for."""

    def __init__(self, service: Service, provider: str) -> None:
        self._service = service
        # Where people come back to.
        self._app = f"{provider}/signed-in"

    def add_identity(self, token: str) -> str:
        """The id of a new identity of the account of this token."""
        path = f"{IDENTITIES}/{PROVIDER}"
        return self._service.call("POST", path, token, self.code(PROVIDER, self._service.new_email()))["id"]

    def code(self, key: str, email: str) -> dict[str, str]:
        """With what an app signs somebody in, or links them, once."""
        verifier = _text(os.urandom(32))
        challenge = _text(hashlib.sha256(verifier.encode()).digest())
        address, _ = self._walk(key, self._app, redirectUri=self._app, loginHint=email, codeChallenge=challenge)
        back = dict(parse_qsl(urlsplit(address).query))
        if "code" not in back:
            raise Refused(f"nobody was signed in through {key}: {back.get('error')}")
        return {"code": back["code"], "codeVerifier": verifier}

    def confirmation(self) -> str:
        """The secret of the link by which the owner of an account confirms that somebody elsewhere is them."""
        email = self._service.new_email()
        self._service.call("POST", f"{OIDC}/exchange", body=self.code(PROVIDER, email))
        try:
            self._service.call("POST", f"{OIDC}/exchange", body=self.code(OTHER_PROVIDER, email))
        except Refused:
            return self._service.mailed("confirm-identity", email)
        raise Refused(f"somebody else was taken for {email}")

    def enliven(self, operation: tuple[str, str], case: Case, token: str) -> None:
        """Gives a case of these operations what it needs to succeed; the token is the one that it shows."""
        match operation:
            case ("GET", path) if path == AUTHORIZE:
                case.path_parameters["provider"] = PROVIDER
                case.query["redirectUri"] = self._app
            case ("GET", path) if path == CALLBACK:
                # As the browser comes back, with what it kept.
                address, kept = self._walk(PROVIDER, f"{self._service.url}{OIDC}/", redirectUri=self._app)
                case.path_parameters["provider"] = PROVIDER
                case.query.clear()
                case.query.update(parse_qsl(urlsplit(address).query))
                case.cookies[COOKIE] = kept
            case ("POST", path) if path == f"{OIDC}/exchange" and isinstance(case.body, dict):
                case.body.update(self.code(PROVIDER, self._service.new_email()))
            case ("POST", path) if path == f"{OIDC}/confirm" and isinstance(case.body, dict):
                case.body.update(token=self.confirmation())
            case ("POST", path) if path == IDENTITY and isinstance(case.body, dict):
                case.path_parameters["identity"] = PROVIDER
                case.body.update(self.code(PROVIDER, self._service.new_email()))
            case ("GET", path) if path == IDENTITY and token:
                case.path_parameters["identity"] = self._service.call("GET", IDENTITIES, token)[0]["id"]
            case ("DELETE", path) if path == IDENTITY and token:
                case.path_parameters["identity"] = self.add_identity(token)

    def _walk(self, key: str, start: str, **query: str) -> tuple[str, str]:
        """Goes where it is sent, from the beginning of a sign-in until it is sent to an address that begins like this. Gives that
        one, which it has not asked for, and what the service had the browser keep."""
        browser = requests.Session()
        address = f"{self._service.url}{OIDC}/{key}/authorize?{urlencode(query)}"
        for _ in range(MOST_REDIRECTS):
            answer = browser.get(address, allow_redirects=False, timeout=30)
            location = answer.headers.get("Location")
            if not location:
                raise Refused(f"GET {address}: {answer.status_code} {answer.text[:300]}")
            address = urljoin(address, location)
            if address.startswith(start):
                return address, browser.cookies.get(COOKIE, default="")
        raise Refused(f"signing in through {key} leads nowhere")


def outcome(response: Response) -> str:
    """The status of an answer; of a redirect that tells an app why nobody is signed in, the reason."""
    location: Any = (response.headers.get("location") or [""])[0]
    error = dict(parse_qsl(urlsplit(location).query)).get("error")
    return error if response.status_code == 302 and error else str(response.status_code)


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
