"""Cohort: simulated infants over days, with everything about their recordings known.

In: infants, a start, a number of days and a seed. Out: a plan of recordings in the order of time,
and for each planned recording the file that its device uploads, with its truth. Guaranteed: the
same arguments give the same plan and the same bytes; adding an infant, a day or a deviation
disturbs no recording that it does not touch, as every draw has a seed of its own; nothing of it is
a recording of anybody. Whatever is reported from a cohort is to be called simulated.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

import numpy as np

from pipelines.change import (
    Deviation,
    Effect,
    Growth,
    Parameter,
    Variation,
    affected,
    deviated,
    grown,
)
from pipelines.encode import Encoding
from pipelines.errors import ConfigError
from pipelines.microphone import Microphone
from pipelines.population import draw_microphone, draw_room, draw_voice, typical_room, typical_voice
from pipelines.synthesis import InfantVoice, Room, SyntheticCry, synthesise_cry

__all__ = [
    "DailyPattern",
    "Deviation",
    "Effect",
    "Encoding",
    "Growth",
    "InfantVoice",
    "Microphone",
    "Parameter",
    "PlannedRecording",
    "Room",
    "SimulatedInfant",
    "Since",
    "Variation",
    "draw_infants",
    "plan_recordings",
    "render",
    "typical_room",
    "typical_voice",
]

EVENING_HOUR = 19.0
EVENING_SHARE = 0.5
EVENING_SPREAD_H = 2.5
SESSION_SPREAD_H = 0.25  # a session at a given hour is a quarter of an hour early or late
SESSIONS_APART = dt.timedelta(hours=1)  # more than the quiet that parts two sessions
SHORTEST_GAP_S = 60.0
LONGEST_GAP_S = 1_200.0
KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
OLDEST_DRAWN_DAYS = 180.0

Thing = TypeVar("Thing")


@dataclass(frozen=True)
class Since(Generic[Thing]):
    """Something that holds from a day on, until another takes its place."""

    day: float
    what: Thing


@dataclass(frozen=True)
class DailyPattern:
    """When an infant is recorded.

    Parameters
    ----------
    hours
        Hours of the day at which sessions begin, each within about a quarter of an hour; empty:
        they are drawn, half of them around 19 h.
    sessions_per_day
        How many there are on the average where they are drawn (Poisson).
    recordings_per_session
        How many recordings a session has on the average, one at least.
    gap_min
        Minutes between the recordings of a session, on the average.

    Raises
    ------
    ConfigError
        An hour that no day has, or numbers under which nothing could be recorded.
    """

    hours: tuple[float, ...] = ()
    sessions_per_day: float = 4.0
    recordings_per_session: float = 1.5
    gap_min: float = 4.0

    def __post_init__(self) -> None:
        """Refuse a pattern that no day could follow."""
        if not all(0.0 <= hour < 24.0 for hour in self.hours):
            raise ConfigError("a day has the hours 0 to 24")
        if self.sessions_per_day < 0.0 or self.recordings_per_session < 1.0 or self.gap_min <= 0.0:
            raise ConfigError("a daily pattern needs sessions of one recording or more")


def _typical_rooms() -> tuple[Since[Room], ...]:
    return (Since(0.0, typical_room()),)


def _typical_microphones() -> tuple[Since[Microphone], ...]:
    return (Since(0.0, Microphone()),)


@dataclass(frozen=True)
class SimulatedInfant:
    """A simulated infant and what becomes of it.

    Parameters
    ----------
    key
        Its name in manifests and files.
    voice
        Its voice on day 0.
    age_days
        Its age on day 0.
    rooms, microphones
        Where it is recorded and by what, each from a day on; the earliest also serves before it.
    pattern
        When it is recorded.
    variation
        How much it varies by chance.
    growth
        How it grows.
    deviations
        What is planted.
    duration_s
        Length of its recordings.

    Raises
    ------
    ConfigError
        A key that is no plain name, or no room or no microphone.
    """

    key: str
    voice: InfantVoice = field(default_factory=typical_voice)
    age_days: float = 60.0
    rooms: tuple[Since[Room], ...] = field(default_factory=_typical_rooms)
    microphones: tuple[Since[Microphone], ...] = field(default_factory=_typical_microphones)
    pattern: DailyPattern = field(default_factory=DailyPattern)
    variation: Variation = field(default_factory=Variation)
    growth: Growth = field(default_factory=Growth)
    deviations: tuple[Deviation, ...] = ()
    duration_s: float = 7.0

    def __post_init__(self) -> None:
        """Refuse what could not be written or recorded."""
        if not KEY.fullmatch(self.key):
            raise ConfigError(f"{self.key!r} is no plain name for an infant")
        if not self.rooms or not self.microphones:
            raise ConfigError(f"{self.key} has no room or no microphone")


@dataclass(frozen=True)
class PlannedRecording:
    """A recording to be, with its truth.

    Parameters
    ----------
    infant
        Key of the infant.
    device
        Name of the device.
    recorded_at
        When, in UTC.
    day
        Days since the plan's first midnight.
    session, number
        Number of the infant's session, and of the recording within it, from 0.
    age_days
        Age then.
    voice, room, microphone
        As they are then, with every effect applied.
    seed
        Draws the cry.
    duration_s
        Length of the recording.
    active
        Planted deviations that act then, even if only in part.
    day_effect, recording_effect
        What chance did to the whole day, and to this recording.
    """

    infant: str
    device: str
    recorded_at: dt.datetime
    day: float
    session: int
    number: int
    age_days: float
    voice: InfantVoice
    room: Room
    microphone: Microphone
    seed: int
    duration_s: float
    active: tuple[Deviation, ...]
    day_effect: Effect
    recording_effect: Effect

    @property
    def file_name(self) -> str:
        """Name of its file; no other recording of a plan has the same."""
        return f"{self.infant}_{self.recorded_at:%Y%m%dT%H%M%SZ}.{self.microphone.suffix}"


def plan_recordings(
    infants: Iterable[SimulatedInfant], start: dt.datetime, days: int, seed: int
) -> list[PlannedRecording]:
    """Plan the recordings of infants over some days.

    Parameters
    ----------
    infants
        Whose; each key once.
    start
        Aware; day 0 is the whole of its day in its own zone, whose hours the patterns follow.
    days
        How many days.
    seed
        Draws everything that is left to chance.

    Returns
    -------
    list of PlannedRecording
        In the order of time.

    Raises
    ------
    ConfigError
        The start has no zone, there is no day, or two infants have the same key.
    """
    if start.utcoffset() is None or days < 1:
        raise ConfigError("a plan needs a start with an offset from UTC and one day or more")
    whole = list(infants)
    if len({infant.key for infant in whole}) < len(whole):
        raise ConfigError("two infants have the same key")
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
    planned = [one for infant in whole for one in _of_infant(infant, midnight, days, seed)]
    return sorted(planned, key=lambda one: (one.recorded_at, one.infant))


def render(planned: PlannedRecording) -> tuple[bytes, SyntheticCry]:
    """Make a planned recording.

    Parameters
    ----------
    planned
        Which.

    Returns
    -------
    bytes
        The file that the device uploads.
    SyntheticCry
        The cry as it was before the device took it, with its truth.
    """
    microphone = planned.microphone
    cry = synthesise_cry(
        planned.voice, planned.seed, planned.duration_s, microphone.file_rate_hz, planned.room
    )
    return microphone.upload(cry.sound, np.random.default_rng([planned.seed, 1])), cry


def draw_infants(
    n: int, seed: int, encodings: tuple[Encoding, ...] = (Encoding.WAV,)
) -> list[SimulatedInfant]:
    """Draw a population of infants; a larger one begins with the same infants.

    Parameters
    ----------
    n
        How many.
    seed
        Draws them.
    encodings
        Kinds of files that their devices upload, in turn.
    """
    return [
        _drawn_infant(f"sim-{number:04}", seed, encodings[number % len(encodings)])
        for number in range(n)
    ]


def _drawn_infant(key: str, seed: int, encoding: Encoding) -> SimulatedInfant:
    rng = _generator(seed, key, "infant")
    return SimulatedInfant(
        key=key,
        voice=draw_voice(rng),
        age_days=float(rng.uniform(0.0, OLDEST_DRAWN_DAYS)),
        rooms=(Since(0.0, draw_room(rng)),),
        microphones=(Since(0.0, draw_microphone(encoding, rng)),),
    )


def _seed(*parts: object) -> int:
    """Return a seed that belongs to these parts and to no others."""
    text = "/".join(map(str, parts))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=7).digest())


def _generator(*parts: object) -> np.random.Generator:
    return np.random.default_rng(_seed(*parts))


def _of_infant(
    infant: SimulatedInfant, midnight: dt.datetime, days: int, seed: int
) -> Iterator[PlannedRecording]:
    session = 0
    for day in range(days):
        rng = _generator(seed, infant.key, "day", day)
        effect = infant.variation.day_effect(rng)
        for times in _sessions(infant.pattern, rng):
            for number, since in enumerate(times):
                moment = _Moment(midnight, dt.timedelta(days=day) + since, session, number)
                yield _planned(infant, moment, effect, seed)
            session += 1


def _sessions(
    pattern: DailyPattern, rng: np.random.Generator
) -> Iterator[tuple[dt.timedelta, ...]]:
    """Yield the sessions of a day: the times of their recordings since midnight.

    Sessions stay so far apart that no two of them are taken for one, and within their day.
    """
    free_from = dt.timedelta()
    for hour in _hours(pattern, rng):
        times = [max(dt.timedelta(seconds=round(3_600.0 * hour)), free_from)]
        for _ in range(int(rng.poisson(pattern.recordings_per_session - 1.0))):
            drawn_s = 60.0 * float(rng.gamma(2.0, 0.5 * pattern.gap_min))
            gap_s = round(min(max(drawn_s, SHORTEST_GAP_S), LONGEST_GAP_S))
            times.append(times[-1] + dt.timedelta(seconds=gap_s))
        if times[-1] >= dt.timedelta(days=1) - SESSIONS_APART / 2:
            return
        free_from = times[-1] + SESSIONS_APART
        yield tuple(times)


def _hours(pattern: DailyPattern, rng: np.random.Generator) -> list[float]:
    if pattern.hours:
        drawn = np.asarray(pattern.hours) + rng.uniform(-1.0, 1.0, len(pattern.hours)) * (
            SESSION_SPREAD_H
        )
        return sorted(float(hour) for hour in np.clip(drawn, 0.0, 23.4))
    count = int(rng.poisson(pattern.sessions_per_day))
    evening = rng.normal(EVENING_HOUR, EVENING_SPREAD_H, count) % 24.0
    any_time = rng.uniform(0.0, 24.0, count)
    chosen = np.where(rng.uniform(size=count) < EVENING_SHARE, evening, any_time)
    return sorted(float(hour) for hour in chosen)


@dataclass(frozen=True)
class _Moment:
    """When a recording is made, and its number."""

    midnight: dt.datetime
    since: dt.timedelta
    session: int
    number: int

    @property
    def recorded_at(self) -> dt.datetime:
        return (self.midnight + self.since).astimezone(dt.UTC)

    @property
    def day(self) -> float:
        return self.since / dt.timedelta(days=1)


def _planned(
    infant: SimulatedInfant, moment: _Moment, of_day: Effect, seed: int
) -> PlannedRecording:
    own_seed = _seed(seed, infant.key, moment.since, "recording")
    of_recording = infant.variation.recording_effect(np.random.default_rng([own_seed, 0]))
    effect = of_day.plus(of_recording)
    day = moment.day
    voice = affected(grown(infant.voice, infant.growth, day), effect)
    microphone = _on_day(infant.microphones, day)
    return PlannedRecording(
        infant=infant.key,
        device=microphone.name,
        recorded_at=moment.recorded_at,
        day=day,
        session=moment.session,
        number=moment.number,
        age_days=infant.age_days + day,
        voice=deviated(voice, infant.deviations, day),
        room=_noisier(_on_day(infant.rooms, day), effect.background_db),
        microphone=microphone,
        seed=own_seed,
        duration_s=infant.duration_s,
        active=tuple(one for one in infant.deviations if one.strength(day) > 0.0),
        day_effect=of_day,
        recording_effect=of_recording,
    )


def _on_day(things: tuple[Since[Thing], ...], day: float) -> Thing:
    """Return what holds on a day: the latest that has begun, or the earliest."""
    in_order = sorted(things, key=lambda since: since.day)
    begun = [since for since in in_order if since.day <= day]
    return (begun or in_order)[-1 if begun else 0].what


def _noisier(room: Room, by_db: float) -> Room:
    return replace(room, signal_to_noise_db=room.signal_to_noise_db - by_db)
