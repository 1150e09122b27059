"""Learn: which recordings an infant's bounded replay buffer keeps, and which are ripe to learn.

In: when each recording of the buffer was made. Out: which ones stay in the buffer, and which ones
the next version of the personal model may be fitted on. Guaranteed of the buffer: the newest stays;
the rest is spread over the days as evenly as their number allows, and over the hours of a day
without favour; the choice depends on the times alone, and one recording more changes few of the
others, so that a model's baseline does not jump. Guaranteed of what is ripe: a shift is not learnt
before the persistent-shift monitor has had a week to notice it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipelines.errors import ConfigError
from pipelines.score import MINIMUM_DAYS

BUFFER_CAPACITY = 400
DAY_S = 86_400
RIPE_AFTER_DAYS = 7
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
    days: Sequence[int] | NDArray[np.int64], today: int, ripe_after_days: int = RIPE_AFTER_DAYS
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

    Returns
    -------
    ndarray of int64
        Indices of the ripe ones, rising: those of the first ``MINIMUM_DAYS`` days that have any,
        and all that are at least so old.
    """
    numbers = np.asarray(days, dtype=np.int64)
    first = np.unique(numbers)[:MINIMUM_DAYS]
    return np.flatnonzero(np.isin(numbers, first) | (numbers <= today - ripe_after_days))


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
