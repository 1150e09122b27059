"""Evaluate the score stage: ``python -m pipelines evaluate MANIFEST``.

In: a manifest and an encoder. Out: the per-infant table as the method's authors print it, with
recall at a false-positive rate of 0.10 and promised against realised false positives beside it, for
the three detectors, their combination, the background-only control and the dummies; and the same
with one added channel on every recording. Guaranteed: baseline and test share no session; means are
over infants that the encoder was not trained on; a promise that a baseline is too small to make is
named as not reachable and is in no average.

F1, recall and false-positive rate in the authors' columns are at the plain threshold: a recording
is flagged when at most a tenth of the left-out baseline (each session counting once) is as
anomalous. That promises nothing; the columns with alpha do.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.embed import Encoder, load_encoder
from pipelines.evaluation import evaluate_tables, metrics, report
from pipelines.evaluation.controls import (
    STRONGEST,
    BackgroundScale,
    judge_background,
    judge_dummies,
    judge_embeddings,
)
from pipelines.evaluation.matched import Rung, everything_in, noise_beside, settle, sweep
from pipelines.evaluation.metrics import Absent, Estimate
from pipelines.evaluation.peers import JudgeTrial, pyod_judge
from pipelines.evaluation.personal import judge_personal
from pipelines.evaluation.protocol import (
    FULL_NORMALS,
    Judged,
    NotTried,
    Trial,
    make_trials,
)
from pipelines.prior import Priors, bundled_priors
from pipelines.recordings import Heard, Step, by_infant, good_rows, hear

PLAIN_FRAC = 0.10
ALPHAS = (("10", 0.10), ("05", 0.05))
SCORERS = (*evaluate_tables.SHOWN, *evaluate_tables.DUMMIES)


@dataclass(frozen=True)
class Tried:
    """A trial and how every scorer judged it."""

    trial: Trial
    judged: dict[str, Judged]


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--encoder", default="bundled")
    parser.add_argument("--noise", type=Path, help="folder of noises for the matched table")
    parser.add_argument("--no-matched", action="store_true", help="leave the matched table out")
    parser.add_argument("--pyod", action="store_true", help="add PyOD's detectors beside ours")
    parser.add_argument("--seed", type=int, default=0)


def main(args: argparse.Namespace) -> int:
    """Evaluate, print the tables and write the figures."""
    peers = pyod_judge() if args.pyod else None
    encoder = load_encoder(args.encoder, threads=1)
    priors = bundled_priors(encoder.fingerprint)
    rows = good_rows(args.manifest)
    with report.progress() as shown:
        task = shown.add_task("recordings heard", total=len(rows))
        heard = hear(rows, encoder, lambda count: shown.advance(task, count))
    trials, left = trials_of(heard, encoder, args.seed)
    if not trials:
        report.console().print("no infant has enough recordings in enough sessions")
        return 1
    judged = evaluate(trials, args.seed, peers=peers, priors=priors)
    figures = {**judged, **_facts(encoder, heard, left)}
    if not args.no_matched:
        figures["matched"] = evaluate_matched(trials, encoder, args)
    evaluate_tables.show(report.console(), figures)
    if args.json is not None:
        report.write_json(args.json, figures)
    return 0


def trials_of(
    heard: Sequence[Any], encoder: Encoder, seed: int
) -> tuple[list[Trial], list[NotTried]]:
    """Make the trials of what was heard, knowing whom the encoder was trained on."""
    infants = by_infant(heard)
    return make_trials(infants, {name: encoder.heard(name) for name in infants}, seed)


def _facts(encoder: Encoder, heard: Sequence[Any], left: Sequence[NotTried]) -> dict[str, Any]:
    return {
        "n": sum(isinstance(one, Heard) for one in heard),
        "n_unheard": sum(not isinstance(one, Heard) for one in heard),
        "not_tried": [vars(one) for one in left],
        "encoder": {"name": encoder.name, "fingerprint": encoder.fingerprint},
        "versions": report.versions(),
    }


def evaluate(
    trials: Sequence[Trial],
    seed: int = 0,
    step: Step | None = None,
    peers: JudgeTrial | None = None,
    priors: Priors | None = None,
) -> dict[str, Any]:
    """Judge trials by every scorer and compute all figures.

    Parameters
    ----------
    trials
        At least one.
    seed
        Seed of the fits.
    step
        Called with how many trials were finished.
    peers
        Judges a trial by scorers that stand beside ours.
    priors
        What is known of the population; None: what ships, without the embedding's, which is of one
        encoder.

    Returns
    -------
    dict
        A part for each scorer, ``infants`` (the per-infant table) and counts.
    """
    scale = BackgroundScale.of(everything_in(trials))
    known = bundled_priors("") if priors is None else priors
    tried = []
    for trial in trials:
        beside = peers(trial, seed) if peers is not None else {}
        tried.append(Tried(trial, judge_all(trial, scale, seed, known) | beside))
        if step is not None:
            step(1)
    counted = [one for one in tried if one.trial.heard is not True] or tried
    names = list(tried[0].judged)
    return {
        **{name: scorer_figures(counted, name) for name in names},
        "infants": [infant_line(one) for one in tried],
        "n_infants": len(tried),
        "n_infants_counted": len(counted),
        "counted_are_unheard": all(one.trial.heard is not True for one in counted),
        "n_test_normals": sum(len(one.trial.normal) for one in counted),
        "n_anomalies": sum(len(one.trial.anomalous) for one in counted),
    }


def judge_all(trial: Trial, scale: BackgroundScale, seed: int, priors: Priors) -> dict[str, Judged]:
    """Judge a trial by every scorer, the background-only controls and the dummies."""
    background = judge_background(trial, scale, seed)
    return {
        **judge_embeddings(trial, seed),
        **judge_personal(trial, priors, seed),
        "background": background[STRONGEST],
        **judge_dummies(trial),
        **{f"background_{name}": judged for name, judged in background.items()},
    }


def evaluate_matched(
    trials: Sequence[Trial], encoder: Encoder, args: argparse.Namespace
) -> dict[str, Any]:
    """Compute the same figures with one added channel on every recording, and its whole sweep."""
    counted = [trial for trial in trials if trial.heard is not True] or list(trials)
    with report.progress() as shown:
        task = shown.add_task("recordings heard through added channels", total=None)
        noise, priors = noise_beside(args.manifest, args.noise), bundled_priors(encoder.fingerprint)
        rungs = sweep(counted, noise, encoder, priors, lambda count: shown.advance(task, count))
    rung, is_matched = settle(rungs)
    return {
        **evaluate(rung.trials, args.seed, priors=priors),
        "noise_level_dbfs": rung.level_dbfs,
        "background_auc": rung.background_auc,
        "is_matched": is_matched,
        "sweep": [rung_line(one) for one in rungs],
    }


def rung_line(rung: Rung) -> dict[str, Any]:
    """Give one level of the sweep as JSON keys."""
    return {
        "noise_level_dbfs": rung.level_dbfs,
        "background_auc": rung.background_auc,
        "background_auc_by_scorer": rung.background,
        "auc_by_scorer": rung.embeddings,
        **metrics.json_keys("combined_minus_background", rung.beyond),
    }


# --- figures ------------------------------------------------------------------------------------


def left_out_share(p_values: NDArray[np.float64], sessions: int) -> NDArray[np.float64]:
    """Share of the left-out baseline, each session counting once, that is as anomalous."""
    return (p_values * (sessions + 1.0) - 1.0) / sessions


def flagged(judged: Judged) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Flag normal and anomalous recordings at the plain threshold."""
    normal, anomalous = (
        (p if judged.is_pooled else left_out_share(p, judged.sessions)) <= PLAIN_FRAC + 1e-12
        for p in (judged.normal_p, judged.anomalous_p)
    )
    return normal, anomalous


def scorer_line(judged: Judged) -> dict[str, float]:
    """Compute one scorer's figures for one infant, in the authors' columns and ours."""
    point = metrics.operating_point(*flagged(judged))
    return {
        "auc": metrics.auc(judged.normal, judged.anomalous),
        "ap": metrics.average_precision(judged.normal, judged.anomalous),
        "f1": point.f1,
        "recall": point.recall,
        "fpr": point.fpr,
        "recall_at_fpr10": metrics.recall_at_fpr(judged.normal, judged.anomalous),
    }


def infant_line(tried: Tried) -> dict[str, Any]:
    """Compute one infant's line of the table."""
    trial = tried.trial
    return {
        "infant": trial.infant,
        "device": trial.device,
        "encoder_heard_it": trial.heard,
        "n": len(trial.normal),
        "n_sessions": len(np.unique(trial.normal_session)),
        "n_anomalous": len(trial.anomalous),
        "n_baseline": len(trial.baseline),
        "n_baseline_sessions": trial.n_baseline_sessions,
        "alpha10_reachable": trial.reaches(0.10),
        "alpha05_reachable": trial.reaches(0.05),
        "scorers": {name: scorer_line(judged) for name, judged in tried.judged.items()},
    }


def scorer_figures(tried: Sequence[Tried], name: str) -> dict[str, Any]:
    """Compute one scorer's figures over infants: means, and pooled promises with intervals."""
    lines = [scorer_line(one.judged[name]) for one in tried]
    figures: dict[str, Any] = {"n": sum(len(one.trial.normal) for one in tried)}
    for key in lines[0]:
        figures |= metrics.json_keys(key, metrics.mean_over_groups([line[key] for line in lines]))
    figures |= metrics.json_keys("auc_minus_background", _beyond_background(tried, name))
    figures |= metrics.json_keys("fpr_pooled", _pooled_plain(tried, name))
    for suffix, alpha in ALPHAS:
        figures |= promise_figures(tried, name, suffix, alpha)
    return figures


def _beyond_background(tried: Sequence[Tried], name: str) -> Estimate | Absent:
    """AUC over that of the background, infant by infant."""
    pairs = [(one.judged[name], one.judged["background"]) for one in tried]
    return metrics.mean_over_groups(
        [
            metrics.auc(own.normal, own.anomalous) - metrics.auc(room.normal, room.anomalous)
            for own, room in pairs
        ]
    )


def _pooled_plain(tried: Sequence[Tried], name: str) -> Estimate | Absent:
    flags = [flag for one in tried for flag in flagged(one.judged[name])[0]]
    return metrics.frac_by_group(np.array(flags), _session_names(tried))


def _session_names(tried: Sequence[Tried]) -> list[str]:
    """Name the session of every normal test, apart for every infant."""
    return [f"{one.trial.infant}/{s}" for one in tried for s in one.trial.normal_session]


def promise_figures(tried: Sequence[Tried], name: str, suffix: str, alpha: float) -> dict[str, Any]:
    """Compute realised false positives and recall where p-values of ``alpha`` can be reached.

    Parameters
    ----------
    tried
        Judged trials.
    name
        Scorer.
    suffix
        How the keys spell the alpha.
    alpha
        What is promised.

    Returns
    -------
    dict
        ``fpr_at_alpha..`` (recordings), ``.._session``, ``recall_at_alpha..``, the maximum over
        infants with at least ``FULL_NORMALS`` normal tests, and how many infants each rests on.
    """
    able = [one for one in tried if one.judged[name].is_pooled or one.trial.reaches(alpha)]
    full = [one for one in able if len(one.trial.normal) >= FULL_NORMALS]
    recordings = np.array([p <= alpha for one in able for p in one.judged[name].normal_p])
    sessions = np.array([p <= alpha for one in able for p in one.judged[name].normal_session_p])
    recall = [float(np.mean(one.judged[name].anomalous_p <= alpha)) for one in able]
    key = f"fpr_at_alpha{suffix}"
    none = Absent(f"not reachable: no infant has {round(1 / alpha) - 1} baseline sessions")
    parts: dict[str, Estimate | Absent] = {
        key: metrics.frac_by_group(recordings, _session_names(able)),
        f"{key}_session": metrics.frac_by_group(sessions, np.arange(len(sessions))),
        f"recall_at_alpha{suffix}": metrics.mean_over_groups(recall),
    }
    figures: dict[str, Any] = {f"{key}_infants": len(able), f"{key}_max_infants": len(full)}
    for part, figure in parts.items():
        figures |= metrics.json_keys(part, none if isinstance(figure, Absent) else figure)
    worst = [float(np.mean(one.judged[name].normal_p <= alpha)) for one in full]
    figures[f"{key}_max"] = max(worst) if worst else None
    return figures
