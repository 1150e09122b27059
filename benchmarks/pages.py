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
import datetime as dt
import gzip
import itertools
import json
import math
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
SESSIONS_A_DAY, RECORDINGS_A_SESSION, UNITS = 3, 2, 4
MADE = 4
OWN_APPS = ("infants", "devices", "anomaly", "notify")
HOURS = (2, 9, 18)
LEARNING_DAYS = 9
REFIT_EVERY_DAYS = 3
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
    if args.infants > MADE and args.infants % MADE:
        parser.error(f"more infants than {MADE} come in groups of {MADE}")
    sys.path.insert(0, str(ROOT))
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
    first = _build(infants, days)
    _analyse(connection)
    built_s = time.perf_counter() - began
    clients = {}
    for role in Membership.Role.OWNER, Membership.Role.CLINICIAN:
        user = User.objects.create_user(role)
        _let_see(user, role)
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


def _build(infants: int, days: int) -> Any:  # noqa: ANN401  an Infant, whose model is imported late
    """Write the rows of so many infants; return one of them."""
    from django.db import transaction

    end = dt.datetime.now(dt.UTC).replace(minute=0, second=0, microsecond=0)
    first = None
    for number in range(min(infants, MADE)):
        with transaction.atomic():
            made = _Infant(number, days, end)
            made.write()
        first = first or made.infant
    with transaction.atomic():
        _copy(infants // MADE - 1)
    return first


def _copy(times: int) -> None:
    """Copy the infants that were made so many times, table by table.

    What identifies a row begins with the copy's number instead of with its time; numbers that the
    database gives itself are left to it.
    """
    from django.apps import apps
    from django.db import connection

    tables = [model._meta for app in OWN_APPS for model in apps.get_app_config(app).get_models()]
    with connection.cursor() as cursor:
        for table in tables:
            name = table.db_table
            cursor.execute(f"CREATE TEMPORARY TABLE made_{name} AS SELECT * FROM {name}")  # noqa: S608
        for number, table in itertools.product(range(1, times + 1), tables):
            values = dict(_copied(table, number, connection))
            into = f"INSERT INTO {table.db_table} ({', '.join(values)})"
            chosen = f"SELECT {', '.join(values.values())} FROM made_{table.db_table}"  # noqa: S608
            cursor.execute(f"{into} {chosen}")


def _copied(table: Any, number: int, connection: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401
    """Yield each column of a table and what stands in it in a copy, both in SQL."""
    from django.db.models import AutoField, CompositePrimaryKey, UUIDField

    for field in table.concrete_fields:
        own = field
        while own.remote_field is not None:
            own = own.target_field
        column = connection.ops.quote_name(field.column)
        if isinstance(own, UUIDField):
            hex_ = f"{number:08x}"
            on_sqlite = f"'{hex_}' || substr({column}, 9)"
            on_postgresql = f"overlay({column}::text placing '{hex_}' from 1)::uuid"
            yield column, on_sqlite if connection.vendor == "sqlite" else on_postgresql
        elif (table.model_name, field.name) == ("infant", "name"):
            yield column, f"{column} || ' {number}'"
        elif not isinstance(field, AutoField | CompositePrimaryKey):
            yield column, column


class _Infant:
    """One infant's year, as the stages would have written it; cries and audio are left out."""

    def __init__(self, number: int, days: int, end: dt.datetime) -> None:
        from devices.models import Device
        from infants.models import DeviceAssignment, Household, Infant

        self.chance = np.random.default_rng(number)
        self.number, self.days = number, days
        self.start = (end - dt.timedelta(days=days)).replace(hour=0)
        household = Household.objects.create(name="A household")
        self.infant = Infant.objects.create(
            household=household, name=f"Infant {number}", time_zone="Europe/Berlin"
        )
        self.device = Device.objects.create(name="A monitor", last_seen_at=end)
        DeviceAssignment.objects.create(
            device=self.device, infant=self.infant, starts_at=self.start
        )
        self.versions: list[Any] = []

    def write(self) -> None:
        """Write everything."""
        self._models()
        self._sessions()
        self._days()
        self._beside()

    def _models(self) -> None:
        from anomaly.models import PersonalModel

        for day in range(LEARNING_DAYS, self.days, REFIT_EVERY_DAYS):
            until = self.start + dt.timedelta(days=day)
            self.versions.append(
                PersonalModel(
                    infant=self.infant,
                    number=len(self.versions) + 1,
                    encoder="bench",
                    learnt_on=until.date(),
                    learnt_until=until,
                    in_force_after=until + dt.timedelta(hours=1),
                    artefact="none",
                    sha256="0" * 64,
                    n_units=900,
                    n_recordings=200,
                    n_sessions=max(9, day),
                    n_days=max(9, day),
                    facts={"smallest_p_value": 0.004},
                )
            )
        PersonalModel.objects.bulk_create(self.versions)

    def _version(self, day: int) -> Any:  # noqa: ANN401  a PersonalModel, or None
        at = (day - LEARNING_DAYS - 1) // REFIT_EVERY_DAYS
        return self.versions[min(at, len(self.versions) - 1)] if at >= 0 and self.versions else None

    def _sessions(self) -> None:
        from infants.models import RecordingSession
        from pipelines.acoustics import usual_ranges

        sessions, recordings = [], []
        for day in range(self.days):
            for hour in HOURS[:SESSIONS_A_DAY]:
                begins = self.start + dt.timedelta(days=day, hours=hour)
                ends = begins + dt.timedelta(minutes=9)
                session = RecordingSession(
                    infant=self.infant, started_at=begins, ended_at=ends, closed_at=ends
                )
                sessions.append((day, session))
                recordings += list(self._recordings(day, session))
        RecordingSession.objects.bulk_create([session for _, session in sessions])
        self._judged(recordings)
        self._judged_sessions(sessions)
        learnt = [str(row.id) for _, row in recordings[-400:]]
        last = self.versions[-1]
        usual = usual_ranges(row.channels for _, row in recordings[-400:])
        last.facts = last.facts | {"recordings": learnt, "usual": usual}
        last.save()

    def _recordings(self, day: int, session: Any) -> Iterator[tuple[int, Any]]:  # noqa: ANN401
        from infants.models import Recording
        from infants.states import State

        for number in range(RECORDINGS_A_SESSION):
            when = session.started_at + dt.timedelta(minutes=5 * number)
            name = f"{self.number}/{when.isoformat()}"
            yield (
                day,
                Recording(
                    device=self.device,
                    infant=self.infant,
                    session=session,
                    sha256=name,
                    byte_size=200_000,
                    received_at=when,
                    recorded_at=when,
                    state_changed_at=when,
                    duration_s=7.0,
                    state=State.DONE,
                    channels=self._channels(),
                    gate_features=bytes(464),
                    room=bytes(640),
                    passed={state: [when.isoformat(), 1] for state in ("received", "embedded")},
                ),
            )

    def _channels(self) -> dict[str, Any]:
        from pipelines.acoustics import CHANNELS

        values = self.chance.normal(10.0, 1.0, len(CHANNELS))
        return {
            channel.name: {"value": float(abs(value)), "confidence": 0.7345678}
            for channel, value in zip(CHANNELS, values, strict=True)
        }

    def _judged(self, recordings: list[tuple[int, Any]]) -> None:
        from anomaly.models import BaselineEntry, GateDecision, RecordingJudgement, ScorePoint
        from infants.models import Recording

        Recording.objects.bulk_create([row for _, row in recordings], batch_size=400)
        parts = [
            {"name": name, "confidence": 0.81, "reason": f"as usual for the {name} of this age"}
            for name in ("cry", "arousal", "embedding", "development")
        ]
        decisions, judgements, points, entries = [], [], [], []
        for day, row in recordings:
            accepted = bool(self.chance.random() > 0.2)
            decisions.append(
                GateDecision(
                    recording=row,
                    infant=self.infant,
                    is_cry=True,
                    cry_probability=0.98,
                    accepted=accepted,
                    confidence=0.8,
                    threshold=0.5,
                    parts=parts,
                    gate_version="gate-1",
                )
            )
            judgements.append(self._judgement(day, row))
            points += list(self._points(judgements[-1], row, accepted=accepted))
            if accepted:
                entries.append(
                    BaselineEntry(recording=row, infant=self.infant, recorded_at=row.recorded_at)
                )
        GateDecision.objects.bulk_create(decisions, batch_size=800)
        RecordingJudgement.objects.bulk_create(judgements, batch_size=800)
        ScorePoint.objects.bulk_create(points, batch_size=1500)
        BaselineEntry.objects.bulk_create(entries[-400:], batch_size=800)
        self.judgements = {
            row.id: one for (_, row), one in zip(recordings, judgements, strict=True)
        }
        self.recordings = recordings

    def _judgement(self, day: int, row: Any) -> Any:  # noqa: ANN401  rows
        from anomaly.models import RecordingJudgement
        from pipelines.score import MINIMUM_DAYS, SCORERS

        version = self._version(day)
        numbers: dict[str, Any] = {"outcome": "learning", "baseline_days": min(day, MINIMUM_DAYS)}
        if version is not None:
            p_values = [float(p) for p in self.chance.uniform(0.004, 1.0, len(SCORERS) + 1)]
            numbers = {
                "outcome": "scored",
                "baseline_days": version.n_days,
                "model": version,
                "statistic": -math.log(p_values[-1]),
                "p_value": p_values[-1],
                "scores": dict.fromkeys(SCORERS, 1.0),
                "p_values": dict(zip(SCORERS, p_values[:-1], strict=True)),
                "room_p_value": 0.4,
            }
        return RecordingJudgement(
            recording=row,
            infant=self.infant,
            baseline_days_needed=MINIMUM_DAYS,
            encoder="bench",
            **numbers,
        )

    def _points(self, judged: Any, row: Any, *, accepted: bool) -> Iterator[Any]:  # noqa: ANN401
        from anomaly.models import ScorePoint

        said = {"combined": judged.p_value} | judged.p_values
        for scorer, p_value in said.items():
            yield ScorePoint(
                infant=self.infant,
                time=row.recorded_at,
                recording=row,
                scorer=scorer,
                outcome=judged.outcome,
                score=None if p_value is None else 1.0,
                p_value=p_value,
                baseline_days=judged.baseline_days,
                baseline_days_needed=judged.baseline_days_needed,
                model_id=judged.model_id,
                encoder="bench",
                gate_version="gate-1",
                gate_accepted=accepted,
            )

    def _judged_sessions(self, sessions: list[tuple[int, Any]]) -> None:
        from anomaly.models import SessionJudgement, SessionSummary
        from pipelines.prior import bundled_priors
        from pipelines.score import SCORERS
        from pipelines.timetable import WATCHED

        judged, summaries = [], []
        for day, session in sessions:
            version = self._version(day)
            p_values = [float(p) for p in self.chance.uniform(0.004, 1.0, len(SCORERS) + 1)]
            if version is not None:
                judged.append(
                    SessionJudgement(
                        session=session,
                        infant=self.infant,
                        started_at=session.started_at,
                        model=version,
                        statistic=1.0,
                        p_value=p_values[-1],
                        p_values=dict(zip(SCORERS, p_values[:-1], strict=True)),
                        n_recordings=RECORDINGS_A_SESSION,
                    )
                )
            levels = self.chance.normal(0.0, 1.0, len(WATCHED))
            summaries.append(
                SessionSummary(
                    session=session,
                    infant=self.infant,
                    levels=dict(zip(WATCHED, map(float, levels), strict=True)),
                    counts=dict.fromkeys(WATCHED, RECORDINGS_A_SESSION),
                    device=self.device,
                    n_recordings=RECORDINGS_A_SESSION,
                    prior=bundled_priors("").version,
                )
            )
        SessionJudgement.objects.bulk_create(judged, batch_size=800)
        SessionSummary.objects.bulk_create(summaries, batch_size=800)

    def _days(self) -> None:
        """Write what is summed up by day, as the stages do."""
        from anomaly.models import DailyChannels, DailyRollup, WatchedDay
        from pipelines.acoustics import three_quantiles, values_by_channel

        by_day: dict[dt.date, list[Any]] = {}
        for _, row in self.recordings:
            by_day.setdefault(self.infant.local_day(row.recorded_at), []).append(row)
        rollups, channels, watched = [], [], []
        for number, (day, rows) in enumerate(by_day.items()):
            found = [self.judgements[row.id].p_value for row in rows]
            p_values = [p_value for p_value in found if p_value is not None]
            rollups.append(
                DailyRollup(
                    infant=self.infant,
                    day=day,
                    n_recordings=len(rows),
                    n_cries=UNITS * len(rows),
                    cry_s=4.0 * len(rows),
                    n_accepted=len(rows) - 1,
                    n_scored=len(p_values),
                    p_value_min=min(p_values, default=None),
                    p_value_median=float(np.median(p_values)) if p_values else None,
                )
            )
            values = values_by_channel([row.channels for row in rows])
            three = {name: three_quantiles(own) for name, own in values.items()}
            channels.append(DailyChannels(infant=self.infant, day=day, quantiles=three))
            if number > LEARNING_DAYS:
                statistic = float(self.chance.normal(1.5, 0.6))
                watched.append(
                    WatchedDay(infant=self.infant, day=day, highest=statistic, last=statistic)
                )
        DailyRollup.objects.bulk_create(rollups)
        DailyChannels.objects.bulk_create(channels)
        WatchedDay.objects.bulk_create(watched)

    def _beside(self) -> None:
        from anomaly.models import Episode
        from infants.models import DiaryEntry

        for number in range(12):
            opened = self.start + dt.timedelta(days=20 + 28 * number)
            closed = opened + dt.timedelta(days=5)
            Episode.objects.create(
                infant=self.infant,
                kind=Episode.Kind.PERSISTENT_SHIFT,
                opened_at=opened,
                last_at=closed,
                closed_at=closed,
                close_reason="back_to_usual",
            )
        DiaryEntry.objects.bulk_create(
            DiaryEntry(
                infant=self.infant,
                kind="note",
                starts_at=self.start + dt.timedelta(days=3 * number),
                text="a note",
            )
            for number in range(self.days // 3)
        )


def _let_see(user: Any, role: str) -> None:  # noqa: ANN401  a User
    from infants.models import Infant, Membership

    Membership.objects.bulk_create(
        Membership(user=user, infant=infant, role=role) for infant in Infant.objects.all()
    )


def _analyse(connection: Any) -> None:  # noqa: ANN401  a connection
    """Let the database know its tables, as it does by itself after a while."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


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
