"""Promise: whether p-values keep theirs on simulated infants: ``python -m pipelines promise``.

In: how many simulated infants. Out: how often usual sessions are called unusual at 0.05 and 0.10,
on average and for the worst infant, and how often planted changes are; for every scorer, the
combination that ships and others. Guaranteed: every recording goes through the product's own front
end; a version judges only sessions after all it has heard; nothing is averaged over sessions in
which something was planted. Simulated: no infant is anybody.

Infants have days with effects of their own (intra-class correlation 0.3), grow, and keep their room
and their monitor. Each is learnt for 14 days, then judged by versions that are refitted every week,
as long as there is nothing but usual days: what a sick week does to a baseline is asked elsewhere.
In the last days one parameter of the voice is off by two of the standard deviations by which the
infant's recordings vary in it. Beside it stands what is promised of an infant while it is learnt.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import cauchy

from pipelines.change import Deviation, Parameter
from pipelines.cohort import DailyPattern, SimulatedInfant, draw_infants
from pipelines.embed import load_encoder
from pipelines.evaluation import metrics, report
from pipelines.evaluation.lived import (
    COMBINED,
    Lived,
    baseline_of,
    hear_infants,
    session_p_values,
    sessions_between,
)
from pipelines.evaluation.promise_early import early_figures, live_early, show_early
from pipelines.score import SCORERS, Learning, PersonalModel

LEARNT_DAYS = 14
REFIT_DAYS = 7
USUAL_DAYS = 66
PLANTED_DAYS = 6
ALPHAS = (("10", 0.10), ("05", 0.05))
PATTERN = DailyPattern(hours=(3.0, 9.0, 15.0, 20.0), recordings_per_session=1.0)
"""Two hundred usual sessions and a few in the 52 days that are judged, since not all are heard."""
CLIP_S = 3.0
SPREADS = 2.0
FloatArray = NDArray[np.float64]


def planted(infant: SimulatedInfant, parameter: Parameter) -> Deviation:
    """Return the change of a parameter by two of its standard deviations, for the last days."""
    spread = infant.variation.spread
    logs = {
        Parameter.F0: spread.f0_log,
        Parameter.BREATHINESS: spread.breathiness_log,
        Parameter.JITTER: spread.jitter_log,
        Parameter.UNIT: spread.unit_log,
    }
    amount = math.expm1(SPREADS * logs[parameter])
    if parameter is Parameter.BREATHINESS:  # it is added, and not a fraction of itself
        amount *= infant.voice.breathiness_frac
    return Deviation(parameter, amount, float(USUAL_DAYS))


PARAMETERS = (Parameter.F0, Parameter.BREATHINESS, Parameter.JITTER, Parameter.UNIT)


def drawn(count: int, seed: int) -> list[SimulatedInfant]:
    """Draw the infants of the campaign; the parameters that change take turns."""
    return [
        replace(
            one,
            pattern=PATTERN,
            duration_s=CLIP_S,
            deviations=(planted(one, PARAMETERS[number % len(PARAMETERS)]),),
        )
        for number, one in enumerate(draw_infants(count, seed))
    ]


@dataclass(frozen=True)
class Judged:
    """P-values of one infant's sessions after the first days.

    Attributes
    ----------
    usual, deviating
        By scorer, p-values of sessions in which nothing, or something, was planted.
    early
        What ``pipelines.evaluation.promise_early`` found.
    """

    usual: dict[str, FloatArray]
    deviating: dict[str, FloatArray]
    early: dict[str, list[float]] = field(default_factory=dict)


def live(lived: Lived, encoder: str, seed: int = 0) -> Judged:
    """Judge one infant's sessions, week by week, by what was learnt before.

    Parameters
    ----------
    lived
        The infant.
    encoder
        Fingerprint of the encoder; the population is known beforehand where it is the bundled one.
    seed
        Of the fits.
    """
    usual: list[dict[str, float]] = []
    deviating: list[dict[str, float]] = []
    for first in range(LEARNT_DAYS, USUAL_DAYS + 1, REFIT_DAYS):
        model = PersonalModel.fit(baseline_of(lived, lived.day < first), encoder, seed)
        if isinstance(model, Learning):
            continue
        last = first + REFIT_DAYS if first < USUAL_DAYS else first + PLANTED_DAYS
        for chosen in sessions_between(lived, first, last):
            p_values = session_p_values(model, lived, chosen)
            (deviating if lived.deviated[chosen].any() else usual).append(p_values)
    early = live_early(lived, encoder, USUAL_DAYS)
    return Judged(_columns(usual), _columns(deviating), early)


def _columns(rows: Sequence[Mapping[str, float]]) -> dict[str, FloatArray]:
    names = rows[0] if rows else ()
    return {name: np.array([row[name] for row in rows]) for name in names}


# --- other ways to combine ------------------------------------------------------------------------


def cauchy_combination(p_values: FloatArray) -> FloatArray:
    """Combine by the Cauchy rule (Liu and Xie, J. Am. Stat. Assoc. 115 (2020)); ``(s, n)`` in."""
    bounded = np.clip(p_values, 1e-9, 1.0 - 1e-9)
    combined: FloatArray = cauchy.sf(cauchy.isf(bounded).mean(axis=0))
    return combined


def harmonic_mean(p_values: FloatArray) -> FloatArray:
    """Combine by the harmonic mean, with the factor that makes it valid for any dependence.

    The factor is e log K for K p-values (Vovk and Wang, Biometrika 107 (2020)).
    """
    count = len(p_values)
    combined: FloatArray = np.minimum(
        math.e * math.log(count) * count / (1.0 / p_values).sum(axis=0), 1.0
    )
    return combined


def e_value_mean(p_values: FloatArray) -> FloatArray:
    """Combine by the mean of e-values, each half of one over the root of p; back to a p-value."""
    combined: FloatArray = np.minimum(1.0 / (0.5 / np.sqrt(p_values)).mean(axis=0), 1.0)
    return combined


OTHERS = {"cauchy": cauchy_combination, "harmonic": harmonic_mean, "e_values": e_value_mean}


def with_others(judged: Judged) -> Judged:
    """Add what other combinations of the same scorers' p-values say, and the dummies."""
    return Judged(_more(judged.usual), _more(judged.deviating), judged.early)


def _more(p_values: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    if not p_values:
        return {}
    stacked = np.stack([p_values[name] for name in SCORERS])
    count = stacked.shape[1]
    dummies = {"always_fire": np.zeros(count), "never_fire": np.ones(count)}
    return dict(p_values) | {name: rule(stacked) for name, rule in OTHERS.items()} | dummies


# --- figures --------------------------------------------------------------------------------------


def figures_of(judged: Sequence[Judged]) -> dict[str, Any]:
    """Compute the figures of a campaign.

    Parameters
    ----------
    judged
        Infants, in the order of ``drawn``: the planted parameters take turns.

    Returns
    -------
    dict
        Those of the shipped combination at the top, of every scorer under its name.
    """
    whole = [with_others(one) for one in judged]
    names = [name for name in whole[0].usual if all(name in one.usual for one in whole)]
    by_scorer = {name: _scorer(whole, name) for name in names}
    sizes = [len(one.usual[COMBINED]) for one in whole]
    return by_scorer[COMBINED] | {
        "scorers": by_scorer,
        "n": len(whole),
        "n_sessions": sum(sizes),
        "least_sessions": min(sizes),
        "recall_by_parameter": _by_parameter(whole),
        "early": early_figures([one.early for one in judged]),
        "simulated": True,
        "versions": report.versions(),
    }


def _scorer(judged: Sequence[Judged], name: str) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for suffix, alpha in ALPHAS:
        rates = [float(np.mean(one.usual[name] <= alpha)) for one in judged]
        figures |= metrics.json_keys(f"fpr_at_alpha{suffix}_mean", metrics.mean_over_groups(rates))
        figures[f"fpr_at_alpha{suffix}_max"] = max(rates)
        recalls = [float(np.mean(one.deviating[name] <= alpha)) for one in judged if one.deviating]
        figures |= metrics.json_keys(f"recall_at_alpha{suffix}", metrics.mean_over_groups(recalls))
    return figures


def _by_parameter(judged: Sequence[Judged]) -> dict[str, float]:
    return {
        str(parameter): float(
            np.mean([np.mean(one.deviating[COMBINED] <= ALPHAS[0][1]) for one in own])
        )
        for number, parameter in enumerate(PARAMETERS)
        if (own := [one for one in judged[number :: len(PARAMETERS)] if one.deviating])
    }


# --- the command ----------------------------------------------------------------------------------


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--infants", type=int, default=100)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument(
        "--cache", type=Path, default=Path("var/simulated"), help="folder of what was heard"
    )
    parser.add_argument("--workers", type=int, default=1)


def main(args: argparse.Namespace) -> int:
    """Simulate, judge, print the table and write the figures."""
    infants = drawn(args.infants, args.seed)
    days = USUAL_DAYS + PLANTED_DAYS
    with report.progress() as shown:
        task = shown.add_task("simulated infants heard", total=len(infants))
        lived = hear_infants(
            infants, days, args.seed, args.cache, args.workers, partial(shown.advance, task)
        )
        task = shown.add_task("simulated infants judged", total=len(infants))
        judged = []
        for one in _judged(lived, args.workers):
            judged.append(one)
            shown.advance(task)
    figures = figures_of(judged)
    show(figures)
    if args.json is not None:
        report.write_json(args.json, figures)
    return 0


def _judged(lived: Sequence[Lived], workers: int) -> Iterator[Judged]:
    judge = partial(live, encoder=load_encoder("bundled", threads=1).fingerprint)
    if workers <= 1:
        yield from map(judge, lived)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(judge, lived)


def show(figures: Mapping[str, Any]) -> None:
    """Print the figures for people."""
    rows = [
        (
            name,
            _told(one, "fpr_at_alpha10_mean"),
            one["fpr_at_alpha10_max"],
            _told(one, "fpr_at_alpha05_mean"),
            _told(one, "recall_at_alpha10"),
        )
        for name, one in figures["scorers"].items()
    ]
    title = (
        f"Simulated: {figures['n']} infants, {figures['n_sessions']} usual sessions, "
        f"{figures['least_sessions']} or more an infant"
    )
    headings = ("scorer", "called unusual at 0.10", "worst infant", "at 0.05", "planted, at 0.10")
    out = report.console()
    out.print(report.table(title, headings, rows))
    parts = ", ".join(f"{name} {part:.2f}" for name, part in figures["recall_by_parameter"].items())
    out.print(f"planted changes of 2 sd called unusual at 0.10: {parts}")
    show_early(figures["early"])


def _told(figures: Mapping[str, Any], key: str) -> str:
    return f"{figures[key]:.3f} [{figures[f'{key}_lo']:.3f}, {figures[f'{key}_hi']:.3f}]"
