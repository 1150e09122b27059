"""Periods: how an infant's sessions of one stretch of time differ from those of another.

In: for each of two periods one row a session, with its day and its measures. Out: for each measure
its mean in both and the difference, with an interval of 95 %. Guaranteed: a pure function; the same
rows and seed give the same bits; a value that is missing has no part in its measure; where a period
has too few days, there is no interval and the reason is a value.

The interval is a percentile bootstrap over sessions (Efron and Tibshirani, "An Introduction to the
Bootstrap", 1993, chapters 13 and 16). Sessions of one day have much in common
(``pipelines.cusum.DAY_EFFECT_ICC``), so that they are drawn by whole days: drawn one by one they
would promise intervals that are too narrow. Both periods are drawn independently.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.errors import ConfigError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

DRAWS = 2_000
ENDS = (0.025, 0.975)
LEAST_DAYS = 3
"""With fewer days in a period its days say too little of how days differ."""


@dataclass(frozen=True, eq=False)
class Period:
    """The sessions of a stretch of time.

    Attributes
    ----------
    values
        Measures of each session on scales on which differences mean the same everywhere, NaN where
        there is none; shape ``(s, m)``.
    day
        The infant's day of each session, an integer; shape ``(s,)``.
    """

    values: FloatArray
    day: IntArray


@dataclass(frozen=True)
class Difference:
    """One measure in two periods.

    Attributes
    ----------
    n_sessions, n_days
        Of how many it is, in the first and the second period.
    means
        Mean over sessions in each; None where there is none.
    by
        How much greater it is in the second; None where a mean is missing.
    low, high
        The interval of 95 %; None where a period has under ``LEAST_DAYS`` days.
    spread
        Standard deviation between sessions of one period, of both together; None with one session
        in each, or where all are the same.
    """

    n_sessions: tuple[int, int]
    n_days: tuple[int, int]
    means: tuple[float | None, float | None]
    by: float | None
    low: float | None
    high: float | None
    spread: float | None

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves out that nothing is different."""
        return self.low is not None and self.high is not None and (self.low > 0) == (self.high > 0)


def compare_periods(first: Period, second: Period, seed: int = 0) -> list[Difference]:
    """Compare two periods, measure by measure.

    Parameters
    ----------
    first, second
        With the same measures in the same order.
    seed
        Of the draws.

    Returns
    -------
    list of Difference
        One for each measure.

    Raises
    ------
    ConfigError
        The periods have other measures, or days that do not fit their sessions.
    """
    _check(first, second)
    rng = np.random.default_rng(seed)
    drawn = _drawn_means(second, rng) - _drawn_means(first, rng)
    parts = [_summary(period) for period in (first, second)]
    return [
        _difference([part[at] for part in parts], drawn[:, at], _spread(first, second, at))
        for at in range(first.values.shape[1])
    ]


def _check(first: Period, second: Period) -> None:
    for period in (first, second):
        if period.values.ndim != 2 or len(period.values) != len(period.day):
            raise ConfigError(f"{len(period.day)} days of sessions of shape {period.values.shape}")
    if first.values.shape[1] != second.values.shape[1]:
        raise ConfigError("the periods have other measures")


def _by_day(period: Period) -> tuple[FloatArray, FloatArray]:
    """Return by day the sum and the number of each measure's values, ``(d, m)``."""
    days, at = np.unique(period.day, return_inverse=True)
    there = np.isfinite(period.values)
    sums, counts = (np.zeros((len(days), period.values.shape[1])) for _ in range(2))
    np.add.at(sums, at, np.where(there, period.values, 0.0))
    np.add.at(counts, at, there)
    return sums, counts


def _drawn_means(period: Period, rng: np.random.Generator) -> FloatArray:
    """Return the means of draws of whole days, NaN where a draw has no value, ``(DRAWS, m)``."""
    sums, counts = _by_day(period)
    if not len(sums):
        return np.full((DRAWS, period.values.shape[1]), np.nan)
    often = rng.multinomial(len(sums), np.full(len(sums), 1.0 / len(sums)), size=DRAWS)
    total = often @ counts
    return np.where(total > 0, (often @ sums) / np.maximum(total, 1.0), np.nan)


def _summary(period: Period) -> list[tuple[int, int, float | None]]:
    """Return of each measure how many sessions and days have it, and its mean."""
    sums, counts = _by_day(period)
    sessions, days = counts.sum(axis=0), (counts > 0).sum(axis=0)
    means = sums.sum(axis=0) / np.maximum(sessions, 1.0)
    return [
        (int(n), int(d), float(mean) if n else None)
        for n, d, mean in zip(sessions, days, means, strict=True)
    ]


def _spread(first: Period, second: Period, at: int) -> float | None:
    """Return the standard deviation of a measure within the periods."""
    own = [period.values[:, at] for period in (first, second)]
    known = [one[np.isfinite(one)] for one in own]
    freedom = sum(max(len(one) - 1, 0) for one in known)
    squares = sum(float(((one - one.mean()) ** 2).sum()) for one in known if len(one))
    return float(np.sqrt(squares / freedom)) or None if freedom else None


def _difference(
    parts: Sequence[tuple[int, int, float | None]], drawn: FloatArray, spread: float | None
) -> Difference:
    (first_n, first_days, before), (second_n, second_days, after) = parts
    by = None if before is None or after is None else after - before
    known = drawn[np.isfinite(drawn)]
    low = high = None
    if by is not None and min(first_days, second_days) >= LEAST_DAYS:
        low, high = (float(end) for end in np.quantile(known, ENDS))
    return Difference(
        (first_n, second_n), (first_days, second_days), (before, after), by, low, high, spread
    )
