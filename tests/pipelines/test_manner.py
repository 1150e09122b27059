"""Manner: finite numbers whatever the sound, that tell rhythm, pitch and noise apart."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.manner import COUNT, manner
from pipelines.segment import Unit, find_units
from pipelines.sound import RATE_HZ, Sound
from pipelines.synthesis import InfantVoice, synthesise_cry

VOICED, PITCH, QUICK = 22, 25, 17
"""Where the share of clear pitch, its middle and the share of movement at 4 to 8 Hz stand."""


def tone(pitch_hz: float, rate_hz: float = 0.0, duration_s: float = 4.0) -> Sound:
    times_s = np.arange(int(duration_s * RATE_HZ)) / RATE_HZ
    harmonics = sum(np.sin(2.0 * np.pi * k * pitch_hz * times_s) / k for k in range(1, 6))
    swing = 1.0 + np.sin(2.0 * np.pi * rate_hz * times_s) if rate_hz else np.ones(len(times_s))
    return Sound((0.2 * harmonics * swing).astype(np.float32), RATE_HZ)


@settings(max_examples=40)
@given(
    length=st.integers(0, 20_000),
    scale=st.sampled_from([0.0, 1e-12, 1.0]),
    spans=st.lists(st.tuples(st.floats(0.0, 1.0), st.floats(0.0, 0.5)), max_size=3),
)
def test_whatever_the_sound_the_numbers_are_finite(
    length: int, scale: float, spans: list[tuple[float, float]]
) -> None:
    samples = (scale * np.random.default_rng(1).normal(size=length)).astype(np.float32)
    units = [Unit(onset_s, onset_s + length_s) for onset_s, length_s in sorted(spans)]
    found = manner(Sound(samples, RATE_HZ), units)
    assert found.shape == (COUNT,)
    assert found.dtype == np.float32
    assert np.all(np.isfinite(found))


@pytest.mark.parametrize("pitch_hz", [250.0, 400.0, 700.0])
def test_a_steady_tone_has_its_pitch(pitch_hz: float) -> None:
    found = manner(tone(pitch_hz), [Unit(0.5, 3.5)])
    assert found[VOICED] > 0.95
    assert 2.0 ** found[PITCH] == pytest.approx(pitch_hz, rel=0.05)


def test_noise_has_no_clear_pitch() -> None:
    noise = np.random.default_rng(0).normal(size=4 * RATE_HZ).astype(np.float32)
    assert manner(Sound(noise, RATE_HZ), [])[VOICED] < 0.1


def test_a_quick_rhythm_shows() -> None:
    slow, quick = (manner(tone(400.0, rate_hz), [Unit(0.0, 4.0)]) for rate_hz in (1.0, 5.0))
    assert quick[QUICK] > slow[QUICK] + 1.0


def test_the_level_does_not_matter() -> None:
    cry = synthesise_cry(InfantVoice(), 2).sound
    units = find_units(cry)
    quiet = Sound((cry.samples * np.float32(0.01)).astype(np.float32), RATE_HZ)
    np.testing.assert_allclose(manner(quiet, units), manner(cry, units), atol=1e-2)
