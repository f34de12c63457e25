"""Where the document and the service may differ: refusals of requests that fit the document, where it has no way to say
what is wrong with them, and headers that are never refused.

Each is a rule with its reason. Whatever no rule knows is a finding: either the service refuses what it should not, or
the document can be made more precise.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from unicodedata import category

from providers import AUTHORIZE, CALLBACK, IDENTITY
from schemathesis import Case, Response
from schemathesis.generation.meta import negated_parameters

# Codes of a field's failure that no schema can foresee.
FIELD_CODES = {
    "common": "how easily a password is guessed",
    "incorrect": "whether a password is the present one, a code one of an app, an answer one to a challenge",
    "unchanged": "whether a new password is another one",
    "reserved": "slugs that are reserved, or would pass for ids",
    "control_character": "no text has any: a pattern without them would say it worse",
}

# The same, of these fields alone.
CODES_OF_FIELDS = {
    ("/role", "enum"): "which roles an organization has",
    ("/code", "required"): "whether one has an authenticator app, without which new recovery codes need no code",
    ("/rawId", "conflict"): "that a credential is called the same twice",
    ("/passkey/rawId", "conflict"): "the same, of one that is shown once more",
    ("/domain", "format"): "which texts the DNS knows as names of domains",
    ("/connection/issuer", "format"): "which addresses a provider may have",
    ("/connection/issuer", "unreachable"): "whether a provider answers there",
    ("/ssoRequired", "connection_missing"): "whether there is a provider to sign in through",
}

# Fields whose bound is one of bytes as they are stored, and not of anything that a schema counts.
BOUND_BY_BYTES = {"/settings", "/preferences", "/connection/issuer"}


# Hints: one that is not understood is passed over, as RFC 9110 has it, however it is documented. The token against
# cross-site requests counts beside a cookie alone, and nothing here sends one.
HINTS = {"if-none-match", "x-csrf-token"}

# An id as the document has it.
UUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")

# What takes a refresh token from a cookie where there is none in the body.
TAKES_COOKIE = {"/api/v1/auth/refresh", "/api/v1/auth/logout"}


def is_passed_over(case: Case) -> bool:
    """Whether nothing but hints is wrong with a request."""
    wrong = {name.lower() for name, _ in negated_parameters(case.meta)}
    return bool(wrong) and wrong <= HINTS


def _error(response: Response) -> dict[str, Any]:
    try:
        error = response.json()["error"]
    except (ValueError, KeyError, TypeError):
        return {}
    return error if isinstance(error, dict) else {}


def _location(error: dict[str, Any]) -> str:
    return (error.get("details") or {}).get("location") or ""


def _of_a_version(case: Case, error: dict[str, Any]) -> bool:
    """A version that is not the current one."""
    return error.get("code") == "PRECONDITION_FAILED" and "If-Match" in case.headers


def _of_a_key(case: Case, error: dict[str, Any]) -> bool:
    """A key that an earlier request used for another body: they are drawn from few."""
    return error.get("code") == "IDEMPOTENCY_KEY_REUSED" and "Idempotency-Key" in case.headers


def _of_a_walk(case: Case, error: dict[str, Any]) -> bool:
    """Parameters that are good one by one: a page beyond the last number, beside a cursor; a cursor nobody signed."""
    query = case.query or {}
    if _location(error) == "query.page":
        return int(query.get("page", 1)) * int(query.get("pageSize", 20)) > 10_000
    return _location(error) == "query.cursor" and bool(query.get("cursor") or "page" in query)


def _of_an_order(case: Case, error: dict[str, Any]) -> bool:
    """A field that is sorted by twice."""
    keys = [key.lstrip("-") for key in str((case.query or {}).get("sort", "")).split(",")]
    return _location(error) == "query.sort" and len(set(keys)) < len(keys)


def _of_a_search(case: Case, error: dict[str, Any]) -> bool:
    """Control characters, which no name has: a pattern without them would say it worse."""
    return _location(error) == "query.q" and any(category(c) == "Cc" for c in str((case.query or {}).get("q", "")))


def _of_fields(case: Case, error: dict[str, Any]) -> bool:
    """Values that are judged by more than their shape."""
    failures = (error.get("details") or {}).get("fields") or []
    known = all(
        failure["code"] in FIELD_CODES
        or (failure["field"], failure["code"]) in CODES_OF_FIELDS
        or (failure["code"] == "length" and failure["field"] in BOUND_BY_BYTES)
        for failure in failures
    )
    return error.get("code") == "VALIDATION_ERROR" and bool(failures) and known


def _of_a_link(case: Case, error: dict[str, Any]) -> bool:
    """The secret of a mailed link that nobody signed, or that was used."""
    has_secret = "token" in case.path_parameters or isinstance(case.body, dict) and "token" in case.body
    return error.get("code") == "GONE" and has_secret


def _of_a_proof(case: Case, error: dict[str, Any]) -> bool:
    """A password, a code and a passkey: one of them proves who one is, and no two do, nor none."""
    if case.operation.path != "/api/v1/auth/reauthenticate" or not isinstance(case.body, dict):
        return False
    given = [name for name in ("password", "code", "passkey") if case.body.get(name) is not None]
    return error.get("code") == "VALIDATION_ERROR" and len(given) != 1


def _of_a_cookie(case: Case, error: dict[str, Any]) -> bool:
    """No refresh token in the body, and no cookie that has it: nothing sends one."""
    has_token = isinstance(case.body, dict) and case.body.get("refreshToken") is not None
    if case.operation.path not in TAKES_COOKIE or has_token:
        return False
    failures = (error.get("details") or {}).get("fields") or []
    return [(failure["field"], failure["code"]) for failure in failures] == [("/refreshToken", "required")]


def _of_a_credential(case: Case, error: dict[str, Any]) -> bool:
    """What an authenticator calls a passkey, which a walk takes from a body for the id of one: it is no UUID."""
    value = str(case.path_parameters.get("passkeyId", ""))
    return _location(error) == "path.passkeyId" and not UUID.fullmatch(value)


def _of_an_app(case: Case, error: dict[str, Any]) -> bool:
    """A place that is none of those to which people may come back."""
    return case.operation.path == AUTHORIZE and _location(error).endswith("redirectUri")


def _of_a_return(case: Case, error: dict[str, Any]) -> bool:
    """What no provider was told here, or not for this browser."""
    return case.operation.path == CALLBACK and _location(error).endswith("state")


def _of_a_provider(case: Case, error: dict[str, Any]) -> bool:
    """The key of a provider, which stands where the id of an identity does, and which a walk takes for one: it is no UUID."""
    if case.operation.path != IDENTITY or _location(error) != "path.identity":
        return False
    return not UUID.fullmatch(str(case.path_parameters.get("identity", "")))


def _of_a_quota(case: Case, error: dict[str, Any]) -> bool:
    """One more of what an organization has its number of already."""
    return error.get("code") == "QUOTA_EXCEEDED"


RULES: list[Callable[[Case, dict[str, Any]], bool]] = [
    _of_a_version,
    _of_a_key,
    _of_a_walk,
    _of_an_order,
    _of_a_search,
    _of_a_link,
    _of_a_proof,
    _of_a_cookie,
    _of_a_credential,
    _of_an_app,
    _of_a_return,
    _of_a_provider,
    _of_a_quota,
    _of_fields,
]


def beyond_schema(case: Case, response: Response) -> bool:
    """Whether this refusal is one that the document cannot foresee."""
    error = _error(response)
    return any(rule(case, error) for rule in RULES)
