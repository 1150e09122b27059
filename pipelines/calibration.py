"""Calibration of the score stage: from scores to p-values that keep their promise.

In: an infant's baseline units and the detectors to calibrate; later the scores of a new recording
or session. Out: p-values by detector and combined. Guaranteed: no score of a baseline recording
comes from a detector that has heard its day, so no threshold is ever taken in-sample; and

    if a new session is exchangeable with the baseline's sessions, P(p <= alpha) <= alpha.

That is a promise about sessions, not about cries: cries of one session are far more alike than
cries of two, and a calibration that leaves out single cries promises 0.10 and keeps 0.24. It is
void where the new session differs for another reason than the infant (another room, another
microphone), and it is kept on average over baselines: one infant's realised rate varies around it
the more, the fewer sessions there are. P-values are granular: none is below ``1 / (sessions + 1)``,
so that alpha 0.10 needs nine sessions and alpha 0.05 needs nineteen.

Three steps that the theory leaves open are checked by simulation. Left-out scores come from
detectors fitted on at least nine tenths of the days, the new one's from detectors fitted on all of
them: this errs on the careful side. A session still going on, with fewer recordings than the
baseline's sessions, is ranked among whole ones. And a detector's settings (the number of
components, nu) are chosen once for all folds, so they have seen the left-out day, which the fitted
detector has not: chosen fold by fold, they give scores that cannot be ranked together (on eleven
infants of Donate-a-Cry the one-class SVM then flags 0.45 of the usual recordings at the plain
threshold of 0.10, and 0.20 where it is chosen once).

Sources: Lee, Barber and Willett, "Distribution-free inference with hierarchical data" (2023), for
the ranks with equal weight to every session; Vovk, "Cross-conformal predictors", Annals of
Mathematics and Artificial Intelligence 74 (2015), for the left-out folds; Fisher's sum of log
p-values for the combination, which is then ranked itself because the detectors are dependent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.detectors.contract import (
    Detector,
    FloatArray,
    IntArray,
    check_baseline,
    check_groups,
    fit_folds,
    split_groups,
)
from pipelines.errors import ConfigError

MAX_FOLDS = 10
# Equal statistics may differ in their last bits, being sums in another order.
_TIE = 1e-9


@dataclass(frozen=True, eq=False)
class Judgement:
    """What a calibration says of the recordings of one session.

    Attributes
    ----------
    p_values
        By detector, one p-value a recording, shape ``(m,)``.
    statistics
        One combined statistic a recording, shape ``(m,)``: the mean over detectors of -log p.
    statistic
        Their mean: the session's statistic.
    p_value
        The session's p-value: the rank of its statistic among the baseline's sessions.
    """

    p_values: dict[str, FloatArray]
    statistics: FloatArray
    statistic: float
    p_value: float


@dataclass(frozen=True, eq=False)
class _Combined:
    """A new session's p-values and statistics, and the baseline recordings' beside it."""

    p_values: dict[str, FloatArray]
    statistics: FloatArray
    baseline: FloatArray

    @property
    def statistic(self) -> float:
        """Average the statistics of the new session."""
        return float(self.statistics.mean())


@dataclass(frozen=True, eq=False)
class Calibration:
    """Left-out scores of a baseline's recordings, and the ranks of others among them.

    Attributes
    ----------
    scores
        By detector, the left-out score of each baseline recording, shape ``(r,)``.
    session
        Session of each recording, shape ``(r,)``.
    """

    scores: dict[str, FloatArray]
    session: IntArray

    @property
    def n_sessions(self) -> int:
        """How many sessions there are."""
        return len(self._session_sizes)

    def judge_recording(self, scores: Mapping[str, float]) -> Judgement:
        """Rank one recording of a new session among the baseline's recordings.

        Each baseline session counts once, through the share of its recordings that are at least
        as anomalous.

        Parameters
        ----------
        scores
            The recording's score by detector.

        Returns
        -------
        Judgement
            Of this one recording; ``p_value`` is its combined p-value.
        """
        combined = self._combine({name: np.array([score]) for name, score in scores.items()})
        above = combined.baseline >= combined.statistic - _TIE
        return self._judgement(combined, float(self._weights @ above))

    def judge_session(self, scores: Mapping[str, FloatArray]) -> Judgement:
        """Rank a new session among the baseline's sessions, by the mean of its statistics.

        Parameters
        ----------
        scores
            By detector, the scores of the session's recordings, shape ``(m,)``, m at least 1.

        Returns
        -------
        Judgement
            Of the session's recordings and of the session.
        """
        combined = self._combine(scores)
        means = np.bincount(self._index, weights=combined.baseline * self._weights)
        return self._judgement(combined, float((means >= combined.statistic - _TIE).sum()))

    def _judgement(self, combined: _Combined, sessions_above: float) -> Judgement:
        return Judgement(
            combined.p_values,
            combined.statistics,
            combined.statistic,
            (1.0 + sessions_above) / (self.n_sessions + 1.0),
        )

    def _combine(self, new: Mapping[str, FloatArray]) -> _Combined:
        """Combine the detectors for a new session and, in the same way, for the baseline.

        A baseline recording is ranked among the other sessions and the new one, the new session
        among the baseline's: every session is treated alike, which exchangeability asks for.
        """
        if set(new) != set(self.scores):
            raise ConfigError(f"scores of {sorted(new)} where {sorted(self.scores)} are calibrated")
        p_values: dict[str, FloatArray] = {}
        baseline_p_values = []
        for name, known in self.scores.items():
            p_values[name] = self._rank(self._weights @ (known[:, None] >= new[name][None]))
            new_above = (new[name][None] >= known[:, None]).mean(axis=1)
            baseline_p_values.append(self._rank(self._others_above[name] + new_above))
        return _Combined(
            p_values,
            statistics=-np.log(list(p_values.values())).mean(axis=0),
            baseline=-np.log(baseline_p_values).mean(axis=0),
        )

    def _rank(self, sessions_above: FloatArray) -> FloatArray:
        return (1.0 + sessions_above) / (self.n_sessions + 1.0)

    @cached_property
    def _index(self) -> IntArray:
        _, index = np.unique(self.session, return_inverse=True)
        return index

    @cached_property
    def _session_sizes(self) -> IntArray:
        return np.bincount(self._index)

    @cached_property
    def _weights(self) -> FloatArray:
        """Weight of each recording: every session has one in all."""
        return 1.0 / self._session_sizes[self._index]

    @cached_property
    def _others_above(self) -> dict[str, FloatArray]:
        """For each recording, the other sessions' weight at least as anomalous."""
        foreign = self._index[:, None] != self._index[None]
        return {
            name: ((known[None] >= known[:, None]) & foreign) @ self._weights
            for name, known in self.scores.items()
        }


def calibrate(
    detectors: Mapping[str, Detector],
    units: NDArray[Any],
    recording: NDArray[Any],
    session: NDArray[Any],
    day: NDArray[Any],
    seed: int,
) -> Calibration:
    """Score every recording of a baseline by detectors that have not heard its day.

    Parameters
    ----------
    detectors
        What to fit and calibrate, by name; they stay unfitted.
    units
        Embeddings of the baseline's units, shape ``(n, width)``.
    recording, session, day
        Recording, session and day of each unit, integers of shape ``(n,)``. A session that passes
        midnight belongs to the day on which its first unit stands.
    seed
        Seed of the fits.

    Returns
    -------
    Calibration
        The left-out scores: a recording's score is the mean of its units' scores.

    Raises
    ------
    ConfigError
        If shapes or types do not fit, a recording lies in two sessions, or there is only one day.
    """
    matrix, recordings = check_baseline(units, recording)
    sessions = check_groups(session, len(matrix))
    folds = split_groups(first_days(sessions, check_groups(day, len(matrix))), MAX_FOLDS)
    if not folds:
        raise ConfigError("a calibration needs units of at least two days")
    _, first, index = np.unique(recordings, return_index=True, return_inverse=True)
    if not np.array_equal(sessions[first][index], sessions):
        raise ConfigError("a recording lies in two sessions")
    unit_scores = {name: np.empty(len(matrix)) for name in detectors}
    for name, detector in detectors.items():
        fitted = fit_folds(detector, matrix, sessions, folds, seed)
        for left_out, one in zip(folds, fitted, strict=True):
            unit_scores[name][left_out] = one.score(matrix[left_out])
    sizes = np.bincount(index)
    scores = {name: np.bincount(index, weights=s) / sizes for name, s in unit_scores.items()}
    return Calibration(scores, sessions[first])


def first_days(session: IntArray, day: IntArray) -> IntArray:
    """Return for each unit the day of its session's first unit, shape ``(n,)``."""
    _, first, index = np.unique(session, return_index=True, return_inverse=True)
    days: IntArray = day[first][index]
    return days
