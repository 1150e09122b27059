"""Guard: whether it was the room or the microphone that changed, and not the infant.

Part of the stage episode. In: an infant's days in each watched view, the background of each day,
which device recorded it, and on which days room, device or the infant's usual are known to have
changed. Out: the statistic of every look, and what lies behind the last one's: a change of the
infant, or of its surroundings. Guaranteed: a pure function of the days; a view that a change of
room or device moves is learnt anew from that day on, and everything else stays known.

A change of device is known: another one recorded the day. A change of room is not, and on a single
day the background says little, since days differ in noise. But when ``pipelines.shift`` finds a
change, it says since when; then the days before and since are two samples, and it shows in a few
days whether the background moved with the voice. Where it did, the change is the room's: each
view's level may have moved on that day by as much as rooms move it (``ROOM_STEP``), the days are
weighed again, and what is still unusual then is the infant's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipelines.shift import Change, Filtered, Level, Watched, explain, follow, watch

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

ROOM, DEVICE, USUAL = "room", "device", "usual"
ROOM_DIRECTIONS = 8
"""So many directions of the background's prior are enough, and more bring more noise."""
DAYS_BEFORE = 25
LEAST_DAYS_BEFORE = 5
LEAST_DAYS_SINCE = 2
FEW_DAYS = 11.0
"""Over the number of days before, by how much the logarithm below is greater by chance, beside its
value with ``DAYS_BEFORE``: the spread of few days is not well known. Of simulated backgrounds that
never move, nine in ten are under 0.9 with it, with 6 days before as with 25."""
MOVED = 1.2
"""Logarithm of the mean squared movement of the background, in its own standard errors, from which
on it moved, whatever the views say. Simulated infants who stayed where they were are under 0.85
nine times in ten. The more the evidence lies in views that rooms move, the less is asked for."""
FURTHEST = 6.0
MAD_TO_SD = 1.4826
MEDIAN_FACTOR = 1.25
"""By how much the standard error of a median is greater than that of a mean."""
SEARCHED_DAYS = 1
"""The day of the change is not known exactly: so many days earlier and later are asked too."""
ROOM_STEP = {
    "f0_log2_hz": 0.1,
    "jitter_frac": 1.0,
    "harmonics_to_noise_db": 2.2,
    "breath_noise_db": 1.0,
    "spectral_tilt_db_per_octave": 0.9,
    "intensity_over_background_db": 3.7,
    "duration_s": 0.1,
}
"""Mean squared movement of each channel by another room, in variances between one infant's
recordings; simulated, ``python -m pipelines drift`` prints it as measured."""
DEVICE_STEP = {
    "f0_log2_hz": 0.1,
    "jitter_frac": 0.1,
    "harmonics_to_noise_db": 0.6,
    "breath_noise_db": 0.3,
    "spectral_tilt_db_per_octave": 6.2,
    "intensity_over_background_db": 0.3,
    "duration_s": 0.1,
}
"""The same by another device."""
OTHER_STEP = 1.0
"""For a view that is not named."""
USUAL_STEP = 4.0
"""Variance by which every level may have moved where a lasting change is taken for usual."""
STEPS: dict[str, dict[str, float]] = {ROOM: ROOM_STEP, DEVICE: DEVICE_STEP}
REFERENCE_AGE_DAYS = 60.0
YOUNGEST_DAYS = 15.0


@dataclass(frozen=True, eq=False)
class Days:
    """What was heard of one infant, by day.

    Attributes
    ----------
    values, variances
        By view, what each look at a day sees, and its variance; see ``pipelines.shift.day_looks``;
        shape ``(days, looks)``.
    background
        Median of the day's backgrounds so far in the directions of the prior, NaN where there is
        none; shape ``(days, looks, q)``.
    device
        Number of the device that recorded the day; negative: none; shape ``(days,)``.
    growth
        How quickly the infant grows beside one of ``REFERENCE_AGE_DAYS``; shape ``(days,)``.
    floor
        The first day on which a change may have begun that is looked for; shape ``(days,)``.
    """

    values: dict[str, FloatArray]
    variances: dict[str, FloatArray]
    background: FloatArray
    device: IntArray
    growth: FloatArray
    floor: IntArray

    def without(self, first: int, end: int) -> Days:
        """Return the days as if nothing had been heard of the voice from one up to another."""

        def blank(looks: FloatArray) -> FloatArray:
            kept = looks.copy()
            kept[first:end] = np.nan
            return kept

        return replace(self, values={view: blank(one) for view, one in self.values.items()})

    def until(self, day: int, look: int) -> Days:
        """Return what was known at a look."""

        def cut(looks: FloatArray) -> FloatArray:
            kept = looks[: day + 1].copy()
            kept[day, look:] = kept[day, look]
            return kept

        return replace(
            self,
            values={view: cut(one) for view, one in self.values.items()},
            variances={view: cut(one) for view, one in self.variances.items()},
            background=cut(self.background),
            device=self.device[: day + 1],
            growth=self.growth[: day + 1],
            floor=self.floor[: day + 1],
        )


@dataclass(frozen=True)
class Finding:
    """What lies behind a statistic over its threshold.

    Attributes
    ----------
    followed
        What the filters made of each view.
    change
        Since when, in what and by how much.
    background
        How far the background moved with it, as ``moved_by`` says; minus infinity: too few days.
    is_of_surroundings
        Whether it is owed to another room or microphone, and not to the infant.
    """

    followed: Mapping[str, Filtered]
    change: Change
    background: float
    is_of_surroundings: bool


@dataclass(frozen=True)
class Monitor:
    """How an infant is watched.

    Attributes
    ----------
    levels, weights
        By view; see ``pipelines.shift.watch``.
    """

    levels: Mapping[str, Level]
    weights: Mapping[str, float]

    def weigh(self, days: Days, moves: Mapping[int, str]) -> Watched:
        """Weigh an infant's days.

        Parameters
        ----------
        days
            Of one infant.
        moves
            By day, what moved the level then: ``ROOM``, ``DEVICE``, or ``USUAL``, where what was
            unusual is taken for usual from then on.

        Returns
        -------
        Watched
            The statistic of every look; views of which nothing was heard yet have no part in it.
        """
        followed = self.follow(days, moves)
        return watch(followed, self.levels, self.weights, floor=days.floor)

    def explain(self, known: Days, moves: Mapping[int, str]) -> Finding:
        """Say what lies behind the last look's statistic.

        Parameters
        ----------
        known
            What was known then; see ``Days.until``.
        moves
            As for ``weigh``.
        """
        followed = self.follow(known, moves)
        change = explain(followed, watch(followed, self.levels, self.weights, floor=known.floor))
        background = moved_by(known.background[:, -1], change.began, known_moves(moves))
        asked = MOVED - owed_to_rooms(change)
        is_new = all(abs(day - change.began) > SEARCHED_DAYS for day in known_moves(moves))
        return Finding(followed, change, background, is_new and background >= asked)

    def follow(self, days: Days, moves: Mapping[int, str]) -> dict[str, Filtered]:
        """Follow every view; see ``pipelines.shift.follow``."""
        return {
            view: follow(
                values,
                days.variances[view],
                steps_of(view, moves, len(values))
                + self.levels[view].step_variance * (days.growth - 1.0),
                self.levels[view],
            )
            for view, values in days.values.items()
        }


def steps_of(view: str, moves: Mapping[int, str], n_days: int) -> FloatArray:
    """Variance by which a view's level may have moved before each day, ``(n_days,)``."""
    steps = np.zeros(n_days)
    for day, label in moves.items():
        if day < n_days:
            own = USUAL_STEP if label == USUAL else STEPS[label].get(view, OTHER_STEP)
            steps[day] = max(steps[day], own)
    return steps


def growth_at(age_days: FloatArray) -> FloatArray:
    """How quickly infants of an age grow beside one of ``REFERENCE_AGE_DAYS``.

    Growth is even on the scale of the logarithm of the age, as growth curves nearly are; so is the
    walk of every level. An infant whose age is not known grows as one of that age.

    Parameters
    ----------
    age_days
        Shape ``(days,)``, NaN where it is not known.
    """
    growth: FloatArray = REFERENCE_AGE_DAYS / np.maximum(age_days, YOUNGEST_DAYS)
    return np.where(np.isfinite(growth), growth, 1.0)


def device_changes(device: IntArray) -> list[int]:
    """Days that another device recorded than the day before that was recorded at all."""
    heard = np.flatnonzero(device >= 0)
    changed = np.flatnonzero(np.diff(device[heard]) != 0) + 1
    return [int(day) for day in heard[changed]]


def owed_to_rooms(change: Change) -> float:
    """How far the evidence lies in views that rooms move: 0 to 1."""
    moved = {view: ROOM_STEP.get(view, OTHER_STEP) for view in change.by_view}
    return sum(share * moved[view] / (1.0 + moved[view]) for view, share in change.by_view.items())


def known_moves(moves: Mapping[int, str]) -> list[int]:
    """Return the days on which room or device are known to have changed."""
    return [day for day, label in moves.items() if label in STEPS]


def moved_by(background: FloatArray, began: int, known: Sequence[int] = ()) -> float:
    """Say how far the background moved with a change that began on a day, or on the one beside it.

    Parameters
    ----------
    background
        Of each day, NaN where there is none, shape ``(days, q)``.
    began
        The day of the change.
    known
        Days on which the surroundings are known to have changed: what was before the last one of
        them says nothing of what comes after it.
    """
    last = max((day for day in known if day < began - SEARCHED_DAYS), default=0)
    near = range(max(began - SEARCHED_DAYS, last), began + SEARCHED_DAYS + 1)
    return max(background_shift(background, day, last) for day in near)


def background_shift(background: FloatArray, began: int, first: int = 0) -> float:
    """Say how far the background moved on a day.

    Parameters
    ----------
    background
        Of each day, NaN where there is none, shape ``(days, q)``.
    began
        The first day of those that are held against the days before.
    first
        The first of the days before.

    Returns
    -------
    float
        Logarithm of the mean over directions of the squared distance between the medians of both,
        in standard errors, less what few days bring by chance; minus infinity where too few were
        heard. Medians, since single days are loud.
    """
    start = max(began, 0)
    before = _heard(background[max(first, start - DAYS_BEFORE) : start])
    since = _heard(background[start:])
    if len(before) < LEAST_DAYS_BEFORE or len(since) < LEAST_DAYS_SINCE:
        return -np.inf
    usual = np.median(before, axis=0)
    spread = MAD_TO_SD * np.median(np.abs(before - usual), axis=0) + 1e-9
    error = MEDIAN_FACTOR * spread * np.sqrt(1.0 / len(before) + 1.0 / len(since))
    apart = np.clip((np.median(since, axis=0) - usual) / error, -FURTHEST, FURTHEST)
    by_chance = FEW_DAYS * (1.0 / len(before) - 1.0 / DAYS_BEFORE)
    return float(np.log(np.mean(apart**2) + 1e-12) - max(by_chance, 0.0))


def _heard(background: FloatArray) -> FloatArray:
    """Leave out the days without a background."""
    return background[np.isfinite(background.sum(axis=1))]
