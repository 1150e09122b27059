"""Vocoder: what is put together again has the pitch that was asked for."""

from dataclasses import replace

import numpy as np
import pytest

from pipelines.acoustics import track_f0
from pipelines.evaluation.vocoder import (
    STEP_S,
    agreed_f0,
    on_grid,
    put_together,
    shipped_f0,
    take_apart,
)
from pipelines.sound import Sound
from pipelines.synthesis import InfantVoice, SyntheticCry, synthesise_cry

RATE_HZ = 16_000


@pytest.fixture(scope="module")
def cry() -> SyntheticCry:
    return synthesise_cry(InfantVoice(f0_hz=420.0), 0, 2.0)


@pytest.mark.parametrize("way", [agreed_f0, shipped_f0])
def test_the_contour_is_the_planted_one(way: object, cry: SyntheticCry) -> None:
    assert callable(way)
    f0_hz = way(cry.sound)[::2]
    planted = cry.f0_hz[: len(f0_hz)]
    both = np.isfinite(planted) & (f0_hz[: len(planted)] > 0.0)
    assert np.mean(both[np.isfinite(planted)]) > 0.9
    off = np.abs(f0_hz[: len(planted)][both] / planted[both] - 1.0)
    assert np.quantile(off, 0.95) < 0.05


@pytest.mark.parametrize("ratio", [1.0, 1.1])
def test_what_is_put_together_has_the_pitch_it_was_given(ratio: float, cry: SyntheticCry) -> None:
    parts = take_apart(cry.sound, shipped_f0(cry.sound))
    raised = replace(parts, f0_hz=ratio * parts.f0_hz)
    made = put_together(raised)
    assert made.samples.shape == cry.sound.samples.shape
    track = track_f0(made.samples, RATE_HZ)
    wanted_hz = on_grid(np.arange(len(raised.f0_hz)) * STEP_S, raised.f0_hz, track.times_s)
    both = np.isfinite(track.f0_hz) & (wanted_hz > 0.0)
    assert np.count_nonzero(both) > 50
    assert np.median(np.abs(track.f0_hz[both] / wanted_hz[both] - 1.0)) < 0.01


def test_silence_has_no_contour() -> None:
    silence = Sound(np.zeros(RATE_HZ, dtype=np.float32), RATE_HZ)
    assert not shipped_f0(silence).any()
    assert len(shipped_f0(silence)) == 201


def test_a_time_far_from_every_frame_gets_nothing() -> None:
    times_s, values = np.array([0.02, 0.03]), np.array([400.0, 500.0])
    wanted_s = np.array([0.0, 0.021, 0.03, 0.2])
    np.testing.assert_array_equal(on_grid(times_s, values, wanted_s), [0.0, 400.0, 500.0, 0.0])
    assert not on_grid(np.empty(0), np.empty(0), wanted_s).any()
    np.testing.assert_array_equal(on_grid(times_s[:1], values[:1], wanted_s[:2]), [0.0, 400.0])
