"""Distances between distributions of values that belong to infants.

In: values and whose each is. Out: Kolmogorov-Smirnov distances, their intervals, and the distance
between halves of one kind. Guaranteed: seeded; infants are drawn whole, as the values of one
resemble each other.

Source of the distance: Massey, "The Kolmogorov-Smirnov test for goodness of fit", J. Am. Stat.
Assoc. 46 (1951); no test is made of it, as values of one infant are not independent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

RESAMPLES = 300
SPLITS = 50
INTERVAL = (2.5, 97.5)


@dataclass(frozen=True)
class Sample:
    """One measure of many recordings: values, and whose each is."""

    values: Values
    infants: NDArray[np.intp]

    @property
    def n_infants(self) -> int:
        """How many infants there are."""
        return int(self.infants.max(initial=-1)) + 1


def ks_distance(left: Sample, right: Sample) -> float:
    """Largest difference between the distribution functions of two samples, 0 to 1."""
    whole = (np.ones((1, left.n_infants)), np.ones((1, right.n_infants)))
    return float(_distances(left, right, whole)[0])


def ks_interval(left: Sample, right: Sample, seed: int) -> tuple[float, float]:
    """Percentile interval of the distance over resampled infants of both samples."""
    rng = np.random.default_rng(seed)
    drawn = [_resampled(one.n_infants, rng) for one in (left, right)]
    low, high = np.percentile(_distances(left, right, (drawn[0], drawn[1])), INTERVAL)
    return float(low), float(high)


def _resampled(n: int, rng: np.random.Generator) -> Values:
    """Return how often each of so many infants is drawn, a row for each resample."""
    return rng.multinomial(n, np.full(n, 1.0 / n), RESAMPLES).astype(np.float64)


def ks_halves(sample: Sample, seed: int) -> float:
    """Distance between two random halves of the infants, on the average."""
    rng = np.random.default_rng(seed)
    chosen = np.argsort(rng.uniform(size=(SPLITS, sample.n_infants)), axis=1)
    first = (chosen < sample.n_infants // 2).astype(np.float64)
    return float(np.mean(_distances(sample, sample, (first, 1.0 - first))))


def _distances(left: Sample, right: Sample, counts: tuple[Values, Values]) -> Values:
    """Return the distance for each row of how often every infant counts, shape ``(r, infants)``."""
    at = np.sort(np.concatenate([left.values, right.values]))
    curves = [_curve(one, many, at) for one, many in zip((left, right), counts, strict=True)]
    return np.asarray(np.max(np.abs(curves[0] - curves[1]), axis=1), dtype=np.float64)


def _curve(sample: Sample, counts: Values, at: Values) -> Values:
    order = np.argsort(sample.values)
    weight = counts[:, sample.infants[order]].astype(np.float64)
    reached = np.cumsum(weight, axis=1) / np.maximum(weight.sum(axis=1, keepdims=True), 1e-12)
    padded = np.pad(reached, ((0, 0), (1, 0)))
    return padded[:, np.searchsorted(sample.values[order], at, side="right")]
