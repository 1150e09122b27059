"""Personal: how the scorers that know the population judge a trial of the evaluation.

In: a trial, and what is known of the population. Out: judgements by likelihood, by acoustic
channels and by all five scorers of the product together, calibrated as the product does; and the
likelihood of the background alone. Guaranteed: the three detectors' part is the very same as
theirs; nothing of a trial's tests is in what judges them.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from pipelines.calibration import MAX_FOLDS, calibrate
from pipelines.detectors import DETECTORS
from pipelines.detectors.contract import split_groups
from pipelines.evaluation.controls import layout_of
from pipelines.evaluation.protocol import LEAST_SESSIONS, Judged, Rows, Scores, Trial, judged_by
from pipelines.familiar import ACOUSTICS, LIKELIHOOD, ROOM, Familiar, Turned, left_out_scores, turn
from pipelines.pooled import UNKNOWN_DEVICE, Pooled
from pipelines.prior import Known, Priors
from pipelines.recordings import Heard, views_of
from pipelines.score import IMPORTANCE

BACKGROUND_LIKELIHOOD = "background_likelihood"
Parts = tuple[Mapping[str, Scores], Mapping[str, Scores]]


def judge_personal(trial: Trial, priors: Priors, seed: int = 0) -> dict[str, Judged]:
    """Judge a trial by what the product knows.

    Parameters
    ----------
    trial
        Whose baseline and tests.
    priors
        What is known of the population; its infants must not be in the trial.
    seed
        Seed of the fits.

    Returns
    -------
    dict
        ``likelihood``, ``acoustics``, ``combined`` and ``background_likelihood``.
    """
    groups = _groups(trial)
    turned = [_turned(part, priors) for part in (trial.baseline, trial.normal, trial.anomalous)]
    folds = split_groups(groups, MAX_FOLDS)
    left_out = left_out_scores(priors.views, turned[0], groups, folds)
    familiar = Familiar.of(priors.views, turned[0], groups, left_out.spread)
    known = {LIKELIHOOD: left_out.likelihood, ACOUSTICS: left_out.acoustics}
    normal, other = (
        {LIKELIHOOD: familiar.likelihood(part), ACOUSTICS: familiar.movement(part)}
        for part in turned[1:]
    )
    judged = {
        name: judged_by(
            trial, _pooled({name: known[name]}, groups, priors), *_one(name, normal, other)
        )
        for name in known
    }
    baseline, tests = _of_detectors(trial, groups, seed)
    whole = _pooled(baseline | known, groups, priors)
    judged["combined"] = judged_by(trial, whole, tests[0] | normal, tests[1] | other)
    return judged | {BACKGROUND_LIKELIHOOD: _background(trial, priors, groups, turned)}


def _groups(trial: Trial) -> NDArray[np.int64]:
    """Sessions of the baseline, or its recordings where there is one session only."""
    if trial.n_baseline_sessions < LEAST_SESSIONS:
        return np.arange(len(trial.baseline))
    return trial.baseline_session


def _turned(recordings: tuple[Heard, ...], priors: Priors) -> Turned:
    return turn(views_of(recordings), priors.views)


def _one(name: str, normal: Mapping[str, Scores], other: Mapping[str, Scores]) -> Parts:
    return {name: normal[name]}, {name: other[name]}


def _pooled(scores: dict[str, Scores], groups: NDArray[np.int64], priors: Priors) -> Pooled:
    unknown = np.full(len(groups), UNKNOWN_DEVICE)
    moments = {name: own for name, own in priors.moments.items() if name in scores}
    one_day = np.zeros(len(groups), dtype=np.int64)
    return Pooled(scores, groups, one_day, unknown, moments, IMPORTANCE)


def _of_detectors(
    trial: Trial, groups: NDArray[np.int64], seed: int
) -> tuple[dict[str, Scores], tuple[dict[str, Scores], dict[str, Scores]]]:
    """Left-out scores of the baseline by the three detectors, and those of the tests."""
    unfitted = {name: detector() for name, detector in DETECTORS.items()}
    layout = layout_of(trial, lambda heard: heard.embeddings)
    rows = layout.baseline
    session = groups[rows.recording]
    with threadpool_limits(limits=1):
        ranks = calibrate(unfitted, rows.values, rows.recording, session, session, seed)
        fitted = {name: d.fit(rows.values, session, seed) for name, d in unfitted.items()}

    def means(part: Rows) -> dict[str, Scores]:
        size = np.bincount(part.recording)
        return {
            name: np.bincount(part.recording, weights=d.score(part.values)) / size
            for name, d in fitted.items()
        }

    return ranks.scores, (means(layout.normal), means(layout.anomalous))


def _background(
    trial: Trial, priors: Priors, groups: NDArray[np.int64], turned: list[Turned]
) -> Judged:
    """Judge by the background alone, with the same knowledge of the population."""
    prior, room = priors.views[ROOM], [np.nan_to_num(part.room) for part in turned]
    left_out = np.empty(len(groups))
    for fold in split_groups(groups, MAX_FOLDS):
        without = Known.of(prior, room[0][~fold], groups[~fold])
        left_out[fold] = without.unlikeness(room[0][fold])
    known = Known.of(prior, room[0], groups)
    normal, other = ({ROOM: known.unlikeness(part)} for part in room[1:])
    return judged_by(trial, _pooled({ROOM: left_out}, groups, priors), normal, other)
