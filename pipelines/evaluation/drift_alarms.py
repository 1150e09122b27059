"""Alarms of the drift benchmark: when a monitor's episodes open, at which threshold, how late.

In: a rule, which says for a threshold where a statistic is over it and where it is back. Out: the
episodes' openings, the smallest threshold that keeps to one false alarm per infant in 90 days, and
delays. Guaranteed: an episode that is open is one alarm, and must close before the next can open;
a monitor opens at any look of a day, and closes with the whole day.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.cusum import (
    ALLOWANCE,
    DAY_EFFECT_ICC,
    MISSED_DAYS,
    TARGET_DAYS,
    Z_LIMITS,
    running_day_means,
)
from pipelines.errors import ConfigError
from pipelines.evaluation.metrics import INTERVAL_PERCENTILES, Estimate

SMOOTHING = 0.2
"""Weight of a new day in the moving average (EWMA); near the best for one standard deviation."""
HIGHEST = 12.0
STEPS = (0.5, 0.1, 0.02)
RESAMPLES = 1000

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
Rule = Callable[[float], tuple[BoolArray, BoolArray]]
"""Threshold in; out: is it over it at each look ``(n, days, looks)``, is it back ``(n, days)``."""


@dataclass(frozen=True, eq=False)
class Openings:
    """Episodes of infants.

    Attributes
    ----------
    opens
        Whether one opens on a day, shape ``(n, days)``.
    day_frac
        How much of that day had passed; same shape.
    is_open
        Whether one is open at the end of a day or was on it; same shape.
    """

    opens: BoolArray
    day_frac: FloatArray
    is_open: BoolArray

    @property
    def per_90_days(self) -> float:
        """How many open in 90 days."""
        return float(self.opens.mean()) * TARGET_DAYS

    @property
    def infants_frac(self) -> float:
        """Share of infants with any."""
        return float(self.opens.any(axis=1).mean())


def openings(rule: Rule, threshold: float) -> Openings:
    """Find where episodes open."""
    over, back = rule(threshold)
    any_over: BoolArray = over.max(axis=-1)
    opens: BoolArray = np.zeros(any_over.shape, dtype=np.bool_)
    was_open: BoolArray = np.zeros(any_over.shape, dtype=np.bool_)
    is_open: BoolArray = np.zeros(len(any_over), dtype=np.bool_)
    for day in range(any_over.shape[1]):
        opens[:, day] = any_over[:, day] & ~is_open
        was_open[:, day] = is_open | opens[:, day]
        is_open = was_open[:, day] & ~back[:, day]
    return Openings(opens, (over.argmax(axis=-1) + 1.0) / over.shape[-1], was_open)


def smallest_threshold(rule: Rule) -> float:
    """Find the threshold, to the last of ``STEPS``, from which on upwards false alarms are rare.

    It comes from above: at thresholds that are far too low an episode hardly ever closes, so that
    few open.
    """
    threshold = HIGHEST
    for step in STEPS:
        while threshold > 0.0 and openings(rule, threshold).per_90_days <= 1.0:
            threshold -= step
        threshold += step
    return round(threshold, 2)


def delays(found: Openings, onset: int) -> FloatArray:
    """Days from the onset of a shift to the first alarm, in fractions.

    Parameters
    ----------
    found
        Episodes of shifted infants.
    onset
        Day of the onset.

    Returns
    -------
    ndarray
        Of the infants without an alarm before the onset; misses are 60 days.
    """
    kept = ~found.opens[:, :onset].any(axis=1)
    if not kept.any():
        raise ConfigError("every infant had a false alarm before the onset")
    opens, day_frac = found.opens[kept, onset:], found.day_frac[kept, onset:]
    first = opens.argmax(axis=1)
    late = first + day_frac[np.arange(len(first)), first]
    return np.where(opens.any(axis=1), np.minimum(late, MISSED_DAYS), MISSED_DAYS)


def median(values: FloatArray, seed: int = 0) -> Estimate:
    """Median with a bootstrap interval over infants."""
    rng = np.random.default_rng(seed)
    drawn = np.median(rng.choice(values, size=(RESAMPLES, len(values))), axis=1)
    lo, hi = np.percentile(drawn, INTERVAL_PERCENTILES)
    return Estimate(float(np.median(values)), float(lo), float(hi), len(values), len(values))


# --- rules --------------------------------------------------------------------------------------


def mixture_rule(statistic: FloatArray, close_below: float) -> Rule:
    """Rule of the mixture; it is back once it has fallen so far under the threshold.

    Parameters
    ----------
    statistic
        Logarithm of the mixture, shape ``(n, days, looks)``.
    close_below
        How far.
    """
    whole_day = statistic[..., -1]
    return lambda threshold: (statistic >= threshold, whole_day < threshold - close_below)


def standardised(values: FloatArray, baseline_days: int) -> FloatArray:
    """Standardise cries by those of the baseline, and leave it out; ``(n, days, cries)``."""
    known = values[:, :baseline_days].reshape(len(values), -1)
    mean, spread = (one(known, axis=1)[:, None, None] for one in (np.nanmean, np.nanstd))
    off = (values[:, baseline_days:] - mean) / spread
    return np.where(np.isfinite(off), off, 0.0)


def cusum_rule(deviates: FloatArray) -> Rule:
    """Rule of the cumulative sum (``pipelines.cusum``); it is back at 0.

    Parameters
    ----------
    deviates
        Of cries, from ``standardised``.
    """
    looks = _running(deviates)

    def rule(threshold: float) -> tuple[BoolArray, BoolArray]:
        over, back = np.zeros(looks.shape, dtype=bool), np.zeros(looks.shape[:2], dtype=bool)
        so_far = np.zeros(len(looks))
        for day in range(looks.shape[1]):
            seen = so_far[:, None] + looks[:, day] - ALLOWANCE
            over[:, day] = seen >= threshold
            so_far = np.clip(seen[:, -1], 0.0, threshold)
            back[:, day] = so_far == 0.0
        return over, back

    return rule


def ewma_rule(deviates: FloatArray) -> Rule:
    """Rule of the moving average of whole days; it is back at half of the threshold."""
    looks = _running(deviates)
    seen, so_far = np.zeros(looks.shape), np.zeros(len(looks))
    for day in range(looks.shape[1]):
        seen[:, day] = (1.0 - SMOOTHING) * so_far[:, None] + SMOOTHING * looks[:, day]
        so_far = seen[:, day, -1]
    return lambda threshold: (seen >= threshold, seen[..., -1] < 0.5 * threshold)


def clip_rule(deviates: FloatArray) -> Rule:
    """Rule of one cry by itself; it is back after a day without one over the threshold."""
    highest = deviates.max(axis=-1)
    return lambda threshold: (deviates >= threshold, highest < threshold)


def _running(deviates: FloatArray) -> FloatArray:
    within = np.clip(deviates, *Z_LIMITS)
    return running_day_means(within, DAY_EFFECT_ICC, np.ones(within.shape, dtype=bool))
