"""Agreement: the published examples, the library's own numbers, and what has no kappa."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import cohen_kappa_score

from pipelines.agreement import MISSING, agreement, cohen_kappa, fleiss_kappa
from pipelines.errors import ConfigError

# Fleiss, Levin and Paik, Statistical Methods for Rates and Proportions (2003), table 18.1: two
# raters, three diagnoses, a hundred patients; kappa = 0.68.
TABLE_18_1 = np.array([[75, 1, 4], [5, 4, 1], [0, 0, 10]])
# Fleiss, Psychological Bulletin 76 (1971), table 1: six psychiatrists, thirty patients, five
# diagnoses; kappa = 0.430.
DIAGNOSES = """
00060 03003 01401 00006 03030 20400 00402 20310 20040 00006
10050 11040 03300 10050 02031 00501 30012 51000 02040 10203
00006 01050 02013 20040 10041 05010 40002 02040 10500 00006
"""


def _of_table(table: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return two readers' words behind a table of counts."""
    pairs = [(i, j) for i, row in enumerate(table) for j, n in enumerate(row) for _ in range(n)]
    return np.array(pairs)


def _of_counts(counts: str) -> NDArray[np.int64]:
    """Return readers' words behind how many said what of each item; who said it does not count."""
    return np.array(
        [[i for i, n in enumerate(row) for _ in range(int(n))] for row in counts.split()]
    )


def test_two_raters_of_a_hundred_patients() -> None:
    first, second = _of_table(TABLE_18_1).T
    kappa = cohen_kappa(first, second, 3)
    assert kappa == pytest.approx(0.676, abs=0.0005)
    assert kappa == pytest.approx(cohen_kappa_score(first, second))


def test_six_psychiatrists_of_thirty_patients() -> None:
    ratings = _of_counts(DIAGNOSES)
    assert ratings.shape == (30, 6)
    assert np.bincount(ratings.ravel()).tolist() == [26, 26, 30, 55, 43]
    assert fleiss_kappa(ratings, 5) == pytest.approx(0.430, abs=0.0005)


def test_the_interval_is_near_that_of_large_samples() -> None:
    # The standard error of Fleiss, Cohen and Everitt (Psychological Bulletin 72, 1969).
    p = TABLE_18_1 / TABLE_18_1.sum()
    rows, columns = p.sum(axis=1), p.sum(axis=0)
    expected, kappa = float(rows @ columns), 0.676
    agree = np.diag(p) @ (1 - (rows + columns) * (1 - kappa)) ** 2
    apart = sum(p[i, j] * (columns[i] + rows[j]) ** 2 for i in range(3) for j in range(3) if i != j)
    error = math.sqrt(
        (agree + (1 - kappa) ** 2 * apart - (kappa - expected * (1 - kappa)) ** 2)
        / (100 * (1 - expected) ** 2)
    )
    found = agreement(_of_table(TABLE_18_1), 3)
    assert found.low is not None
    assert found.high is not None
    assert found.high - found.low == pytest.approx(2 * 1.96 * error, rel=0.1)
    assert found.low < kappa < found.high
    assert (found.n_items, found.n_readers, found.words) == (100, 2, "substantial")
    assert found.observed_frac == pytest.approx(0.89)


@given(st.lists(st.tuples(*[st.integers(0, 2)] * 2), min_size=1, max_size=40))
def test_two_readers_as_the_library_has_it(pairs: list[tuple[int, int]]) -> None:
    first, second = np.array(pairs).T
    found = cohen_kappa(first, second, 3)
    if len(set(first.tolist()) | set(second.tolist())) == 1:
        assert found is None
        return
    assert found == pytest.approx(cohen_kappa_score(first, second))


@given(st.lists(st.tuples(*[st.integers(0, 2)] * 4), min_size=2, max_size=20), st.randoms())
def test_neither_the_order_of_readers_nor_of_items_counts(
    rows: list[tuple[int, ...]], chance: object
) -> None:
    turned = [tuple(reversed(row)) for row in reversed(rows)]
    here, there = fleiss_kappa(rows, 3), fleiss_kappa(turned, 3)
    assert here is None if there is None else here == pytest.approx(there)


def test_an_item_that_somebody_did_not_read_counts_for_nothing() -> None:
    ratings = [[0, 0], [1, 1], [0, 1], [1, MISSING]]
    assert agreement(ratings, 2) == agreement(ratings[:3], 2)


@pytest.mark.parametrize("ratings", [[[1, 1], [1, 1], [1, 1]], np.zeros((0, 2))])
def test_where_nothing_differs_there_is_no_kappa(ratings: list[list[int]]) -> None:
    found = agreement(ratings, 2)
    assert (found.kappa, found.low, found.high, found.words) == (None, None, None, "")
    assert found.observed_frac == (1.0 if len(ratings) else None)


def test_where_nobody_ever_differed_there_is_no_interval() -> None:
    found = agreement([[0, 0], [1, 1]] * 10, 2)
    assert (found.kappa, found.low, found.high) == (1.0, None, None)


def test_whole_groups_are_drawn_where_there_are_enough() -> None:
    rng = np.random.default_rng(3)
    of_group = np.repeat(rng.integers(0, 2, size=12), 5)
    ratings = np.stack(
        [of_group, np.where(np.repeat(rng.random(12) < 0.3, 5), 1 - of_group, of_group)]
    )
    groups = np.repeat(np.arange(12), 5).tolist()
    alone, together = agreement(ratings.T, 2), agreement(ratings.T, 2, groups)
    assert (alone.by_groups, together.by_groups) == (False, True)
    assert alone.kappa == together.kappa
    assert together.high is not None
    assert together.low is not None
    assert alone.high is not None
    assert alone.low is not None
    assert together.high - together.low > 1.3 * (alone.high - alone.low)
    assert not agreement(ratings.T[:45], 2, groups[:45]).by_groups


def test_the_same_seed_gives_the_same_interval() -> None:
    ratings = _of_counts(DIAGNOSES)
    assert agreement(ratings, 5, seed=1) == agreement(ratings, 5, seed=1)
    assert agreement(ratings, 5, seed=1) != agreement(ratings, 5, seed=2)


@pytest.mark.parametrize("ratings", [[[0], [1]], [[0, 3]], [[0, -2]], [0, 1]])
def test_what_is_no_table_of_readings_is_refused(ratings: object) -> None:
    with pytest.raises(ConfigError):
        agreement(ratings, 3)  # type: ignore[arg-type]


def test_groups_must_fit() -> None:
    with pytest.raises(ConfigError):
        agreement([[0, 1], [1, 1]], 2, groups=[0])
