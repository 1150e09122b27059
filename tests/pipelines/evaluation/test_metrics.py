"""Metrics: cases known by hand, intervals that widen as they must, and absent figures."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.evaluation.metrics import (
    Absent,
    Estimate,
    auc,
    auc_by_group,
    average_precision,
    frac_by_group,
    json_keys,
    mean_over_groups,
    operating_point,
    pass_at_recall,
    recall_at_fpr,
)

SCORES = st.lists(st.floats(-5.0, 5.0), min_size=1, max_size=12)


def test_auc_of_cases_known_by_hand() -> None:
    assert auc([1.0, 2.0], [3.0, 4.0]) == 1.0
    assert auc([3.0, 4.0], [1.0, 2.0]) == 0.0
    assert auc([1.0, 1.0], [1.0]) == 0.5
    assert auc([1.0, 3.0], [2.0]) == 0.5


@given(negative=SCORES, positive=SCORES)
def test_auc_is_the_chance_that_a_positive_ranks_higher(
    negative: list[float], positive: list[float]
) -> None:
    pairs = [(p > n) + 0.5 * (p == n) for p in positive for n in negative]
    assert auc(negative, positive) == pytest.approx(np.mean(pairs))
    assert auc(positive, negative) == pytest.approx(1.0 - np.mean(pairs))


@pytest.mark.parametrize("metric", [auc, average_precision, recall_at_fpr])
def test_a_ranking_needs_both_kinds(metric: object) -> None:
    with pytest.raises(ValueError, match="either kind"):
        metric([], [1.0])  # type: ignore[operator]


def test_average_precision_is_the_share_of_positives_when_nothing_is_known() -> None:
    assert average_precision([0.0] * 10, [0.0] * 50) == pytest.approx(50 / 60)


def test_recall_at_fpr_with_few_negatives_allows_no_false_positive() -> None:
    negative = [0.0, 0.1, 0.2, 0.9]
    assert recall_at_fpr(negative, [0.5, 0.95, 1.0, 0.3]) == 0.5
    assert recall_at_fpr(negative, [0.5, 0.8]) == 0.0


def test_recall_at_fpr_allows_one_in_ten() -> None:
    negative = np.arange(10.0)
    assert recall_at_fpr(negative, [8.5, 9.5]) == 1.0
    assert recall_at_fpr(negative, [7.5, 9.5]) == 0.5


@given(negative=SCORES, positive=SCORES)
def test_recall_at_fpr_keeps_its_bound(negative: list[float], positive: list[float]) -> None:
    best = max(
        (
            np.mean(np.array(positive) >= t)
            for t in [*negative, *positive, 99.0]
            if np.mean(np.array(negative) >= t) <= 0.10
        ),
    )
    assert recall_at_fpr(negative, positive) == pytest.approx(best)


def test_pass_at_recall_of_a_case_known_by_hand() -> None:
    positive = np.arange(20.0)
    assert pass_at_recall([0.5, 1.5, -3.0, -4.0], positive, 0.95) == 0.25
    assert pass_at_recall([0.5, 1.5, -3.0, -4.0], positive, 1.0) == 0.5


def test_the_operating_point_of_a_case_known_by_hand() -> None:
    point = operating_point([True, False, False, False], [True, True, False])
    assert point.fpr == 0.25
    assert point.recall == pytest.approx(2 / 3)
    assert point.f1 == pytest.approx(2 * (2 / 3) * (2 / 3) / (4 / 3))


def test_flagging_everything_scores_a_high_f1_which_is_why_it_is_nearly_empty() -> None:
    point = operating_point([True] * 8, [True] * 50)
    assert point.f1 > 0.9
    assert point.fpr == 1.0


def test_nothing_flagged_has_an_f1_of_zero() -> None:
    assert operating_point([False], [False]).f1 == 0.0


def test_an_interval_covers_its_value_and_is_seeded() -> None:
    values = np.random.default_rng(0).normal(0.7, 0.1, size=17)
    first, again = (mean_over_groups(list(values), seed=3) for _ in range(2))
    assert first == again
    assert isinstance(first, Estimate)
    assert first.lo is not None
    assert first.hi is not None
    assert first.lo < first.value < first.hi
    assert first.hi - first.lo == pytest.approx(4 * 0.1 / np.sqrt(17), rel=0.4)


def test_few_sessions_make_a_wider_interval_than_as_many_recordings_apart() -> None:
    flags = np.repeat([1.0, 0.0, 0.0, 1.0, 0.0], 20)
    together = frac_by_group(flags, np.repeat(np.arange(5), 20))
    apart = frac_by_group(flags, np.arange(100))
    assert isinstance(together, Estimate)
    assert isinstance(apart, Estimate)
    assert together.value == apart.value == 0.4
    assert (together.n, together.groups, apart.groups) == (100, 5, 100)
    assert together.hi - together.lo > 2 * (apart.hi - apart.lo)  # type: ignore[operator]


def test_one_group_has_no_interval_and_none_has_no_figure() -> None:
    assert frac_by_group([1.0, 0.0], [7, 7]) == Estimate(0.5, None, None, 2, 1)
    assert isinstance(mean_over_groups([]), Absent)


def test_no_alarm_in_six_sessions_is_not_taken_for_a_rate_of_zero() -> None:
    none = frac_by_group(np.zeros(10, dtype=bool), np.arange(10) % 6)
    every = frac_by_group([True] * 10, np.arange(10) % 6)
    assert isinstance(none, Estimate)
    assert isinstance(every, Estimate)
    assert (none.value, none.lo) == (0.0, 0.0)
    assert none.hi == pytest.approx(0.459, abs=0.001)
    assert (every.lo, every.hi) == (pytest.approx(0.541, abs=0.001), 1.0)
    figures = frac_by_group([0.0] * 10, np.arange(10))
    assert figures == Estimate(0.0, 0.0, 0.0, 10, 10)


def test_groups_may_be_names_of_any_size() -> None:
    found = frac_by_group([1.0, 0.0, 0.0, 0.0], ["a", "b", "b", "b"])
    assert isinstance(found, Estimate)
    assert found.value == 0.25


def test_auc_by_group_draws_whole_groups() -> None:
    rng = np.random.default_rng(0)
    negative = np.repeat(rng.normal(0.0, 1.0, 6), 10)
    positive = np.repeat(rng.normal(1.0, 1.0, 6), 10)
    groups = np.repeat(np.arange(6), 10)
    whole = auc_by_group((negative, positive), (groups, groups))
    apart = auc_by_group((negative, positive), (np.arange(60), np.arange(60)))
    assert isinstance(whole, Estimate)
    assert isinstance(apart, Estimate)
    assert whole.value == apart.value
    assert whole.hi - whole.lo > apart.hi - apart.lo  # type: ignore[operator]
    assert isinstance(auc_by_group(([], [1.0]), ([], [0])), Absent)


def test_json_names_the_interval_n_and_the_reason_for_nothing() -> None:
    assert json_keys("auc", Estimate(0.7, 0.6, 0.8, 17, 17)) == {
        "auc": 0.7,
        "auc_lo": 0.6,
        "auc_hi": 0.8,
        "auc_n": 17,
        "auc_groups": 17,
    }
    absent = json_keys("fpr", Absent("not reachable"))
    assert absent == {"fpr": None, "fpr_reason": "not reachable", "fpr_n": 0}
    assert json.loads(json.dumps(absent)) == absent
    assert str(Estimate(0.7, 0.6, 0.8, 17, 17)) == "0.70 [0.60, 0.80]"
    assert str(Estimate(0.7, None, None, 1, 1)) == "0.70"
