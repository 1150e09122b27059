"""Channels: codecs keep time and lose what they must, noise has the level it was given."""

import numpy as np
import pytest

from pipelines.channel import (
    Codec,
    add_noise,
    add_noise_at,
    coloured_noise,
    in_room,
    loud_power,
    room_response,
    through_codec,
)
from pipelines.sound import RATE_HZ, Sound, resample
from pipelines.synthesis import InfantVoice, synthesise_cry


@pytest.fixture(scope="module")
def cry() -> Sound:
    return synthesise_cry(InfantVoice(), seed=1, duration_s=3.0).sound


def band_power(sound: Sound, low_hz: float, high_hz: float) -> float:
    power = np.abs(np.fft.rfft(sound.samples)) ** 2
    hertz = np.fft.rfftfreq(len(sound.samples), 1.0 / sound.rate_hz)
    return float(power[(hertz >= low_hz) & (hertz < high_hz)].sum())


@pytest.mark.parametrize(("codec", "rate_hz"), [(Codec.AMR, 8_000), (Codec.ADPCM, 16_000)])
def test_a_codec_keeps_length_and_most_of_the_sound(cry: Sound, codec: Codec, rate_hz: int) -> None:
    heard = through_codec(cry, codec)
    assert heard.rate_hz == rate_hz
    assert heard.samples.shape == resample(cry, rate_hz).samples.shape
    assert heard.samples.dtype == np.float32
    assert np.max(np.abs(heard.samples)) <= 1.0
    before, after = (band_power(sound, 300.0, 3_000.0) for sound in (resample(cry, rate_hz), heard))
    assert 0.3 < after / before < 3.0


def test_the_narrow_codec_transmits_nothing_above_four_kilohertz() -> None:
    tone = Sound(
        np.sin(2 * np.pi * 6_000 * np.arange(RATE_HZ) / RATE_HZ).astype(np.float32), RATE_HZ
    )
    heard = resample(through_codec(tone, Codec.AMR))
    assert band_power(heard, 5_000.0, 8_000.0) < 0.01 * band_power(tone, 5_000.0, 8_000.0)


@pytest.mark.parametrize("snr_db", [20.0, 0.0])
def test_added_noise_has_the_level_that_was_asked_for(cry: Sound, snr_db: float) -> None:
    quiet = Sound(0.1 * cry.samples, RATE_HZ)
    noise = coloured_noise(5.0, RATE_HZ, 3.0, np.random.default_rng(0))
    both = add_noise(quiet, noise, snr_db, np.random.default_rng(1))
    added = both.samples - quiet.samples
    found_db = 10.0 * np.log10(loud_power(quiet.samples, RATE_HZ) / np.mean(added**2))
    assert found_db == pytest.approx(snr_db, abs=0.5)


def test_noise_at_a_level_of_its_own_does_not_depend_on_the_sound(cry: Sound) -> None:
    noise = coloured_noise(1.0, RATE_HZ, 3.0, np.random.default_rng(0))
    for scale in (0.1, 0.4):
        quiet = Sound(np.float32(scale) * cry.samples, RATE_HZ)
        added = add_noise_at(quiet, noise, -30.0).samples - quiet.samples
        assert 10.0 * np.log10(np.mean(added**2)) == pytest.approx(-30.0, abs=0.1)
    with pytest.raises(ValueError, match="16000 Hz"):
        add_noise_at(Sound(cry.samples, 8_000), noise, -30.0)


def test_noise_that_would_exceed_full_scale_is_brought_down_with_the_sound(cry: Sound) -> None:
    noise = coloured_noise(5.0, RATE_HZ, 3.0, np.random.default_rng(0))
    loud = add_noise(cry, noise, -20.0, np.random.default_rng(1))
    assert np.max(np.abs(loud.samples)) <= 1.0


def test_rates_must_agree(cry: Sound) -> None:
    noise = coloured_noise(1.0, 8_000, 3.0, np.random.default_rng(0))
    with pytest.raises(ValueError, match="8000 Hz"):
        add_noise(cry, noise, 10.0, np.random.default_rng(0))


def test_silence_as_noise_changes_nothing(cry: Sound) -> None:
    still = Sound(np.zeros(100, dtype=np.float32), RATE_HZ)
    heard = add_noise(cry, still, 0.0, np.random.default_rng(0))
    np.testing.assert_allclose(heard.samples, cry.samples, rtol=1e-6)


def test_a_room_keeps_the_direct_sound_in_its_place() -> None:
    rng = np.random.default_rng(0)
    response = room_response(RATE_HZ, 0.3, 6.0, rng)
    assert response[0] == 1.0
    assert np.sum(response[1:] ** 2) == pytest.approx(10.0**-0.6, rel=1e-3)
    half = len(response) // 2
    assert np.sum(response[1:half] ** 2) > 100.0 * np.sum(response[half:] ** 2)
    click = np.zeros(RATE_HZ, dtype=np.float32)
    click[100] = 0.5
    wet = in_room(Sound(click, RATE_HZ), response)
    assert len(wet.samples) == RATE_HZ
    assert int(np.argmax(np.abs(wet.samples))) == 100


@pytest.mark.parametrize("db_per_octave", [0.0, 3.0, 6.0])
def test_coloured_noise_falls_as_it_was_told(db_per_octave: float) -> None:
    noise = coloured_noise(20.0, RATE_HZ, db_per_octave, np.random.default_rng(3))
    octaves = [10 * np.log10(band_power(noise, f, 2 * f) / f) for f in (250.0, 500.0, 1000.0)]
    np.testing.assert_allclose(np.diff(octaves), -db_per_octave, atol=0.5)
    assert np.max(np.abs(noise.samples)) == pytest.approx(0.5)
