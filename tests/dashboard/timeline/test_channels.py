"""Channels as people read them: all of them, in the words of the evidence."""

import pytest

from anomaly.evidence import MOVED
from dashboard.timeline.channels import (
    SHOWN,
    level_in_units,
    moved_words,
    movement_in_units,
    to_people,
    with_unit,
)
from pipelines.acoustics import CHANNELS


def test_every_channel_is_shown_in_the_order_of_the_table() -> None:
    assert list(SHOWN) == [channel.name for channel in CHANNELS]
    assert len({str(one.label) for one in SHOWN.values()}) == len(CHANNELS)


@pytest.mark.parametrize("name", sorted(MOVED))
def test_the_words_are_those_of_the_evidence(name: str) -> None:
    assert (moved_words(name, 1.0), moved_words(name, -1.0)) == MOVED[name]


def test_values_stand_in_peoples_units() -> None:
    assert to_people("f0_log2_hz", 9.0) == 512.0
    assert with_unit("jitter_frac", 0.0123) == "1.23\N{NO-BREAK SPACE}%"
    assert level_in_units("f0_log2_hz", 9.0) == "512\N{NO-BREAK SPACE}Hz"
    assert level_in_units("duration_s", -1.0) == "0.50\N{NO-BREAK SPACE}s"


def test_differences_are_shares_of_what_was_points_or_units() -> None:
    assert movement_in_units("f0_log2_hz", [1.0]) == ("%", [100.0])
    assert movement_in_units("duration_s", [-1.0]) == ("%", [-50.0])
    assert movement_in_units("voiced_frac", [0.03]) == ("points", [3.0])
    assert movement_in_units("breath_noise_db", [2.5]) == ("dB", [2.5])
