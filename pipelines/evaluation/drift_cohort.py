"""Cohorts of the drift benchmark: infants whose days are drawn, and what is planted in them.

In: how many infants, where deviations are drawn from, and a seed. Out: for each view of each infant
the values of all cries of all days, in standard deviations between recordings of one infant; with a
shift where one is planted. Guaranteed: semi-simulated, and to be called so: levels, spreads, days
and cries are drawn, though deviations may be those of real recordings; a planted shift moves one
view and disturbs nothing else that was drawn.

Deviations are t with 6 degrees of freedom, or drawn from ``Residuals`` of real recordings, all
channels of a recording together. Whole days have as much in common as makes an intra-class
correlation of 0.3.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipelines.acoustics import CHANNELS, channels_of, hear_unit
from pipelines.acoustics.channels import scaled
from pipelines.cusum import DAY_EFFECT_ICC
from pipelines.errors import ConfigError, DecodeError
from pipelines.evaluation.planted import TRAINING, chosen_rows
from pipelines.evaluation.report import progress
from pipelines.familiar import CHANNEL_WEIGHTS
from pipelines.prior import Population, ViewPrior
from pipelines.recordings import good_rows
from pipelines.segment import segment

BASELINE_DAYS = 14
QUIET_DAYS = 30
ONSET_DAY = BASELINE_DAYS + QUIET_DAYS
CRIES_A_DAY = 6
SPREAD_OF_SPREADS = 0.2
"""Standard deviation of the logarithm of an infant's own spread."""
FREEDOM = 6.0
LEVEL_SD = 1.5
F0 = "f0_log2_hz"
F0_WITHIN_SD_OCTAVES = 0.14
"""Of real recordings; measured again wherever there is a manifest."""

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Shift:
    """A planted shift: its size in an infant's own standard deviations, and its ramp."""

    size_sd: float
    ramp_days: int = 0

    def amounts(self, n_days: int, onset_day: int = ONSET_DAY) -> FloatArray:
        """Return how much of it is there on each day, shape ``(n_days,)``."""
        since = np.arange(n_days) - onset_day + 1.0
        whole = np.clip(since / self.ramp_days, 0.0, 1.0) if self.ramp_days else since >= 1.0
        return np.asarray(self.size_sd * whole, dtype=np.float64)


SHIFTS = {"05sd": Shift(0.5), "1sd": Shift(1.0), "2sd": Shift(2.0), "ramp": Shift(1.0, 14)}


@dataclass(frozen=True, eq=False)
class Residuals:
    """Deviations of real recordings from their infants' means.

    Attributes
    ----------
    rows
        By channel, in standard deviations within infants, NaN where a recording has no value; each
        of shape ``(r,)``, and in the same order.
    f0_sd_octaves
        The standard deviation of log-pitch within infants.
    n_infants
        Of how many infants.
    """

    rows: Mapping[str, FloatArray]
    f0_sd_octaves: float
    n_infants: int


@dataclass(frozen=True, eq=False)
class Cohort:
    """Infants over days.

    Attributes
    ----------
    values
        By view, shape ``(infants, days, cries)``; NaN where a cry has no value.
    spread
        By view, the infants' own spreads, shape ``(infants,)``.
    """

    values: dict[str, FloatArray]
    spread: dict[str, FloatArray]

    @property
    def n_days(self) -> int:
        """For how many days."""
        return next(iter(self.values.values())).shape[1]

    def moved(self, view: str, amounts: FloatArray) -> FloatArray:
        """Return the values of a view moved, by amounts of shape ``(days,)`` or more before it."""
        own = np.multiply(amounts, self.spread[view][:, None])
        moved: FloatArray = self.values[view] + own[..., None]
        return moved


def draw_cohort(
    views: Sequence[str], n: int, n_days: int, seed: int, residuals: Residuals | None = None
) -> Cohort:
    """Draw infants.

    Parameters
    ----------
    views
        Their views; those that ``residuals`` has are drawn from it.
    n, n_days
        How many infants, and days from birth of their baseline on.
    seed
        Draws everything.
    residuals
        Deviations of real recordings; where not given all are t with 6 degrees of freedom.
    """
    rng = np.random.default_rng(seed)
    values, spread = {}, {}
    day = _deviations(views, (n, n_days, 1), rng, residuals, whole=True)
    cry = _deviations(views, (n, n_days, CRIES_A_DAY), rng, residuals, whole=False)
    for view in views:
        spread[view] = np.exp(SPREAD_OF_SPREADS * rng.standard_normal(n))
        level = LEVEL_SD * rng.standard_normal(n)
        off = math.sqrt(DAY_EFFECT_ICC) * day[view] + math.sqrt(1.0 - DAY_EFFECT_ICC) * cry[view]
        values[view] = level[:, None, None] + spread[view][:, None, None] * off
    return Cohort(values, spread)


def _deviations(
    views: Sequence[str],
    shape: tuple[int, ...],
    rng: np.random.Generator,
    residuals: Residuals | None,
    *,
    whole: bool,
) -> dict[str, FloatArray]:
    """Draw deviations by view; real ones come as they are, those of days from whole recordings."""
    real = {} if residuals is None else residuals.rows
    chosen = np.empty(0, dtype=np.int64)
    if real:
        table = np.stack(list(real.values()))
        usable = np.flatnonzero(np.isfinite(table).all(axis=0) | (not whole))
        chosen = rng.choice(usable, size=shape)
    return {view: real[view][chosen] if view in real else _t(shape, rng) for view in views}


def _t(shape: tuple[int, ...], rng: np.random.Generator) -> FloatArray:
    drawn: FloatArray = rng.standard_t(FREEDOM, size=shape) / math.sqrt(FREEDOM / (FREEDOM - 2.0))
    return drawn


# --- real recordings ----------------------------------------------------------------------------


def read_residuals(manifest: Path) -> Residuals:
    """Take the deviations of a manifest's training infants that have several recordings.

    Raises
    ------
    ConfigError
        Fewer than two infants have two recordings that can be taken.
    """
    rows = chosen_rows(good_rows(manifest), TRAINING)
    infants, values = [], []
    with progress() as shown:
        for row in shown.track(rows, description="recordings"):
            heard = _channels(row.file)
            if heard is not None:
                infants.append(row.infant)
                values.append(heard)
    names, infant, count = np.unique(infants, return_inverse=True, return_counts=True)
    if (count > 1).sum() < 2:
        raise ConfigError("fewer than two infants have two recordings that can be taken")
    several = count[infant] > 1
    return residuals_of(np.array(values)[several], infant[several], len(names[count > 1]))


def _channels(file: Path) -> list[float] | None:
    try:
        heard = segment(file)
    except DecodeError:
        return None
    if heard.unusable is not None:
        return None
    units = [hear_unit(heard.sound, one, heard.quality.background_dbfs) for one in heard.units]
    said = scaled(channels_of(units))
    return [said.get(channel.name, math.nan) for channel in CHANNELS]


def residuals_of(values: FloatArray, infant: NDArray[np.int64], n_infants: int) -> Residuals:
    """Take deviations from infants' means, over the spread within infants.

    Parameters
    ----------
    values
        Channels of recordings in the order of ``CHANNELS``, shape ``(r, 17)``.
    infant
        Whose, shape ``(r,)``.
    n_infants
        How many there are.
    """
    names = [channel.name for channel in CHANNELS]
    watched = values[:, [names.index(name) for name in CHANNEL_WEIGHTS]]
    unknown = np.full(len(values), math.nan)
    prior = ViewPrior.fit_each(Population(watched, infant, np.arange(len(values)), unknown))
    turned = prior.turned(watched)
    rows = {
        name: _residuals(column, infant)
        for name, column in zip(CHANNEL_WEIGHTS, turned.T, strict=True)
    }
    within = dict(zip(CHANNEL_WEIGHTS, 1.0 / np.diag(prior.turn), strict=True))
    return Residuals(rows, float(within[F0]), n_infants)


def _residuals(values: FloatArray, infant: NDArray[np.int64]) -> FloatArray:
    """Deviations from infants' means, each made up for its share in the mean; variance 1 in all."""
    there = np.isfinite(values)
    count = np.bincount(infant, weights=there)
    mean = np.bincount(infant, weights=np.where(there, values, 0.0)) / np.maximum(count, 1.0)
    made_up = np.sqrt(np.maximum(count, 1.0) / np.maximum(count - 1.0, 1.0))
    off = (values - mean[infant]) * made_up[infant]
    off[count[infant] < 2] = math.nan
    residuals: FloatArray = off / np.nanstd(off)
    return residuals
