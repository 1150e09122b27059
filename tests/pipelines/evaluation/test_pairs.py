"""Pairs of recordings: equal error rates known by hand, whitening, and intervals by infant."""

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score, roc_curve

from pipelines.evaluation.metrics import Estimate
from pipelines.evaluation.pairs import (
    Pairs,
    Sampled,
    cosine_scores,
    equal_error_rate,
    error_curve,
    estimate_difference,
    estimate_eer,
    sample,
    whitened_scores,
)


def paired(infants: int, each: int = 4) -> Pairs:
    """Pair all recordings of so many infants; every second one is more than an hour later."""
    owner = np.repeat(np.arange(infants), each)
    first, second = np.triu_indices(len(owner), k=1)
    return Pairs(first, second, owner[first] == owner[second], (first + second) % 2 == 1, owner)


def vectors_of(pairs: Pairs, identity: float, dim: int = 80) -> NDArray[np.float32]:
    """Make vectors that hold so much of the infant."""
    rng = np.random.default_rng(0)
    centres = identity * rng.normal(size=(int(pairs.infant.max()) + 1, dim))
    noise = rng.normal(size=(len(pairs.infant), dim))
    return (centres[pairs.infant] + noise).astype(np.float32)


def test_equal_error_rate_of_cases_known_by_hand() -> None:
    same = np.array([True, True, False, False])
    assert equal_error_rate(np.array([4.0, 3.0, 2.0, 1.0]), same) == pytest.approx(0.0)
    assert equal_error_rate(np.array([1.0, 2.0, 3.0, 4.0]), same) == pytest.approx(100.0)
    assert equal_error_rate(np.array([4.0, 2.0, 3.0, 1.0]), same) == pytest.approx(50.0)


def test_equal_error_rate_of_two_normal_distributions() -> None:
    rng = np.random.default_rng(0)
    scores = np.concatenate([rng.normal(1.0, 1.0, 20_000), rng.normal(0.0, 1.0, 20_000)])
    same = np.arange(40_000) < 20_000
    assert equal_error_rate(scores, same) == pytest.approx(30.85, abs=0.6)  # Phi(-1/2)


def test_area_and_least_cost_of_cases_known_by_hand() -> None:
    same = np.array([True, True, False, False])
    perfect = error_curve(np.array([4.0, 3.0, 2.0, 1.0]), same)
    assert perfect.area() == pytest.approx(1.0)
    assert perfect.least_cost(0.01) == pytest.approx(0.0)
    mixed = error_curve(np.array([4.0, 2.0, 3.0, 1.0]), same)
    assert mixed.area() == pytest.approx(0.75)  # three of four pairs of the two kinds in order
    # Refusing all but the best: half of the genuine missed, nobody passed.
    assert mixed.least_cost(0.01) == pytest.approx(0.5)
    reversed_ = error_curve(np.array([1.0, 2.0, 3.0, 4.0]), same)
    assert reversed_.area() == pytest.approx(0.0)
    assert reversed_.least_cost(0.05) == pytest.approx(1.0)  # refusing everything costs as much


def test_area_and_cost_agree_with_other_implementations() -> None:
    rng = np.random.default_rng(2)
    same = rng.random(500) < 0.3
    scores = rng.normal(size=500) + 0.8 * same
    curve = error_curve(scores, same)
    assert curve.area() == pytest.approx(roc_auc_score(same, scores))
    fpr, tpr, _ = roc_curve(same, scores, drop_intermediate=False)
    cost = (0.05 * (1.0 - tpr) + 0.95 * fpr).min() / 0.05
    assert curve.least_cost(0.05) == pytest.approx(cost)


def test_a_weight_counts_as_so_many_copies() -> None:
    rng = np.random.default_rng(1)
    scores, same = rng.normal(size=60), rng.random(60) < 0.4
    weights = rng.integers(0, 4, 60).astype(float)
    copies = np.repeat(np.arange(60), weights.astype(int))
    assert equal_error_rate(scores, same, weights) == pytest.approx(
        equal_error_rate(scores[copies], same[copies]), abs=1.0
    )


def test_pairs_of_one_kind_alone_are_no_rate() -> None:
    with pytest.raises(ValueError, match="either kind"):
        equal_error_rate(np.ones(3), np.ones(3, dtype=bool))


def test_the_whitened_control_finds_an_identity_that_noise_hides() -> None:
    rng = np.random.default_rng(2)
    owner = np.repeat(np.arange(30), 4)
    hidden = 40.0 * rng.normal(size=(120, 1)) * np.ones((1, 10))
    vectors = np.hstack([hidden + rng.normal(size=(120, 10)), rng.normal(size=(30, 20))[owner]])
    vectors[:, 10:] += 0.5 * rng.normal(size=(120, 20))
    pairs = paired(30)
    control = vectors.astype(np.float32)
    plain = equal_error_rate(cosine_scores(control, pairs), pairs.same)
    whitened = equal_error_rate(whitened_scores(control, pairs), pairs.same)
    assert plain > 30.0
    assert whitened < 15.0


def test_whitening_learns_nothing_from_the_infants_it_scores() -> None:
    pairs = paired(20)
    noise = whitened_scores(vectors_of(pairs, 0.0), pairs)
    assert equal_error_rate(noise, pairs.same) == pytest.approx(50.0, abs=9.0)


def test_whitening_with_too_few_infants_still_gives_scores() -> None:
    pairs = paired(2, each=2)
    scores = whitened_scores(vectors_of(pairs, 0.0), pairs)
    assert np.isfinite(scores).all()


def test_a_difference_is_paired() -> None:
    pairs = paired(20)
    scores = cosine_scores(vectors_of(pairs, 0.5), pairs)
    nothing = estimate_difference((scores, scores), pairs, hour_apart=False)
    assert isinstance(nothing, Estimate)
    assert (nothing.value, nothing.lo, nothing.hi) == (0.0, 0.0, 0.0)
    worse = estimate_difference((scores, -scores), pairs, hour_apart=True)
    assert isinstance(worse, Estimate)
    assert worse.hi is not None
    assert worse.hi < 0.0


def sampled(scores: NDArray[np.float64], pairs: Pairs) -> Sampled:
    found = sample(scores, pairs, hour_apart=False)
    assert isinstance(found, Sampled)
    return found


def test_the_chance_to_be_better_follows_the_difference() -> None:
    pairs = paired(20)
    good = sampled(cosine_scores(vectors_of(pairs, 0.6), pairs), pairs)
    bad = sampled(cosine_scores(vectors_of(pairs, 0.2), pairs), pairs)
    assert good.minus(bad).prob_below_zero("eer") == pytest.approx(1.0, abs=0.02)
    assert bad.minus(good).prob_below_zero("eer") == pytest.approx(0.0, abs=0.02)
    assert good.minus(good).prob_below_zero("eer") == pytest.approx(0.5)
    assert good.minus(bad).estimate("auc").value > 0.0


def test_infants_that_are_not_paired_are_not_drawn() -> None:
    pairs = paired(12)
    scores = cosine_scores(vectors_of(pairs, 0.5), pairs)
    more = np.concatenate([pairs.infant, np.arange(12, 60)])
    wider = Pairs(pairs.first, pairs.second, pairs.same, pairs.hour_apart, more)
    assert estimate_eer(scores, wider, hour_apart=False) == estimate_eer(
        scores, pairs, hour_apart=False
    )


def test_the_same_seed_gives_the_same_interval() -> None:
    pairs = paired(12)
    scores = cosine_scores(vectors_of(pairs, 0.5), pairs)
    first, again = (estimate_eer(scores, pairs, hour_apart=False, seed=5) for _ in range(2))
    assert first == again


def test_one_infant_alone_has_no_interval() -> None:
    pairs = Pairs(
        np.array([0, 0]),
        np.array([1, 2]),
        np.array([True, False]),
        np.array([True, True]),
        np.array([0, 0, 1]),
    )
    figure = estimate_eer(np.array([1.0, 0.0]), pairs, hour_apart=False)
    assert figure == Estimate(0.0, None, None, 1, 1)
