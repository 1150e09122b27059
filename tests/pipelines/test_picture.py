"""Pictures of sounds: outlines that hold the peaks, and PNG files that others can read."""

import io

import numpy as np
import pytest
from PIL import Image

from pipelines.picture import WIDEST, outline, png, spectrogram
from pipelines.sound import Sound, decode, wav_bytes

RATE_HZ = 16_000


def _tone(hz: float, duration_s: float = 1.0, rate_hz: int = RATE_HZ) -> Sound:
    times = np.arange(int(duration_s * rate_hz)) / rate_hz
    return Sound(np.sin(2 * np.pi * hz * times).astype(np.float32), rate_hz)


def test_an_outline_shows_where_it_is_loud() -> None:
    samples = np.zeros(RATE_HZ, dtype=np.float32)
    samples[4000] = -0.5
    samples[12_000] = 0.25
    peaks = outline(Sound(samples, RATE_HZ), count=8)
    assert peaks.shape == (8,)
    assert list(np.flatnonzero(peaks > 0.1)) == [2, 6]
    assert peaks[2] == pytest.approx(1.0, abs=1e-3)
    assert peaks[6] == pytest.approx(0.5, abs=1e-3)


@pytest.mark.parametrize("length", [1, 7, 599, 601])
def test_an_outline_has_no_more_parts_than_samples(length: int) -> None:
    sound = Sound(np.ones(length, dtype=np.float32), RATE_HZ)
    assert outline(sound).shape == (min(length, 600),)


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 44_100])
def test_high_notes_lie_above_low_ones_whatever_the_rate(rate_hz: int) -> None:
    low, high = (spectrogram(_tone(hz, rate_hz=rate_hz)) for hz in (300.0, 3000.0))
    assert low.shape == high.shape == (80, 101)
    assert high.mean(axis=1).argmax() < low.mean(axis=1).argmax()
    assert (high.max(), high.min()) == (255, 0)


def test_a_long_sound_is_no_wider_than_the_widest_picture_and_keeps_a_click() -> None:
    samples = np.zeros(30 * RATE_HZ, dtype=np.float32)
    samples[15 * RATE_HZ : 15 * RATE_HZ + 80] = 1.0
    picture = spectrogram(Sound(samples, RATE_HZ))
    assert picture.shape == (80, WIDEST)
    assert picture.max(axis=0).argmax() == pytest.approx(WIDEST / 2, abs=2)


def test_silence_is_a_picture_too() -> None:
    picture = spectrogram(Sound(np.zeros(800, dtype=np.float32), RATE_HZ))
    assert not picture.any()


def test_others_read_the_png_pixel_for_pixel() -> None:
    picture = np.random.default_rng(1).integers(0, 256, size=(80, 33), dtype=np.uint8)
    read = Image.open(io.BytesIO(png(picture)))
    assert (read.format, read.mode, read.size) == ("PNG", "L", (33, 80))
    assert np.array_equal(np.asarray(read), picture)


def test_the_same_sound_gives_the_same_bytes() -> None:
    assert png(spectrogram(_tone(440.0))) == png(spectrogram(_tone(440.0)))


def test_a_wav_rendering_is_read_back_as_it_was() -> None:
    sound = _tone(440.0, rate_hz=8_000)
    again, source = decode(wav_bytes(sound))
    assert (source.container, source.rate_hz) == ("wav", 8_000)
    assert np.allclose(again.samples, sound.samples, atol=1e-4)
