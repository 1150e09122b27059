"""The demonstration's household: three simulated infants, their monitors, and a diary.

What comes in: the home folder, which remembers when the demonstration began. What goes out: the
rows of the household and the plan of its recordings. Guaranteed: begun again it goes on with the
same plan, so that nothing is doubled; everything in it is simulated, and called so.
"""

import datetime as dt
import json
import secrets
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Self
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone

from devices.models import Device, issue_token
from infants.assignments import BEFORE_ALL, assign_device
from infants.models import DiaryEntry, Household, Infant, User
from pipelines.cohort import (
    DailyPattern,
    Deviation,
    Encoding,
    Microphone,
    Parameter,
    PlannedRecording,
    SimulatedInfant,
    Since,
    plan_recordings,
    typical_room,
    typical_voice,
)

DAYS = 30
SEED = 1
SHIFTED_ON = 21
REPLACED_ON = 15
FEVERISH = (23, 30)
ZONE = ZoneInfo("Europe/Berlin")
USER = "demo"
THREE_A_DAY = DailyPattern(hours=(3.0, 10.0, 19.0), recordings_per_session=1.3)
NOW_AND_THEN = DailyPattern(sessions_per_day=0.35, recordings_per_session=1.2)
OLD_MONITOR = Microphone(name="old monitor")
NEW_MONITOR = Microphone(name="new monitor", encoding=Encoding.AMR)


@dataclass(frozen=True)
class Member:
    """One infant of the household, and in words what is planted in its recordings."""

    simulated: SimulatedInfant
    name: str
    planted: str


HOUSEHOLD = (
    Member(
        SimulatedInfant(
            "demo-shift",
            typical_voice(f0_hz=390.0),
            age_days=40.0,
            rooms=(Since(0, typical_room(seed=1)),),
            microphones=(Since(0, Microphone(name="bedroom monitor")),),
            pattern=THREE_A_DAY,
            deviations=(
                Deviation(Parameter.F0, 0.35, SHIFTED_ON),
                Deviation(Parameter.BREATHINESS, 0.3, SHIFTED_ON),
            ),
        ),
        "Simulated infant A",
        f"from day {SHIFTED_ON} on a voice higher by a third and hoarse; "
        f"fever in the diary from day {FEVERISH[0]}",
    ),
    Member(
        SimulatedInfant(
            "demo-monitor",
            typical_voice(f0_hz=440.0),
            age_days=75.0,
            rooms=(Since(0, typical_room(seed=2)),),
            microphones=(Since(0, OLD_MONITOR), Since(REPLACED_ON, NEW_MONITOR)),
            pattern=THREE_A_DAY,
        ),
        "Simulated infant B",
        f"on day {REPLACED_ON} the monitor is replaced by one that codes as telephones do; "
        "the infant does not change",
    ),
    Member(
        SimulatedInfant(
            "demo-quiet",
            typical_voice(f0_hz=470.0),
            age_days=20.0,
            rooms=(Since(0, typical_room(seed=3)),),
            microphones=(Since(0, Microphone(name="travel monitor")),),
            pattern=NOW_AND_THEN,
        ),
        "Simulated infant C",
        "nothing; it cries little, so that there is little to learn from",
    ),
)


@dataclass(frozen=True)
class Demonstration:
    """When it began, and how to sign in."""

    started_at: str
    password: str

    @classmethod
    def at(cls, home: Path) -> Self:
        """Return the demonstration that this home remembers, or begin one."""
        path = home / "demonstration.json"
        if not path.exists():
            begun = cls(timezone.now().isoformat(), secrets.token_urlsafe(9))
            draft = path.with_suffix(".new")
            draft.touch(mode=0o600)
            draft.write_text(json.dumps(asdict(begun)))
            draft.replace(path)
        return cls(**json.loads(path.read_text()))

    @property
    def first_day(self) -> dt.datetime:
        """The midnight with which day 0 begins: thirty days before the demonstration began."""
        begun = dt.datetime.fromisoformat(self.started_at).astimezone(ZONE)
        return begun.replace(hour=0, minute=0, second=0, microsecond=0) - dt.timedelta(days=DAYS)

    def day(self, number: float) -> dt.datetime:
        """Return the beginning of a day, by its number."""
        return self.first_day + dt.timedelta(days=number)

    def day_of(self, moment: dt.datetime) -> float:
        """Return the number of a moment's day, with its fraction."""
        return (moment - self.first_day) / dt.timedelta(days=1)

    def history(self) -> list[PlannedRecording]:
        """Return what the household's monitors have recorded until now, oldest first."""
        simulated = [member.simulated for member in HOUSEHOLD]
        planned = plan_recordings(simulated, self.first_day, DAYS + 1, SEED)
        begun = dt.datetime.fromisoformat(self.started_at)
        heard_out = dt.timedelta(minutes=1)
        return [one for one in planned if one.recorded_at + heard_out < begun]

    def live(self, history: list[PlannedRecording]) -> Iterator[PlannedRecording]:
        """Yield, without end, a cry of now, of those in turn who cry every day."""
        newest = {one.infant: one for one in history}
        turn = [newest["demo-shift"], newest["demo-monitor"]]
        while True:
            for one in turn:
                now = timezone.now().replace(microsecond=0)
                yield replace(one, recorded_at=now, seed=int(now.timestamp()))


def sign_up(demonstration: Demonstration) -> None:
    """Create the one who looks: staff too, to see how the queues stand. Idempotent."""
    if not User.objects.filter(username=USER).exists():
        User.objects.create_superuser(USER, password=demonstration.password)


def settle(demonstration: Demonstration) -> dict[str, str]:
    """Create what is missing of the household; return a token for each monitor, by its name."""
    with transaction.atomic():
        household, _ = Household.objects.get_or_create(name="Simulated household")
        tokens = {}
        for member in HOUSEHOLD:
            infant = _move_in(member, household, demonstration)
            for since in member.simulated.microphones:
                tokens[since.what.name] = issue_token(_plug_in(since, infant, demonstration))
        _write_diary(demonstration)
    return tokens


def _move_in(member: Member, household: Household, demonstration: Demonstration) -> Infant:
    born = demonstration.first_day.date() - dt.timedelta(days=member.simulated.age_days)
    described = {
        "name": member.name,
        "household": household,
        "time_zone": ZONE.key,
        "birth_date": born,
    }
    infant, _ = Infant.objects.get_or_create(source_key=member.simulated.key, defaults=described)
    return infant


def _plug_in(since: Since[Microphone], infant: Infant, demonstration: Demonstration) -> Device:
    known = Device.objects.filter(assignments__infant=infant, name=since.what.name).first()
    if known is not None:
        return known
    device = Device.objects.create(name=since.what.name, hardware="simulated")
    starts_at = demonstration.day(since.day) if since.day else BEFORE_ALL
    served = infant.assignments.filter(ends_at=None)
    served.update(ends_at=starts_at)
    assign_device(device, infant, since=starts_at)
    return device


def _write_diary(demonstration: Demonstration) -> None:
    infant = Infant.objects.get(source_key="demo-shift")
    starts_at, ends_at = (demonstration.day(day + 0.25) for day in FEVERISH)
    note = {"ends_at": ends_at, "text": "Fever (simulated)"}
    DiaryEntry.objects.get_or_create(
        infant=infant, kind=DiaryEntry.Kind.ILLNESS, starts_at=starts_at, defaults=note
    )
    for evening in range(FEVERISH[0], FEVERISH[1]):
        DiaryEntry.objects.get_or_create(
            infant=infant,
            kind=DiaryEntry.Kind.TEMPERATURE,
            starts_at=demonstration.day(evening + 0.75),
            defaults={"temperature_c": 38.4 + 0.2 * (evening % 3), "text": "simulated"},
        )
