"""By how much a clock is off: odd samples move nothing, a clock that was set is followed."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.skew import KEPT, Sample, from_json, skew_of, to_json, with_sample

NOW = dt.datetime(2026, 3, 1, 9, 0, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)


def _samples(*skews_s: float, trip_s: float | None = None) -> list[Sample]:
    """Return samples five minutes apart of a clock that is so far ahead."""
    kept: list[Sample] = []
    for number, skew_s in enumerate(skews_s):
        at = NOW + 300 * number * SECOND
        kept = with_sample(kept, Sample(at, at + skew_s * SECOND, trip_s))
    return kept


def _skew_s(*skews_s: float) -> float:
    found = skew_of(_samples(*skews_s))
    assert found is not None
    return found.skew_s


def test_without_samples_nothing_is_known() -> None:
    assert skew_of([]) is None


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ((90.0,), 90.0),
        ((90.0, 90.4, 89.8), 90.0),
        ((90.0, 90.0, 90.0, -4000.0), 90.0),  # one odd sample
        ((90.0, 90.0, -4000.0, 90.0, 90.0), 90.0),
        ((90.0, 90.0, 90.0, 90.0, 0.2, 0.4), 0.3),  # it was set: the second that says so
        ((0.0, 0.0, 0.0, 86400.0, 86400.0), 86400.0),
    ],
)
def test_what_is_taken_for_the_skew(said: tuple[float, ...], expected: float) -> None:
    assert _skew_s(*said) == pytest.approx(expected)


def test_half_of_the_way_is_taken_off_and_half_is_the_bound() -> None:
    found = skew_of(_samples(-0.5, -0.5, -0.5, trip_s=1.0))
    assert found is not None
    assert found == pytest.approx((0.0, 0.5))


def test_a_bound_without_a_way_is_how_far_the_samples_lie_apart() -> None:
    found = skew_of(_samples(10.0, 12.0, 14.0))
    assert found == pytest.approx((12.0, 2.0))


def test_what_was_said_twice_counts_once_and_an_unset_clock_not_at_all() -> None:
    once = Sample(NOW, NOW + 90 * SECOND)
    later = Sample(NOW + 9 * SECOND, NOW + 90 * SECOND)
    unset = Sample(NOW, dt.datetime(1970, 1, 1, 0, 12, tzinfo=dt.UTC))
    assert with_sample(with_sample([once], later), unset) == [once]


def test_few_are_kept_and_none_for_ever() -> None:
    kept = _samples(*range(20))
    assert len(kept) == KEPT
    at = NOW + dt.timedelta(days=30)
    assert with_sample(kept, Sample(at, at)) == [Sample(at, at)]


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=KEPT))
def test_the_skew_lies_among_the_samples_and_survives_the_row(skews_s: list[float]) -> None:
    samples = _samples(*skews_s)
    assert from_json(to_json(samples)) == samples  # type: ignore[arg-type]
    found = skew_of(samples)
    assert found is not None
    assert min(skews_s) - 0.01 <= found.skew_s <= max(skews_s) + 0.01
    assert found.bound_s >= 0
