#!/usr/bin/env python3
"""Whether the time of a refused sign-in tells that there is an account, and what a storm of wrong passwords does to others.

    tests/bench/sign_in.py [--program target/release/tenantry] [--requests 400] [--reads 4000] [--storm 200]

Makes a PostgreSQL of its own in a temporary folder, migrates it, loads the demo data and serves from it without limits.

First it signs in with a wrong password, in turns to an account and to addresses that nobody has, and compares both
distributions by the rank sum of Mann and Whitney: |z| below 3 is noise. The same is asked of two halves of the one, which shows
what noise is on this machine. Then it reads an organization on one connection, quietly, and again while so many connections
try wrong passwords as fast as they are answered. Needs what `lists.py` does. Not part of the suite: how fast is a question to
a quiet machine.
"""

import argparse
import asyncio
import http.client
import json
import math
import multiprocessing
import pathlib
import statistics
import tempfile
import time

from lists import PASSWORD, ROOT, Postgres, Server, quantiles

OWNER = "olivia@acme.example"
WRONG = "not the password of anybody"


def refused(connection, email):
    """Milliseconds of a sign-in with a wrong password."""
    body = json.dumps({"email": email, "password": WRONG})
    begun = time.perf_counter()
    connection.request("POST", "/api/v1/auth/login", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    answer.read()
    taken = (time.perf_counter() - begun) * 1000
    if answer.status != 401:
        raise SystemExit(f"a wrong password was answered with {answer.status}")
    return taken


def rank_sum(one, other):
    """The z of Mann and Whitney's test: how far it is from chance that values of one are greater than those of the other."""
    ranked = sorted([(value, 0) for value in one] + [(value, 1) for value in other])
    ranks = sum(rank for rank, (_, of) in enumerate(ranked, 1) if of == 0)
    expected = len(one) * (len(one) + len(other) + 1) / 2
    deviation = math.sqrt(len(one) * len(other) * (len(one) + len(other) + 1) / 12)
    return (ranks - expected) / deviation


def compare_times(port, requests):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    for number in range(20):
        refused(connection, OWNER if number % 2 else f"warm{number}@acme.example")
    known, unknown = [], []
    for number in range(requests):
        known.append(refused(connection, OWNER))
        unknown.append(refused(connection, f"nobody{number}@acme.example"))
    print(f"a wrong password, {requests} times each: p50 {statistics.median(known):.2f} ms of an account, ", end="")
    print(f"{statistics.median(unknown):.2f} ms of nobody")
    print(f"  rank sum: z = {rank_sum(known, unknown):+.2f}; of two halves of the first: {rank_sum(known[::2], known[1::2]):+.2f}")


async def storm_of(port, connections, until, answered):
    """Wrong passwords on so many connections, each as soon as the one before is answered."""

    async def guess(number):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while not until.is_set():
            body = json.dumps({"email": f"storm{number}@acme.example", "password": WRONG})
            head = "POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
            answer = await reader.readuntil(b"\r\n\r\n")
            length = int(answer.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
            status = int(answer.split()[1])
            with answered.get_lock():
                answered[0 if status == 401 else 1] += 1
            if status == 503:
                # What a client does that is told to come back.
                await asyncio.sleep(1)
        writer.close()

    await asyncio.gather(*[guess(number) for number in range(connections)])


def storm(port, connections, until, answered):
    asyncio.run(storm_of(port, connections, until, answered))


def read(server, path, reads):
    times = []
    for _ in range(reads):
        begun = time.perf_counter()
        server.ask("GET", path)
        times.append((time.perf_counter() - begun) * 1000)
    return times


def compare_reads(server, path, reads, connections):
    read(server, path, 300)
    quiet = quantiles(read(server, path, reads))
    until, answered = multiprocessing.Event(), multiprocessing.Array("i", 2)
    others = multiprocessing.Process(target=storm, args=(server.port, connections, until, answered))
    others.start()
    while answered[0] < 20:
        time.sleep(0.05)
    before, begun = answered[0], time.monotonic()
    stormy = quantiles(read(server, path, reads))
    rate = (answered[0] - before) / (time.monotonic() - begun)
    until.set()
    others.join(30)
    print(f"{'reading an organization':34}{'p50':>9}{'p95':>9}{'p99':>9}   ms, one connection, {reads} requests each")
    print(f"{'  quiet':34}" + "".join(f"{value:9.2f}" for value in quiet))
    print(f"{f'  {connections} connections guess':34}" + "".join(f"{value:9.2f}" for value in stormy))
    print(f"{'  ratio':34}" + "".join(f"{after / before:9.2f}" for before, after in zip(quiet, stormy)))
    print(f"  {rate:.0f} guesses a second were refused, {answered[1]} were told to come back later")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--program", default=ROOT / "target/release/tenantry", type=pathlib.Path)
    parser.add_argument("--requests", default=400, type=int)
    parser.add_argument("--reads", default=4000, type=int)
    parser.add_argument("--storm", default=200, type=int)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tenantry-bench-") as temporary:
        folder = pathlib.Path(temporary).resolve()
        folder.chmod(0o755)
        postgres = Postgres(folder)
        server = Server(arguments.program.resolve(), postgres, folder)
        try:
            postgres.prepare()
            server.start(seed=(), connections=10)
            session = server.ask("POST", "/api/v1/auth/login", {"email": OWNER, "password": PASSWORD})
            server.token = session["data"]["accessToken"]
            compare_times(server.port, arguments.requests)
            compare_reads(server, "/api/v1/organizations/acme", arguments.reads, arguments.storm)
        finally:
            server.stop()
            postgres.stop()


if __name__ == "__main__":
    main()
