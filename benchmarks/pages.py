"""Server time and bytes of the main pages, on 200 infants with a year of recordings each.

    .venv/bin/python benchmarks/pages.py [--infants N] [--days N] [--rounds N] [--json FILE]
                                         [--postgresql] [--browser]

The rows are written straight into a database of their own: a new SQLite file, or a PostgreSQL that
is started for it. Each infant has six recordings a day, in three sessions. Four infants are made
one by one; where more are asked for the others are copies of them, under ids and names of their
own. Then a caregiver who may see all of them signs in, and a clinician of all of them, and each
page is asked for again and again in this process, by the one whose page it is. Printed
are the server's time, median and 95 % of the rounds, its CPU time, which whatever else the machine
does changes less, and the bytes of the answer, as they are and gzipped. A page that this version
does not have is said to be not there. With `--browser` the timeline of a year is opened in Chromium
too, with nothing cached there, until its charts stand with the data for the screen's width. The
exit status is 1 where the timeline of a year, which brings its data for a wide screen, takes longer
than it was designed for.
"""

import argparse
import gzip
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from benchmarks import lives  # noqa: E402  found beside this file

BUDGET_MS = 150.0
DESIGNED = "timeline of a year"
STANDS = """() => document.querySelector("[data-stage] canvas")
    && !document.querySelector("[data-stage][aria-busy]") && performance.now()"""


@dataclass(frozen=True)
class Page:
    """Something that is asked for, by a caregiver or a clinician."""

    name: str
    path: str
    by: str = "caregiver"


@dataclass(frozen=True)
class Served:
    """What asking for a page gave; times in milliseconds, `cpu_ms` of this process alone."""

    name: str
    path: str
    status: int
    median_ms: float
    p95_ms: float
    cpu_ms: float
    raw_bytes: int
    gzip_bytes: int
    queries: int


def main() -> int:
    """Run the benchmark, print a table for people, write JSON for programs."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--infants", type=int, default=200)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--browser", action="store_true", help="open the timeline in Chromium too")
    parser.add_argument("--postgresql", action="store_true", help="start one, and measure on it")
    args = parser.parse_args()
    if args.infants > lives.MADE and args.infants % lives.MADE:
        parser.error(f"more infants than {lives.MADE} come in groups of {lives.MADE}")
    with tempfile.TemporaryDirectory() as home, _database(args) as url:
        os.environ |= {"ICLAS_HOME": home, "OMP_NUM_THREADS": "1", "LOG_LEVEL": "ERROR"} | url
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "iclas.settings")
        served, vendor, built_s = _measure(args.infants, args.days, args.rounds)
        late = _print(served, vendor, built_s, args)
        if args.browser:
            year = next(one.path for one in served if one.name == DESIGNED)
            _print_opening(_opened(year, args.rounds))
    if args.json:
        args.json.write_text(json.dumps([asdict(one) for one in served], indent=1))
    return int(late)


@contextmanager
def _database(args: argparse.Namespace) -> Iterator[dict[str, str]]:
    """Yield what the environment has to say of the database."""
    if not args.postgresql:
        os.environ.pop("DATABASE_URL", None)
        yield {}
        return
    from tests.services.postgresql import Unavailable, programs_or_install, running

    found = programs_or_install()
    if isinstance(found, Unavailable):
        sys.exit(f"PostgreSQL cannot be started: {found.reason}")
    with running(found) as url:
        yield {"DATABASE_URL": url.removesuffix("iclas") + "postgres"}  # the one that is there


def _measure(infants: int, days: int, rounds: int) -> tuple[list[Served], str, float]:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client

    from infants.models import Membership, User

    call_command("migrate", verbosity=0)
    began = time.perf_counter()
    first = lives.write_lives(infants, days)
    lives.analyse(connection)
    built_s = time.perf_counter() - began
    clients = {}
    for role in Membership.Role.OWNER, Membership.Role.CLINICIAN:
        user = User.objects.create_user(role)
        lives.let_see(user, role)
        clients[role] = Client(HTTP_HOST="127.0.0.1")
        clients[role].force_login(user)
    asking = {"caregiver": clients[Membership.Role.OWNER]}
    asking["clinician"] = clients[Membership.Role.CLINICIAN]
    pages = _pages(str(first.id), days)
    return [_served(asking[page.by], page, rounds) for page in pages], connection.vendor, built_s


def _pages(infant: str, days: int) -> list[Page]:
    timeline, year = f"/infants/{infant}/timeline/", f"span={min(days, 365)}d"
    return [
        Page("all infants", "/"),
        Page("one infant", f"/infants/{infant}/"),
        Page("recordings", f"/infants/{infant}/recordings/"),
        Page("patients", "/patients/", "clinician"),
        Page("timeline", timeline, "clinician"),
        Page("its data", f"{timeline}data/?width=1200", "clinician"),
        Page("timeline of a year", f"{timeline}?{year}", "clinician"),
        Page("its data, a year", f"{timeline}data/?{year}&width=1200", "clinician"),
    ]


def _served(client: Any, page: Page, rounds: int) -> Served:  # noqa: ANN401  a test client
    """Ask for a page again and again; the first time warms up."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as asked:
        answer = client.get(page.path)
        n_queries = len(asked)
    walls, cpus = [0.0], [0.0]
    for number in range(rounds if answer.status_code == 200 else 0):
        if number == 0:
            walls, cpus = [], []
        start, cpu = time.perf_counter(), time.process_time()
        answer = client.get(page.path)
        walls.append(1000 * (time.perf_counter() - start))
        cpus.append(1000 * (time.process_time() - cpu))
    median, p95 = np.percentile(walls, [50.0, 95.0])
    body = answer.content
    raw = gzip.decompress(body) if answer.headers.get("Content-Encoding") == "gzip" else body
    return Served(
        *(page.name, page.path, answer.status_code),
        *(float(median), float(p95), float(np.median(cpus))),
        *(len(raw), len(gzip.compress(raw, 6)), n_queries),
    )


# --- in a browser --------------------------------------------------------------------------------


def _opened(path: str, rounds: int) -> list[float]:
    """Return how long charts took to stand after each opening, in seconds; the first warms up."""
    from django.conf import settings
    from django.test import Client
    from playwright.sync_api import sync_playwright

    from infants.models import Membership, User
    from tests.services import chromium

    client = Client()
    client.force_login(User.objects.get(username=Membership.Role.CLINICIAN))
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    with _web_process() as address, sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=str(chromium.PROGRAM), args=list(chromium.QUIET)
        )
        took = []
        for _ in range(rounds + 1):
            context = browser.new_context(viewport={"width": 1280, "height": 900})
            cookie = {"name": settings.SESSION_COOKIE_NAME, "value": session, "url": address}
            context.add_cookies([cookie])
            page = context.new_page()
            page.goto(f"{address}{path}", wait_until="commit")
            took.append(float(page.wait_for_function(STANDS).json_value()) / 1000)
            context.close()
        browser.close()
    return took[1:]


@contextmanager
def _web_process() -> Iterator[str]:
    """Serve this installation as it is served, for the length of the block."""
    import requests

    from tests.installation import free_port

    port = free_port()
    words = ["-m", "uvicorn", "iclas.asgi:application", "--port", str(port), "--lifespan", "off"]
    words += ["--log-level", "error", "--timeout-graceful-shutdown", "1"]
    environment = os.environ | {"ALLOWED_HOSTS": "127.0.0.1"}
    server = subprocess.Popen([sys.executable, *words], cwd=ROOT, env=environment)  # noqa: S603
    try:
        address = f"http://127.0.0.1:{port}"
        while server.poll() is None:
            with suppress(requests.ConnectionError):
                requests.get(f"{address}/sign-in/", timeout=10)
                break
            time.sleep(0.1)
        yield address
    finally:
        server.terminate()
        server.wait(30)


def _print_opening(took: list[float]) -> None:
    from pipelines.evaluation.report import console

    median, p95 = np.percentile(took, [50.0, 95.0])
    console().print(
        f"{DESIGNED}, opened in Chromium: {median:.2f} s, 95 % of {len(took)} within {p95:.2f} s"
    )


# --- the rows ------------------------------------------------------------------------------------


def _print(served: list[Served], vendor: str, built_s: float, args: argparse.Namespace) -> bool:
    """Print what was measured; tell whether the timeline is late."""
    from pipelines.evaluation.report import console, table

    headings = ("page", "median ms", "95 % ms", "CPU ms", "kB", "kB gzipped", "queries")
    rows = [
        (
            one.name,
            one.median_ms,
            one.p95_ms,
            one.cpu_ms,
            one.raw_bytes / 1e3,
            one.gzip_bytes / 1e3,
            one.queries,
        )
        for one in served
        if one.status == 200
    ]
    out = console()
    what = f"{args.infants} infants, {args.days} days each, on {vendor}"
    out.print(table(f"Pages: {what}, {args.rounds} rounds", headings, rows))
    for one in served:
        if one.status != 200:
            out.print(f"not there: {one.name} ({one.path} answers {one.status})", style="dim")
    cpu_ms = sum(one.cpu_ms for one in served if one.name == DESIGNED)
    is_late = cpu_ms > BUDGET_MS
    style = "red" if is_late else "green"
    out.print(f"{DESIGNED}: {cpu_ms:.0f} ms of CPU, designed for {BUDGET_MS:.0f} ms", style=style)
    out.print(f"{platform.machine()}, {os.cpu_count()} cores; rows in {built_s:.0f} s", style="dim")
    return is_late


if __name__ == "__main__":
    sys.exit(main())
