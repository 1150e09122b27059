"""Learn: which recordings an infant's bounded replay buffer keeps, and which are ripe to learn.

In: when each recording of the buffer was made. Out: which ones stay in the buffer, and which ones
the next version of the personal model may be fitted on. Guaranteed of the buffer: the newest stays;
the rest is spread over the days as evenly as their number allows, and over the hours of a day
without favour; the choice depends on the times alone, and one recording more changes few of the
others, so that a model's baseline does not jump. Guaranteed of what is ripe: a shift is not learnt
before the persistent-shift monitor has had a week to notice it, and not at all while it lasts.

Two classic failures are kept apart. A baseline is poisoned where a sick infant's cries become
usual: so the days of a shift are held back while it is open, and for good where the crying came
back to usual; and so are those of a mere suspicion, a statistic that is high and not so high that
anybody is told. It is frozen where it never learns that the infant has grown, or moved house: so
what grows slowly is followed a week behind; another device is learnt from the next day on; and the
days of a shift that has lasted for a month, that turned out to be the room's, or that a reviewer
calls usual, are learnt after all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from pipelines.errors import ConfigError
from pipelines.guard import DEVICE
from pipelines.lasting import SURELY_MOVED, Lasting, Verdict
from pipelines.score import MINIMUM_DAYS
from pipelines.spans import CloseReason, EpisodeKind, EpisodeSpan

BUFFER_CAPACITY = 400
DAY_S = 86_400
FOREVER = datetime.max.replace(tzinfo=UTC)
RIPE_AFTER_DAYS = 7
BRIDGED_AFTER_DAYS = 1
SUSPICION = Lasting(threshold=2.8, least_background=SURELY_MOVED)
"""What days are held back for: lower than what is told, so that what is sick is not learnt before
it is sure, and no lower, so that an infant who stays as it is keeps most of its days. A room has to
be sure, since what it explains is learnt.
"""
LEARNT_AFTER_ALL = (CloseReason.LASTED_TOO_LONG, CloseReason.SURROUNDINGS, CloseReason.REVIEWED)
"""Reasons with which a shift turns out to be the new usual."""
_GOLDEN_FRAC = 0.6180339887498949


def choose_buffer(
    times_s: Sequence[float] | NDArray[np.float64], capacity: int = BUFFER_CAPACITY
) -> NDArray[np.int64]:
    """Choose which recordings stay in the buffer.

    The newest comes first. Then every day gives one recording, then every day a second one, and so
    on until the buffer is full. Where a round does not fit, days are taken in the order of a ruler
    (every eighth, every fourth, every second ...), later days first among equals: so the days that
    stay are spread over the whole time, and nearly the same ones stay when it grows. Within a day
    the order is scattered, so that no hour is favoured: a buffer of evenings would take every
    morning cry for unusual.

    Parameters
    ----------
    times_s
        When each recording was made, POSIX seconds, shape ``(n,)``, in any order. Days are UTC
        days; for spreading it does not matter where midnight falls.
    capacity
        How many may stay, at least 1.

    Returns
    -------
    ndarray of int64
        Indices of those that stay, rising; all of them where they fit.

    Raises
    ------
    ConfigError
        If the capacity is below 1, or a time is not finite.
    """
    times = np.asarray(times_s, dtype=np.float64)
    if capacity < 1:
        raise ConfigError(f"a buffer needs room for at least one recording, not {capacity}")
    if times.ndim != 1 or not np.isfinite(times).all():
        raise ConfigError("times must be a vector of finite seconds")
    if len(times) <= capacity:
        return np.arange(len(times))
    day = np.floor(times / DAY_S).astype(np.int64)
    is_newest = np.zeros(len(times), dtype=bool)
    is_newest[np.argmax(times)] = True
    scatter = np.where(is_newest, -1.0, np.floor(times) * _GOLDEN_FRAC % 1.0)
    # Keys from the last to the first: lexsort sorts by its last key before all others.
    order = np.lexsort((times, -day, -_ruler(day), _place_in_day(day, scatter), ~is_newest))
    return np.sort(order[:capacity])


def choose_ripe(
    days: Sequence[int] | NDArray[np.int64],
    today: int,
    ripe_after_days: int = RIPE_AFTER_DAYS,
    held: NDArray[np.bool_] | None = None,
    bridged: NDArray[np.bool_] | None = None,
) -> NDArray[np.int64]:
    """Choose the recordings that a version learnt today may be fitted on.

    A model that learns every session by the next day takes a lasting shift for usual after one day:
    with a session a day and a simulated shift of six standard deviations, p goes 0.07, 0.50, 0.88
    on the first three days, and no monitor can notice. With sessions ripe after a week it stays at
    the smallest value, and the monitor opens on the fourth day. So that the first model does not
    come a week late, the first days are ripe at once, until there are enough for a model; an infant
    that changes slowly is followed a week behind.

    Parameters
    ----------
    days
        The infant's local day of each recording as a number (``date.toordinal``), shape ``(n,)``,
        in any order.
    today
        The number of today.
    ripe_after_days
        How old a recording must be.
    held
        Which of them a shift holds back, shape ``(n,)``; see ``is_held_back``. None: none.
    bridged
        Which were made by a device that was new then, shape ``(n,)``; they are ripe on the next
        day. None: none.

    Returns
    -------
    ndarray of int64
        Indices of the ripe ones, rising: those of the first ``MINIMUM_DAYS`` days that have any,
        by which all others are measured, and all that are at least so old and not held back.
    """
    numbers = np.asarray(days, dtype=np.int64)
    free = np.ones(len(numbers), dtype=np.bool_) if held is None else ~held
    new = np.zeros(len(numbers), dtype=np.bool_) if bridged is None else bridged
    is_first = np.isin(numbers, np.unique(numbers)[:MINIMUM_DAYS])
    due = np.where(new, today - BRIDGED_AFTER_DAYS, today - ripe_after_days)
    return np.flatnonzero(is_first | (free & (numbers <= due)))


def held_spans(spans: Iterable[EpisodeSpan]) -> list[tuple[datetime, datetime]]:
    """Return from when to when days are kept from the baseline.

    Parameters
    ----------
    spans
        What ``pipelines.lasting.find_lasting`` found at the threshold of a suspicion.
    """
    shifts = [one for one in spans if one.kind is EpisodeKind.PERSISTENT_SHIFT]
    return [_since_until(one) for one in shifts if is_held_back(one.close_reason)]


def device_spans(spans: Iterable[EpisodeSpan]) -> list[tuple[datetime, datetime]]:
    """Return from when to when a device was new, and its recordings ripe on the next day."""
    news = [one for one in spans if one.kind is EpisodeKind.NEW_SURROUNDINGS]
    return [
        _since_until(one)
        for one in news
        if any(change["label"] == DEVICE for change in one.evidence["changes"])
    ]


def _since_until(span: EpisodeSpan) -> tuple[datetime, datetime]:
    return datetime.fromisoformat(span.evidence["since"]), span.closed_at or FOREVER


def within(
    times: Sequence[datetime], spans: Sequence[tuple[datetime, datetime]]
) -> NDArray[np.bool_]:
    """Tell which times lie in any of some spans, their ends included; ``(n,)``."""
    inside = [any(since <= time <= until for since, until in spans) for time in times]
    return np.array(inside, dtype=np.bool_)


def is_held_back(reason: CloseReason | None, verdict: Verdict | None = None) -> bool:
    """Tell whether the days of a shift are kept from the baseline.

    Parameters
    ----------
    reason
        Why the shift ended; None: it is open.
    verdict
        What a reviewer said of it; it counts for more than the reason.
    """
    if verdict is not None:
        return verdict is Verdict.UNUSUAL
    return reason not in LEARNT_AFTER_ALL


def _place_in_day(day: NDArray[np.int64], scatter: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return each recording's place among those of its day, in the order of ``scatter``."""
    order = np.lexsort((scatter, day))
    _, first, index = np.unique(day[order], return_index=True, return_inverse=True)
    place = np.empty(len(day), dtype=np.int64)
    place[order] = np.arange(len(day)) - first[index]
    return place


def _ruler(day: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the largest power of two that divides each day's number."""
    number = np.where(day == 0, np.int64(1 << 30), day)
    return np.bitwise_and(number, -number)
