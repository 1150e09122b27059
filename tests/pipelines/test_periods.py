"""Two periods: the difference, an interval that keeps its promise, none where little is known."""

import numpy as np
import pytest

from pipelines.errors import ConfigError
from pipelines.periods import LEAST_DAYS, Period, compare_periods

DAYS = 12
SESSIONS_A_DAY = 3


def a_period(seed: int, level: float = 0.0, days: int = DAYS, day_sd: float = 0.55) -> Period:
    """Return sessions about a level, with something in common on each day."""
    rng = np.random.default_rng(seed)
    day = np.repeat(np.arange(days), SESSIONS_A_DAY)
    common = day_sd * rng.normal(size=days)[day]
    values = level + common + np.sqrt(1.0 - day_sd**2) * rng.normal(size=len(day))
    return Period(values[:, None], day)


def test_a_difference_is_that_of_the_means() -> None:
    first = Period(np.array([[1.0], [3.0], [2.0], [2.0]]), np.array([1, 1, 2, 3]))
    second = Period(np.array([[5.0], [5.0], [8.0]]), np.array([7, 8, 9]))
    [found] = compare_periods(first, second)
    assert found.means == (2.0, 6.0)
    assert found.by == pytest.approx(4.0)
    assert (found.n_sessions, found.n_days) == ((4, 3), (3, 3))
    assert found.low is not None
    assert found.high is not None
    assert found.low <= 4.0 <= found.high
    assert found.is_clear


def test_the_interval_holds_the_truth_nineteen_times_in_twenty_though_days_have_effects() -> None:
    held = 0
    for seed in range(200):
        [found] = compare_periods(a_period(2 * seed), a_period(2 * seed + 1, level=0.5), seed)
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 0.5 <= found.high
    assert 0.87 <= held / 200 <= 0.99


def test_sessions_of_one_day_are_not_several_pieces_of_evidence() -> None:
    assert _mean_width(day_sd=0.99) > 1.4 * _mean_width(day_sd=0.0)


def _mean_width(day_sd: float) -> float:
    widths = []
    for seed in range(0, 40, 2):
        first, second = (a_period(seed + at, day_sd=day_sd) for at in (0, 1))
        [found] = compare_periods(first, second)
        assert found.low is not None
        assert found.high is not None
        widths.append(found.high - found.low)
    return float(np.mean(widths))


def test_with_too_few_days_there_is_a_difference_and_no_interval() -> None:
    [found] = compare_periods(a_period(0), a_period(1, level=3.0, days=LEAST_DAYS - 1))
    assert found.by is not None
    assert (found.low, found.high) == (None, None)
    assert not found.is_clear


def test_without_a_session_there_is_nothing() -> None:
    empty = Period(np.zeros((0, 1)), np.zeros(0, dtype=np.int64))
    [found] = compare_periods(a_period(0), empty)
    assert found.means[0] is not None
    assert (found.means[1], found.by, found.low, found.n_sessions[1]) == (None, None, None, 0)


def test_what_is_missing_has_no_part() -> None:
    first, second = a_period(0), a_period(1)
    holes = first.values.copy()
    holes[::2] = np.nan
    with_holes = Period(np.hstack([first.values, holes]), first.day)
    twice = Period(np.hstack([second.values, second.values]), second.day)
    whole, holed = compare_periods(with_holes, twice)
    [alone] = compare_periods(first, second)
    assert (whole.low, whole.high) == pytest.approx((alone.low, alone.high))
    assert holed.n_sessions == (len(holes) // 2, len(holes))
    assert holed.means[0] == pytest.approx(float(np.nanmean(holes)))


def test_the_same_rows_give_the_same_bits() -> None:
    assert compare_periods(a_period(0), a_period(1)) == compare_periods(a_period(0), a_period(1))


def test_other_measures_are_refused() -> None:
    two = Period(np.zeros((3, 2)), np.arange(3))
    with pytest.raises(ConfigError, match="other measures"):
        compare_periods(a_period(0), two)
    with pytest.raises(ConfigError, match="days"):
        compare_periods(Period(np.zeros((3, 1)), np.arange(2)), a_period(0))


def test_the_spread_is_within_the_periods() -> None:
    [near] = compare_periods(a_period(0), a_period(1))
    [far] = compare_periods(a_period(0), a_period(1, level=100.0))
    assert near.spread == pytest.approx(far.spread, rel=1e-6)
    same = Period(np.ones((4, 1)), np.arange(4))
    assert compare_periods(same, same)[0].spread is None
