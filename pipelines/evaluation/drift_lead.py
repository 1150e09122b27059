"""Lead of the drift benchmark: how long before the first symptom an episode opens.

In: a size of cohort, a seed, and the monitor's threshold. Out: figures by key. Guaranteed:
semi-simulated, illness and diary are planted; an episode that opened before the deviation began is
told as what chance gives, not hidden; episodes that open while an infant is ill are no false ones.

Every infant falls ill three times in four and a half months, about as often as in day care. The
voice deviates 1 to 5 days before the first symptom that the diary records, in two of the seven
channels, ramps over 3 days to 1.5 standard deviations and is gone 7 days after the symptom.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.cusum import TARGET_DAYS
from pipelines.evaluation.drift_alarms import Openings, median, openings
from pipelines.evaluation.drift_cohort import BASELINE_DAYS, Residuals, Shift
from pipelines.evaluation.drift_delays import Figures, Views
from pipelines.evaluation.metrics import Absent, Estimate, frac_by_group, json_keys
from pipelines.familiar import CHANNEL_WEIGHTS

ILLNESSES = 3
APART_DAYS = 45
EARLIEST_LEAD_DAYS, LATEST_LEAD_DAYS = 5, 1
RAMP_DAYS = 3
DEVIATION_SD = 1.5
CHANNELS_ILL = 2
ILL_DAYS = 7
AHEAD_DAYS = 7
"""An episode is followed by an illness, and an illness preceded, within so many days."""

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Illnesses:
    """What was planted.

    Attributes
    ----------
    symptom
        Day of the first symptom since the end of the baseline, shape ``(infants, illnesses)``.
    lead
        How many days before it the voice begins to deviate; same shape.
    amounts
        By channel, by how much it deviates on each day of the cohort, ``(infants, days)``.
    """

    symptom: IntArray
    lead: IntArray
    amounts: dict[str, FloatArray]


def plant(n: int, n_days: int, seed: int) -> Illnesses:
    """Plant illnesses in a cohort of ``n_days`` whole days."""
    rng = np.random.default_rng(seed)
    amounts = {name: np.zeros((n, n_days)) for name in CHANNEL_WEIGHTS}
    symptom, leads = (np.zeros((n, ILLNESSES), dtype=np.int64) for _ in range(2))
    for infant in range(n):
        for number in range(ILLNESSES):
            first = number * APART_DAYS + int(rng.integers(20, APART_DAYS - ILL_DAYS))
            symptom[infant, number] = first
            lead = leads[infant, number] = int(
                rng.integers(LATEST_LEAD_DAYS, EARLIEST_LEAD_DAYS + 1)
            )
            onset, end = BASELINE_DAYS + first - lead, BASELINE_DAYS + first + ILL_DAYS
            whole = Shift(DEVIATION_SD, RAMP_DAYS).amounts(n_days, onset)
            whole[end:] = 0.0
            for name in rng.choice(list(CHANNEL_WEIGHTS), CHANNELS_ILL, replace=False):
                amounts[name][infant] += rng.choice([-1.0, 1.0]) * whole
    return Illnesses(symptom, leads, amounts)


def lead_figures(n: int, seed: int, threshold: float, residuals: Residuals | None) -> Figures:
    """Measure how far ahead of illness the product's monitor opens an episode.

    Parameters
    ----------
    n, seed
        How many infants, and which.
    threshold
        The monitor's.
    residuals
        Deviations of real recordings.

    Returns
    -------
    dict
        ``lead_time_days``, ``illness_preceded_frac`` and what chance gives of it,
        ``episodes_without_illness_frac``, with intervals.
    """
    n_days = BASELINE_DAYS + ILLNESSES * APART_DAYS
    ill = plant(n, n_days, seed)
    views = Views.draw(n, n_days, seed, residuals)
    found = openings(views.rule(ill.amounts), threshold)
    quiet = openings(views.rule(), threshold)
    leads, infant = leads_of(found, ill.symptom)
    by_chance, _ = leads_of(quiet, ill.symptom)
    preceded = np.isfinite(leads)
    figures = json_keys("lead_time_days", _median(leads[preceded]))
    figures |= json_keys("illness_preceded_frac", frac_by_group(preceded, infant))
    for days in range(LATEST_LEAD_DAYS, EARLIEST_LEAD_DAYS + 1):
        own = ill.lead.ravel() == days
        of_days = frac_by_group(preceded[own], infant[own])
        figures |= json_keys(f"illness_preceded_frac_{days}_days", of_days)
    chance = frac_by_group(np.isfinite(by_chance), infant)
    figures |= json_keys("illness_preceded_by_chance_frac", chance)
    figures |= json_keys("episodes_without_illness_frac", _in_vain(found, ill.symptom))
    per_infant = float(found.opens.sum(axis=1).mean())
    return figures | {"episodes_per_90_days": per_infant * TARGET_DAYS / found.opens.shape[1]}


def leads_of(found: Openings, symptom: IntArray) -> tuple[FloatArray, IntArray]:
    """Find for each illness the days from the first opening in the week before to its symptom.

    Parameters
    ----------
    found
        Episodes.
    symptom
        Days of first symptoms, ``(infants, illnesses)``; a symptom shows at the day's beginning.

    Returns
    -------
    ndarray
        Days, NaN where none opened; shape ``(infants * illnesses,)``.
    ndarray
        Whose illness.
    """
    leads, whose = [], []
    for infant, days in enumerate(symptom):
        opened = _times(found, infant)
        for first in days:
            ahead = float(first) - opened
            ahead = ahead[(ahead > 0.0) & (ahead <= AHEAD_DAYS)]
            leads.append(float(ahead.max()) if len(ahead) else np.nan)
            whose.append(infant)
    return np.array(leads), np.array(whose)


def _times(found: Openings, infant: int) -> FloatArray:
    days = np.flatnonzero(found.opens[infant])
    times: FloatArray = days + found.day_frac[infant, days]
    return times


def _in_vain(found: Openings, symptom: IntArray) -> Estimate | Absent:
    """Share of episodes after which nobody fell ill in a week; what opens in illness is left out.

    An episode that opened just when its week is cut off by the end of the cohort is left out too.
    """
    vain, whose = [], []
    for infant, days in enumerate(symptom):
        for opened in _times(found, infant):
            ahead = days - opened
            if opened > found.opens.shape[1] - AHEAD_DAYS or _is_within(ahead):
                continue
            vain.append(not bool(np.any((ahead > 0.0) & (ahead <= AHEAD_DAYS))))
            whose.append(infant)
    return frac_by_group(np.array(vain, dtype=bool), np.array(whose))


def _is_within(ahead: FloatArray) -> bool:
    """Whether an illness had begun, and its deviation not ended."""
    return bool(np.any((ahead <= 0.0) & (ahead > -ILL_DAYS)))


def _median(leads: FloatArray) -> Estimate | Absent:
    return median(leads) if len(leads) else Absent("no illness was preceded by an episode")
