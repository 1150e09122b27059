"""The front end: its shapes, its definition, its invariances, and its independence of torch."""

import subprocess
import sys

import numpy as np
import pytest
from numpy.typing import NDArray

from pipelines.frontend import (
    FrontEnd,
    background_statistics,
    frame_span,
    log_mel,
    mel_matrix,
    mel_power,
    mfcc_statistics,
    normalise_unit,
    quietest_frames,
    to_decibel,
)
from pipelines.segment import Unit
from pipelines.sound import Sound

RATE_HZ = 16_000


def tone(frequency_hz: float, duration_s: float = 1.0, level: float = 0.5) -> NDArray[np.float32]:
    times_s = np.arange(int(duration_s * RATE_HZ)) / RATE_HZ
    return (level * np.sin(2 * np.pi * frequency_hz * times_s)).astype(np.float32)


def noise(seed: int, duration_s: float = 1.0, level: float = 0.1) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    return (level * rng.normal(size=int(duration_s * RATE_HZ))).astype(np.float32)


def test_one_frame_every_ten_milliseconds() -> None:
    assert log_mel(Sound(noise(0, 1.0), RATE_HZ)).shape == (101, 80)
    assert log_mel(Sound(noise(0, 0.3), RATE_HZ)).shape == (31, 80)


@pytest.mark.parametrize("samples", [0, 1, 100, 201, 400])
def test_very_short_sounds_have_finite_frames(samples: int) -> None:
    frames = log_mel(Sound(noise(0)[:samples], RATE_HZ))
    assert frames.shape == (1 + samples // 160, 80)
    assert np.isfinite(frames).all()


@pytest.mark.parametrize("frequency_hz", [300.0, 1000.0, 3000.0, 6500.0])
def test_a_tone_lies_in_the_band_of_its_frequency(frequency_hz: float) -> None:
    frames = log_mel(Sound(tone(frequency_hz), RATE_HZ))
    mel = 2595 * np.log10(1 + np.array([frequency_hz, RATE_HZ / 2]) / 700)
    expected = mel[0] / (mel[1] / 81) - 1
    assert abs(int(frames[20:80].mean(axis=0).argmax()) - expected) <= 1.0


def test_power_is_that_of_a_direct_transform() -> None:
    samples = noise(3, 0.2)
    window = 0.54 - 0.46 * np.cos(2 * np.pi * np.arange(400) / 400)
    frame = np.pad(samples, 200, mode="reflect")[5 * 160 : 5 * 160 + 400]
    exact = np.abs(np.fft.rfft(frame * window)) ** 2 @ mel_matrix()
    assert mel_power(samples)[5] == pytest.approx(exact, rel=1e-4)


def test_filters_are_the_filterbank_that_speechbrain_has() -> None:
    from pipelines.encoders.ecapa import speechbrain_module

    bank = speechbrain_module("speechbrain.processing.features").Filterbank(
        n_mels=80, n_fft=400, log_mel=False
    )
    import torch

    with torch.inference_mode():
        identity = torch.eye(201)[None]
        theirs = bank(identity)[0].numpy()
    assert mel_matrix() == pytest.approx(theirs, abs=2e-3)


def test_every_filter_hears_something() -> None:
    assert (mel_matrix().sum(axis=0) > 0).all()


def test_the_floor_lies_fifty_decibels_under_the_loud_frames() -> None:
    samples = np.concatenate([tone(500.0), np.zeros(RATE_HZ, dtype=np.float32)])
    frames = log_mel(Sound(samples, RATE_HZ))
    top = np.sort(frames.ravel())[int(0.99 * (frames.size - 1))]
    assert frames.min() == pytest.approx(top - 50.0, abs=0.01)


def test_silence_and_its_statistics_are_finite() -> None:
    silent = Sound(np.zeros(RATE_HZ, dtype=np.float32), RATE_HZ)
    assert np.isfinite(log_mel(silent)).all()
    assert np.isfinite(mfcc_statistics(silent)).all()
    assert np.isfinite(background_statistics(silent)).all()


def test_a_units_level_does_not_matter() -> None:
    front_end = FrontEnd()
    loud = to_decibel(mel_power(noise(1, level=0.5)))
    quiet = to_decibel(mel_power(noise(1, level=0.05)))
    assert normalise_unit(loud, front_end) == pytest.approx(
        normalise_unit(quiet, front_end), abs=1e-3
    )


def test_the_fixed_mean_of_the_bands_is_subtracted() -> None:
    mean = tuple(float(band) for band in range(80))
    frames = to_decibel(mel_power(noise(1)))
    plain = normalise_unit(frames, FrontEnd())
    shifted = normalise_unit(frames, FrontEnd(global_mel_mean_db=mean))
    assert plain - shifted == pytest.approx(np.tile(mean, (len(frames), 1)), abs=1e-3)


def test_inputs_are_left_as_they_were() -> None:
    samples = noise(2)
    before = samples.copy()
    mfcc_statistics(Sound(samples, RATE_HZ), [Unit(0.2, 0.7)])
    background_statistics(Sound(samples, RATE_HZ))
    assert np.array_equal(samples, before)


@pytest.mark.parametrize(
    ("onset_s", "offset_s", "n_frames", "expected"),
    [
        (1.0, 2.0, 701, (102, 198)),  # 100 frames become 96
        (0.0, 0.2, 701, (0, 32)),  # lengthened to the shortest, kept inside
        (6.9, 7.0, 701, (669, 701)),
        (0.0, 0.2, 20, (0, 20)),  # a recording shorter than the shortest
        (0.0, 7.0, 701, (0, 701)),  # 704 do not fit
    ],
)
def test_frame_span(
    onset_s: float, offset_s: float, n_frames: int, expected: tuple[int, int]
) -> None:
    assert frame_span(Unit(onset_s, offset_s), n_frames) == expected


def test_statistics_over_units_hear_only_the_units() -> None:
    one = np.concatenate([tone(400.0), noise(1)])
    other = np.concatenate([tone(400.0), noise(2)])
    unit = [Unit(0.1, 0.8)]
    first, second = (mfcc_statistics(Sound(samples, RATE_HZ), unit) for samples in (one, other))
    assert first.shape == (80,)
    # The floor is that of the whole recording and so differs a little.
    assert first == pytest.approx(second, abs=1.0)
    whole = mfcc_statistics(Sound(one, RATE_HZ)) - first
    assert np.abs(whole).max() > 10.0


def test_the_background_control_hears_the_background_and_not_the_cry() -> None:
    def recording(cry_hz: float, room: int, level: float) -> Sound:
        samples = noise(room, 5.0, level=level)
        if room == 2:
            samples = np.convolve(samples, np.ones(8) / 8, mode="same")
        samples[RATE_HZ : 4 * RATE_HZ] += tone(cry_hz, 3.0)
        return Sound(samples.astype(np.float32), RATE_HZ)

    base = background_statistics(recording(400.0, 1, 0.01))
    other_cry = background_statistics(recording(700.0, 1, 0.01))
    other_room = background_statistics(recording(400.0, 2, 0.01))
    assert np.abs(base - other_cry).max() < 0.2 * np.abs(base - other_room).max()


def test_quietest_frames_keep_their_order() -> None:
    level_db = np.repeat(np.arange(100.0, dtype=np.float32)[::-1, None], 4, axis=1)
    assert quietest_frames(level_db)[:, 0].tolist() == list(range(19, -1, -1))


def test_a_card_gives_the_front_end_back() -> None:
    front_end = FrontEnd(global_mel_mean_db=tuple(np.linspace(-5, 5, 80).tolist()))
    assert FrontEnd.from_card(front_end.to_card()) == front_end


@pytest.mark.parametrize(
    ("name", "value"), [("sample_rate", 8000), ("win_ms", 20), ("global_mel_mean_db", [0.0])]
)
def test_a_card_that_asks_for_something_else_is_refused(name: str, value: object) -> None:
    card = FrontEnd(global_mel_mean_db=(0.0,) * 80).to_card()
    with pytest.raises(ValueError, match=name):
        FrontEnd.from_card({**card, name: value})


def test_the_front_end_needs_no_torch() -> None:
    code = "import sys, pipelines.frontend; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
