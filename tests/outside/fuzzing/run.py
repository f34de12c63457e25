"""Fuzzes a running service from outside, as its document describes it, with schemathesis.

Takes from the environment:

    TENANTRY_URL                where the service is, started with TENANTRY_RATE_LIMITS=off and the demo data
    TENANTRY_OWNER_EMAIL        an owner in the demo data; TENANTRY_OWNER_PASSWORD
    TENANTRY_VIEWER_EMAIL       a viewer in the demo data; TENANTRY_VIEWER_PASSWORD
    TENANTRY_IDENTITY_PROVIDER  where the provider is through which people sign in to the service
    TENANTRY_NAME_SERVER        the address and the port at which the service asks for the records of domains (its
                                TENANTRY_DNS_SERVERS), where the harness answers over UDP
    TENANTRY_LIMITED_URL        optional: another one with limits on, on which signing in is fuzzed once more
    TENANTRY_FUZZ_REPORTS       optional: a folder for the reports
    TENANTRY_TEST_FUZZ_SECONDS  optional: how long as each caller, 75 when not set
    TENANTRY_TEST_FUZZ_SEED     optional: a number, for another run than that of every day

and runs schemathesis as the viewer, as the owner, and on the limited service, with examples, at the borders of every
parameter, at random, and along the links between operations. It ends with 1 where anything was found, where an
operation of the document was not called, where one never succeeded for the owner, or where a caller lost their place.

Both callers work in what the demo data has, and change it: start from a new database.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# The folder is one of sources.
sys.dont_write_bytecode = True

import requests  # noqa: E402
from service import Refused, Service, Session  # noqa: E402

HERE = Path(__file__).resolve().parent

# Beyond its time, for starting, for the last request and for writing what was found.
GRACE_SECONDS = 120

# A finding's request may be a megabyte; its beginning says enough, and the report has the rest.
MAX_LINE = 1000

# The operations that the limited service is examined by: those that have limits of their own.
LIMITED = r"^/api/v1/auth/"


def required(name: str) -> str:
    """A variable that has to be set."""
    value = os.environ.get(name)
    if not value:
        raise Refused(f"{name} is not set")
    return value


@dataclass(frozen=True)
class Settings:
    """What the environment says."""

    url: str
    limited_url: str | None
    identity_provider: str
    name_server: str
    seconds: int
    seed: int
    reports: Path

    @classmethod
    def read(cls, reports: Path) -> Settings:
        environment = os.environ
        return cls(
            url=required("TENANTRY_URL"),
            limited_url=environment.get("TENANTRY_LIMITED_URL") or None,
            identity_provider=required("TENANTRY_IDENTITY_PROVIDER"),
            name_server=required("TENANTRY_NAME_SERVER"),
            seconds=int(environment.get("TENANTRY_TEST_FUZZ_SECONDS") or 75),
            seed=int(environment.get("TENANTRY_TEST_FUZZ_SEED") or 1),
            reports=Path(environment.get("TENANTRY_FUZZ_REPORTS") or reports).resolve(),
        )


@dataclass(frozen=True)
class Footing:
    """Where a caller stands: the organization in which they have their role, and what is in it."""

    organization: str
    slug: str
    member: str | None
    others: list[str]
    workspaces: list[str]
    projects: list[str]

    @classmethod
    def find(cls, service: Service, session: Session, role: str) -> Footing:
        """The organization in which this account has this role."""
        token = session.access_token
        for organization in service.call("GET", "/api/v1/organizations?sort=createdAt", token):
            base = f"/api/v1/organizations/{organization['id']}"
            context = service.call("GET", f"{base}/context", token)
            if (context["role"] or {}).get("key") == role:
                break
        else:
            raise Refused(f"{session.email} is {role} nowhere: is this a new database with the demo data?")
        # Who may not list members cannot lose their own membership to a guess.
        members = service.call("GET", f"{base}/members", token) if "member:view" in context["permissions"] else []
        return cls(
            organization=organization["id"],
            slug=organization["slug"],
            member=next((entry["id"] for entry in members if entry["userId"] == context["userId"]), None),
            others=[entry["id"] for entry in members if entry["userId"] != context["userId"]],
            workspaces=[entry["id"] for entry in service.call("GET", f"{base}/workspaces", token)],
            projects=[entry["id"] for entry in service.call("GET", f"{base}/projects", token)],
        )

    def write_dictionaries(self, folder: Path) -> None:
        """The lists that `schemathesis.toml` names."""
        lists = {
            "organizations": [self.organization, self.organization, self.slug],
            "workspaces": self.workspaces,
            "projects": self.projects,
            "members": [*self.others, *filter(None, [self.member])],
        }
        for name, values in lists.items():
            # One that leads nowhere, where there are none or the caller may not know them.
            values = values or [self.organization]
            (folder / f"{name}.dict").write_text("".join(f"{json.dumps(value)}\n" for value in values))


@dataclass(frozen=True)
class Outcome:
    """What came of one run."""

    name: str
    exit_code: int
    report: dict[str, Any]
    answers: dict[str, dict[str, int]]

    def succeeded(self) -> set[str]:
        """The operations that did what they are for at least once."""
        return {label for label, counts in self.answers.items() if any(status[0] in "23" for status in counts)}

    def summary(self) -> str:
        """One line."""
        cases, operations = self.report["test_cases"], self.report["operations"]
        server_errors = sum(n for counts in self.answers.values() for status, n in counts.items() if status[0] == "5")
        return (
            f"{self.name:<8} {operations['tested']:>3} of {operations['selected']} operations, "
            f"{len(self.succeeded())} of them with success; {cases['generated']} cases, "
            f"{cases['unique_failures']} failures, {server_errors} answers of 500 and above, "
            f"{self.report['running_time']:.0f} s"
        )


def fuzz(settings: Settings, name: str, url: str, session: Session, role: str, more: list[str]) -> Outcome:
    """Runs schemathesis as one caller."""
    service = Service(url)
    footing = Footing.find(service, session, role)
    limited = service.has_limits()
    reports = settings.reports / name
    shutil.rmtree(reports, ignore_errors=True)
    reports.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="tenantry-fuzzing-") as scratch:
        folder = Path(scratch)
        shutil.copy(HERE / "schemathesis.toml", folder)
        footing.write_dictionaries(folder)
        caller = {
            "url": url,
            "role": role,
            "email": session.email,
            "password": session.password,
            "accessToken": session.access_token,
            "limited": limited,
            "identityProvider": settings.identity_provider,
            "nameServer": settings.name_server,
            "organizationId": footing.organization,
            "memberId": footing.member,
            "otherMemberId": next(iter(footing.others), None),
            "answers": str(reports / "answers.json"),
        }
        (folder / "caller.json").write_text(json.dumps(caller))
        arguments = ["run", f"{url}/openapi.json", "--seed", str(settings.seed), "--no-color", *more]
        arguments += ["--report", "json,junit", "--report-json-path", str(reports / "report.json")]
        arguments += ["--report-junit-path", str(reports / "junit.xml")]
        with (reports / "output.txt").open("w") as output:
            finished = subprocess.run(
                [sys.executable, "-m", "schemathesis.cli", "--config-file", "schemathesis.toml", *arguments],
                cwd=folder,
                env={
                    **os.environ,
                    "PYTHONPATH": str(HERE),
                    "PYTHONDONTWRITEBYTECODE": "1",
                    "SCHEMATHESIS_HOOKS": "hooks",
                    "TENANTRY_FUZZ_CALLER": str(folder / "caller.json"),
                },
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=settings.seconds + GRACE_SECONDS,
                check=False,
            )
    if finished.returncode != 0:
        for line in (reports / "output.txt").read_text().splitlines():
            print(line[:MAX_LINE])
    try:
        report = json.loads((reports / "report.json").read_text())
        answers = json.loads((reports / "answers.json").read_text())
    except FileNotFoundError as missing:
        raise Refused(f"schemathesis ended with {finished.returncode} before it could report") from missing
    return Outcome(name, finished.returncode, report, answers)


def operations(document: dict[str, Any]) -> set[str]:
    """The operations of the document, by the names that schemathesis gives them."""
    methods = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
    return {f"{m.upper()} {path}" for path, item in document["paths"].items() for m in item if m in methods}


def main() -> int:
    """Runs everything, tells what came of it, gives the exit code."""
    with tempfile.TemporaryDirectory(prefix="tenantry-fuzzing-") as scratch:
        settings = Settings.read(Path(scratch))
        return judge(settings)


def judge(settings: Settings) -> int:
    """Runs as every caller and says what is wrong."""
    service = Service(settings.url)
    if service.has_limits():
        raise Refused(f"{settings.url} has rate limits: start it with TENANTRY_RATE_LIMITS=off")
    every = operations(service.document())
    timed = ["--max-time", str(settings.seconds)]
    outcomes, problems = [], []
    # The viewer first: they cannot take the owner's place, but the owner theirs.
    for role in ("viewer", "owner"):
        email, password = (required(f"TENANTRY_{role.upper()}_{what}") for what in ("EMAIL", "PASSWORD"))
        outcome = fuzz(settings, role, settings.url, service.sign_in(email, password), role, timed)
        outcomes.append(outcome)
        problems += [f"{role}: {label} was not called" for label in sorted(every - outcome.answers.keys())]
        if role == "owner":
            problems += [f"owner: {label} never succeeded" for label in sorted(every - outcome.succeeded())]
        # That the caller still is who they were: otherwise half of the run examined refusals only.
        Footing.find(service, service.sign_in(email, password), role)
    if settings.limited_url:
        limited = Service(settings.limited_url)
        more = ["--max-time", str(max(settings.seconds // 4, 10)), "--include-path-regex", LIMITED]
        # An account of its own: what is tried there would lock anybody else out.
        outcomes.append(fuzz(settings, "limited", limited.url, limited.register("Limited"), "owner", more))
        if not any("429" in counts for counts in outcomes[-1].answers.values()):
            problems.append("limited: no limit was ever reached")
    problems += [f"{outcome.name}: schemathesis found failures" for outcome in outcomes if outcome.exit_code != 0]
    print(f"\nschemathesis {outcomes[0].report['schemathesis_version']}, seed {settings.seed}, {len(every)} operations")
    for outcome in outcomes:
        print(outcome.summary())
    for problem in problems:
        print(f"PROBLEM  {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (Refused, requests.RequestException, subprocess.TimeoutExpired) as error:
        print(f"PROBLEM  {error}", file=sys.stderr)
        sys.exit(1)
