"""How channels of many recordings lie."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.acoustics import LEAST_KNOWN, three_quantiles, usual_ranges
from pipelines.acoustics.spread import quantile, values_by_channel

PITCH = "f0_log2_hz"


def a_recording(value: float | None) -> dict[str, dict[str, float | str]]:
    """Return the stored channels of a recording that has a pitch, or none."""
    told: dict[str, float | str] = {"missing": "too_little_voice"}
    return {PITCH: told if value is None else {"value": value, "confidence": 0.5}}


def test_values_are_gathered_rising_and_what_is_missing_is_left_out() -> None:
    found = values_by_channel([a_recording(9.0), a_recording(None), a_recording(8.5), {}])
    assert found == {PITCH: [8.5, 9.0]}
    assert values_by_channel([a_recording(9.0)], ["duration_s"]) == {}


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=60), st.floats(0.0, 1.0))
def test_quantiles_are_those_of_numpy(values: list[float], frac: float) -> None:
    rising = sorted(values)
    assert quantile(rising, frac) == pytest.approx(float(np.quantile(rising, frac)), abs=1e-9)


def test_three_quantiles_are_a_tenth_half_and_nine_tenths() -> None:
    assert three_quantiles([float(at) for at in range(101)]) == [10.0, 50.0, 90.0]
    assert three_quantiles([2.0]) == [2.0, 2.0, 2.0]


def test_nothing_is_called_usual_before_enough_is_known() -> None:
    known = [a_recording(8.0 + at / 10) for at in range(LEAST_KNOWN)]
    assert usual_ranges(known[:-1]) == {}
    low, high = usual_ranges(known)[PITCH]
    assert (low, high) == pytest.approx((8.08, 8.72))
