"""The persistent-shift monitor: against brute force, and what it may and may not find."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import multivariate_normal

from pipelines import shift
from pipelines.cusum import running_day_means
from pipelines.errors import ConfigError
from pipelines.shift import (
    THRESHOLD,
    Filtered,
    Level,
    day_looks,
    explain,
    follow,
    watch,
    weigh,
)

FloatArray = NDArray[np.float64]
DAY_VARIANCE = 0.4
PLAIN = Level()


@pytest.fixture
def plain_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out what makes the monitor sturdy, so that its ratios are those of the model."""
    monkeypatch.setattr(shift, "CLIP", 1e6)
    monkeypatch.setattr(shift, "LOG_RATIO_CAP", 1e6)
    monkeypatch.setattr(shift, "SPREAD_WEIGHT", 1e12)


def followed(values: FloatArray, level: Level = PLAIN, steps: FloatArray | None = None) -> Filtered:
    """Follow days that are looked at once."""
    looks = values[..., None]
    moved = np.zeros(values.shape) if steps is None else steps
    return follow(looks, np.full(looks.shape, DAY_VARIANCE), moved, level)


def statistic(values: FloatArray, level: Level = PLAIN, temper: float = 0.8) -> FloatArray:
    """Watch one view; one figure a day."""
    watched = watch({"view": followed(values, level)}, {"view": level}, {"view": 1.0}, temper)
    return watched.statistic[..., 0]


def quiet(*shape: int, seed: int = 0) -> FloatArray:
    return np.sqrt(DAY_VARIANCE) * np.random.default_rng(seed).standard_normal(shape)


def shifted(size: float, onset: int, days: int, seed: int = 0, infants: int = 1) -> FloatArray:
    return quiet(infants, days, seed=seed) + size * (np.arange(days) >= onset)


# --- the model ----------------------------------------------------------------------------------


def brute_force(values: FloatArray, steps: FloatArray, level: Level, first: int = 0) -> float:
    """Sum likelihood ratios from the joint density of all days that have a value."""
    there = np.flatnonzero(np.isfinite(values))
    moved = np.cumsum(steps + level.step_variance)
    covariance = level.variance + np.minimum.outer(moved, moved)
    covariance = (covariance + DAY_VARIANCE * np.eye(len(values)))[np.ix_(there, there)]
    usual = multivariate_normal(np.full(len(there), level.mean), covariance)
    total = 0.0
    for start in there[there >= first]:
        for size in (*shift.SIZES_SD, *(-size for size in shift.SIZES_SD)):
            change = size * (there >= start)
            log_ratio = usual.logpdf(values[there] - change) - usual.logpdf(values[there])
            total += float(np.exp(log_ratio)) / (2 * len(shift.SIZES_SD))
    return float(np.log(total))


def test_the_statistic_is_the_sum_of_exact_likelihood_ratios(plain_model: None) -> None:
    values = shifted(1.3, 6, 12, seed=4)[0]
    values[[3, 8]] = np.nan
    steps = np.where(np.arange(12) == 5, 0.7, 0.0)
    level = Level(mean=0.4, variance=2.0, step_variance=0.01)
    watched = watch({"v": followed(values, level, steps)}, {"v": level}, {"v": 3.0}, temper=1.0)
    for day in (4, 7, 11):
        expected = brute_force(values[: day + 1], steps[: day + 1], level)
        assert watched.statistic[day, 0] == pytest.approx(expected, abs=1e-9)


def test_its_mean_grows_by_one_a_day_at_most_where_nothing_changes(plain_model: None) -> None:
    days = 8
    level = Level(variance=1.0)
    values = quiet(20_000, days) + np.random.default_rng(1).standard_normal((20_000, 1))
    ratios = weigh(followed(values, level), level, temper=1.0).ratios[..., 0]
    mean, expected = ratios.mean(axis=0), np.arange(1, days + 1)
    error = ratios.std(axis=0) / np.sqrt(len(ratios))
    assert np.all(mean <= expected + 4.0 * error)
    assert np.all(mean >= 0.8 * expected)


def test_tempered_and_clipped_it_stays_under_the_number_of_days() -> None:
    rng = np.random.default_rng(2)
    wild = np.sqrt(DAY_VARIANCE / 1.5) * rng.standard_t(6, size=(3_000, 40))
    ratios = weigh(followed(wild, Level()), Level()).ratios[..., 0]
    assert np.all(ratios.mean(axis=0) <= 1.1 * np.arange(1, 41))


# --- days and looks -----------------------------------------------------------------------------


def test_looks_are_running_means_with_their_variance() -> None:
    values = np.array([1.0, np.nan, 4.0])
    means, variances = day_looks(values, icc=0.3)
    np.testing.assert_allclose(means, [1.0, 1.0, 2.5])
    np.testing.assert_allclose(variances, [1.0, 1.0, 0.65])
    z = running_day_means(np.array([1.0, 4.0]), 0.3, np.ones(2, dtype=bool))
    np.testing.assert_allclose(means[[0, 2]] / np.sqrt(variances[[0, 2]]), z)


def test_a_look_before_the_first_value_sees_nothing() -> None:
    means, variances = day_looks(np.array([[np.nan, 2.0], [np.nan, np.nan]]))
    assert np.isnan(means[0, 0])
    assert np.isnan(means[1]).all()
    assert np.isfinite(variances).all()


def test_more_precise_recordings_count_for_more() -> None:
    means, variances = day_looks(np.array([0.0, 3.0]), 0.3, np.array([0.2, 0.1]))
    np.testing.assert_allclose(means, [0.0, 2.0])
    np.testing.assert_allclose(variances[1], 0.3 + 1.0 / 15.0)


def test_days_without_a_value_are_no_evidence() -> None:
    values = shifted(1.0, 10, 16)[0]
    gaps = np.insert(values, [4, 4, 9, 12], np.nan)
    assert statistic(gaps)[-1] == pytest.approx(statistic(values)[-1], abs=1e-12)
    assert np.isfinite(statistic(np.full(5, np.nan))).all()


def test_what_is_said_of_a_day_rests_on_the_days_until_then() -> None:
    values = shifted(2.0, 9, 20)
    np.testing.assert_array_equal(statistic(values)[:, :12], statistic(values[:, :12]))


def test_only_the_whole_day_moves_the_level() -> None:
    values = quiet(6)[:, None] + np.zeros((6, 3))
    values[4] = [9.0, -9.0, 0.1]
    once = values.copy()
    once[4] = 0.1
    looks = [follow(v, np.full(v.shape, 0.4), np.zeros(6)) for v in (values, once)]
    weighed = [weigh(one, Level()).ratios for one in looks]
    np.testing.assert_array_equal(weighed[0][5], weighed[1][5])
    assert weighed[0][4, 0] > weighed[1][4, 0]


def test_infants_are_watched_apart() -> None:
    values = quiet(70, 15) + (np.arange(70) % 3)[:, None]
    together = statistic(values)
    apart = np.array([statistic(one) for one in values])
    np.testing.assert_allclose(together, apart, rtol=1e-12)
    np.testing.assert_array_equal(together, statistic(values))


# --- what is found ------------------------------------------------------------------------------


def test_a_shift_is_found_and_dated_and_measured() -> None:
    dated, measured, onset = 0, 0, 20
    for seed in range(40):
        filtered = {"view": followed(shifted(1.5, onset, 30, seed)[0])}
        watched = watch(filtered, {"view": Level()}, {"view": 1.0})
        assert watched.statistic[-1, 0] > THRESHOLD
        change = explain(filtered, watched)
        dated += change.earliest <= onset <= change.latest
        assert change.earliest <= change.began <= change.latest
        movement = change.movements["view"]
        assert movement.is_clear
        measured += abs(movement.by - 1.5) < 0.7
    assert dated >= 34
    assert measured >= 34


def test_the_view_that_moved_has_most_of_the_evidence() -> None:
    views = {"one": quiet(30), "two": shifted(1.5, 20, 30, seed=1)[0], "three": quiet(30, seed=2)}
    filtered = {name: followed(values) for name, values in views.items()}
    levels = dict.fromkeys(views, Level())
    change = explain(filtered, watch(filtered, levels, {"one": 6.0, "two": 1.0, "three": 1.0}))
    assert sum(change.by_view.values()) == pytest.approx(1.0)
    assert change.by_view["two"] > 0.8
    assert not change.movements["one"].is_clear or abs(change.movements["one"].by) < 0.8


def test_a_view_that_was_not_heard_since_has_no_movement() -> None:
    silent = quiet(30, seed=3)
    silent[20:] = np.nan
    filtered = {"one": followed(shifted(2.0, 22, 30)[0]), "two": followed(silent)}
    watched = watch(filtered, dict.fromkeys(filtered, Level()), {"one": 1.0, "two": 1.0})
    assert set(explain(filtered, watched).movements) == {"one"}


def test_one_sided_views_take_no_fall_for_a_change() -> None:
    falls = shifted(-2.0, 15, 30, infants=20)
    one_sided, two_sided = statistic(falls, Level(one_sided=True)), statistic(falls)
    assert np.all(one_sided[:, 15:].max(axis=1) < THRESHOLD)
    assert np.all(two_sided[:, 15:].max(axis=1) > THRESHOLD)


def test_a_step_that_is_known_is_no_change() -> None:
    days, level = shifted(2.5, 20, 35, infants=20), Level()
    steps = np.where(np.arange(35) == 20, 6.0, 0.0)
    known = watch({"v": followed(days, level, np.tile(steps, (20, 1)))}, {"v": level}, {"v": 1.0})
    assert np.mean(known.statistic[:, 20:, 0].max(axis=1) > THRESHOLD) <= 0.15
    assert np.all(statistic(days)[:, 20:].max(axis=1) > THRESHOLD)


def test_a_wild_infant_gets_its_own_spread(monkeypatch: pytest.MonkeyPatch) -> None:
    wild = 2.0 * quiet(200, 60)
    own = statistic(wild)[:, 30:].max(axis=1)
    monkeypatch.setattr(shift, "SPREAD_WEIGHT", 1e9)
    of_population = statistic(wild)[:, 30:].max(axis=1)
    assert np.median(own) < np.median(of_population) - 1.5


def test_a_change_stays_dated_however_long_it_lasts() -> None:
    filtered = {"view": followed(shifted(2.0, 22, 50)[0])}
    change = explain(filtered, watch(filtered, {"view": Level()}, {"view": 1.0}))
    assert abs(change.began - 22) <= 1
    assert change.latest - change.earliest <= 4


# --- how far back -------------------------------------------------------------------------------


def test_no_change_is_looked_for_that_began_before_the_floor(plain_model: None) -> None:
    values, level = shifted(1.3, 6, 12, seed=4)[0], Level(variance=2.0)
    filtered = {"view": followed(values, level)}
    floor = np.where(np.arange(12) < 9, 2, 9)
    watched = watch(filtered, {"view": level}, {"view": 1.0}, temper=1.0, floor=floor)
    steps = np.zeros(12)
    for day, first in ((3, 2), (8, 2), (9, 9), (11, 9)):
        expected = brute_force(values[: day + 1], steps[: day + 1], level, first)
        assert watched.statistic[day, 0] == pytest.approx(expected, abs=1e-9)
    assert np.all(watched.by_day[:9] == 0.0)
    assert watched.by_day.sum() == pytest.approx(1.0)
    assert explain(filtered, watched).earliest >= 9


def test_a_change_after_the_floor_is_found_as_ever() -> None:
    filtered = {"view": followed(shifted(2.0, 30, 40)[0])}
    floor = np.where(np.arange(40) < 25, 0, 25)
    watched = watch(filtered, {"view": Level()}, {"view": 1.0}, floor=floor)
    assert watched.statistic[-1, 0] > THRESHOLD
    assert explain(filtered, watched).began == 30


def test_a_floor_of_the_first_day_is_none() -> None:
    view = followed(shifted(1.0, 10, 25)[0])
    first = weigh(view, Level(), floor=np.zeros(25, dtype=np.int64))
    np.testing.assert_array_equal(first.ratios, weigh(view, Level()).ratios)
    np.testing.assert_array_equal(first.by_start, weigh(view, Level()).by_start)


def test_there_must_be_a_view() -> None:
    with pytest.raises(ConfigError):
        watch({}, {}, {})
