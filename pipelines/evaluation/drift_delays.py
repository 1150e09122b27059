"""Delays of the drift benchmark: how late the monitor sees a shift, beside three plainer ones.

In: a size of cohort, a seed, and deviations of real recordings where there are any. Out: figures by
key. Guaranteed: semi-simulated; thresholds are found on infants without a shift and delays measured
on others; alarms before the onset are false, and their infants are left out of delays; a shift
that nobody noticed for 60 days counts as 60.

One score: one watched deviation score, the shift in it; the mixture of ``pipelines.shift`` beside a
cumulative sum, a moving average and a threshold on single cries, each at its own threshold. All
look after every cry, so that delays have fractions. The three stand on a baseline of 14 days, once
learnt; the mixture goes on learning. Many views: the seven channels that weigh most and the
embedding, the shift in one of them, with every infant in the next one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.cusum import MISSED_DAYS, TARGET_DAYS
from pipelines.evaluation.drift_alarms import (
    Rule,
    clip_rule,
    cusum_rule,
    delays,
    ewma_rule,
    median,
    mixture_rule,
    openings,
    smallest_threshold,
    standardised,
)
from pipelines.evaluation.drift_cohort import (
    BASELINE_DAYS,
    F0,
    F0_WITHIN_SD_OCTAVES,
    ONSET_DAY,
    QUIET_DAYS,
    SHIFTS,
    Cohort,
    Residuals,
    Shift,
    draw_cohort,
)
from pipelines.evaluation.metrics import json_keys
from pipelines.familiar import CHANNEL_WEIGHTS, EMBEDDING
from pipelines.shift import (
    CHANNEL_LEVEL,
    CLOSE_BELOW,
    EMBEDDING_LEVEL,
    EMBEDDING_WEIGHT,
    Level,
    day_looks,
    follow,
    weigh,
)

SCORE_LEVEL = EMBEDDING_LEVEL
SCORE_CLOSE_BELOW = 1.0
"""So that the mixture of one score is under alarm for as long as the cumulative sum is."""
RAISED = 1.10
"""The planted rise of the pitch, 10 %."""
RIVALS = {"cusum": cusum_rule, "ewma": ewma_rule, "per_clip": clip_rule}
_WEIGHTS = CHANNEL_WEIGHTS | {EMBEDDING: EMBEDDING_WEIGHT}
SHARES = {view: weight / sum(_WEIGHTS.values()) for view, weight in _WEIGHTS.items()}
"""Share of each of the product's views in the mixture."""

FloatArray = NDArray[np.float64]
Figures = dict[str, object]


def ratios_of(values: FloatArray, level: Level) -> FloatArray:
    """Likelihood ratios of one view of a cohort at every look, ``(infants, days, cries)``."""
    looks, variances = day_looks(values)
    return weigh(follow(looks, variances, np.zeros(looks.shape[:2]), level), level).ratios


def view_ratios(values: FloatArray, view: str) -> FloatArray:
    """Ratios of one of the product's views, with its share in the mixture."""
    level = EMBEDDING_LEVEL if view == EMBEDDING else CHANNEL_LEVEL
    return SHARES[view] * ratios_of(values, level)


def mixture(parts: Mapping[str, FloatArray]) -> FloatArray:
    """Logarithm of the mixture after the baseline."""
    mixed: FloatArray = np.log(sum(parts.values()))
    return mixed[:, BASELINE_DAYS:]


@dataclass(frozen=True)
class Calibrated:
    """A monitor's threshold, and what it does to infants without a shift."""

    threshold: float
    figures: Figures


def calibrated(rule: Rule, key: str = "") -> Calibrated:
    """Find the threshold of a monitor, and tell its false alarms under keys that end in ``key``."""
    threshold = smallest_threshold(rule)
    found = openings(rule, threshold)
    return Calibrated(
        threshold,
        {
            f"threshold{key}": threshold,
            f"false_alarms_per_90_days{key}": found.per_90_days,
            f"infants_with_false_alarm_frac{key}": found.infants_frac,
            f"alarm_open_frac{key}": float(found.is_open.mean()),
        },
    )


def delay_figures(rule: Rule, threshold: float, key: str) -> Figures:
    """Median delay of shifted infants, with its interval."""
    late = delays(openings(rule, threshold), QUIET_DAYS)
    figures = json_keys(key, median(late))
    return figures | {f"{key}_missed_frac": float(np.mean(late >= MISSED_DAYS))}


# --- one score ----------------------------------------------------------------------------------


def score_figures(n: int, seed: int, residuals: Residuals | None) -> Figures:
    """Measure the monitors of one score.

    Parameters
    ----------
    n, seed
        How many infants, and which.
    residuals
        Deviations of real recordings; those of the pitch are taken.

    Returns
    -------
    dict
        ``delay_days_05sd`` and so on, with ``_lo`` and ``_hi``, ``false_alarms_per_90_days``,
        ``infants_with_false_alarm_frac``, ``threshold``; the same with ``_cusum``, ``_ewma`` and
        ``_per_clip`` after them.
    """
    quiet = draw_cohort([F0], n, BASELINE_DAYS + TARGET_DAYS, seed, residuals)
    found = {key: calibrated(rule, key) for key, rule in _score_rules(quiet.values[F0]).items()}
    figures = {name: figure for one in found.values() for name, figure in one.figures.items()}
    shifted = draw_cohort([F0], n, ONSET_DAY + MISSED_DAYS, seed + 1, residuals)
    for name, shift in SHIFTS.items():
        moved = shifted.moved(F0, shift.amounts(shifted.n_days))
        for key, rule in _score_rules(moved).items():
            figures |= delay_figures(rule, found[key].threshold, f"delay_days_{name}{key}")
    return figures


def _score_rules(values: FloatArray) -> dict[str, Rule]:
    """Return by the ending of its keys each monitor's rule."""
    statistic = mixture({F0: ratios_of(values, SCORE_LEVEL)})
    deviates = standardised(values, BASELINE_DAYS)
    rivals = {f"_{name}": rule(deviates) for name, rule in RIVALS.items()}
    return {"": mixture_rule(statistic, SCORE_CLOSE_BELOW), **rivals}


# --- many views ---------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Views:
    """A cohort in all views, and the ratios of each as nothing is planted."""

    cohort: Cohort
    parts: dict[str, FloatArray]

    @classmethod
    def draw(cls, n: int, n_days: int, seed: int, residuals: Residuals | None) -> Views:
        """Draw infants, and weigh their days."""
        cohort = draw_cohort(list(SHARES), n, n_days, seed, residuals)
        return cls(cohort, {view: view_ratios(cohort.values[view], view) for view in SHARES})

    def rule(self, moved: Mapping[str, FloatArray] | None = None) -> Rule:
        """Return the rule of the mixture, where some views' amounts were moved.

        Parameters
        ----------
        moved
            By view, amounts of shape ``(infants, days)``.
        """
        parts = dict(self.parts)
        for view, amounts in (moved or {}).items():
            touched = np.flatnonzero(np.any(amounts != 0.0, axis=1))
            parts[view] = parts[view].copy()
            values = self.cohort.moved(view, amounts)[touched]
            parts[view][touched] = view_ratios(values, view)
        return mixture_rule(mixture(parts), CLOSE_BELOW)


def view_figures(n: int, seed: int, residuals: Residuals | None) -> tuple[Figures, Calibrated]:
    """Measure the product's monitor.

    Parameters
    ----------
    n, seed, residuals
        As for ``score_figures``.

    Returns
    -------
    dict
        ``multi_delay_days_05sd`` and so on, ``delay_days_f0_plus10``, and the false alarms.
    Calibrated
        The monitor at its threshold.
    """
    found = calibrated(Views.draw(n, BASELINE_DAYS + TARGET_DAYS, seed, residuals).rule())
    figures = {f"multi_{name}": figure for name, figure in found.figures.items()}
    views = Views.draw(n, ONSET_DAY + MISSED_DAYS, seed + 1, residuals)
    n_days = views.cohort.n_days
    for name, shift in SHIFTS.items():
        rule = views.rule(in_turn(shift.amounts(n_days), n))
        figures |= delay_figures(rule, found.threshold, f"multi_delay_days_{name}")
    within = residuals.f0_sd_octaves if residuals else F0_WITHIN_SD_OCTAVES
    amounts = Shift(math.log2(RAISED) / within).amounts(n_days)
    rule = views.rule({F0: np.broadcast_to(amounts, (n, n_days))})
    figures |= delay_figures(rule, found.threshold, "delay_days_f0_plus10")
    return figures | {"f0_within_sd_octaves": within}, found


def in_turn(amounts: FloatArray, n: int) -> dict[str, FloatArray]:
    """Plant a shift in one view of each infant, in the next view with every infant."""
    views = list(SHARES)
    turn = np.arange(n) % len(views)
    return {
        view: np.where((turn == number)[:, None], amounts, 0.0) for number, view in enumerate(views)
    }
