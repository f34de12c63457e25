#!/usr/bin/env python3
"""How long a list of 20 projects takes in an organization of 100,000, beside the same SQL sent by pgbench.

    tests/bench/lists.py [--program target/release/tenantry] [--requests 2000] [--data DIR]

Makes a PostgreSQL of its own in a temporary folder (or in DIR, where a second run finds it seeded), migrates it, seeds it by
`tenantry seed --size large`, serves from it without limits, and asks on one connection, one request after the other. Then
pgbench sends what the server was seen to send, on one connection too. Needs PostgreSQL 15 or newer with pgbench, and nothing
but Python's own library. Not part of the suite: how fast is a question to a quiet machine.
"""

import argparse
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PASSWORD = "tenantry demo passphrase"
OWNER = "owner@colossus.example"
LOG = "server.log"


def postgres_programs():
    """The folder of PostgreSQL's programs, the newest one."""
    found = shutil.which("initdb")
    if found:
        return pathlib.Path(found).resolve().parent
    folders = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    if not folders:
        sys.exit("PostgreSQL's programs are not there")
    return folders[-1]


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Postgres:
    """A server of the script's own, as an administrator would prepare it."""

    def __init__(self, folder):
        self.bin = postgres_programs()
        self.data = folder / "postgres"
        self.port = free_port()
        # PostgreSQL refuses to run as root.
        self.user = "postgres" if os.geteuid() == 0 else None
        if self.user:
            shutil.chown(folder, self.user)
        self.log = folder / LOG
        self.is_new = not self.data.exists()
        if self.is_new:
            self.run("initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
        options = f"-p {self.port} -k '' -c listen_addresses=127.0.0.1 -c shared_buffers=512MB"
        self.run("pg_ctl", "-D", self.data, "-w", "-l", folder / LOG, "-o", options, "start")

    def prepare(self):
        if self.is_new:
            statements = ROOT / "migrations/src/administrator"
            self.psql("postgres", "-v", "owner_password=o", "-v", "runtime_password=r", "-f", statements / "roles.sql")
            self.run("createdb", *self.address(), "-O", "tenantry_owner", "-T", "template0", "-E", "UTF8", "tenantry")
            self.psql("tenantry", "-f", statements / "database.sql")

    def address(self):
        return ["-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres"]

    def run(self, program, *arguments):
        command = [self.bin / program, *arguments]
        done = subprocess.run(command, user=self.user, capture_output=True, text=True, cwd="/", check=False)
        if done.returncode != 0:
            sys.exit(f"{program}: {done.stdout}{done.stderr}")
        return done.stdout

    def psql(self, database, *arguments):
        return self.run("psql", *self.address(), "-v", "ON_ERROR_STOP=1", "-qAtd", database, *arguments)

    def url(self, login, password):
        return f"postgres://{login}:{password}@127.0.0.1:{self.port}/tenantry"

    def stop(self):
        self.run("pg_ctl", "-D", self.data, "-m", "fast", "-w", "stop")


class Server:
    """The program, serving."""

    def __init__(self, program, postgres, folder):
        self.environment = {
            "PATH": os.environ["PATH"],
            "TENANTRY_DATABASE_URL": postgres.url("tenantry_app", "r"),
            "TENANTRY_DATABASE_OWNER_URL": postgres.url("tenantry_owner", "o"),
        }
        self.program, self.folder, self.process, self.token = program, folder, None, None
        self.port = free_port()
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def start(self, seed=("--size", "large"), connections=1):
        for words in (["migrate", "up"], ["seed", *seed]):
            begun = time.monotonic()
            subprocess.run([self.program, *words], env=self.environment, check=True, stdout=subprocess.DEVNULL)
            print(f"tenantry {' '.join(words)}: {time.monotonic() - begun:.1f} s")
        keys = self.folder / "keys"
        keys.mkdir(exist_ok=True)
        serving = {
            "TENANTRY_SIGNING_KEYS": str(keys),
            "TENANTRY_LISTEN": f"127.0.0.1:{self.port}",
            "TENANTRY_RATE_LIMITS": "off",
            "TENANTRY_RATE_LIMITS_OFF_ALLOWED": "yes",
            "TENANTRY_DATABASE_MAX_CONNECTIONS": str(connections),
        }
        environment = self.environment | serving
        self.process = subprocess.Popen([self.program, "serve"], env=environment, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        while True:
            try:
                self.ask("GET", "/health/ready")
                break
            except OSError:
                self.connection.close()
                if time.monotonic() > deadline:
                    sys.exit("the server does not answer")
                time.sleep(0.1)

    def ask(self, method, path, body=None):
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        if body is not None:
            body = json.dumps(body)
            headers["Content-Type"] = "application/json"
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            sys.exit(f"{path}: {answer.status} {content.decode()}")
        return json.loads(content)

    def sign_in(self):
        session = self.ask("POST", "/api/v1/auth/login", {"email": OWNER, "password": PASSWORD})
        self.token = session["data"]["accessToken"]
        return self.ask("GET", "/api/v1/organizations")["data"][0]["id"]

    def stop(self):
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)


def measured(server, paths, requests):
    """Milliseconds of each request; before them some that are not counted."""
    for number in range(200):
        server.ask("GET", paths[number % len(paths)])
    times = []
    for number in range(requests):
        begun = time.perf_counter()
        server.ask("GET", paths[number % len(paths)])
        times.append((time.perf_counter() - begun) * 1000)
    return times


def statements_of(server, postgres, path):
    """What the server sends for a page of a list, as PostgreSQL logs it: each statement with its parameters."""
    postgres.psql("tenantry", "-c", "alter system set log_min_duration_statement = 0", "-c", "select pg_reload_conf()")
    deadline = time.monotonic() + 30
    page = None
    # Until all backends have heard of it, and the end of the transaction, which follows the answer, is written.
    while page is None:
        if time.monotonic() > deadline:
            sys.exit(f"no statements of {path} were logged")
        begin = postgres.log.stat().st_size
        for _ in range(3):
            server.ask("GET", path)
        page = page_in(logged(postgres, begin))
    postgres.psql("tenantry", "-c", "alter system reset log_min_duration_statement", "-c", "select pg_reload_conf()")
    return page


def logged(postgres, begin):
    """The statements that were logged from there on, each with its parameters."""
    with postgres.log.open() as log:
        log.seek(begin)
        text = log.read()
    found = []
    entry = re.compile(r"LOG:  duration: [\d.]+ ms  (?:statement|execute [^:]*): (.*?)(?=\n\d{4}-|\Z)", re.DOTALL)
    detail = re.compile(r"DETAIL:  parameters: (.*?)(?=\n\d{4}-|\Z)", re.DOTALL)
    for match in entry.finditer(text):
        parameters = {}
        after = text[match.end() :].lstrip("\n").split("\n", 1)[0]
        if told := detail.search(after):
            parameters = dict(re.findall(r"\$(\d+) = '((?:[^']|'')*)'", told[1]))
        found.append((match[1].strip(), parameters))
    return found


def page_in(found):
    """The first whole transaction that fetches a page: others are those of workers, and of who calls."""
    begin_at = None
    for index, (statement, _) in enumerate(found):
        if statement.startswith("BEGIN"):
            begin_at = index
        elif statement == "ROLLBACK" and begin_at is not None:
            transaction = found[begin_at : index + 1]
            if any("ORDER BY" in statement for statement, _ in transaction):
                return transaction
            begin_at = None
    return None


def pgbench(postgres, folder, statements, transactions):
    """Milliseconds of the same statements in as many round trips, sent by pgbench."""
    lines, variables = [], []
    for index, (statement, parameters) in enumerate(statements):
        parts = [part.strip() for part in statement.split(";") if part.strip()]
        if len(parts) > 1:
            # One message of several statements.
            lines += ["\\startpipeline", *[f"{part};" for part in parts], "\\endpipeline"]
            continue
        for number, value in sorted(parameters.items(), key=lambda item: -int(item[0])):
            variables += ["-D", f"p{index}_{number}={value}"]
            statement = re.sub(rf"\${number}\b", f":p{index}_{number}", statement)
        lines.append(" ".join(statement.split()) + ";")
    script = folder / "same.sql"
    script.write_text("\n".join(lines) + "\n")
    for stale in folder.glob("pgbench_log*"):
        stale.unlink()
    logged = folder / "pgbench_log"
    login = ["-h", "127.0.0.1", "-p", str(postgres.port), "-U", "tenantry_app"]
    options = ["-n", "-c", "1", "-M", "prepared", "-f", script, "-l", "--log-prefix", logged]
    postgres.run("pgbench", *login, *options, "-t", str(transactions + 200), *variables, "tenantry")
    rows = [line.split() for path in folder.glob("pgbench_log*") for line in path.read_text().splitlines()]
    return [int(row[2]) / 1000 for row in rows[200:]]


def quantiles(times):
    ordered = sorted(times)
    return statistics.median(ordered), ordered[int(len(ordered) * 0.95)], ordered[int(len(ordered) * 0.99)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--program", default=ROOT / "target/release/tenantry", type=pathlib.Path)
    parser.add_argument("--requests", default=2000, type=int)
    parser.add_argument("--data", type=pathlib.Path)
    arguments = parser.parse_args()
    temporary = None if arguments.data else tempfile.TemporaryDirectory(prefix="tenantry-bench-")
    folder = arguments.data or pathlib.Path(temporary.name)
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    postgres = Postgres(folder.resolve())
    server = Server(arguments.program.resolve(), postgres, folder)
    try:
        postgres.prepare()
        server.start()
        projects = f"/api/v1/organizations/{server.sign_in()}/projects"
        walk, cursor = [], ""
        for _ in range(20):
            walk.append(f"{projects}?cursor={cursor}")
            cursor = server.ask("GET", walk[-1])["meta"]["nextCursor"]
        print(f"{'':34}{'p50':>9}{'p95':>9}{'p99':>9}   ms, one connection, {arguments.requests} requests each")
        for name, paths in [
            ("a page by cursor", walk[1:]),
            ("the first page, by cursor", walk[:1]),
            ("the first page, counted", [projects]),
            ("a search that finds few", [f"{projects}?cursor=&q=mobile%20app%20Cork"]),
            ("a search that finds very many", [f"{projects}?cursor=&q=mobile"]),
        ]:
            statements = statements_of(server, postgres, paths[0])
            ours = quantiles(measured(server, paths, arguments.requests))
            same = quantiles(pgbench(postgres, folder, statements, arguments.requests))
            print(f"{name:34}" + "".join(f"{value:9.2f}" for value in ours))
            print(f"{'  the same SQL in pgbench':34}" + "".join(f"{value:9.2f}" for value in same))
            print(f"{'  ratio at p50':34}{ours[0] / same[0]:9.2f}   {len(statements)} messages to the database")
    finally:
        server.stop()
        postgres.stop()


if __name__ == "__main__":
    main()
