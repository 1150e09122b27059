"""Pairs of recordings: their scores, error rates, and intervals by infant.

In: vectors of recordings and whose they are. Out: equal error rates in percent, detection costs
and areas under the curve. Guaranteed: seeded; intervals draw whole infants, since recordings of one
infant resemble each other, and draw the same ones for all that is compared; whitening never learns
from an infant that it scores.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from pipelines.evaluation.metrics import Absent, Estimate

RESAMPLES = 300
FOLDS = 5
SHRINKAGE = 0.5

P_TARGETS = (0.01, 0.05)
"""Shares of genuine trials for which NIST's detection cost is taken."""

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Pairs:
    """All pairs of recordings of the same kind of device.

    Attributes
    ----------
    first, second
        Indices of recordings, shape ``(m,)``.
    same
        Whether both are the same infant's.
    hour_apart
        Whether more than an hour lies between them.
    infant
        Number of each recording's infant, shape ``(n,)``.
    """

    first: NDArray[np.intp]
    second: NDArray[np.intp]
    same: NDArray[np.bool_]
    hour_apart: NDArray[np.bool_]
    infant: NDArray[np.intp]


def cosine_scores(vectors: Vectors, pairs: Pairs) -> NDArray[np.float64]:
    """Cosine of each pair, shape ``(m,)``."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True).clip(min=1e-12)
    scores: NDArray[np.float64] = np.einsum("ij,ij->i", unit[pairs.first], unit[pairs.second])
    return scores.astype(np.float64)


def whitened_scores(vectors: Vectors, pairs: Pairs) -> NDArray[np.float64]:
    """Cosine of each pair after within-class whitening learnt on other infants only.

    Infants are put into folds; a pair is scored with a whitening from the folds that neither of its
    two infants is in. Statistics as plain as MFCCs need it to show what they tell.

    References
    ----------
    Hatch, Kajarekar, Stolcke (2006), Within-class covariance normalization for SVM-based speaker
    recognition.
    """
    fold = pairs.infant % FOLDS
    low = np.minimum(fold[pairs.first], fold[pairs.second])
    high = np.maximum(fold[pairs.first], fold[pairs.second])
    scores = np.zeros(len(pairs.first))
    for one in range(FOLDS):
        for other in range(one, FOLDS):
            chosen = np.flatnonzero((low == one) & (high == other))
            if chosen.size:
                learnt = ~np.isin(fold, (one, other))
                whitened = _whiten(vectors, pairs.infant, learnt)
                scores[chosen] = cosine_scores(whitened, subset(pairs, chosen))
    return scores


def summed_scores(vectors: Vectors, pairs: Pairs, views: int) -> NDArray[np.float64]:
    """Sum of the whitened cosines of several views, which lie side by side in the vectors."""
    parts = np.split(vectors, views, axis=1)
    return np.sum([whitened_scores(part, pairs) for part in parts], axis=0, dtype=np.float64)


def subset(pairs: Pairs, chosen: NDArray[np.intp]) -> Pairs:
    """Choose some pairs, by their indices."""
    return Pairs(
        pairs.first[chosen],
        pairs.second[chosen],
        pairs.same[chosen],
        pairs.hour_apart[chosen],
        pairs.infant,
    )


def _whiten(vectors: Vectors, infant: NDArray[np.intp], learnt: NDArray[np.bool_]) -> Vectors:
    if learnt.sum() < 2:
        learnt = np.ones(len(vectors), dtype=bool)
    known, owner = vectors[learnt].astype(np.float64), infant[learnt]
    centre, spread = known.mean(axis=0), known.std(axis=0) + 1e-6
    known = (known - centre) / spread
    within = within_covariance(known, owner, SHRINKAGE)
    values, axes = np.linalg.eigh(within)
    transform = axes / np.sqrt(values.clip(min=1e-6))
    result: Vectors = (((vectors - centre) / spread) @ transform).astype(np.float32)
    return result


def within_covariance(
    vectors: NDArray[np.float64], owner: NDArray[np.intp], shrinkage: float
) -> NDArray[np.float64]:
    """Covariance of vectors around their owner's mean, shrunk towards its diagonal."""
    size = vectors.shape[1]
    total, freedom = np.zeros((size, size)), 0
    for name in np.unique(owner):
        own = vectors[owner == name]
        centred = own - own.mean(axis=0)
        total += centred.T @ centred
        freedom += len(own) - 1
    if not freedom:
        return np.eye(size)
    covariance = total / freedom
    return (1.0 - shrinkage) * covariance + shrinkage * np.diag(np.diag(covariance))


@dataclass(frozen=True)
class ErrorCurve:
    """Errors at every threshold, from one that refuses nothing to one that refuses everything.

    Attributes
    ----------
    missed
        Share of genuine pairs that are refused, rising, shape ``(m + 1,)``.
    passed
        Share of impostors that are not, falling, shape ``(m + 1,)``.
    """

    missed: NDArray[np.float64]
    passed: NDArray[np.float64]

    def equal_error_rate(self) -> float:
        """Return the rate in percent where both errors are equal."""
        crossing = int(np.argmin(np.abs(self.missed - self.passed)))
        return float(50.0 * (self.missed[crossing] + self.passed[crossing]))

    def area(self) -> float:
        """Return the chance that a genuine pair scores higher than an impostor."""
        return float(-np.trapezoid(1.0 - self.missed, self.passed))

    def least_cost(self, p_target: float) -> float:
        """Return NIST's least detection cost, 1 for a system that hears nothing.

        Both errors cost the same; with a share ``p_target`` of genuine trials.

        References
        ----------
        NIST (2016), Speaker recognition evaluation plan, section on the basic cost model.
        """
        cost = p_target * self.missed + (1.0 - p_target) * self.passed
        return float(cost.min() / min(p_target, 1.0 - p_target))


METRICS: Mapping[str, Callable[[ErrorCurve], float]] = MappingProxyType(
    {
        "eer": ErrorCurve.equal_error_rate,
        "auc": ErrorCurve.area,
        "min_dcf01": lambda curve: curve.least_cost(P_TARGETS[0]),
        "min_dcf05": lambda curve: curve.least_cost(P_TARGETS[1]),
    }
)
"""What is told of scores, by the names of the published figures."""


def error_curve(
    scores: NDArray[np.float64], same: NDArray[np.bool_], weights: NDArray[np.float64] | None = None
) -> ErrorCurve:
    """Count both errors at every threshold. Arguments and errors as for `equal_error_rate`."""
    weights = np.ones(len(scores)) if weights is None else weights
    order = np.argsort(scores, kind="stable")
    return _curve_in_order(same[order], weights[order])


def _curve_in_order(same: NDArray[np.bool_], weights: NDArray[np.float64]) -> ErrorCurve:
    genuine = np.concatenate([[0.0], np.cumsum(np.where(same, weights, 0.0))])
    impostor = np.concatenate([[0.0], np.cumsum(np.where(same, 0.0, weights))])
    if not genuine[-1] or not impostor[-1]:
        message = "an equal error rate needs pairs of either kind"
        raise ValueError(message)
    # After the k lowest scores are refused: genuine pairs among them, impostors not among them.
    return ErrorCurve(genuine / genuine[-1], 1.0 - impostor / impostor[-1])


def equal_error_rate(
    scores: NDArray[np.float64], same: NDArray[np.bool_], weights: NDArray[np.float64] | None = None
) -> float:
    """Equal error rate in percent.

    Parameters
    ----------
    scores
        High = the same infant, shape ``(m,)``.
    same
        Whether it is.
    weights
        How often each pair counts; None means once.

    Raises
    ------
    ValueError
        One of the two kinds of pairs has no weight.
    """
    return error_curve(scores, same, weights).equal_error_rate()


# --- intervals ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sampled:
    """All metrics of some scores, as they are and over drawn infants.

    Attributes
    ----------
    values
        In the order of `METRICS`, shape ``(4,)``.
    drawn
        The same for each drawing of infants, shape ``(r, 4)``.
    n, groups
        How many genuine pairs there are, and how many infants they come from.
    """

    values: NDArray[np.float64]
    drawn: NDArray[np.float64]
    n: int
    groups: int

    def minus(self, other: Sampled) -> Sampled:
        """Subtract what other scores of the same pairs gave, drawing by drawing."""
        difference = self.drawn - other.drawn
        return Sampled(self.values - other.values, difference, self.n, self.groups)

    def estimate(self, metric: str) -> Estimate:
        """Return one metric with its interval."""
        place = list(METRICS).index(metric)
        value = float(self.values[place])
        if not self.has_interval:
            return Estimate(value, None, None, self.n, self.groups)
        lo, hi = np.percentile(self.drawn[:, place], (2.5, 97.5))
        return Estimate(value, float(lo), float(hi), self.n, self.groups)

    def prob_below_zero(self, metric: str) -> float | None:
        """Return the share of drawings under zero, ties by half; None without an interval."""
        if not self.has_interval:
            return None
        drawn = self.drawn[:, list(METRICS).index(metric)]
        return float(np.mean(drawn < 0.0) + 0.5 * np.mean(drawn == 0.0))

    @property
    def has_interval(self) -> bool:
        """Whether there are infants enough to draw from."""
        return self.groups >= 2 and len(self.drawn) > RESAMPLES // 2


def sample(
    scores: NDArray[np.float64], pairs: Pairs, *, hour_apart: bool, seed: int = 0
) -> Sampled | Absent:
    """Take all metrics of scores, and draw infants for their intervals.

    An infant that is drawn k times brings its genuine pairs k times, and an impostor pair comes as
    often as both of its infants together. The same seed draws the same infants, so that two
    systems on the same pairs can be subtracted. Arguments as for :func:`estimate_eer`.
    """
    chosen = _counted(pairs, hour_apart=hour_apart)
    if not pairs.same[chosen].any() or pairs.same[chosen].all():
        return Absent(_TOO_FEW)
    chosen = chosen[np.argsort(scores[chosen], kind="stable")]
    same = pairs.same[chosen]
    genuine = np.unique(pairs.infant[pairs.first[chosen[same]]])
    return Sampled(
        _metrics(same, np.ones(len(same))),
        _drawn(pairs, chosen, seed),
        int(same.sum()),
        len(genuine),
    )


def _drawn(pairs: Pairs, chosen: NDArray[np.intp], seed: int) -> NDArray[np.float64]:
    """Draw from the infants that are paired; pairs come in the order of their scores."""
    rng = np.random.default_rng(seed)
    same = pairs.same[chosen]
    infants = np.stack([pairs.infant[part[chosen]] for part in (pairs.first, pairs.second)])
    names, member = np.unique(infants, return_inverse=True)
    first, second = member.reshape(infants.shape)
    drawn = []
    for _ in range(RESAMPLES):
        times = np.bincount(rng.integers(0, len(names), len(names)), minlength=len(names))
        weights = np.where(same, times[first], times[first] * times[second]).astype(np.float64)
        if weights[same].any() and weights[~same].any():
            drawn.append(_metrics(same, weights))
    return np.reshape(drawn, (len(drawn), len(METRICS)))


def _metrics(same: NDArray[np.bool_], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    curve = _curve_in_order(same, weights)
    return np.array([metric(curve) for metric in METRICS.values()])


def estimate_eer(
    scores: NDArray[np.float64], pairs: Pairs, *, hour_apart: bool, seed: int = 0
) -> Estimate | Absent:
    """Equal error rate with its bootstrap interval over infants.

    Parameters
    ----------
    scores
        One per pair.
    pairs
        The pairs.
    hour_apart
        Count only those genuine pairs that lie more than an hour apart; impostor pairs all count.
    seed
        Seed of the resampling.

    Returns
    -------
    Estimate or Absent
        In percent; ``n`` counts genuine pairs, ``groups`` the infants that they come from.
    """
    sampled = sample(scores, pairs, hour_apart=hour_apart, seed=seed)
    return sampled if isinstance(sampled, Absent) else sampled.estimate("eer")


def estimate_difference(
    scores: tuple[NDArray[np.float64], NDArray[np.float64]],
    pairs: Pairs,
    *,
    hour_apart: bool,
    seed: int = 0,
) -> Estimate | Absent:
    """Equal error rate of the first scores minus that of the second, with its paired interval.

    Both are drawn with the same infants each time, so that what makes some infants harder for both
    cancels. Arguments as for :func:`estimate_eer`.
    """
    one, other = (sample(part, pairs, hour_apart=hour_apart, seed=seed) for part in scores)
    if isinstance(one, Absent) or isinstance(other, Absent):
        return Absent(_TOO_FEW)
    return one.minus(other).estimate("eer")


_TOO_FEW = "needs pairs of the same and of different infants"


def _counted(pairs: Pairs, *, hour_apart: bool) -> NDArray[np.intp]:
    kept = ~pairs.same | pairs.hour_apart if hour_apart else np.ones(len(pairs.same), dtype=bool)
    return np.flatnonzero(kept)
