"""The service as the check uses it: requests, and people who have an account."""

from __future__ import annotations

import itertools
import json
import os
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

# Nothing that anybody guesses.
PASSWORD = "seven lanterns over a quiet harbour"
OTHER_PASSWORD = "nine kettles under a loud bridge"


class Failed(Exception):
    """Something is not as it has to be."""


@dataclass(frozen=True)
class Answer:
    """What a request was answered."""

    request: str
    status: int
    body: Any

    def expect(self, status: int, code: str | None = None) -> Any:
        """The answer's `data`, where it has this status and this code of an error."""
        told = self.body.get("error", {}).get("code") if isinstance(self.body, dict) else None
        if self.status != status or told != code:
            # Not the body: it may hold tokens.
            raise Failed(f"{self.request}: {self.status} {told or ''}, not {status} {code or ''}")
        return self.body.get("data") if isinstance(self.body, dict) else None


@dataclass(frozen=True)
class Account:
    """Somebody who has registered."""

    email: str
    access_token: str
    refresh_token: str


class Service:
    """A service to send requests to."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        # Runs against one database, and services beside each other, have addresses of their own.
        self._run, self._numbers = os.urandom(6).hex(), itertools.count(1)
        # A proxy of the surroundings has nothing to do with a server on this machine.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def call(self, method: str, path: str, body: Any = None, token: str | None = None) -> Answer:
        """Sends a request; every status is an answer."""
        headers = {"Accept": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        data = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, headers=headers, method=method)
        try:
            with self._opener.open(request, timeout=30) as response:
                status, content = response.status, response.read()
        except urllib.error.HTTPError as refused:
            with refused:
                status, content = refused.code, refused.read()
        except OSError as error:
            raise Failed(f"{method} {path}: {error}") from error
        try:
            parsed = json.loads(content) if content else None
        except ValueError:
            parsed = content.decode(errors="replace")
        return Answer(f"{method} {path}", status, parsed)

    def new_email(self, what: str) -> str:
        """An address that nobody has."""
        return f"{what}-{self._run}-{next(self._numbers)}@example.com"

    def register(self, what: str, name: str = "Ann", email: str | None = None) -> Account:
        """An account, whose mail is on its way when this returns."""
        email = email or self.new_email(what)
        body = {"email": email, "password": PASSWORD, "name": name}
        data = self.call("POST", "/api/v1/auth/register", body).expect(201)
        return Account(email, data["accessToken"], data["refreshToken"])

    def forgot(self, email: str) -> Answer:
        """Asks for a link to choose another password by."""
        return self.call("POST", "/api/v1/auth/password/forgot", {"email": email})
