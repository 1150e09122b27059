"""Shift: whether an infant's days have left their usual level; since when, in what, by how much.

In: for each view of the infant (an acoustic channel, the distance of the embedding, the background)
one value a day with its variance. Out: a statistic for every day, and what it says: the day of the
change with an interval, and each view's movement with its own. Guaranteed: a pure function of the
days up to and including the one asked about; a day without a value is simply not evidence; days
that have effects of their own are no change, since the day is the unit.

The level of a view follows a random walk with known variances: small steps for growth, a large one
where a room or a microphone changed. A Kalman filter gives each day's innovation. A change of size
``d`` (in standard deviations between recordings) on day ``k`` leaves a known signature in the
innovations from ``k`` on, fading as the filter takes the new level for usual; so the likelihood
ratio of every change is exact, whatever is still unknown of the level (Willsky and Jones, "A
generalized likelihood ratio approach to the detection and estimation of jumps in linear systems",
IEEE Trans. Automatic Control 21 (1976)). The statistic is their sum over the days ``k`` and mean
over views, signs and sizes: a Shiryaev-Roberts mixture, an e-detector whose mean time to a false
alarm is at least its threshold in days where the model is true (Shin, Ramdas and Rinaldo,
"E-detectors: a nonparametric framework for sequential change detection", New England J. Statistics
in Data Science 2 (2024)). Real days have heavier tails than the model: innovations are clipped at
``CLIP`` standard deviations, ratios are tempered, and the threshold is set by simulation
(``python -m pipelines drift``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from pipelines.cusum import DAY_EFFECT_ICC
from pipelines.errors import ConfigError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

SIZES_SD = (0.5, 1.0, 2.0)
"""Sizes of change that are looked for, in standard deviations between recordings."""
CLIP = 2.7
"""Innovations count no more than so many standard deviations; a shift by two is still quick."""
TEMPER = 0.8
LONGEST_DAYS = 60
"""A change is looked for in so many days back; the filter has taken an older one for usual."""
SPREAD_WEIGHT = 8.0
"""An infant's spread is drawn to the population's with the weight of so many days."""
LOG_RATIO_CAP = 7.0
"""No single change counts more, so that an infant who is back to usual is soon seen to be."""
GROWTH_STEP = 0.0005
"""Variance a day by which growth may move a level: a sixth of a standard deviation in 60 days."""
THRESHOLD = 3.34
"""Of the logarithm of the mixture over seven channels and the embedding, looked at after every cry:
at most one false alarm per infant in 90 days, by ``python -m pipelines drift MANIFEST`` with the
deviations of 36 infants of Donate-a-Cry; with t deviations, without a manifest, it is 3.26."""
CLOSE_BELOW = 0.75
"""An episode ends with a day that ends so far under the threshold.

At the same rate of openings it could be 1.5; then the threshold is lower, and a shift by half a
standard deviation is seen days sooner, but an infant without any change is under alarm for more
than a third of its days. With 0.75 it is for less than a fifth of them.
"""
EMBEDDING_WEIGHT = 6.0
"""As much as pitch has: a quarter of the whole."""
_NOTHING = 1e-300
_NEVER = -1e9
_BLOCK = 64


@dataclass(frozen=True)
class Level:
    """What is known of the level of a view before the first day.

    Attributes
    ----------
    mean, variance
        Of the population, in standard deviations between one infant's recordings, and their square.
    step_variance
        By how much the level may move from one day to the next.
    one_sided
        Whether only a rise is a change, as in a distance.
    """

    mean: float = 0.0
    variance: float = 4.0
    step_variance: float = 0.0
    one_sided: bool = False


def day_looks(
    values: FloatArray, icc: float = DAY_EFFECT_ICC, own: FloatArray | float | None = None
) -> tuple[FloatArray, FloatArray]:
    """Average a day's recordings, or sessions, so far: what each look at the day sees.

    Parameters
    ----------
    values
        Shape ``(..., m)``: those of a day in their order, in standard deviations between
        recordings; NaN where there is none.
    icc
        Share of the variance that all of a day have in common.
    own
        Variance of each about the day's level, broadcast to the values; one recording's by default.

    Returns
    -------
    ndarray
        Mean after each of them, weighted by precision, shape ``(..., m)``; NaN before the first.
        The last is the whole day's.
    ndarray
        Its variance about the infant's level.
    """
    there = np.isfinite(values)
    precision = np.where(there, 1.0 / np.asarray(1.0 - icc if own is None else own), 0.0)
    mass = precision.cumsum(axis=-1)
    sums = (precision * np.where(there, values, 0.0)).cumsum(axis=-1)
    mass = np.where(mass > 0.0, mass, np.nan)
    return sums / mass, icc + 1.0 / np.where(np.isnan(mass), 1.0, mass)


CHANNEL_LEVEL = Level(step_variance=GROWTH_STEP)
EMBEDDING_LEVEL = Level(step_variance=GROWTH_STEP, one_sided=True)
"""Its distance is what is watched, and only a greater one is a change."""


@dataclass(frozen=True)
class Filtered:
    """What a filter made of each day.

    Attributes
    ----------
    innovation
        Value of each look less what the days before led to expect, 0 where there is no value;
        shape ``(..., days, looks)``.
    precision
        One over the innovation's variance; 0 where there is no value; same shape.
    gain
        How much of the whole day's innovation the level took over; shape ``(..., days)``.
    spread
        The infant's own spread over the population's, as known before the day; same shape.
    level
        The level as known before the day; same shape.
    """

    innovation: FloatArray
    precision: FloatArray
    gain: FloatArray
    spread: FloatArray
    level: FloatArray


def follow(
    values: FloatArray, variances: FloatArray, steps: FloatArray, level: Level = Level()
) -> Filtered:
    """Follow the level of one view, day by day.

    Parameters
    ----------
    values
        What each look at a day sees, NaN where there is nothing, shape ``(..., days, looks)``; the
        last look sees the whole day, and it alone moves the level. See ``day_looks``.
    variances
        Variance of each value about the level: what days have in common, and the recordings'
        share. Same shape.
    steps
        Variance by which the level may have moved before each day, beside ``level.step_variance``:
        large where a room or a monitor changed. Shape ``(..., days)``.
    level
        What is known before the first day.

    Returns
    -------
    Filtered
        Innovations and what they are worth.
    """
    shape = values.shape
    variances, steps = np.broadcast_to(variances, shape), np.broadcast_to(steps, shape[:-1])
    there = np.isfinite(values)
    innovation, precision = np.zeros(shape), np.zeros(shape)
    gains, spreads, levels = (np.zeros(shape[:-1]) for _ in range(3))
    mean, variance = np.full(shape[:-2], level.mean), np.full(shape[:-2], level.variance)
    squares, weight = np.full(shape[:-2], SPREAD_WEIGHT), np.full(shape[:-2], SPREAD_WEIGHT)
    for day in range(shape[-2]):
        variance = variance + steps[..., day] + level.step_variance
        total = variance[..., None] + variances[..., day, :]
        spread = np.sqrt(squares / weight)
        bound = CLIP * spread[..., None] * np.sqrt(total)
        off = np.where(there[..., day, :], values[..., day, :] - mean[..., None], 0.0)
        innovation[..., day, :] = np.clip(off, -bound, bound)
        precision[..., day, :] = np.where(there[..., day, :], 1.0 / total, 0.0)
        spreads[..., day], levels[..., day] = spread, mean
        last, worth = innovation[..., day, -1], precision[..., day, -1]
        gain = gains[..., day] = variance * worth
        mean, variance = mean + gain * last, variance * (1.0 - gain)
        squares, weight = squares + last**2 * worth, weight + (worth > 0.0)
    return Filtered(innovation, precision, gains, spreads, levels)


@dataclass(frozen=True)
class Watched:
    """The statistic of each look, and what lies behind the last one's.

    Attributes
    ----------
    statistic
        Natural logarithm of the mixture, shape ``(..., days, looks)``.
    by_view
        Each view's share of the last look's mixture, shape ``(..., views)``.
    by_day
        Probability that the change began on each of the days, by the last look's mixture; shape
        ``(..., days)``.
    """

    statistic: FloatArray
    by_view: FloatArray
    by_day: FloatArray


def watch(
    filtered: Mapping[str, Filtered],
    levels: Mapping[str, Level],
    weights: Mapping[str, float],
    temper: float = TEMPER,
    floor: IntArray | None = None,
) -> Watched:
    """Weigh at every look whether some view has left its level on that day or before.

    Parameters
    ----------
    filtered
        By view, what ``follow`` gave; all of one shape.
    levels
        By view, whether it is one-sided.
    weights
        By view, its share of the mixture before anything was seen; at every look, those of the
        views that were heard until then are brought to a sum of 1.
    temper
        Power of the likelihood ratios: less than 1 where days are wilder than the model.
    floor
        For each day, the first one on which a change may have begun that is still looked for;
        shape ``(days,)``. None: whatever ``LONGEST_DAYS`` allows.

    Returns
    -------
    Watched
        The statistic and its parts.

    Raises
    ------
    ConfigError
        There is no view.
    """
    if not filtered:
        raise ConfigError("no view to watch")
    weighed = {name: weigh(one, levels[name], temper, floor) for name, one in filtered.items()}
    mixture = sum(weights[name] * one.ratios for name, one in weighed.items())
    total = sum(weights[name] * heard_so_far(one) for name, one in filtered.items())
    logs = [np.log(weights[name]) + one.by_start for name, one in weighed.items()]
    by_start = scipy.special.softmax(np.stack(logs, axis=-1), axis=(-2, -1))
    return Watched(
        statistic=np.log(np.maximum(mixture / np.maximum(total, _NOTHING), _NOTHING)),
        by_view=by_start.sum(axis=-2),
        by_day=by_start.sum(axis=-1),
    )


def heard_so_far(view: Filtered) -> FloatArray:
    """Say at which looks a view has been heard, then or before: 1 or 0, ``(..., days, looks)``."""
    *leading, days, looks = view.precision.shape
    there = (view.precision > 0.0).reshape(*leading, days * looks)
    so_far = np.maximum.accumulate(there, axis=-1).reshape(view.precision.shape)
    return so_far.astype(np.float64)


@dataclass(frozen=True)
class Weighed:
    """What one view says, by itself.

    Attributes
    ----------
    ratios
        Sum over the days on which a change may have begun, mean over its sizes, of the likelihood
        ratios; shape ``(..., days, looks)``.
    by_start
        Logarithm of the last look's, by the day of the beginning, where no ratio is cut short, so
        that the days stay apart; shape ``(..., days)``.
    """

    ratios: FloatArray
    by_start: FloatArray


def weigh(
    view: Filtered, level: Level, temper: float = TEMPER, floor: IntArray | None = None
) -> Weighed:
    """Weigh one view; ``watch`` says what the arguments are."""
    *leading, days, looks = view.innovation.shape
    oldest = np.maximum(np.arange(days) - LONGEST_DAYS + 1, 0 if floor is None else floor)
    infants = math.prod(leading)
    ratios, by_start = np.empty((infants, days, looks)), np.empty((infants, days))
    parts = (view.innovation, view.precision, view.gain, view.spread)
    rows = [one.reshape(infants, *one.shape[len(leading) :]) for one in parts]
    for start in range(0, infants, _BLOCK):
        block = slice(start, start + _BLOCK)
        # Infants come last within, where arithmetic on them is quickest.
        turned = [np.moveaxis(one[block], 0, -1).copy() for one in rows]
        candidates = _Candidates(*turned, sizes=_sizes(level), temper=temper, oldest=oldest)
        ratios[block] = np.moveaxis(np.stack([candidates.add_day(i) for i in range(days)]), -1, 0)
        by_start[block] = candidates.by_start().T
    return Weighed(ratios.reshape(view.innovation.shape), by_start.reshape(view.gain.shape))


def _sizes(level: Level) -> FloatArray:
    rises = np.array(SIZES_SD)
    return rises if level.one_sided else np.concatenate([rises, -rises])


class _Candidates:
    """One view's changes, by size and by the day on which they began, and their log ratios."""

    def __init__(
        self, *parts: FloatArray, sizes: FloatArray, temper: float, oldest: IntArray
    ) -> None:
        self.innovation, self.precision, self.gain, self.spread = parts
        self.oldest = oldest  # by day: the first on which a change may have begun
        self.sizes, self.temper = sizes[:, None, None, None], temper
        self.seen = np.ones(self.gain.shape)  # by start: how much is not yet taken for usual
        self.evidence = np.zeros((len(sizes), *self.gain.shape))
        self.whole = np.zeros(self.evidence.shape)  # the same, not cut short

    def add_day(self, day: int) -> FloatArray:
        """Take in a day; return at each look the sum of the ratios of changes begun until then."""
        window = slice(int(self.oldest[day]), day + 1)
        gained = self._gained(day, window)
        self.whole[:, window] += gained[:, :, -1]
        evidence = np.minimum(self.evidence[:, window, None] + gained, LOG_RATIO_CAP)
        self.evidence[:, window] = evidence[:, :, -1]
        ratios = np.exp(evidence).mean(axis=0)
        # A change that began on a day without a value began later.
        ratios *= (self.precision[window, -1] > 0.0)[:, None]
        self.seen[window] *= 1.0 - self.gain[day]
        return ratios.sum(axis=0)

    def _gained(self, day: int, window: slice) -> FloatArray:
        """Log ratios of a day by size, start and look, ``(sizes, starts, looks, infants)``."""
        precision, seen = self.precision[day], self.seen[window, None]
        # Each change is measured in the spread that was known when it began.
        pull = seen * (self.innovation[day] * precision) / self.spread[window, None]
        mass = seen**2 * precision
        gained: FloatArray = (self.temper * self.sizes) * pull
        gained -= (0.5 * self.temper * self.sizes**2) * mass
        return gained

    def by_start(self) -> FloatArray:
        """Log ratios by start, of those that are looked for; shape ``(days, infants)``."""
        logs = scipy.special.logsumexp(self.whole, axis=0) - np.log(len(self.whole))
        logs = np.where(self.precision[:, -1] > 0.0, logs, _NEVER)
        logs[: int(self.oldest[-1])] = _NEVER
        return logs


# --- what it says -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Movement:
    """How far one view has moved since a change, in standard deviations between recordings.

    Attributes
    ----------
    by, low, high
        Estimate and its 95 % interval.
    """

    by: float
    low: float
    high: float

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves out no movement at all."""
        return self.low > 0.0 or self.high < 0.0


@dataclass(frozen=True)
class Change:
    """What the days say of a change, if there is one.

    Attributes
    ----------
    began, earliest, latest
        Index of the day on which it began, the likeliest, and the ends of a 90 % interval.
    by_view
        Each view's share of the evidence, 1 in all.
    movements
        By view, how far it has moved from that day on; a view that was not heard since has none.
    """

    began: int
    earliest: int
    latest: int
    by_view: dict[str, float]
    movements: dict[str, Movement]


def explain(filtered: Mapping[str, Filtered], watched: Watched) -> Change:
    """Say since when, in what and by how much one infant has changed.

    Parameters
    ----------
    filtered
        By view, of one infant: shapes ``(days, looks)`` and ``(days,)``.
    watched
        What ``watch`` made of them.

    Returns
    -------
    Change
        As of the last day.
    """
    began = int(np.argmax(watched.by_day))
    reached = np.cumsum(watched.by_day)
    movements = {name: _movement(one, began) for name, one in filtered.items()}
    return Change(
        began=began,
        earliest=int(np.searchsorted(reached, 0.05)),
        latest=min(int(np.searchsorted(reached, 0.95)), len(reached) - 1),
        by_view=dict(zip(filtered, watched.by_view.tolist(), strict=True)),
        movements={name: one for name, one in movements.items() if one is not None},
    )


def returned(
    view: Filtered, values: FloatArray, variances: FloatArray, change: Change, name: str
) -> FloatArray:
    """Say of each day how much likelier it is at the level before a change than at that after it.

    Parameters
    ----------
    view
        As it was followed until the change was explained.
    values, variances
        Of whole days, from then on too; shape ``(days,)``.
    change, name
        The change, and which of its movements.

    Returns
    -------
    ndarray
        Log ratios, 0 where there is no value; shape ``(days,)``.
    """
    spread, by = view.spread[change.began], change.movements[name].by
    variance = spread**2 * variances
    bound = CLIP * np.sqrt(variance)
    off = values - view.level[change.began]
    bounded = np.clip(off, min(by, 0.0) - bound, max(by, 0.0) + bound)
    ratios = TEMPER * by * (0.5 * by - bounded) / variance
    return np.where(np.isfinite(off), ratios, 0.0)


def _movement(view: Filtered, began: int) -> Movement | None:
    """Estimate by least squares: the innovations since then over the signature of the change."""
    seen, pulled, mass = 1.0, 0.0, 0.0
    for day in range(began, len(view.gain)):
        pulled += seen * view.innovation[day, -1] * view.precision[day, -1]
        mass += seen**2 * view.precision[day, -1]
        seen *= 1.0 - view.gain[day]
    if mass <= 0.0:
        return None
    by, half = pulled / mass, 1.96 * view.spread[began] / np.sqrt(mass)
    return Movement(float(by), float(by - half), float(by + half))
