"""Moves of the drift benchmark: another room, another device and growth are no change of an infant.

In: simulated infants heard through the product's own front end (``drift_lives``). Out: figures by
key. Guaranteed: simulated; priors come from other simulated infants than those who are judged; an
episode counts against the monitor if it says that the infant has changed and opens within 14 days
from the day of the move, or of what would have been one.

The views are the seven channels that weigh most; the embedding is left out, since its distance
needs a personal model for every day.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipelines import guard
from pipelines.acoustics import CHANNELS
from pipelines.evaluation.drift_delays import Figures
from pipelines.evaluation.drift_lives import (
    CHANGE_DAY,
    DAYS,
    DEVICE,
    GROWTH,
    QUIET,
    ROOM,
    WAYS,
    Life,
    lessons,
    lives,
)
from pipelines.evaluation.lived import Lived
from pipelines.evaluation.metrics import Absent, Estimate, frac_by_group, json_keys
from pipelines.evaluation.report import progress
from pipelines.familiar import ACOUSTICS, CHANNEL_WEIGHTS
from pipelines.guard import Days, Finding, Monitor
from pipelines.prior import Population, ViewPrior, bundled_priors
from pipelines.shift import CHANNEL_LEVEL, Level, day_looks

TEACHERS = 24
TEACHERS_SEED = 2000
"""Added to the seed of those who are judged."""
ALARM_DAYS = 14
COLUMNS = [[channel.name for channel in CHANNELS].index(name) for name in CHANNEL_WEIGHTS]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Taught:
    """What other infants taught.

    Attributes
    ----------
    channels, room
        Priors of the channels and of the background.
    moved
        By way (room, device) and channel, the mean squared movement, in variances within infants.
    """

    channels: ViewPrior
    room: ViewPrior
    moved: dict[str, dict[str, float]]

    def levels(self) -> dict[str, Level]:
        """Return what is known of each channel before the first day."""
        ratios = self.channels.ratios[COLUMNS]
        return {
            name: replace(CHANNEL_LEVEL, variance=float(ratio))
            for name, ratio in zip(CHANNEL_WEIGHTS, ratios, strict=True)
        }


def teach(heard: Mapping[str, Sequence[Lived]]) -> Taught:
    """Learn priors from infants who were heard as they are, in another room, by another device."""
    channels = ViewPrior.fit_each(_population(heard[QUIET], "channels"))
    rooms = [*heard[QUIET], *heard[ROOM]]
    room = ViewPrior.fit(_population(rooms, "room"), guard.ROOM_DIRECTIONS)
    moved = {way: _moved(channels, heard[QUIET], heard[way]) for way in (ROOM, DEVICE)}
    return Taught(channels, room, moved)


def _population(heard: Sequence[Lived], view: str) -> Population:
    counts = [len(one.day) for one in heard]
    return Population(
        np.concatenate([getattr(one, view) for one in heard]).astype(np.float64),
        np.repeat(np.arange(len(heard)), counts),
        np.concatenate([one.session for one in heard]),
        np.full(sum(counts), math.nan),
    )


def _moved(prior: ViewPrior, before: Sequence[Lived], after: Sequence[Lived]) -> dict[str, float]:
    """Mean squared movement of each channel, less what chance gives."""
    squares = []
    for pair in zip(before, after, strict=True):
        means, errors = zip(*(_level(prior, one) for one in pair), strict=True)
        squares.append((means[1] - means[0]) ** 2 - errors[0] - errors[1])
    mean = np.maximum(np.nanmean(squares, axis=0), 0.0)
    return dict(zip(CHANNEL_WEIGHTS, mean.tolist(), strict=True))


def _level(prior: ViewPrior, heard: Lived) -> tuple[FloatArray, FloatArray]:
    """Mean of an infant's days, and its squared standard error."""
    looks, variances = _looks(prior, heard, int(heard.day.max()) + 1)
    days = np.array([looks[name][:, -1] for name in CHANNEL_WEIGHTS])
    known = np.isfinite(days)
    error = np.array([variances[name][:, -1] for name in CHANNEL_WEIGHTS])
    n = known.sum(axis=1)
    return np.nanmean(days, axis=1), np.where(known, error, 0.0).sum(axis=1) / n**2


# --- one infant's days --------------------------------------------------------------------------


def days_of(taught: Taught, life: Life, n_days: int = DAYS) -> Days:
    """Bring a life into the form in which the guard takes it."""
    heard = life.heard
    values, variances = _looks(taught.channels, heard, n_days)
    turned = taught.room.turned(heard.room.astype(np.float64))
    background = np.full((n_days, turned.shape[1]), math.nan)
    device = np.full(n_days, -1, dtype=np.int64)
    for day in np.unique(heard.day):
        own = heard.day == day
        background[day] = np.median(turned[own], axis=0)
        device[day] = round(float(np.median(life.device[own])))
    return Days(values, variances, background, device)


def _looks(
    prior: ViewPrior, heard: Lived, n_days: int
) -> tuple[dict[str, FloatArray], dict[str, FloatArray]]:
    """Tell what each look at a day sees of each channel, and its variance."""
    turned = prior.turned(heard.channels)
    most = int(np.bincount(heard.day).max())
    table = np.full((turned.shape[1], n_days, most), math.nan)
    for day in np.unique(heard.day):
        own = np.flatnonzero(heard.day == day)
        table[:, day, : len(own)] = turned[own].T
    seen = {
        name: day_looks(table[column])
        for name, column in zip(CHANNEL_WEIGHTS, COLUMNS, strict=True)
    }
    return {name: one[0] for name, one in seen.items()}, {n: one[1] for n, one in seen.items()}


# --- figures ------------------------------------------------------------------------------------


def moves_figures(n: int, seed: int, folder: Path, workers: int) -> Figures:
    """Let simulated infants move, change the device, grow and stay, and watch them.

    Parameters
    ----------
    n, seed
        How many infants live in each way, and which.
    folder
        Where what was heard is kept.
    workers
        How many processes hear.

    Returns
    -------
    dict
        ``room_change_alarm_frac`` and so on, ``room_label_right_frac``, with intervals; the same
        with ``_shipped_prior`` after them, by the priors that ship with the project.
    """
    with progress() as shown:
        parts = 3 * TEACHERS + (len(WAYS) + 1) * n
        task = shown.add_task("parts of simulated lives", total=parts)

        def step(done: int) -> None:
            shown.update(task, advance=done)

        taught = teach(lessons(TEACHERS, seed + TEACHERS_SEED, folder, workers, step))
        lived = lives(n, seed, folder, workers, step)
    figures = judged(taught, lived)
    shipped = judged(as_shipped(taught), lived)
    figures |= {f"{key}_shipped_prior": shipped[key] for key in shipped}
    return figures | {"moved_variance": taught.moved}


def as_shipped(taught: Taught) -> Taught:
    """Put the priors that the product ships, from real recordings, in the place of simulated ones.

    Of the background's directions as many are taken as elsewhere.
    """
    views = bundled_priors("").views
    room, most = views[guard.ROOM], guard.ROOM_DIRECTIONS
    fewer = replace(room, turn=room.turn[:, :most], ratios=room.ratios[:most])
    return replace(taught, channels=views[ACOUSTICS], room=fewer)


def judged(taught: Taught, lived: Mapping[str, Sequence[Life]]) -> Figures:
    """Watch infants with some priors, with the guard and without it."""
    watched = Monitor(taught.levels(), CHANNEL_WEIGHTS)
    days = {way: [days_of(taught, one) for one in of_way] for way, of_way in lived.items()}
    found = {way: [watched.find(one) for one in of_way] for way, of_way in days.items()}
    bare = {way: [watched.find(unguarded(one)) for one in of_way] for way, of_way in days.items()}
    return _told(found, bare)


def unguarded(days: Days) -> Days:
    """Return the days as if nothing were known of the background and the device."""
    return replace(
        days, background=np.full_like(days.background, math.nan), device=np.zeros_like(days.device)
    )


Findings = Mapping[str, list[list[Finding]]]


def _told(found: Findings, bare: Findings) -> Figures:
    figures: Figures = {}
    names = {QUIET: QUIET, ROOM: "room_change", DEVICE: "device_change", GROWTH: GROWTH}
    for way, name in names.items():
        figures |= json_keys(f"{name}_alarm_frac", _frac([_alarms(one) for one in found[way]]))
        plain = _frac([_alarms(one) for one in bare[way]])
        figures |= json_keys(f"{name}_alarm_unguarded_frac", plain)
    for way in (ROOM, DEVICE):
        first = [own[0] for own in map(_labels, found[way]) if own]
        figures |= json_keys(f"{way}_label_right_frac", _frac([label == way for label in first]))
    wrong = _frac([ROOM in _labels(one) for one in found[QUIET]])
    return figures | json_keys("quiet_room_label_frac", wrong)


def _labels(found: Sequence[Finding]) -> list[str | None]:
    """Labels of what was found in the days after the move, in the order of time."""
    return [one.label for one in found if 0 <= one.day - CHANGE_DAY < ALARM_DAYS]


def _alarms(found: Sequence[Finding]) -> bool:
    """Whether the infant was said to have changed."""
    return None in _labels(found)


def _frac(flags: Sequence[bool]) -> Estimate | Absent:
    return frac_by_group(np.array(flags, dtype=bool), np.arange(len(flags)))
