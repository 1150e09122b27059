"""Moves of the drift benchmark: another room, another device and growth are no change of an infant.

In: simulated infants heard through the product's own front end (``drift_lives``), judged and
watched as the product does it (``drift_watched``). Out: figures by key. Guaranteed: simulated; an
episode counts against the monitor if it says that the infant has changed and opens within 14 days
from the day of the move, or of what would have been one. Infants who do change are watched beside
them: a guard that took every change for a room would raise no false alarm.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipelines import guard
from pipelines.cusum import TARGET_DAYS
from pipelines.evaluation.drift_alarms import median
from pipelines.evaluation.drift_delays import Figures
from pipelines.evaluation.drift_lives import (
    CHANGE_DAY,
    DAY_S,
    DAYS,
    DEVICE,
    GROWTH,
    ILL,
    QUIET,
    ROOM,
    WAYS,
    Life,
    lessons,
    lives,
)
from pipelines.evaluation.drift_watched import Judging, WatchedLife, watch_again, watch_life
from pipelines.evaluation.lived import START, Lived
from pipelines.evaluation.metrics import Absent, Estimate, frac_by_group, json_keys
from pipelines.evaluation.report import progress
from pipelines.familiar import ACOUSTICS
from pipelines.prior import Population, ViewPrior, bundled_priors
from pipelines.recordings import Step
from pipelines.score import MINIMUM_DAYS
from pipelines.shift import day_looks
from pipelines.spans import EpisodeKind, EpisodeSpan
from pipelines.timetable import COLUMNS, WATCHED

TEACHERS = 24
TEACHERS_SEED = 2000
"""Added to the seed of those who are judged."""
ALARM_DAYS = 14
COLD_DAYS = 18
"""Twice as many as the first personal model needs."""
ALPHA = 0.10
WEEKS = ((0, 7), (7, 15))
NAMES = {QUIET: QUIET, ROOM: "room_change", DEVICE: "device_change", GROWTH: GROWTH, ILL: ILL}

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

    @property
    def priors(self) -> dict[str, ViewPrior]:
        """Return the priors by view."""
        return {ACOUSTICS: self.channels, guard.ROOM: self.room}


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
    return dict(zip(WATCHED, mean.tolist(), strict=True))


def _level(prior: ViewPrior, heard: Lived) -> tuple[FloatArray, FloatArray]:
    """Mean of an infant's days, and its squared standard error."""
    turned = prior.turned(heard.channels)[:, COLUMNS]
    days = [turned[heard.day == day] for day in np.unique(heard.day)]
    seen, variances = zip(*(day_looks(own.T) for own in days), strict=True)
    means = np.array([one[:, -1] for one in seen])
    known = np.isfinite(means)
    errors = np.where(known, np.array([one[:, -1] for one in variances]), 0.0)
    n = known.sum(axis=0)
    return np.nanmean(means, axis=0), errors.sum(axis=0) / n**2


# --- figures ------------------------------------------------------------------------------------


def moves_figures(n: int, seed: int, folder: Path, workers: int) -> Figures:
    """Let simulated infants move, change the device, grow, fall ill and stay, and watch them.

    Parameters
    ----------
    n, seed
        How many infants live in each way, and which.
    folder
        Where what was heard is kept.
    workers
        How many processes hear and judge.

    Returns
    -------
    dict
        ``room_change_alarm_frac`` and so on, ``room_label_right_frac``, with intervals, by the
        priors that ship; the same with ``_taught_prior`` after them, by priors learnt from other
        simulated infants.
    """
    with progress() as shown:
        parts = 3 * TEACHERS + (len(WAYS) + 1) * n
        task = shown.add_task("parts of simulated lives", total=parts)

        def step(done: int) -> None:
            shown.update(task, advance=done)

        taught = teach(lessons(TEACHERS, seed + TEACHERS_SEED, folder, workers, step))
        lived = lives(n, seed, folder, workers, step)
        task = shown.add_task("lives watched", total=len(WAYS) * n)
        shipped = bundled_priors("").views
        found = watched(lived, Judging(shipped), workers, step)
    figures = _told(found)
    bare = again(lived, found, Judging(shipped, is_guarded=False))
    by_taught = _told(again(lived, found, Judging(taught.priors)))
    for way, name in NAMES.items():
        plain = _frac([_is_alarm(one.spans) for one in bare[way]])
        figures |= json_keys(f"{name}_alarm_unguarded_frac", plain)
    figures |= {f"{key}_taught_prior": by_taught[key] for key in by_taught}
    return figures | {"moved_variance": taught.moved}


Watched = Mapping[str, Sequence[WatchedLife]]


def watched(
    lived: Mapping[str, Sequence[Life]], judging: Judging, workers: int, step: Step
) -> dict[str, list[WatchedLife]]:
    """Judge and watch lives in every way."""
    tasks = [(way, one) for way, lives_so in lived.items() for one in lives_so]
    found: dict[str, list[WatchedLife]] = {way: [] for way in lived}
    judge = partial(watch_life, judging=judging, n_days=DAYS)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for (way, _), one in zip(tasks, pool.map(judge, [one for _, one in tasks]), strict=True):
            found[way].append(one)
            step(1)
    return found


def again(lived: Mapping[str, Sequence[Life]], found: Watched, judging: Judging) -> Watched:
    """Watch lives again that were judged before."""
    return {
        way: [watch_again(*pair, judging) for pair in zip(lived[way], judged, strict=True)]
        for way, judged in found.items()
    }


def _told(found: Watched) -> Figures:
    figures: Figures = {}
    for way, name in NAMES.items():
        alarms = [_is_alarm(one.spans) for one in found[way]]
        figures |= json_keys(f"{name}_alarm_frac", _frac(alarms))
    for way in (ROOM, DEVICE):
        first = [kinds[0] for one in found[way] if (kinds := _opened(one.spans))]
        right = [kind is not EpisodeKind.PERSISTENT_SHIFT for kind in first]
        figures |= json_keys(f"{way}_label_right_frac", _frac(right))
    for way in (QUIET, ILL):
        wrong = [EpisodeKind.NEW_SURROUNDINGS in _opened(one.spans) for one in found[way]]
        figures |= json_keys(f"{way}_room_label_frac", _frac(wrong))
    figures |= json_keys("ill_delay_days", median(np.array([_delay(one) for one in found[ILL]])))
    figures |= {"quiet_false_alarms_per_90_days": _per_90_days(found[QUIET])}
    cold = [_is_early(one.spans) for one in found[QUIET]]
    figures |= json_keys("cold_start_alarm_frac", _frac(cold))
    for way in (QUIET, DEVICE, ROOM):
        for since, until in WEEKS:
            key = f"{NAMES[way]}_unusual_frac_day_{since + 1}_to_{until}"
            figures |= json_keys(key, _unusual(found[way], since, until))
    return figures


def _in_time(spans: Sequence[EpisodeSpan]) -> list[EpisodeSpan]:
    """Return what opened in the days after the move, single sessions left out."""
    from_day = START + dt.timedelta(days=CHANGE_DAY)
    until = from_day + dt.timedelta(days=ALARM_DAYS)
    return [one for one in spans if from_day <= one.opened_at < until]


def _opened(spans: Sequence[EpisodeSpan]) -> list[EpisodeKind]:
    return [one.kind for one in _in_time(spans)]


def _is_alarm(spans: Sequence[EpisodeSpan]) -> bool:
    """Whether the infant was said to have changed."""
    return EpisodeKind.PERSISTENT_SHIFT in _opened(spans)


def _is_early(spans: Sequence[EpisodeSpan]) -> bool:
    """Whether an infant of whom little is known yet was said to have changed."""
    until = START + dt.timedelta(days=COLD_DAYS)
    return any(s.kind is EpisodeKind.PERSISTENT_SHIFT and s.opened_at < until for s in spans)


def _delay(one: WatchedLife) -> float:
    """Days to the first shift that was opened; as many as were watched where there is none."""
    shifts = [s for s in _in_time(one.spans) if s.kind is EpisodeKind.PERSISTENT_SHIFT]
    if not shifts:
        return float(ALARM_DAYS)
    return (shifts[0].opened_at - START).total_seconds() / DAY_S - CHANGE_DAY


def _per_90_days(lives_so: Sequence[WatchedLife]) -> float:
    """Count shifts that open where nothing happens, in 90 days after the baseline."""
    shifts = [s for one in lives_so for s in one.spans if s.kind is EpisodeKind.PERSISTENT_SHIFT]
    return len(shifts) * TARGET_DAYS / (len(lives_so) * (DAYS - MINIMUM_DAYS))


def _unusual(lives_so: Sequence[WatchedLife], since: int, until: int) -> Estimate | Absent:
    """Share of sessions that are unusual at 0.10, in some days after the move, by infant."""
    flags, infant = [], []
    for number, one in enumerate(lives_so):
        chosen = (one.day >= CHANGE_DAY + since) & (one.day < CHANGE_DAY + until)
        p_values = one.p_value[chosen & np.isfinite(one.p_value)]
        flags.append(p_values <= ALPHA)
        infant.append(np.full(len(p_values), number))
    return frac_by_group(np.concatenate(flags), np.concatenate(infant))


def _frac(flags: Sequence[bool]) -> Estimate | Absent:
    return frac_by_group(np.array(flags, dtype=bool), np.arange(len(flags)))
