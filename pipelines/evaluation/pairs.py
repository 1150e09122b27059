"""Pairs of recordings: their scores, equal error rates, and intervals by infant.

In: vectors of recordings and whose they are. Out: equal error rates in percent. Guaranteed: seeded;
intervals draw whole infants, since recordings of one infant resemble each other; whitening never
learns from an infant that it scores.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.evaluation.metrics import Absent, Estimate

RESAMPLES = 300
FOLDS = 5
SHRINKAGE = 0.5

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
                scores[chosen] = cosine_scores(whitened, _subset(pairs, chosen))
    return scores


def _subset(pairs: Pairs, chosen: NDArray[np.intp]) -> Pairs:
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
    weights = np.ones(len(scores)) if weights is None else weights
    order = np.argsort(scores, kind="stable")
    genuine = np.where(same, weights, 0.0)[order]
    impostor = np.where(same, 0.0, weights)[order]
    if not genuine.sum() or not impostor.sum():
        message = "an equal error rate needs pairs of either kind"
        raise ValueError(message)
    # After the k lowest scores are refused: genuine pairs among them, impostors not among them.
    missed = np.concatenate([[0.0], np.cumsum(genuine) / genuine.sum()])
    passed = np.concatenate([[1.0], 1.0 - np.cumsum(impostor) / impostor.sum()])
    crossing = int(np.argmin(np.abs(missed - passed)))
    return float(50.0 * (missed[crossing] + passed[crossing]))


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
    chosen = _counted(pairs, hour_apart=hour_apart)
    same = pairs.same[chosen]
    if not same.any() or same.all():
        return Absent(_TOO_FEW)
    drawn = _bootstrap(scores[chosen], pairs, chosen, seed)
    return _estimate(equal_error_rate(scores[chosen], same), drawn, pairs, chosen)


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
    chosen = _counted(pairs, hour_apart=hour_apart)
    same = pairs.same[chosen]
    if not same.any() or same.all():
        return Absent(_TOO_FEW)
    one, other = (part[chosen] for part in scores)
    drawn = [_bootstrap(part, pairs, chosen, seed) for part in (one, other)]
    value = equal_error_rate(one, same) - equal_error_rate(other, same)
    return _estimate(value, np.subtract(*drawn), pairs, chosen)


_TOO_FEW = "needs pairs of the same and of different infants"


def _counted(pairs: Pairs, *, hour_apart: bool) -> NDArray[np.intp]:
    kept = ~pairs.same | pairs.hour_apart if hour_apart else np.ones(len(pairs.same), dtype=bool)
    return np.flatnonzero(kept)


def _estimate(
    value: float, drawn: NDArray[np.float64], pairs: Pairs, chosen: NDArray[np.intp]
) -> Estimate:
    genuine = chosen[pairs.same[chosen]]
    groups = len(np.unique(pairs.infant[pairs.first[genuine]]))
    if groups < 2 or len(drawn) <= RESAMPLES // 2:
        return Estimate(value, None, None, len(genuine), groups)
    lo, hi = np.percentile(drawn, (2.5, 97.5))
    return Estimate(value, float(lo), float(hi), len(genuine), groups)


def _bootstrap(
    scores: NDArray[np.float64], pairs: Pairs, chosen: NDArray[np.intp], seed: int
) -> NDArray[np.float64]:
    """Draw infants with replacement; an infant drawn k times brings its genuine pairs k times."""
    rng = np.random.default_rng(seed)
    count = int(pairs.infant.max()) + 1
    order = np.argsort(scores, kind="stable")
    scores, chosen = scores[order], chosen[order]
    same = pairs.same[chosen]
    first, second = (pairs.infant[part[chosen]] for part in (pairs.first, pairs.second))
    drawn = []
    for _ in range(RESAMPLES):
        times = np.bincount(rng.integers(0, count, count), minlength=count).astype(np.float64)
        weights = np.where(same, times[first], times[first] * times[second])
        if weights[same].any() and weights[~same].any():
            drawn.append(equal_error_rate(scores, same, weights))
    return np.asarray(drawn)
