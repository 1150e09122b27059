"""Infants with long lives, written straight into a database, for benchmarks of what reads them.

What comes in: how many infants and days. What goes out: their rows, as the stages would have
written them; cries and audio are left out. Guaranteed: the same numbers give the same lives. Each
infant has six recordings a day, in three sessions; the first four are made one by one, all others
are copies of them under ids and names of their own.
"""

import datetime as dt
import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

SESSIONS_A_DAY, RECORDINGS_A_SESSION, UNITS = 3, 2, 4
MADE = 4
OWN_APPS = ("infants", "devices", "anomaly", "notify", "bridge")
HOURS = (2, 9, 18)
LEARNING_DAYS = 9
REFIT_EVERY_DAYS = 3


def write_lives(infants: int, days: int) -> Any:  # noqa: ANN401  an Infant, whose model is imported late
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


def let_see(user: Any, role: str) -> None:  # noqa: ANN401  a User
    """Let a user see every infant, in a role."""
    from infants.models import Infant, Membership

    Membership.objects.bulk_create(
        Membership(user=user, infant=infant, role=role) for infant in Infant.objects.all()
    )


def analyse(connection: Any) -> None:  # noqa: ANN401  a connection
    """Let the database know its tables, as it does by itself after a while."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
