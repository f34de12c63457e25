"""The domains of an organization, and the DNS in which they are proven."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from name_server import NameServer
from schemathesis import Case
from service import Service

DOMAINS = "/api/v1/organizations/{orgId}/domains"
DOMAIN = f"{DOMAINS}/{{domainId}}"

# How many are left where another one is added: there may be 20.
MOST_LEFT = 10


class Domains:
    """Those of the organization of this id, for somebody who may manage it; the address is that of its DNS server."""

    def __init__(self, service: Service, address: str, organization: str, token: Callable[[], str]) -> None:
        self._service = service
        self._names = NameServer(address)
        self._organization = organization
        self._path = DOMAINS.replace("{orgId}", organization)
        # A new one, since removing a domain takes a sign-in of the last minutes.
        self._token = token

    def spare(self) -> dict[str, Any]:
        """A new one, which nobody has proven."""
        self._make_room()
        return self._service.call("POST", self._path, self._token(), {"domain": self._service.new_domain()})

    def enliven_body(self, operation: tuple[str, str], case: Case) -> None:
        """Gives a case that adds a domain one that nobody has, and a place for it."""
        if operation == ("POST", DOMAINS):
            self._make_room()
            case.body.update(domain=self._service.new_domain())

    def enliven_path(self, operation: tuple[str, str], case: Case) -> None:
        """Gives a case that proves a domain one whose record is there."""
        if operation == ("POST", f"{DOMAIN}/verify"):
            domain = self.spare()
            self._names.set_text(domain["record"]["name"], domain["record"]["value"])
            case.path_parameters.update({"orgId": self._organization, "domainId": domain["id"]})

    def _make_room(self) -> None:
        """Takes the oldest away, beyond those that may be left."""
        token = self._token()
        for domain in self._service.call("GET", f"{self._path}?pageSize=100", token)[MOST_LEFT:]:
            self._service.call("DELETE", f"{self._path}/{domain['id']}", token)
