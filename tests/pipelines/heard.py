"""Made-up infants, day by day: what the monitor would have heard of them, and what is planted."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np

from pipelines.acoustics import CHANNELS
from pipelines.familiar import EMBEDDING, ROOM
from pipelines.guard import ROOM_DIRECTIONS
from pipelines.lasting import Watch
from pipelines.prior import ViewPrior
from pipelines.timetable import WATCHED, HeardSession, Summary

START = datetime(2026, 1, 1, tzinfo=UTC)
HOURS = (8, 15)
NOISE = 0.5
"""Quieter than the model has it, so that nothing is found where nothing is planted."""
MODEL_FROM = 9
"""From this day on there is a personal model, and so a deviate of the embedding."""
SPREAD = 0.25
N_CHANNELS = len(CHANNELS)
PRIOR = ViewPrior(
    np.zeros(N_CHANNELS),
    np.zeros(N_CHANNELS),
    np.diag(np.full(N_CHANNELS, 1.0 / SPREAD)),
    np.ones(N_CHANNELS),
)
"""Every channel's values are 0 on the mean, and spread by so much within an infant."""
WATCH = Watch.of(PRIOR)
PITCH, LOUDNESS, TILT = WATCHED[0], WATCHED[5], WATCHED[4]


@dataclass(frozen=True)
class Move:
    """From one day to another a view lies so much higher, in standard deviations."""

    view: str
    by: float
    since: int
    until: int = 1_000


def day_of(moment: datetime | None) -> float:
    """Count days from the start."""
    assert moment is not None
    return (moment - START) / timedelta(days=1)


def day_number(one: HeardSession) -> int:
    """Count whole days from the start."""
    return (one.day - START.date()).days


def a_session(
    day: int,
    hour: float,
    levels: Sequence[float] | float = 0.0,
    deviate: float = np.nan,
    room: float = 0.0,
    device: str = "a",
) -> HeardSession:
    """Make one session by hand."""
    time = START + timedelta(days=day, hours=hour)
    values = np.broadcast_to(np.asarray(levels, dtype=np.float64), len(WATCHED)).copy()
    rooms = np.full(ROOM_DIRECTIONS, room)
    summary = Summary(values, np.isfinite(values).astype(np.int64), rooms)
    return HeardSession(time, time.date(), summary, deviate, device, 2, 60.0 + day)


def a_life(
    n_days: int, *moves: Move, seed: int = 0, noise: float = NOISE, hours: Sequence[float] = HOURS
) -> list[HeardSession]:
    """Make an infant's sessions, some at the same hours of every day, with days of their own.

    Backgrounds differ evenly within bounds, so that no few days look like another room by chance.
    """
    rng = np.random.default_rng(seed)
    found = []
    for day in range(n_days):
        level = noise * np.sqrt(0.3) * rng.standard_normal(len(WATCHED))
        place = rng.uniform(-1.0, 1.0, ROOM_DIRECTIONS) + _by(moves, ROOM, day)
        level += [_by(moves, view, day) for view in WATCHED]
        for hour in hours:
            values = level + noise * np.sqrt(0.7) * rng.standard_normal(len(WATCHED))
            room = place + rng.uniform(-0.5, 0.5, ROOM_DIRECTIONS)
            deviate = noise * rng.standard_normal() + _by(moves, EMBEDDING, day)
            one = a_session(day, hour, values, deviate if day >= MODEL_FROM else np.nan)
            found.append(replace(one, summary=replace(one.summary, room=room)))
    return found


def _by(moves: Sequence[Move], view: str, day: int) -> float:
    return sum(one.by for one in moves if one.view == view and one.since <= day < one.until)


def heard_by(sessions: Sequence[HeardSession], device: str, since: int) -> list[HeardSession]:
    """Let another device hear all from a day on."""
    return [replace(one, device=device) if day_number(one) >= since else one for one in sessions]


def without_room(
    sessions: Sequence[HeardSession], since: int = 0, until: int = 1_000
) -> list[HeardSession]:
    """Leave out the background of some days."""
    nothing = np.full(ROOM_DIRECTIONS, np.nan)
    return [
        replace(one, summary=replace(one.summary, room=nothing))
        if since <= day_number(one) < until
        else one
        for one in sessions
    ]


def without_model(sessions: Sequence[HeardSession], until: int) -> list[HeardSession]:
    """Let the personal model come on a later day."""
    return [replace(one, deviate=np.nan) if day_number(one) < until else one for one in sessions]
