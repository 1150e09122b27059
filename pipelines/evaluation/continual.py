"""Evaluation of learning on: a baseline is neither poisoned by sick days nor frozen by caution.

In: a number of infants and a seed. Out: tables, and the same figures as JSON. Guaranteed: the same
seed gives the same figures; poisoning is measured on simulated recordings, freezing on drawn days;
what protects is measured beside the same without it.

Poisoned: 12 of 40 days are those of an infant whose voice has changed much (``drift_lives``), in a
row or scattered among usual ones. A version made on the next day judges sessions of three more such
days, and usual ones. It stands beside a version of the same infant without sick days, and one that
learnt all of them.

Frozen: a voice changes for good by one or two standard deviations, and is watched on for 60 days.
"""

from __future__ import annotations

import argparse
import datetime as dt
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipelines.errors import ConfigError
from pipelines.evaluation.drift_cohort import F0, ONSET_DAY, SHIFTS, draw_cohort
from pipelines.evaluation.drift_delays import SHARES, Figures
from pipelines.evaluation.drift_lives import (
    CHANGE_DAY,
    DAYS,
    QUIET,
    SICK,
    Life,
    lives,
    of_recordings,
)
from pipelines.evaluation.drift_watched import (
    Judging,
    judged_session,
    learnt,
    ripe,
    watch_life,
)
from pipelines.evaluation.lived import START, Lived
from pipelines.evaluation.metrics import frac_by_group, json_keys, mean_over_groups
from pipelines.evaluation.report import console, progress, table, versions, write_json
from pipelines.familiar import EMBEDDING
from pipelines.guard import ROOM_DIRECTIONS
from pipelines.lasting import find_lasting, watch_of
from pipelines.prior import bundled_priors
from pipelines.score import Learning
from pipelines.spans import EpisodeKind
from pipelines.timetable import WATCHED, HeardSession, Summary

INFANTS = 60
FROZEN_INFANTS = 200
SEED = 2
SICK_FROM, SICK_DAYS, TEST_DAYS = 14, 12, 3
ALPHA = 0.10
WATCHED_ON_DAYS = 60
PATTERNS = ("in_a_row", "scattered")
WAYS = ("clean", "protected", "unprotected")

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Poisoned:
    """Flags of one infant's test sessions by way: sick ones missed, usual ones called unusual."""

    missed: dict[str, list[bool]]
    raised: dict[str, list[bool]]


def poison(pair: tuple[Life, Life], pattern: str) -> Poisoned:
    """Let an infant be sick on some days, and judge more sick and usual sessions after them.

    Parameters
    ----------
    pair
        The infant as it is, and from ``CHANGE_DAY`` on as it is when sick.
    pattern
        How the sick days lie: one of ``PATTERNS``.
    """
    usual, sick = pair
    judging = Judging(bundled_priors("").views)
    mixed = with_sick_days(usual, sick, sick_days(pattern))
    tests = of_days(sick, DAYS - TEST_DAYS, DAYS), of_days(usual, DAYS - TEST_DAYS, DAYS)
    lived = {"clean": usual, "protected": mixed, "unprotected": mixed}
    found = Poisoned({}, {})
    for way, life in lived.items():
        own = life.within(DAYS - TEST_DAYS)
        chosen = np.ones(len(own.heard.day), dtype=np.bool_)
        if way == "protected":
            watched = watch_life(own, judging, DAYS - TEST_DAYS)
            chosen = ripe(own, watched.sessions, DAYS, judging)
        model = learnt(own, chosen)
        if isinstance(model, Learning):
            raise ConfigError("too few days to learn an infant")
        flags = [_unusual(judged_session(model, one, own).p_value) for one, own in _each(tests[0])]
        found.missed[way] = [not flag for flag in flags]
        found.raised[way] = [
            _unusual(judged_session(model, one, own).p_value) for one, own in _each(tests[1])
        ]
    return found


def _unusual(p_value: float) -> bool:
    return p_value <= ALPHA


def _each(heard: Lived) -> list[tuple[Lived, NDArray[np.int64]]]:
    sessions = np.unique(heard.session)
    return [(heard, np.flatnonzero(heard.session == one)) for one in sessions]


def sick_days(pattern: str) -> NDArray[np.int64]:
    """Return the days on which an infant is sick."""
    if pattern == "in_a_row":
        return np.arange(SICK_FROM, SICK_FROM + SICK_DAYS)
    return np.linspace(SICK_FROM, DAYS - TEST_DAYS - 1, SICK_DAYS).astype(np.int64)


def of_days(life: Life, since: int, until: int) -> Lived:
    """Return the recordings of some days."""
    return of_recordings(life.heard, (life.heard.day >= since) & (life.heard.day < until))


def with_sick_days(usual: Life, sick: Life, days: NDArray[np.int64]) -> Life:
    """Put an infant's sick days, in their order, in the place of usual ones."""
    kept = of_recordings(usual.heard, ~np.isin(usual.heard.day, days))
    parts = [kept]
    for number, day in enumerate(days.tolist()):
        source = CHANGE_DAY + number
        one = of_days(sick, source, source + 1)
        moved = vars(one) | {
            "day": one.day - source + day,
            "time_s": one.time_s - (source - day) * 86_400.0,
            "session": one.session + (number + 1) * 10_000,
        }
        parts.append(Lived(**moved))
    return Life(_together(parts), np.zeros(sum(len(one.day) for one in parts), np.int64))


def _together(parts: Sequence[Lived]) -> Lived:
    """Put recordings together in the order of time."""
    offsets = np.cumsum([0, *(len(one.day) for one in parts[:-1])])
    joined = {name: np.concatenate([vars(one)[name] for one in parts]) for name in vars(parts[0])}
    joined["unit_recording"] = np.concatenate(
        [one.unit_recording + offset for one, offset in zip(parts, offsets, strict=True)]
    )
    order = np.argsort(joined["time_s"], kind="stable")
    place = np.argsort(order)
    of_units = np.argsort(place[joined["unit_recording"]], kind="stable")
    units = ("embeddings", "unit_recording")
    turned = {name: one if name in units else one[order] for name, one in joined.items()}
    turned["embeddings"] = joined["embeddings"][of_units]
    turned["unit_recording"] = place[joined["unit_recording"]][of_units]
    return Lived(**turned)


# --- freezing -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Thawed:
    """After a change for good: days until the last day under alarm, and later alarms."""

    last_alarm_days: float
    noticed: bool


def frozen_figures(n: int, seed: int) -> Figures:
    """Change drawn infants for good, and count the days until nothing is said of it any more."""
    figures: Figures = {}
    for name in ("1sd", "2sd"):
        n_days = ONSET_DAY + WATCHED_ON_DAYS
        cohort = draw_cohort(list(SHARES), n, n_days, seed)
        values = cohort.values | {F0: cohort.moved(F0, SHIFTS[name].amounts(n_days))}
        found = [_thawed({view: one[at] for view, one in values.items()}) for at in range(n)]
        noticed = [one.last_alarm_days for one in found if one.noticed]
        figures[f"noticed_frac_{name}"] = len(noticed) / n
        figures[f"alarm_over_days_median_{name}"] = float(np.median(noticed))
        figures[f"alarm_over_days_95_percent_{name}"] = float(np.percentile(noticed, 95.0))
    return figures


def _thawed(values: dict[str, NDArray[np.float64]]) -> Thawed:
    sessions = [
        _drawn({view: one[day, cry] for view, one in values.items()}, day, cry)
        for day in range(len(values[F0]))
        for cry in range(values[F0].shape[1])
    ]
    watch = watch_of(bundled_priors("").views)
    spans = find_lasting(sessions, sessions[-1].time, watch)
    onset = START + dt.timedelta(days=ONSET_DAY)
    shifts = [s for s in spans if s.kind is EpisodeKind.PERSISTENT_SHIFT and s.opened_at >= onset]
    early = [s for s in shifts if s.opened_at < onset + dt.timedelta(days=30)]
    if not early:
        return Thawed(0.0, noticed=False)
    end = early[0].closed_at or sessions[-1].time
    return Thawed((end - onset).total_seconds() / 86_400.0, noticed=True)


def _drawn(values: dict[str, float], day: int, cry: int) -> HeardSession:
    time = START + dt.timedelta(days=day, hours=2 + 3 * cry)
    levels = np.array([values[name] for name in WATCHED])
    counts = np.ones(len(WATCHED), dtype=np.int64)
    nowhere = np.full(ROOM_DIRECTIONS, np.nan)
    return HeardSession(
        time, time.date(), Summary(levels, counts, nowhere), float(values[EMBEDDING]), "", 1
    )


# --- the command ----------------------------------------------------------------------------------


def run(n: int, n_frozen: int, seed: int, folder: Path, workers: int) -> Figures:
    """Measure both.

    Parameters
    ----------
    n, n_frozen
        How many infants are poisoned, and how many change for good.
    seed
        Draws everything.
    folder
        Where what was heard is kept.
    workers
        How many processes hear and judge.
    """
    with progress() as shown:
        task = shown.add_task("parts of simulated lives", total=3 * n)

        def step(done: int) -> None:
            shown.update(task, advance=done)

        lived = lives(n, seed, folder, workers, step, (QUIET, SICK))
        pairs = list(zip(lived[QUIET], lived[SICK], strict=True))
        task = shown.add_task("infants with sick days", total=len(PATTERNS) * n)
        figures: Figures = {"n": n, "seed": seed, "simulated": True}
        for pattern in PATTERNS:
            found = []
            with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
                for one in pool.map(partial(poison, pattern=pattern), pairs):
                    found.append(one)
                    shown.update(task, advance=1)
            figures |= poison_figures(found, pattern)
    figures |= {"n_frozen": n_frozen} | frozen_figures(n_frozen, seed)
    return figures | {"versions": versions()}


def poison_figures(found: Sequence[Poisoned], pattern: str) -> Figures:
    """Tell how many sick sessions are missed, and by how much more than without sick days."""
    figures: Figures = {}
    for way in WAYS:
        for name, flags in (
            ("fnr", [one.missed[way] for one in found]),
            ("fpr", [one.raised[way] for one in found]),
        ):
            infant = np.repeat(np.arange(len(flags)), [len(own) for own in flags])
            rate = frac_by_group(np.concatenate(flags).astype(np.bool_), infant)
            figures |= json_keys(f"{pattern}_{name}_{way}", rate)
    for way in WAYS[1:]:
        rises = [float(np.mean(one.missed[way]) - np.mean(one.missed["clean"])) for one in found]
        figures |= json_keys(f"{pattern}_fnr_rise_{way}", mean_over_groups(rises))
    return figures


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--infants", type=int, default=INFANTS)
    parser.add_argument("--frozen", type=int, default=FROZEN_INFANTS, help="infants that are drawn")
    parser.add_argument("--cache", type=Path, metavar="FOLDER", help="keeps what was heard")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seed", type=int, default=SEED)


def main(args: argparse.Namespace) -> int:
    """Print the tables, and write the same figures as JSON where asked."""
    with tempfile.TemporaryDirectory() as folder:
        cache = args.cache or Path(folder)
        figures = run(args.infants, args.frozen, args.seed, cache, args.workers)
    show(figures)
    if args.json is not None:
        write_json(args.json, figures)
    return 0


def show(figures: Figures) -> None:
    """Print the figures for people."""
    rows = [
        [
            f"{pattern.replace('_', ' ')}: {way}",
            *(_told(figures, f"{pattern}_{name}_{way}") for name in ("fnr", "fpr", "fnr_rise")),
        ]
        for pattern in PATTERNS
        for way in WAYS
    ]
    title = f"Simulated: {figures['n']} infants, {SICK_DAYS} of {DAYS} days sick, at {ALPHA:g}"
    headings = ("sick days", "sick sessions missed", "usual ones called unusual", "missed more")
    out = console()
    out.print(table(title, headings, rows))
    thawed = [
        [
            f"{name.removesuffix('sd')} sd",
            *(
                f"{figures[f'{key}_{name}']:.2f}"
                for key in ("noticed_frac", "alarm_over_days_median", "alarm_over_days_95_percent")
            ),
        ]
        for name in ("1sd", "2sd")
    ]
    title = f"Drawn days: {figures['n_frozen']} infants change for good"
    headings = ("change", "noticed", "days until the alarm is over, median", "95 of 100")
    out.print(table(title, headings, thawed))


def _told(figures: Figures, key: str) -> str:
    value = figures.get(key)
    if not isinstance(value, float):
        return "-"
    return f"{value:.3f} [{figures[f'{key}_lo']:.3f}, {figures[f'{key}_hi']:.3f}]"
