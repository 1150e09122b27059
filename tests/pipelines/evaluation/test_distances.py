"""Distances: they are what they are called, and infants are drawn whole."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.evaluation.distances import Sample, ks_distance, ks_halves, ks_interval

VALUES = st.lists(st.integers(-20, 20).map(float), min_size=1, max_size=40)


def sample(values: list[float], per_infant: int = 1) -> Sample:
    whole = np.asarray(values, dtype=np.float64)
    return Sample(whole, np.arange(len(whole)) // per_infant)


@given(VALUES, VALUES)
def test_the_distance_is_that_of_kolmogorov_and_smirnov(
    left: list[float], right: list[float]
) -> None:
    at = np.asarray([*left, *right])
    below = [np.mean(np.asarray(side)[:, None] <= at, axis=0) for side in (left, right)]
    expected = float(np.max(np.abs(below[0] - below[1])))
    assert ks_distance(sample(left), sample(right)) == pytest.approx(expected)


def test_the_interval_holds_the_distance_and_widens_with_fewer_infants() -> None:
    rng = np.random.default_rng(0)
    left, right = (np.repeat(rng.normal(middle, 1.0, 40), 10) for middle in (0.0, 0.5))
    distance = ks_distance(sample(left), sample(right))
    many = ks_interval(sample(left), sample(right), seed=0)
    few = ks_interval(sample(left, 10), sample(right, 10), seed=0)
    assert few[0] < distance < few[1]
    assert few[1] - few[0] > many[1] - many[0] > 0.0


def test_halves_of_one_kind_are_near_and_those_of_unlike_infants_are_not() -> None:
    rng = np.random.default_rng(1)
    alike = sample(list(rng.normal(size=2_000)), per_infant=20)
    unlike = np.repeat(rng.normal(0.0, 5.0, 100), 20) + rng.normal(size=2_000)
    assert ks_halves(alike, seed=0) < 0.07
    assert ks_halves(sample(list(unlike), per_infant=20), seed=0) > 2.0 * ks_halves(alike, seed=0)
