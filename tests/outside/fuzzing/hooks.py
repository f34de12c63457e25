"""What schemathesis is told about this service: who calls, what must stay standing, and what was answered.

`run.py` says who the caller is, in the file that `TENANTRY_FUZZ_CALLER` names, and reads back what was answered.
"""

from __future__ import annotations

import atexit
import itertools
import json
import os
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import schemathesis
from domains import DOMAIN, Domains
from providers import IDENTITIES, IDENTITY, People, outcome
from refusals import beyond_schema, is_passed_over
from schemathesis import AuthContext, Case, HookContext, Response
from schemathesis.generation.meta import TestPhase
from service import EMAIL_CHANGE, OTHER_PASSWORD, PASSKEYS, PASSWORD, Guarded, Refused, Service

CALLER: dict[str, Any] = json.loads(Path(os.environ["TENANTRY_FUZZ_CALLER"]).read_text())
SERVICE = Service(CALLER["url"])
PEOPLE = People(SERVICE, CALLER["identityProvider"])

PASSKEY = f"{PASSKEYS}/{{passkeyId}}"

# What ends an account, or changes the ways into it. It is called as often as anything else, by an account made for that
# call. For one who has a passkey, a sign-in by password alone is not fresh any more: the caller never has any.
CHANGES_ACCOUNT = {
    ("DELETE", "/api/v1/me"),
    ("PUT", "/api/v1/auth/password"),
    ("POST", PASSKEYS),
    ("DELETE", PASSKEY),
    ("POST", IDENTITY),
    ("DELETE", IDENTITY),
}

# What is done with an authenticator app, and the accounts that are made for it, one a call. Never the caller: once an app
# of theirs was confirmed, no sign-in of theirs would come to a session, and wrong codes would lock the right ones.
DEVICE = "/api/v1/auth/trusted-devices/{deviceId}"
GUARDED: dict[tuple[str, str], Callable[[], Guarded]] = {
    ("POST", "/api/v1/auth/mfa/totp/confirm"): SERVICE.begin_app,
    ("DELETE", "/api/v1/auth/mfa/totp"): SERVICE.guard,
    ("POST", "/api/v1/auth/mfa/recovery-codes"): SERVICE.guard,
    ("DELETE", DEVICE): SERVICE.trust,
}

# What is read of the same, of passkeys and of identities, or named, by one account that has it all: the caller has nothing of
# it.
SHOWS_FACTORS = {
    ("GET", "/api/v1/auth/mfa"),
    ("GET", "/api/v1/auth/trusted-devices"),
    ("GET", PASSKEYS),
    ("GET", PASSKEY),
    ("PATCH", PASSKEY),
    ("GET", IDENTITIES),
    ("GET", IDENTITY),
}

HOME = f"/api/v1/organizations/{CALLER['organizationId']}"
MEMBER = "/api/v1/organizations/{orgId}/members/{memberId}"

# The lists from which values of paths are taken.
LISTS = {
    "wsId": "workspaces",
    "projectId": "projects",
    "memberId": "members",
    "invitationId": "invitations",
    "domainId": "domains",
}

# What is made anew to be deleted.
SPARES = {
    "/api/v1/organizations/{orgId}/workspaces/{wsId}": ("workspaces", "wsId"),
    "/api/v1/organizations/{orgId}/projects/{projectId}": ("projects", "projectId"),
    "/api/v1/organizations/{orgId}/invitations/{invitationId}": ("invitations", "invitationId"),
    DOMAIN: ("domains", "domainId"),
}

# How often each operation was called by an account made for one call.
turns: defaultdict[tuple[str, str], itertools.count[int]] = defaultdict(itertools.count)

# How many calls of an operation meant to be accepted: the first has what it needs, and every second one after it.
positive_calls: defaultdict[tuple[str, str], itertools.count[int]] = defaultdict(itertools.count)


def named(context: Any) -> tuple[str, str]:
    """An operation, as the tables above name it."""
    return context.operation.method.upper(), context.operation.path


def is_change(context: Any) -> bool:
    """Whether an operation ends the account that calls it, or changes the ways into it."""
    return named(context) in CHANGES_ACCOUNT


def is_guarded(context: Any) -> bool:
    """Whether an operation is called by accounts with an authenticator app, one a call."""
    return named(context) in GUARDED


def is_view_of_factors(context: Any) -> bool:
    """Whether an operation shows what an account with an authenticator app, a passkey and an identity has."""
    return named(context) in SHOWS_FACTORS


def is_for_others(context: Any) -> bool:
    """Whether an operation is called by anybody but the caller."""
    return is_change(context) or is_guarded(context) or is_view_of_factors(context)


# A sign-in is fresh for ten minutes.
@schemathesis.auth(refresh_interval=300).skip_for(is_for_others)
class Caller:
    """The caller of this run, signed in again whenever a token does not hold: sessions are revoked, too."""

    def get(self, _case: Case, _context: AuthContext) -> str:
        try:
            return SERVICE.sign_in(CALLER["email"], CALLER["password"]).access_token
        except Refused:
            # What is fuzzed there uses the limit of sign-ins up, which keeps the harness out as well.
            if CALLER["limited"]:
                return CALLER["accessToken"]
            raise

    def set(self, case: Case, data: str, _context: AuthContext) -> None:
        case.headers["Authorization"] = f"Bearer {data}"


# Not kept for a second call, and no 401 is a reason for another one.
@schemathesis.auth(refresh_interval=None).apply_to(is_change)
class Disposable:
    """An account made for one call, for each fourth the owner of an organization, whom it keeps."""

    def get(self, _case: Case, context: AuthContext) -> str:
        if CALLER["limited"]:
            return CALLER["accessToken"]
        owns = next(turns[named(context)]) % 4 == 3
        return SERVICE.register("Disposable" if owns else None).access_token

    def set(self, case: Case, data: str, _context: AuthContext) -> None:
        case.headers["Authorization"] = f"Bearer {data}"


# Those of guarded accounts, by the header that shows who calls.
guarded_accounts: dict[str, Guarded] = {}


@schemathesis.auth(refresh_interval=None).apply_to(is_guarded)
class OnGuard:
    """An account with an authenticator app, made for one call."""

    def get(self, _case: Case, context: AuthContext) -> str:
        if CALLER["limited"]:
            return CALLER["accessToken"]
        guarded = GUARDED[named(context)]()
        guarded_accounts[f"Bearer {guarded.session.access_token}"] = guarded
        return guarded.session.access_token

    def set(self, case: Case, data: str, _context: AuthContext) -> None:
        case.headers["Authorization"] = f"Bearer {data}"


@schemathesis.auth(refresh_interval=600).apply_to(is_view_of_factors)
class Trusting:
    """An account with an authenticator app, a trusted device, a passkey and an identity, kept: nothing takes any from it."""

    def get(self, _case: Case, _context: AuthContext) -> str:
        if CALLER["limited"]:
            return CALLER["accessToken"]
        token = SERVICE.trust().session.access_token
        SERVICE.add_passkey(token)
        PEOPLE.add_identity(token)
        return token

    def set(self, case: Case, data: str, _context: AuthContext) -> None:
        case.headers["Authorization"] = f"Bearer {data}"


def is_positive(case: Case) -> bool:
    """Whether a case means to be accepted."""
    return case.meta is not None and case.meta.generation.mode.is_positive


def is_linked(case: Case) -> bool:
    """Whether a case follows from answers before it, and must be left what they were about."""
    return case.meta is not None and case.meta.phase.name == TestPhase.STATEFUL


@schemathesis.hook
def before_call(context: HookContext, case: Case, kwargs: dict[str, Any]) -> None:
    """Keeps the caller standing, and gives every second call that means to be accepted what it needs for that."""
    operation = (case.operation.method.upper(), case.operation.path)
    keep_standing(operation, case)
    if is_positive(case) and next(positive_calls[operation]) % 2 == 0:
        case.headers.pop("If-Match", None)
        if not CALLER["limited"]:
            enliven_body(operation, case)
            if CALLER["role"] == "owner" and isinstance(case.body, dict):
                DOMAINS.enliven_body(operation, case)
            if not is_linked(case):
                enliven_path(operation, case)
                if CALLER["role"] == "owner":
                    DOMAINS.enliven_path(operation, case)
                PEOPLE.enliven(operation, case, shown_token(case))


def is_home(organization: Any) -> bool:
    """Whether this value of a path leads to the organization in which the caller has their role: slugs change."""
    try:
        path = f"/api/v1/organizations/{quote(str(organization), safe='')}/context"
        return SERVICE.call("GET", path, caller_token())["organizationId"] == CALLER["organizationId"]
    except Refused:
        return False


def keep_standing(operation: tuple[str, str], case: Case) -> None:
    """What would take the owner's organization, or their place in it, is done to something of the same kind."""
    if CALLER["role"] != "owner":
        return
    member = case.path_parameters.get("memberId")
    match operation:
        case ("DELETE", "/api/v1/organizations/{orgId}"):
            if is_home(case.path_parameters["orgId"]):
                case.path_parameters["orgId"] = SERVICE.found(caller_token())
        case ("DELETE", path) if path == MEMBER and member in (CALLER["memberId"], CALLER["otherMemberId"]):
            # Somebody is left for the operations on others.
            case.path_parameters["memberId"] = CALLER["organizationId"]
        case ("PUT", path) if path == f"{MEMBER}/role" and member == CALLER["memberId"]:
            case.path_parameters["memberId"] = CALLER["otherMemberId"]


def enliven_body(operation: tuple[str, str], case: Case) -> None:
    """Secrets that exist, where one that is made up can only be refused."""
    if not isinstance(case.body, dict):
        return
    match operation:
        case ("POST", "/api/v1/auth/register"):
            case.body.update(email=SERVICE.new_email(), password=PASSWORD)
        case ("POST", "/api/v1/auth/login"):
            # Beside a token of a device, which is made up, one of those whose sign-in has a second step.
            session = SERVICE.guard().session if "trustedDeviceToken" in case.body else SERVICE.register()
            case.body.update(email=session.email, password=session.password)
        case ("POST", "/api/v1/auth/mfa/verify"):
            guarded = SERVICE.guard()
            case.body.update(mfaToken=SERVICE.first_step(guarded), code=guarded.app.code(1))
        case ("POST", path) if path == PASSKEYS:
            case.body.update(SERVICE.passkey(shown_token(case))[1])
        case ("POST", path) if path == f"{PASSKEYS}/login":
            case.body.update(SERVICE.proof(SERVICE.hold()))
        case ("POST", "/api/v1/auth/reauthenticate") if case.body.get("passkey"):
            # The caller has none.
            holder = SERVICE.hold()
            case.headers["Authorization"] = f"Bearer {holder.session.access_token}"
            case.body.clear()
            case.body.update(passkey=SERVICE.proof(holder))
        case ("POST", "/api/v1/auth/reauthenticate"):
            case.body.clear()
            case.body.update(password=CALLER["password"])
        case _ if operation in GUARDED:
            if guarded := guarded_accounts.get(case.headers.get("Authorization", "")):
                case.body.update(code=guarded.app.code(1))
        case ("POST", "/api/v1/auth/refresh") | ("POST", "/api/v1/auth/logout"):
            case.body.update(refreshToken=SERVICE.register().refresh_token)
        case ("POST", "/api/v1/auth/email/verify"):
            case.body.update(token=SERVICE.link("verify-email"))
        case ("POST", path) if path == EMAIL_CHANGE:
            case.body.update(email=SERVICE.new_email())
        case ("POST", path) if path == f"{EMAIL_CHANGE}/confirm":
            case.body.update(token=SERVICE.email_change())
        case ("POST", "/api/v1/auth/password/reset"):
            case.body.update(token=SERVICE.link("reset-password"), password=OTHER_PASSWORD)
        case ("POST", "/api/v1/invitations/accept"):
            case.body.update(token=SERVICE.invitation(CALLER["email"]))
        case ("PUT", "/api/v1/auth/password"):
            # The password of every account that the harness makes.
            case.body.update(currentPassword=PASSWORD, newPassword=OTHER_PASSWORD)
        case ("PUT", "/api/v1/me/current-organization"):
            case.body.update(organizationId=CALLER["organizationId"])


def enliven_path(operation: tuple[str, str], case: Case) -> None:
    """Something that exists, since what there was at the start does not last; for what removes it, something new."""
    match operation:
        case ("DELETE", "/api/v1/auth/sessions/{sessionId}"):
            sessions = SERVICE.call("GET", "/api/v1/auth/sessions", caller_token())
            case.path_parameters["sessionId"] = next(entry["id"] for entry in sessions if entry["current"])
        case ("GET" | "DELETE", path) if path == EMAIL_CHANGE:
            # Of the caller, by whichever session.
            SERVICE.begin_email_change(caller_token())
        case ("DELETE", path) if path == DEVICE:
            if guarded := guarded_accounts.get(case.headers.get("Authorization", "")):
                devices = SERVICE.call("GET", "/api/v1/auth/trusted-devices", guarded.session.access_token)
                case.path_parameters["deviceId"] = devices[0]["id"]
        case ("GET" | "PATCH", path) if path == PASSKEY:
            case.path_parameters["passkeyId"] = SERVICE.call("GET", PASSKEYS, shown_token(case))[0]["id"]
        case ("DELETE", path) if path == PASSKEY:
            case.path_parameters["passkeyId"] = SERVICE.add_passkey(shown_token(case))
        case ("GET", "/api/v1/invitations/{token}"):
            case.path_parameters["token"] = SERVICE.invitation(SERVICE.new_email())
        case ("POST", "/api/v1/organizations/{orgId}/restore"):
            token = caller_token()
            case.path_parameters["orgId"] = SERVICE.found(token)
            SERVICE.call("DELETE", f"/api/v1/organizations/{case.path_parameters['orgId']}", token)
        case ("DELETE", path) if path in SPARES and CALLER["role"] == "owner":
            kind, parameter = SPARES[path]
            case.path_parameters.update({"orgId": CALLER["organizationId"], parameter: spare(kind)})
        case (_, path) if CALLER["role"] == "owner" and path.count("{") > 1:
            case.path_parameters["orgId"] = CALLER["organizationId"]
            for parameter in case.path_parameters.keys() & LISTS.keys():
                case.path_parameters[parameter] = living(operation, parameter)


def spare(kind: str) -> str:
    """The id of something new at home that nobody will miss."""
    if kind == "invitations":
        body = {"email": SERVICE.new_email(), "role": "viewer"}
        return SERVICE.call("POST", f"{HOME}/members/invite", caller_token(), body)["id"]
    if kind == "domains":
        return DOMAINS.spare()["id"]
    collection = f"{HOME}/workspaces"
    if kind == "projects":
        collection += f"/{living(('POST', collection), 'wsId')}/projects"
    return SERVICE.call("POST", collection, caller_token(), {"name": "Spare"})["id"]


def living(operation: tuple[str, str], parameter: str) -> str:
    """The id of something at home; of somebody other than the caller, and other than who is to be left."""
    entries = SERVICE.call("GET", f"{HOME}/{LISTS[parameter]}", caller_token())
    ids = [entry["id"] for entry in entries if entry["id"] != CALLER["memberId"]]
    if parameter in ("invitationId", "domainId") and not ids:
        return spare(LISTS[parameter])
    if parameter != "memberId":
        return ids[0] if ids else CALLER["organizationId"]
    removable = [member for member in ids if member != CALLER["otherMemberId"]]
    return removable[0] if operation[0] == "DELETE" and removable else CALLER["otherMemberId"]


def shown_token(case: Case) -> str:
    """The access token that a case shows."""
    return case.headers.get("Authorization", "").removeprefix("Bearer ")


def caller_token() -> str:
    """An access token of the caller's, of a session of its own."""
    return SERVICE.sign_in(CALLER["email"], CALLER["password"]).access_token


# Those at home.
DOMAINS = Domains(SERVICE, CALLER["nameServer"], CALLER["organizationId"], caller_token)


@schemathesis.hook
def filter_failure(context: HookContext, failure: Any, case: Case, response: Response) -> bool:
    """Drops what is no finding."""
    match type(failure).__name__:
        case "RejectedPositiveData":
            return not beyond_schema(case, response)
        case "AcceptedNegativeData":
            return not is_passed_over(case)
        case "MissingHeaderNotRejected":
            # The limit of an address comes before it is asked who calls.
            return response.status_code != 429
        case "EnsureResourceAvailability":
            # A repeated request is answered as the first was, whatever became of what that created; and an invitation is gone
            # once the same address is invited again. A passkey and an identity are there for nobody but whom they were made for.
            return (replayed | replaced | of_others).isdisjoint(map(str, case.path_parameters.values()))
        case "UseAfterFree":
            # What was deleted has been restored.
            return restored.isdisjoint(map(str, case.path_parameters.values()))
    return True


answers: dict[str, Counter[str]] = defaultdict(Counter)
replayed: set[str] = set()
restored: set[str] = set()
invited: dict[tuple[str, str], str] = {}
replaced: set[str] = set()
of_others: set[str] = set()


@schemathesis.hook
def after_call(context: HookContext, case: Case, response: Response) -> None:
    """Counts what was answered, by operation and outcome."""
    if response.request.method == case.operation.method.upper():
        answers[case.operation.label][outcome(response)] += 1
    if response.headers.get("idempotency-replayed"):
        replayed.add(response.json()["data"]["id"])
    if case.operation.path.endswith("/members/invite") and response.status_code == 201:
        data = response.json()["data"]
        # The organization's id, whichever way it was named.
        address = (response.headers["location"][0].split("/")[4], data["email"].lower())
        replaced.update(filter(None, [invited.get(address)]))
        invited[address] = data["id"]
    if case.operation.path == PASSKEYS and response.status_code == 201:
        # By its own id, and by that of its device.
        of_others.update([response.json()["data"]["id"], case.body["id"]])
    if case.operation.path == IDENTITY and response.status_code == 201:
        of_others.add(response.json()["data"]["id"])
    if case.operation.path.endswith("/restore") and response.status_code == 200:
        restored.add(response.json()["data"]["id"])


@atexit.register
def tell() -> None:
    """Leaves the counts for `run.py`."""
    Path(CALLER["answers"]).write_text(json.dumps(answers))
