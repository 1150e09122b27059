"""How fast uploads are taken in, and what that costs in memory.

    .venv/bin/python benchmarks/intake.py [--uploads N] [--at-once N] [--rounds N] [--postgresql]
                                          [--json FILE]

A new installation is served as `manage.py run` serves it, with the database and the disk of its
own, and with no worker beside it. Devices upload recordings that nobody sent before, each durable
before its answer: in rounds, a few at a time; then 1,000 of 1 MB all at once. The peer is the bare
framework behind the same web server, which answers the same requests in the same rounds and stores
nothing (`benchmarks/bare.py`): the ceiling. Devices and server share the machine. Printed are
uploads a second, how long one takes, and by how much the web process grew at most; and how long the
disk alone takes for one recording. The exit status is 1 where an answer was not 201, or where the
database does not hold a row for each.
"""

import argparse
import asyncio
import json
import os
import platform
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import psutil

ROOT = Path(__file__).resolve().parent.parent
HOUSE, BARE = "iclas.asgi:application", "benchmarks.bare:application"
USUAL_BYTES, LARGE_BYTES, CROWD = 200_000, 1_000_000, 1_000
OURS, BOUNDARY = "ICLAS", "frontier"
PIECE_BYTES, WRITES = 2**16, 50
LOOKS_EVERY_S = 0.05


@dataclass(frozen=True)
class Server:
    """A web process, and how a device shows it who it is."""

    process: psutil.Process
    port: int
    token: str


@dataclass
class Taken:
    """What one round of uploads gave."""

    statuses: Counter[int] = field(default_factory=Counter)
    took_s: list[float] = field(default_factory=list)
    wall_s: float = 0.0
    grew_mib: float = 0.0


def main() -> int:
    """Run the benchmark, print a table for people, write JSON for programs."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--uploads", type=int, default=200, help="in a round")
    parser.add_argument("--at-once", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--postgresql", action="store_true", help="start one, and measure on it")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    os.environ.pop("DATABASE_URL", None)
    with ExitStack() as stack:
        home = stack.enter_context(tempfile.TemporaryDirectory())
        os.environ |= {"ICLAS_HOME": home, "ICLAS_MAX_BACKLOG": "0", "LOG_LEVEL": "ERROR"}
        if args.postgresql:
            os.environ["DATABASE_URL"] = stack.enter_context(_postgresql())
        token = _token()
        applications = {OURS: HOUSE, "bare framework": BARE}
        servers = {n: stack.enter_context(_served(a, token)) for n, a in applications.items()}
        rounds: dict[str, list[Taken]] = {name: [] for name in servers}
        for _ in range(args.rounds):
            for name, server in servers.items():
                rounds[name].append(_uploaded(server, args.uploads, args.at_once, USUAL_BYTES))
        crowds = {
            name: _uploaded(server, CROWD, CROWD, LARGE_BYTES) for name, server in servers.items()
        }
        rows, disk_ms = _rows(), _disk_ms(Path(home))
    _print(rounds, args)
    _print_more(crowds, disk_ms)
    if args.json:
        found = {"rounds": rounds, "crowds": {name: [one] for name, one in crowds.items()}}
        said = {
            what: {k: [asdict(one) for one in v] for k, v in taken.items()}
            for what, taken in found.items()
        }
        args.json.write_text(json.dumps(said | {"disk_ms": disk_ms}, indent=1))
    every = [one for taken in rounds.values() for one in taken] + list(crowds.values())
    expected = len(rounds[OURS]) * (1 + args.uploads) + 1 + CROWD  # each has one that warms up
    return int(rows != expected or any(set(one.statuses) != {201} for one in every))


# --- what is served -------------------------------------------------------------------------------


@contextmanager
def _postgresql() -> Iterator[str]:
    from tests.services.postgresql import Unavailable, programs_or_install, running

    found = programs_or_install()
    if isinstance(found, Unavailable):
        sys.exit(f"PostgreSQL cannot be started: {found.reason}")
    with running(found) as url:
        yield url.removesuffix("iclas") + "postgres"  # the one that is there


def _token() -> str:
    """Set the installation up, with a device; return its token."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "iclas.settings")
    import django

    django.setup()
    from django.core.management import call_command

    from devices.models import issue_token
    from tests.builders import a_device, an_infant

    call_command("migrate", verbosity=0)
    return issue_token(a_device(an_infant()))


@contextmanager
def _served(application: str, token: str) -> Iterator[Server]:
    """Serve an application in a process of its own for the length of the block."""
    from iclas.management.commands.run import web_words
    from tests.installation import free_port

    port = free_port()
    words = [application if word == HOUSE else word for word in web_words("127.0.0.1", port)]
    command = [sys.executable, *words, "--log-level", "critical"]
    environment = os.environ | {"ALLOWED_HOSTS": "127.0.0.1"}
    if application == BARE:
        environment.pop("DJANGO_SETTINGS_MODULE")
    process = subprocess.Popen(command, cwd=ROOT, env=environment)  # noqa: S603
    try:
        while process.poll() is None:
            with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.1)
        yield Server(psutil.Process(process.pid), port, token)
    finally:
        process.terminate()
        process.wait(30)


def _rows() -> int:
    """Return how many recordings the database holds."""
    from infants.models import Recording

    return Recording.objects.count()


def _disk_ms(folder: Path) -> float:
    """Return how long the disk takes for one recording, in its file alone."""
    took_s, content = [], secrets.token_bytes(USUAL_BYTES)
    for number in range(WRITES):
        began = time.perf_counter()
        with (folder / f"probe-{number}").open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        took_s.append(time.perf_counter() - began)
    return 1e3 * float(np.median(took_s))


# --- uploads --------------------------------------------------------------------------------------


def _uploaded(server: Server, n: int, at_once: int, size: int) -> Taken:
    """Upload so many recordings of this size; the first warms up and is not counted."""
    asyncio.run(_all(server, 1, 1, size, Taken()))
    taken = Taken()
    with _watched(server.process, taken):
        began = time.perf_counter()
        asyncio.run(_all(server, n, at_once, size, taken))
        taken.wall_s = time.perf_counter() - began
    return taken


async def _all(server: Server, n: int, at_once: int, size: int, taken: Taken) -> None:
    turn = asyncio.Semaphore(at_once)
    sound = memoryview(secrets.token_bytes(size - 16))

    async def one() -> None:
        async with turn:
            began = time.perf_counter()
            status = await _one(server, secrets.token_bytes(16), sound)
            taken.took_s.append(time.perf_counter() - began)
            taken.statuses[status] += 1

    await asyncio.gather(*(one() for _ in range(n)))


async def _one(server: Server, start: bytes, rest: memoryview) -> int:
    """Upload one recording on a connection of its own; return the status, 0 where none came."""
    part = 'Content-Disposition: form-data; name="audio"; filename="cry.wav"'
    head, tail = f"--{BOUNDARY}\r\n{part}\r\n\r\n".encode(), f"\r\n--{BOUNDARY}--\r\n".encode()
    lines = [
        "POST /api/v1/recordings/ HTTP/1.1",
        "Host: 127.0.0.1",
        "Connection: close",
        f"Authorization: Bearer {server.token}",
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}",
        f"Content-Length: {len(head) + len(start) + len(rest) + len(tail)}",
    ]
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        writer.write("\r\n".join([*lines, "", ""]).encode() + head + start)
        for at in range(0, len(rest), PIECE_BYTES):
            writer.write(rest[at : at + PIECE_BYTES])
            await writer.drain()
        writer.write(tail)
        answer = await reader.read()
    finally:
        writer.close()
    return int(answer.split(b" ", 2)[1]) if answer else 0


@contextmanager
def _watched(process: psutil.Process, taken: Taken) -> Iterator[None]:
    """Note by how much a process grows at most during the block."""
    before, is_over = process.memory_info().rss, threading.Event()

    def look() -> None:
        while not is_over.wait(LOOKS_EVERY_S):
            grew = (process.memory_info().rss - before) / 2**20
            taken.grew_mib = max(taken.grew_mib, grew)

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield
    finally:
        is_over.set()
        watcher.join()


# --- what is said ---------------------------------------------------------------------------------


def _print(rounds: dict[str, list[Taken]], args: argparse.Namespace) -> None:
    from pipelines.evaluation.report import console, table

    rows = []
    for name, taken in rounds.items():
        rates = [sum(one.statuses.values()) / one.wall_s for one in taken]
        p50, p99 = np.percentile([1e3 * s for one in taken for s in one.took_s], [50.0, 99.0])
        grew = max(one.grew_mib for one in taken)
        rows.append((name, float(np.median(rates)), min(rates), max(rates), p50, p99, grew))
    vendor = "PostgreSQL" if args.postgresql else "SQLite"
    size = f"{USUAL_BYTES // 1000} kB"
    what = f"{args.uploads} uploads of {size}, {args.at_once} at once, {vendor}"
    title = f"{args.rounds} rounds of {what}"
    headings = ("served by", "uploads/s", "least", "most", "p50 ms", "p99 ms", "grew by MiB")
    console().print(table(title, headings, rows))
    console().print(f"of the ceiling: {rows[0][1] / rows[1][1]:.2f}")


def _print_more(crowds: dict[str, Taken], disk_ms: float) -> None:
    from pipelines.evaluation.report import console

    for name, crowd in crowds.items():
        statuses = ", ".join(f"{status}: {n}" for status, n in sorted(crowd.statuses.items()))
        console().print(
            f"{CROWD} of {LARGE_BYTES // 10**6} MB at once, {name}: {CROWD / crowd.wall_s:.0f} a "
            f"second, grew by {crowd.grew_mib:.0f} MiB at most, answers {statuses}"
        )
    console().print(f"the disk alone: {disk_ms:.1f} ms for a file of {USUAL_BYTES // 1000} kB")
    load = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    console().print(f"{platform.machine()}, {os.cpu_count()} cores, load {load}", style="dim")


if __name__ == "__main__":
    sys.exit(main())
