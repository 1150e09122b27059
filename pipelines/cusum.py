"""The statistic of the persistent-shift monitor, and the simulation that sets its threshold.

Part of the stage episode. In: session p-values by day. Out: a one-sided cumulative sum (CUSUM) of
daily deviations; and, from simulated infants, how often it raises a false alarm and how late it
notices a shift. Guaranteed: the monitor and its simulation are the same code; the simulation is a
pure function of its campaign.

A session's p-value becomes a normal deviate, z = Phi^-1(1 - p), high = anomalous. The mean of a
day's n sessions has variance ``icc + (1 - icc) / n``, because sessions of one day share what the
day brings (a cold, a visit, a warm room): without the day effect the monitor takes every
unusual day for several independent pieces of evidence. The daily deviate d, divided by the root of
that variance, enters ``C = min(h, max(0, C + d - k))``. It alarms when C reaches h at any session
of a day, and C never grows beyond h, so that it can return to zero in reasonable time after the
shift has ended. Sources: Page, "Continuous inspection schemes", Biometrika 41 (1954); k = 0.5 is
the best allowance for a shift by one standard deviation.

The textbook threshold is wrong here: p-values from 9 to 14 days of baseline are granular, the
baseline is estimated, residuals have heavy tails (t with 6 degrees of freedom), and there is a
chance to alarm at every session. ``THRESHOLD`` is set by simulating all that.
"""

from __future__ import annotations

import argparse
import json
import math
from dataclasses import asdict, dataclass, replace

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from scipy.special import ndtri

FloatArray = NDArray[np.float64]

DAY_EFFECT_ICC = 0.3
ALLOWANCE = 0.5
Z_LIMITS = (-2.0, 3.0)
"""p = 1 says nothing more than p = 0.98, and no single session may count for several."""

THRESHOLD = 3.1
"""At most one false alarm per infant in 90 monitored days.

From ``python -m pipelines cusum-threshold``: 0.96 false alarms per 90 days with six sessions a day
and baselines of 9 to 14 days that are never refitted. Fewer sessions a day give fewer (0.7 with
three, 0.2 with one), longer baselines hardly more (1.1 at 120 days).
"""

TARGET_DAYS = 90
MAX_SESSIONS_A_DAY = 16
MISSED_DAYS = 60


def deviates(p_values: FloatArray) -> FloatArray:
    """Turn p-values into normal deviates, high = anomalous, within ``Z_LIMITS``."""
    z: FloatArray = np.clip(ndtri(1.0 - np.asarray(p_values, dtype=np.float64)), *Z_LIMITS)
    return z


def running_day_means(z: FloatArray, icc: float, present: NDArray[np.bool_]) -> FloatArray:
    """Standardised mean of a day's sessions so far, after each of them.

    Parameters
    ----------
    z
        Deviates, shape ``(..., m)``: the sessions of a day in their order.
    icc
        Share of the variance that all sessions of a day have in common.
    present
        Which sessions there are, shape ``(..., m)``; the first of each day must be.

    Returns
    -------
    ndarray
        Shape ``(..., m)``; an absent session repeats the value before it, so that the last value
        is that of the whole day.
    """
    count = present.cumsum(axis=-1)
    sums = np.where(present, z, 0.0).cumsum(axis=-1)
    means: FloatArray = sums / count / np.sqrt(icc + (1.0 - icc) / count)
    return means


@dataclass(frozen=True)
class Campaign:
    """A cohort of simulated infants that are watched.

    Attributes
    ----------
    n_infants, n_days
        How many, and for how long each is watched.
    sessions_a_day
        Mean; every day has at least one.
    baseline_days
        Shortest and longest baseline, from which p-values are counted.
    shift_sd, onset_day
        By how many standard deviations of a session every session is shifted, from which day.
    """

    n_infants: int = 1000
    n_days: int = 180
    sessions_a_day: float = 6.0
    baseline_days: tuple[int, int] = (9, 14)
    shift_sd: float = 0.0
    onset_day: int = 14


@dataclass(frozen=True)
class ThresholdReport:
    """What the simulation found; delays are medians in days, misses counted as 60 days."""

    threshold: float
    false_alarms_per_90_days: float
    infants_with_false_alarm_frac: float
    delay_days_05sd: float
    delay_days_1sd: float
    delay_days_2sd: float
    n_infants: int
    n_days: int
    sessions_a_day: float
    seed: int


def simulate_threshold(campaign: Campaign, seed: int) -> ThresholdReport:
    """Find the lowest threshold, in tenths, with at most one false alarm per 90 days.

    Parameters
    ----------
    campaign
        The cohort; its shift is set by this function.
    seed
        Seed of the cohort.

    Returns
    -------
    ThresholdReport
        The threshold, its realised false alarms, and its delays.
    """
    looks = simulate_looks(replace(campaign, shift_sd=0.0), seed)
    threshold = 1.0
    while false_alarms_per_90_days(looks, threshold) > 1.0:
        threshold = round(threshold + 0.1, 1)

    def median_delay_days(shift_sd: float) -> float:
        shifted = replace(campaign, shift_sd=shift_sd)
        return float(np.median(simulate_delays(shifted, threshold, seed + 1)))

    return ThresholdReport(
        threshold=threshold,
        false_alarms_per_90_days=false_alarms_per_90_days(looks, threshold),
        infants_with_false_alarm_frac=float(alarm_days(looks, threshold).any(axis=1).mean()),
        delay_days_05sd=median_delay_days(0.5),
        delay_days_1sd=median_delay_days(1.0),
        delay_days_2sd=median_delay_days(2.0),
        n_infants=campaign.n_infants,
        n_days=campaign.n_days,
        sessions_a_day=campaign.sessions_a_day,
        seed=seed,
    )


def simulate_delays(campaign: Campaign, threshold: float, seed: int) -> FloatArray:
    """Days from the onset of a shift to the first alarm, at least 1.

    Infants with a false alarm before the onset are left out; misses count as 60 days.

    Parameters
    ----------
    campaign
        The cohort with its shift; watched for 60 days from the onset, whatever ``n_days`` says.
    threshold
        Threshold of the monitor.
    seed
        Seed of the cohort.

    Returns
    -------
    ndarray
        Shape ``(n,)``, n at most the number of infants.
    """
    onset = campaign.onset_day
    looks = simulate_looks(replace(campaign, n_days=onset + MISSED_DAYS), seed)
    alarms = alarm_days(looks, threshold)
    after = alarms[~alarms[:, :onset].any(axis=1), onset:]
    first = np.where(after.any(axis=1), after.argmax(axis=1) + 1, MISSED_DAYS)
    return first.astype(np.float64)


def false_alarms_per_90_days(looks: FloatArray, threshold: float) -> float:
    """Count alarms of an unshifted cohort, ``looks`` as of ``simulate_looks``."""
    return float(alarm_days(looks, threshold).mean()) * TARGET_DAYS


def alarm_days(looks: FloatArray, threshold: float) -> NDArray[np.bool_]:
    """On which days an episode opens; one that is open must end before the next can.

    Parameters
    ----------
    looks
        Running day means, shape ``(n, days, m)``.
    threshold
        Threshold of the monitor.

    Returns
    -------
    ndarray of bool
        Shape ``(n, days)``.
    """
    n_infants, n_days, _ = looks.shape
    statistic, is_open = np.zeros(n_infants), np.zeros(n_infants, dtype=bool)
    alarms = np.zeros((n_infants, n_days), dtype=bool)
    for day in range(n_days):
        peak = statistic + looks[:, day].max(axis=-1) - ALLOWANCE
        alarms[:, day] = (peak >= threshold) & ~is_open
        statistic = np.clip(statistic + looks[:, day, -1] - ALLOWANCE, 0.0, threshold)
        is_open = (is_open | alarms[:, day]) & (statistic > 0)
    return alarms


def simulate_looks(campaign: Campaign, seed: int) -> FloatArray:
    """Simulate a cohort's running day means, shape ``(n_infants, n_days, 16)``.

    Sessions have a day effect (ICC 0.3) and a residual, both t with 6 degrees of freedom scaled to
    unit variance in all; p-values are counted in each infant's own baseline.
    """
    chance = np.random.default_rng(seed)
    values, present = _sessions(campaign, campaign.n_days, chance)
    values[:, campaign.onset_day :] += campaign.shift_sd
    shortest, longest = campaign.baseline_days
    known, known_present = _sessions(campaign, longest, chance)
    length = chance.integers(shortest, longest + 1, size=campaign.n_infants)
    known_present &= (np.arange(longest) < length[:, None])[..., None]
    p_values = np.stack(
        [_p_values(values[i], known[i][known_present[i]]) for i in range(campaign.n_infants)]
    )
    return running_day_means(deviates(p_values), DAY_EFFECT_ICC, present)


def _sessions(
    campaign: Campaign, n_days: int, chance: np.random.Generator
) -> tuple[FloatArray, NDArray[np.bool_]]:
    days = (campaign.n_infants, n_days, 1)
    count = 1 + chance.poisson(campaign.sessions_a_day - 1.0, size=days)
    day_effect = _heavy_tailed(days, chance)
    residual = _heavy_tailed((*days[:2], MAX_SESSIONS_A_DAY), chance)
    own_frac = 1.0 - DAY_EFFECT_ICC
    values: FloatArray = math.sqrt(DAY_EFFECT_ICC) * day_effect + math.sqrt(own_frac) * residual
    return values, np.arange(MAX_SESSIONS_A_DAY) < count


def _heavy_tailed(shape: tuple[int, ...], chance: np.random.Generator) -> FloatArray:
    """Draw from a t with 6 degrees of freedom, whose variance is 1.5, scaled to unit variance."""
    drawn: FloatArray = chance.standard_t(6, size=shape) / math.sqrt(1.5)
    return drawn


def _p_values(values: FloatArray, known: FloatArray) -> FloatArray:
    above = len(known) - np.searchsorted(np.sort(known), values)
    return (1.0 + above.astype(np.float64)) / (len(known) + 1.0)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``python -m pipelines cusum-threshold``."""
    plain = Campaign()
    parser.add_argument("--infants", type=int, default=plain.n_infants)
    parser.add_argument("--days", type=int, default=plain.n_days)
    parser.add_argument("--sessions-a-day", type=float, default=plain.sessions_a_day)
    parser.add_argument("--baseline-days", type=int, nargs=2, default=plain.baseline_days)
    parser.add_argument("--seed", type=int, default=1)


def main(args: argparse.Namespace) -> int:
    """Simulate, print a table and, with ``--json``, write the same figures."""
    shortest, longest = args.baseline_days
    campaign = Campaign(args.infants, args.days, args.sessions_a_day, (shortest, longest))
    figures = asdict(simulate_threshold(campaign, args.seed))
    table = Table("figure", "value", title="Persistent-shift monitor, simulated infants")
    for name, value in figures.items():
        table.add_row(name, f"{value:g}")
    Console().print(table)
    if args.json is not None:
        args.json.write_text(json.dumps(figures, indent=1) + "\n")
    return 0
