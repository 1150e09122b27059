"""Timetable: an infant's sessions, by day, in the form in which the monitor takes them.

Part of the stage episode. In: an infant's recordings in the views of the prior, by session. Out:
for each session where it lies in each watched view, and for each day what every look at it has
seen. Guaranteed: pure functions; a value that is missing is no evidence; what a look has seen does
not depend on later sessions.

A look is a session: its recordings have so much in common that each by itself would be counted for
more than it is worth. An infant is watched through one device at a time. Sessions of another one
are left out until the one that was listening has been silent for a day; then the other is the new
one, and that is a change of device. So two monitors that listen in turn are no change every day.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from pipelines.acoustics import CHANNELS
from pipelines.cusum import DAY_EFFECT_ICC, deviates
from pipelines.familiar import ACOUSTICS, CHANNEL_WEIGHTS, EMBEDDING, ROOM, Views
from pipelines.guard import ROOM_DIRECTIONS, Days, growth_at
from pipelines.prior import SESSION_FRAC, ViewPrior
from pipelines.shift import day_looks

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

WATCHED = tuple(CHANNEL_WEIGHTS)
"""Channels that are watched, in the order of a session's ``levels``."""
COLUMNS = [[channel.name for channel in CHANNELS].index(name) for name in WATCHED]
OF_THE_EMBEDDING = ("autoencoder", "ocsvm", "gmm")
"""Scorers whose p-values say how far the embedding is from the infant's own."""
SILENT_FOR = timedelta(hours=24)
NO_DEVICE = -1


@dataclass(frozen=True, eq=False)
class Summary:
    """Where a session lies, in the directions of the priors.

    Attributes
    ----------
    levels
        Mean of its recordings in each of ``WATCHED``, in standard deviations between one infant's
        recordings, NaN where none has a value; shape ``(v,)``.
    counts
        Of how many recordings each is; shape ``(v,)``.
    room
        Median of their backgrounds, NaN where there is none; shape ``(q,)``.
    """

    levels: FloatArray
    counts: IntArray
    room: FloatArray


def summarise(views: Views, priors: Mapping[str, ViewPrior]) -> Summary:
    """Sum up a session.

    Parameters
    ----------
    views
        Its recordings, at least one.
    priors
        Of the channels and of the background.
    """
    turned = priors[ACOUSTICS].turned(views.channels, views.age_days)[:, COLUMNS]
    there = np.isfinite(turned)
    counts = there.sum(axis=0)
    sums = np.where(there, turned, 0.0).sum(axis=0)
    levels = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
    heard = views.room[np.isfinite(views.room).all(axis=1)]
    if not len(heard):
        return Summary(levels, counts, np.full(ROOM_DIRECTIONS, np.nan))
    rooms = priors[ROOM].turned(heard)[:, :ROOM_DIRECTIONS]
    return Summary(levels, counts, np.median(rooms, axis=0))


@dataclass(frozen=True, eq=False)
class HeardSession:
    """A session as the monitor needs it.

    Attributes
    ----------
    time, day
        When it began; aware; and the infant's local day.
    summary
        Where it lies.
    deviate
        How far its embedding is from the infant's own, as a normal deviate, high = anomalous; NaN
        while there is no personal model.
    device
        Which one recorded it.
    n_recordings
        Of how many recordings.
    age_days
        The infant's age; NaN where it is not known.
    """

    time: datetime
    day: date
    summary: Summary
    deviate: float
    device: str
    n_recordings: int
    age_days: float = float("nan")


def embedding_deviate(p_values: Mapping[str, float]) -> float:
    """Return how far a session's embedding is from the infant's own; NaN without a p-value.

    Parameters
    ----------
    p_values
        Of the session, by scorer.
    """
    said = [p_values[name] for name in OF_THE_EMBEDDING if name in p_values]
    return float(deviates(np.array(said)).mean()) if said else float("nan")


@dataclass(frozen=True, eq=False)
class Timetable:
    """An infant's days.

    Attributes
    ----------
    days
        As the monitor takes them; from the first to the last on which a session was watched.
    sessions
        Of each day, in the order of time: look ``i`` of a day is its session ``i``.
    new_devices
        Days from which on another device was listening.
    """

    days: Days
    sessions: tuple[tuple[HeardSession, ...], ...]
    new_devices: tuple[int, ...]

    @property
    def is_session(self) -> NDArray[np.bool_]:
        """Which looks are sessions, and not the last one's repeated; shape ``(days, looks)``."""
        counts = np.array([len(own) for own in self.sessions])
        return np.arange(self.days.background.shape[1]) < counts[:, None]

    @property
    def heard(self) -> list[int]:
        """Days on which a session was watched."""
        return [number for number, own in enumerate(self.sessions) if own]


def timetable(sessions: Iterable[HeardSession], quiet_days: int) -> Timetable | None:
    """Bring sessions into days.

    Parameters
    ----------
    sessions
        Of one infant, in any order.
    quiet_days
        After so many days without a session, no change is looked for that began before.

    Returns
    -------
    Timetable or None
        None without a session.
    """
    ordered = sorted(sessions, key=lambda one: (one.day, one.time, one.device, one.n_recordings))
    watched, devices = _watched(ordered)
    if not watched:
        return None
    first = watched[0].day.toordinal()
    n_days = watched[-1].day.toordinal() - first + 1
    by_day: list[list[HeardSession]] = [[] for _ in range(n_days)]
    device = np.full(n_days, NO_DEVICE, dtype=np.int64)
    for one, number in zip(watched, devices, strict=True):
        by_day[one.day.toordinal() - first].append(one)
        device[one.day.toordinal() - first] = number
    values, variances = _looks(by_day)
    floor = _floor(watched, first, n_days, quiet_days)
    days = Days(values, variances, _backgrounds(by_day), device, _growth(by_day), floor)
    changes = np.flatnonzero(np.diff(devices)) + 1
    return Timetable(
        days,
        tuple(tuple(own) for own in by_day),
        tuple(watched[at].day.toordinal() - first for at in changes),
    )


def _watched(ordered: Sequence[HeardSession]) -> tuple[list[HeardSession], list[int]]:
    """Leave out what another device than the listening one heard; number the listening ones."""
    watched: list[HeardSession] = []
    numbers: list[int] = []
    for one in ordered:
        if not watched:
            number = 0
        elif one.device == watched[-1].device:
            number = numbers[-1]
        elif one.time - watched[-1].time >= SILENT_FOR:
            number = numbers[-1] + 1
        else:
            continue
        watched.append(one)
        numbers.append(number)
    return watched, numbers


def _looks(
    by_day: Sequence[Sequence[HeardSession]],
) -> tuple[dict[str, FloatArray], dict[str, FloatArray]]:
    """Tell what each look at each day has seen of each view, and its variance."""
    shape = (len(WATCHED) + 1, len(by_day), max(map(len, by_day)))
    table, own = np.full(shape, np.nan), np.full(shape, 1.0 - DAY_EFFECT_ICC)
    for number, sessions in enumerate(by_day):
        for look, one in enumerate(sessions):
            table[:-1, number, look] = one.summary.levels
            counts = np.maximum(one.summary.counts, 1)
            own[:-1, number, look] = SESSION_FRAC - DAY_EFFECT_ICC + (1.0 - SESSION_FRAC) / counts
            table[-1, number, look] = one.deviate
    means, variances = day_looks(table, own=own)
    names = [*WATCHED, EMBEDDING]
    return dict(zip(names, means, strict=True)), dict(zip(names, variances, strict=True))


def _backgrounds(by_day: Sequence[Sequence[HeardSession]]) -> FloatArray:
    """Take the running median of each day's backgrounds, ``(days, looks, q)``."""
    found = np.full((len(by_day), max(map(len, by_day)), ROOM_DIRECTIONS), np.nan)
    for number, sessions in enumerate(by_day):
        rooms = np.array([one.summary.room for one in sessions])
        for look in range(found.shape[1] if sessions else 0):
            so_far = rooms[: look + 1]
            known = so_far[np.isfinite(so_far).all(axis=1)]
            if len(known):
                found[number, look] = np.median(known, axis=0)
    return found


def _growth(by_day: Sequence[Sequence[HeardSession]]) -> FloatArray:
    """How quickly the infant grew on each day; days between two that were heard are as the last."""
    ages = np.full(len(by_day), np.nan)
    known = np.nan
    for number, sessions in enumerate(by_day):
        known = sessions[0].age_days if sessions else known + 1.0
        ages[number] = known
    return growth_at(ages)


def _floor(watched: Sequence[HeardSession], first: int, n_days: int, quiet_days: int) -> IntArray:
    floor = np.zeros(n_days, dtype=np.int64)
    for before, after in itertools.pairwise(watched):
        if after.time - before.time > timedelta(days=quiet_days):
            floor[after.day.toordinal() - first :] = after.day.toordinal() - first
    return floor
