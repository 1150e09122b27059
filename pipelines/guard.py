"""Guard: whether it was the room or the microphone that changed, and not the infant.

Part of the stage episode. In: an infant's days in each watched view, the background of each day,
and which device recorded it. Out: findings in the order of time, each a change of the infant, of
the room or of the device. Guaranteed: a pure function of the days; a finding is made from what was
heard until its own look; a view that a change of room or device moves is learnt anew from that day
on, and everything else stays known.

A change of device is known: another one recorded the day. A change of room is not, and on a single
day the background says little, since days differ in noise. But when ``pipelines.shift`` finds a
change, it says since when; then the days before and since are two samples, and it shows in a few
days whether the background moved with the voice. Where it did, the change is the room's: each
view's level may have moved on that day by as much as rooms move it (``ROOM_STEP``), the days are
weighed again, and what is still unusual then is the infant's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipelines.shift import (
    CLOSE_BELOW,
    THRESHOLD,
    Change,
    Filtered,
    Level,
    Watched,
    explain,
    follow,
    watch,
)

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

ROOM, DEVICE = "room", "device"
ROOM_DIRECTIONS = 8
"""So many directions of the background's prior are enough, and more bring more noise."""
DAYS_BEFORE = 25
LEAST_DAYS_BEFORE = 5
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
STEPS = {ROOM: ROOM_STEP, DEVICE: DEVICE_STEP}


@dataclass(frozen=True, eq=False)
class Days:
    """What was heard of one infant, by day.

    Attributes
    ----------
    values, variances
        By view, what each look at a day sees, and its variance; see ``pipelines.shift.day_looks``;
        shape ``(days, looks)``.
    background
        Median of the day's backgrounds in the directions of the prior, NaN where there is none;
        shape ``(days, q)``.
    device
        Number of the device that recorded most of the day; negative: none; shape ``(days,)``.
    """

    values: dict[str, FloatArray]
    variances: dict[str, FloatArray]
    background: FloatArray
    device: IntArray

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
            background=self.background[: day + 1],
            device=self.device[: day + 1],
        )


@dataclass(frozen=True)
class Finding:
    """Something changed.

    Attributes
    ----------
    day, look
        When it was found.
    label
        ``room``, ``device``, or None: the infant.
    change
        Since when, in what and by how much; None where a new device was simply seen.
    """

    day: int
    look: int
    label: str | None
    change: Change | None


@dataclass(frozen=True)
class Monitor:
    """How an infant is watched.

    Attributes
    ----------
    levels, weights
        By view; see ``pipelines.shift.watch``.
    from_day
        Day from which on findings are made: the end of the baseline.
    threshold, close_below
        When an episode opens and closes.
    """

    levels: Mapping[str, Level]
    weights: Mapping[str, float]
    from_day: int = 14
    threshold: float = THRESHOLD
    close_below: float = CLOSE_BELOW

    def find(self, days: Days) -> list[Finding]:
        """Find what changed.

        Parameters
        ----------
        days
            Of one infant.

        Returns
        -------
        list of Finding
            In the order of time.
        """
        new = device_changes(days.device)
        moves = dict.fromkeys(new, DEVICE)
        found = [Finding(day, 0, DEVICE, None) for day in new if day >= self.from_day]
        start = self.from_day
        while True:
            statistic = self.weigh(days, moves).statistic
            opened = _first_over(statistic, start, self.threshold)
            if opened is None:
                return sorted(found, key=lambda one: (one.day, one.look))
            finding = self._finding(days.until(*opened), moves, opened)
            found.append(finding)
            if finding.label == ROOM and finding.change is not None:
                moves[finding.change.began] = ROOM
                start = opened[0]
            else:
                start = self._closed(statistic, opened[0])

    def weigh(self, days: Days, moves: Mapping[int, str]) -> Watched:
        """Weigh an infant's days, given on which of them the room or the device changed."""
        return watch(self._follow(days, moves), self.levels, self.weights)

    def _follow(self, days: Days, moves: Mapping[int, str]) -> dict[str, Filtered]:
        return {
            view: follow(
                values, days.variances[view], steps_of(view, moves, len(values)), self.levels[view]
            )
            for view, values in days.values.items()
        }

    def _finding(self, known: Days, moves: dict[int, str], at: tuple[int, int]) -> Finding:
        """Explain an opening by what is known when it opens."""
        filtered = self._follow(known, moves)
        change = explain(filtered, watch(filtered, self.levels, self.weights))
        asked = MOVED - owed_to_rooms(change)
        is_room = change.began not in moves and moved_by(known.background, change.began) >= asked
        return Finding(*at, ROOM if is_room else None, change)

    def _closed(self, statistic: FloatArray, day: int) -> int:
        """First day after the one on which the episode closes."""
        back = np.flatnonzero(statistic[day:, -1] < self.threshold - self.close_below)
        return day + int(back[0]) + 1 if len(back) else len(statistic)


def _first_over(statistic: FloatArray, start: int, threshold: float) -> tuple[int, int] | None:
    over = np.argwhere(statistic[start:] >= threshold)
    return (start + int(over[0, 0]), int(over[0, 1])) if len(over) else None


def steps_of(view: str, moves: Mapping[int, str], n_days: int) -> FloatArray:
    """Variance by which a view's level may have moved before each day, ``(n_days,)``."""
    steps = np.zeros(n_days)
    for day, label in moves.items():
        if day < n_days:
            steps[day] = STEPS[label].get(view, OTHER_STEP)
    return steps


def device_changes(device: IntArray) -> list[int]:
    """Days that another device recorded than the day before that was recorded at all."""
    heard = np.flatnonzero(device >= 0)
    changed = np.flatnonzero(np.diff(device[heard]) != 0) + 1
    return [int(day) for day in heard[changed]]


def owed_to_rooms(change: Change) -> float:
    """How far the evidence lies in views that rooms move: 0 to 1."""
    moved = {view: ROOM_STEP.get(view, OTHER_STEP) for view in change.by_view}
    return sum(share * moved[view] / (1.0 + moved[view]) for view, share in change.by_view.items())


def moved_by(background: FloatArray, began: int) -> float:
    """How far the background moved with a change that began on a day, or on the one beside it."""
    near = range(began - SEARCHED_DAYS, began + SEARCHED_DAYS + 1)
    return max(background_shift(background, day) for day in near)


def background_shift(background: FloatArray, began: int) -> float:
    """Say how far the background moved on a day.

    Parameters
    ----------
    background
        Of each day, NaN where there is none, shape ``(days, q)``.
    began
        The first day of those that are held against the days before.

    Returns
    -------
    float
        Logarithm of the mean over directions of the squared distance between the medians of both,
        in standard errors; minus infinity where too few days were heard. Medians, since single days
        are loud.
    """
    first = max(began, 0)
    before = _heard(background[max(0, first - DAYS_BEFORE) : first])
    since = _heard(background[first:])
    if len(before) < LEAST_DAYS_BEFORE or not len(since):
        return -np.inf
    usual = np.median(before, axis=0)
    spread = MAD_TO_SD * np.median(np.abs(before - usual), axis=0) + 1e-9
    error = MEDIAN_FACTOR * spread * np.sqrt(1.0 / len(before) + 1.0 / len(since))
    apart = np.clip((np.median(since, axis=0) - usual) / error, -FURTHEST, FURTHEST)
    return float(np.log(np.mean(apart**2) + 1e-12))


def _heard(background: FloatArray) -> FloatArray:
    """Leave out the days without a background."""
    return background[np.isfinite(background.sum(axis=1))]
