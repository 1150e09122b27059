"""Pooled calibration of the score stage: p-values from an infant's own days and from others'.

In: left-out scores of an infant's baseline recordings, by scorer, and what is known of such scores
in the population. Out: p-values by scorer and combined, for a recording or a session. Guaranteed:
the more sessions an infant has, the less the population counts; with none of its own there is no
p-value; the same rows give the same bits.

Ranks among an infant's own sessions promise most (``pipelines.calibration`` says what), but they
are coarse: with nine sessions no p-value is below 0.10, and nothing tells a strange recording from
a very strange one. What other infants teach is the shape: how the scores of a usual session lie
about the infant's own mean. So scores are standardised by the infant's own left-out scores (their
moments drawn to the population's with the weight of four sessions), put on the scale of a
t distribution, and combined by a weighted mean of the minus logarithms of their tails (Fisher). The
combination is looked up twice: among the infant's own sessions, each standardised by the others,
and in a gamma distribution, which is what a mean of dependent logarithms of tails follows nearly.
The p-value is the weighted mean of the two; the own count for as much as there are of them beside
``POOL_WEIGHT``. A mean of two p-values keeps its promise where both do and are alike (in the worst
case it doubles, Vovk and Wang, "Combining p-values via averaging", Biometrika 107 (2020)); that it
does here is measured on simulated infants by ``python -m pipelines promise``, and on recordings by
``python -m pipelines evaluate``.

Sessions count for less the longer ago they were, since infants grow, and the less where another
kind of device recorded them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import scipy
from numpy.typing import NDArray

from pipelines.calibration import Judgement
from pipelines.errors import ConfigError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

POOL_WEIGHT = 20.0
"""So many own sessions count for as much as the population does."""
MOMENT_WEIGHT = 4.0
TAIL_FREEDOM = 6.0
FURTHEST_SPREADS = 12.0
SHAPE_VARIANCE = 0.6
"""Variance of the combined statistic of a usual session; 1 would be scorers that all say the same,
a fifth would be five that know nothing of each other."""
UNKNOWN_DEVICE = -1
HALF_LIFE_DAYS = 45.0
OTHER_DEVICE_WEIGHT = 0.5
_TIE = 1e-9

Moments = Mapping[str, tuple[float, float]]


@dataclass(frozen=True, eq=False)
class Pooled:
    """Left-out scores of a baseline's recordings, and what is known beside them.

    Attributes
    ----------
    scores
        By scorer, shape ``(r,)``.
    session, day
        Of each recording, integers of shape ``(r,)``.
    device
        Number of the device of each recording, shape ``(r,)``; negative: not known.
    moments
        Mean and standard deviation of left-out session scores in the population, by scorer; a
        scorer without them is standardised by the infant's own alone.
    importance
        How much each scorer's word counts in the combination; 1 where it is not named.
    """

    scores: dict[str, FloatArray]
    session: IntArray
    day: IntArray
    device: IntArray
    moments: Moments = field(default_factory=dict)
    importance: Mapping[str, float] = field(default_factory=dict)

    @property
    def n_sessions(self) -> int:
        """How many sessions there are."""
        return len(np.unique(self.session))

    @property
    def smallest_p_value(self) -> float:
        """Return what no p-value can be below, however strange the session."""
        return self._own_share(float(self.n_sessions)) / (self.n_sessions + 1.0)

    def judge_recording(
        self, scores: Mapping[str, float], device: int = UNKNOWN_DEVICE
    ) -> Judgement:
        """Judge one recording of a new session.

        Parameters
        ----------
        scores
            Its score by scorer.
        device
            Number of the device that made it; negative: not known.

        Returns
        -------
        Judgement
            ``p_value`` is its combined p-value.

        Raises
        ------
        ConfigError
            It was scored by other scorers than the baseline.
        """
        new = {name: np.array([score]) for name, score in scores.items()}
        sizes = np.bincount(self._index)
        weights = self._session_weights(device)[self._index] / sizes[self._index]
        return self._judge(new, self.scores, weights)

    def judge_session(
        self, scores: Mapping[str, FloatArray], device: int = UNKNOWN_DEVICE
    ) -> Judgement:
        """Judge a new session by the mean scores of its recordings, beside the baseline's sessions.

        Parameters
        ----------
        scores
            By scorer, the scores of its recordings, shape ``(m,)``, m at least 1.
        device
            Number of the device that made it; negative: not known.

        Returns
        -------
        Judgement
            ``p_value`` is the session's.

        Raises
        ------
        ConfigError
            As for a recording.
        """
        new = {name: np.array([own.mean()]) for name, own in scores.items()}
        sizes = np.bincount(self._index)
        own = {name: np.bincount(self._index, weights=s) / sizes for name, s in self.scores.items()}
        return self._judge(new, own, self._session_weights(device))

    @property
    def _index(self) -> IntArray:
        return np.unique(self.session, return_inverse=True)[1]

    def _session_weights(self, device: int) -> FloatArray:
        """Return what each session's word is worth beside the new one, by rising number.

        The newest counts 1, whenever the new one is: a baseline that nothing was added to for a
        while is as good as it was.
        """
        _, first = np.unique(self.session, return_index=True)
        day, known = self.day[first], self.device[first]
        weights: FloatArray = 0.5 ** ((day.max() - day) / HALF_LIFE_DAYS)
        foreign = (known >= 0) & (known != device)
        return np.where(foreign, OTHER_DEVICE_WEIGHT, 1.0) * weights if device >= 0 else weights

    def _judge(
        self, new: Mapping[str, FloatArray], known: Mapping[str, FloatArray], weights: FloatArray
    ) -> Judgement:
        if set(new) != set(known):
            raise ConfigError(f"scores of {sorted(new)} where {sorted(known)} are calibrated")
        p_values, new_tails, known_tails = {}, [], []
        for name, own in known.items():
            spreads, left_out = self._standardised(name, new[name], own, weights)
            tail, own_tails = _tail(spreads), _tail(left_out)
            p_values[name] = self._blended(tail, own_tails, weights)
            new_tails.append(-np.log(tail))
            known_tails.append(-np.log(own_tails))
        counts = np.array([self.importance.get(name, 1.0) for name in known])
        counts = counts / counts.sum()
        statistics, own_statistics = (counts @ np.stack(t) for t in (new_tails, known_tails))
        variance = self._shape_variance(own_statistics, weights, len(known))
        tail, own_tails = (
            scipy.special.gammaincc(1.0 / variance, statistic / variance)
            for statistic in (statistics, own_statistics)
        )
        p_value = self._blended(tail, own_tails, weights)
        return Judgement(p_values, statistics, float(statistics.mean()), float(p_value[0]))

    def _standardised(
        self, name: str, new: FloatArray, own: FloatArray, weights: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Standardise a new score by the own ones, and each own one by the others."""
        prior = self.moments.get(name)
        sums = np.array([weights.sum(), weights @ own, weights @ own**2])
        parts = np.stack([weights, weights * own, weights * own**2])
        mean, spread = _moments(sums[:, None], prior)
        mean_without, spread_without = _moments(sums[:, None] - parts, prior)
        return (new - mean) / spread, (own - mean_without) / spread_without

    def _shape_variance(self, own: FloatArray, weights: FloatArray, scorers: int) -> float:
        if scorers == 1:
            return 1.0  # minus the logarithm of one tail is exponential
        total = weights.sum()
        mean = weights @ own / total
        variance = weights @ (own - mean) ** 2 / total
        return float((total * variance + POOL_WEIGHT * SHAPE_VARIANCE) / (total + POOL_WEIGHT))

    def _blended(self, tail: FloatArray, own: FloatArray, weights: FloatArray) -> FloatArray:
        """Mean of the rank among the own and of the pooled tail."""
        above = (own[None] <= tail[:, None] * (1.0 + _TIE)) @ weights
        ranks = (1.0 + above) / (1.0 + weights.sum())
        share = self._own_share(float(weights.sum()))
        blended: FloatArray = share * ranks + (1.0 - share) * tail
        return np.minimum(blended, 1.0)

    @staticmethod
    def _own_share(sessions: float) -> float:
        return sessions / (sessions + POOL_WEIGHT)


def _moments(sums: FloatArray, prior: tuple[float, float] | None) -> tuple[FloatArray, FloatArray]:
    """Mean, and standard deviation of a new value about it, from weighted sums."""
    count, first, second = sums
    if prior is not None:
        mean, spread = prior
        count = count + MOMENT_WEIGHT
        first = first + MOMENT_WEIGHT * mean
        second = second + MOMENT_WEIGHT * (spread**2 + mean**2)
    count = np.maximum(count, 1e-9)
    mean = first / count
    variance = np.maximum(second / count - mean**2, 1e-12 + 1e-12 * mean**2)
    # One degree of freedom went into the mean, and a new value differs from it once more.
    variance = variance * np.maximum(count / np.maximum(count - 1.0, 0.5), 1.0) * (1 + 1 / count)
    return mean, np.sqrt(variance)


def _tail(spreads: FloatArray) -> FloatArray:
    """Upper tail of Student's t, never 0."""
    bounded = np.clip(spreads, -FURTHEST_SPREADS, FURTHEST_SPREADS)
    tail: FloatArray = scipy.special.stdtr(TAIL_FREEDOM, -bounded)
    return tail
