"""Synthesis: simulated cries are what they say they are."""

import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipelines.segment import find_units
from pipelines.synthesis import InfantVoice, Melody, Room, SyntheticCry, synthesise_cry

DRY = Room(decay_s=0.02, direct_to_reverberant_db=60.0, signal_to_noise_db=80.0)
PLAIN = InfantVoice(
    jitter_frac=0.0,
    shimmer_frac=0.0,
    breathiness_frac=0.0,
    melody=Melody.FLAT,
    melody_semitones=0.0,
)


def unit_samples(cry: SyntheticCry, index: int = 0) -> NDArray[np.float32]:
    unit, rate_hz = cry.units[index], cry.sound.rate_hz
    return cry.sound.samples[int(unit.onset_s * rate_hz) : int(unit.offset_s * rate_hz)]


def spectrum_db(samples: NDArray[np.float32], rate_hz: int) -> tuple[NDArray, NDArray]:
    power = np.abs(np.fft.rfft(samples * np.blackman(len(samples)))) ** 2
    return np.fft.rfftfreq(len(samples), 1.0 / rate_hz), 10.0 * np.log10(power / power.max())


def test_the_same_arguments_give_the_same_cry_and_another_seed_another() -> None:
    one, same, other = (synthesise_cry(InfantVoice(), seed) for seed in (7, 7, 8))
    np.testing.assert_array_equal(one.sound.samples, same.sound.samples)
    assert one.units == same.units
    assert one.units != other.units


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 22_050, 48_000])
@pytest.mark.parametrize("duration_s", [1.0, 3.3, 7.0])
def test_length_rate_and_level_are_as_asked(rate_hz: int, duration_s: float) -> None:
    cry = synthesise_cry(InfantVoice(), 0, duration_s, rate_hz, Room(peak_dbfs=-12.0))
    assert cry.sound.rate_hz == rate_hz
    assert cry.sound.samples.shape == (int(duration_s * rate_hz),)
    assert cry.sound.samples.dtype == np.float32
    assert np.max(np.abs(cry.sound.samples)) == pytest.approx(10 ** (-12 / 20), rel=1e-4)


@settings(max_examples=30)
@given(seed=st.integers(0, 2**30), duration_s=st.floats(1.0, 20.0))
def test_units_are_expirations_with_pauses_and_the_truth_lies_within_them(
    seed: int, duration_s: float
) -> None:
    cry = synthesise_cry(InfantVoice(), seed, duration_s, 8_000)
    assert cry.units
    assert all(0.5 <= unit.duration_s <= 1.5 for unit in cry.units)
    pauses_s = [b.onset_s - a.offset_s for a, b in zip(cry.units, cry.units[1:], strict=False)]
    assert all(0.3 <= pause_s <= 0.8 for pause_s in pauses_s)
    assert cry.units[-1].offset_s <= duration_s
    times_s = np.arange(len(cry.f0_hz)) * 0.01
    inside = np.zeros(len(times_s), dtype=bool)
    for unit in cry.units:
        inside |= (times_s > unit.onset_s) & (times_s < unit.offset_s - 0.01)
    assert np.isfinite(cry.f0_hz[inside]).all()
    assert np.count_nonzero(np.isfinite(cry.f0_hz)) <= np.count_nonzero(inside) + 2 * len(cry.units)


@pytest.mark.parametrize("seed", range(5))
def test_the_unit_finder_finds_what_was_planted(seed: int) -> None:
    cry = synthesise_cry(InfantVoice(f0_hz=600.0 - 50.0 * seed), seed)
    found = find_units(cry.sound)
    assert len(found) == len(cry.units)
    for one, planted in zip(found, cry.units, strict=True):
        assert one.onset_s == pytest.approx(planted.onset_s, abs=0.1)


def test_harmonics_lie_where_the_pitch_says() -> None:
    cry = synthesise_cry(replace(PLAIN, f0_hz=400.0), 3, room=DRY)
    hertz, level_db = spectrum_db(unit_samples(cry), 16_000)
    f0_hz = float(np.nanmedian(cry.f0_hz[: int(cry.units[0].offset_s * 100)]))
    for harmonic in (1, 2, 3, 5):
        near = np.abs(hertz - harmonic * f0_hz) < 40.0
        between = np.abs(hertz - (harmonic + 0.5) * f0_hz) < 40.0
        assert level_db[near].max() > level_db[between].max() + 30.0


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 48_000])
def test_nothing_is_folded_back_from_over_the_nyquist_frequency(rate_hz: int) -> None:
    voice = replace(PLAIN, f0_hz=1_300.0, tilt_db_per_octave=0.0)
    cry = synthesise_cry(voice, 1, rate_hz=rate_hz, room=DRY)
    hertz, level_db = spectrum_db(unit_samples(cry), rate_hz)
    f0_hz = float(np.nanmedian(cry.f0_hz[: int(cry.units[0].offset_s * 100)]))
    distance = np.abs(hertz / f0_hz - np.round(hertz / f0_hz))
    assert level_db[(distance > 0.25) & (hertz > 500.0)].max() < -55.0
    assert level_db[hertz > 0.97 * rate_hz / 2].max() < -55.0


def test_resonances_follow_the_length_of_the_tract() -> None:
    def centre_hz(length_cm: float) -> float:
        voice = InfantVoice(f0_hz=300.0, tract_length_cm=length_cm, breathiness_frac=30.0)
        hertz, level_db = spectrum_db(unit_samples(synthesise_cry(voice, 1, room=DRY)), 16_000)
        power = np.convolve(10.0 ** (level_db / 10.0), np.full(101, 1.0 / 101), mode="same")
        inside = (hertz > 600.0) & (hertz < 1_800.0)
        return float(hertz[inside][np.argmax(power[inside])])

    for length_cm in (7.0, 8.5, 10.0):
        assert centre_hz(length_cm) == pytest.approx(35_400.0 / (4.0 * length_cm), rel=0.08)


@pytest.mark.parametrize(
    ("melody", "rises", "falls"),
    [
        (Melody.FALLING, False, True),
        (Melody.RISING, True, False),
        (Melody.RISING_FALLING, True, True),
        (Melody.FLAT, False, False),
    ],
)
def test_melodies_move_as_they_are_called(melody: Melody, *, rises: bool, falls: bool) -> None:
    cry = synthesise_cry(InfantVoice(melody=melody, melody_semitones=6.0), 2)
    unit = cry.units[0]
    steps = np.arange(round(unit.onset_s * 100) + 2, round(unit.offset_s * 100) - 2)
    semitones = 12.0 * np.log2(cry.f0_hz[steps])
    peak = semitones.max()
    assert bool(peak - semitones[0] > 1.5) is rises
    assert bool(peak - semitones[-1] > 1.5) is falls


def test_hyperphonation_lies_over_one_kilohertz() -> None:
    always = synthesise_cry(InfantVoice(hyperphonation_frac=1.0), 0)
    assert np.nanmin(always.f0_hz) > 1_000.0
    assert np.nanmax(synthesise_cry(InfantVoice(hyperphonation_frac=0.0), 0).f0_hz) < 700.0


def test_a_room_leaves_a_tail_after_a_unit() -> None:
    def tail_db(room: Room) -> float:
        cry = synthesise_cry(PLAIN, 5, room=room)
        after = int((cry.units[0].offset_s + 0.02) * 16_000)
        tail = cry.sound.samples[after : after + 480]
        return float(10.0 * np.log10(np.mean(tail**2.0) / np.mean(unit_samples(cry) ** 2.0)))

    wet = replace(DRY, decay_s=0.8, direct_to_reverberant_db=0.0)
    assert tail_db(wet) > tail_db(DRY) + 15.0


@pytest.mark.parametrize("ratio_db", [0.0, 10.0, 30.0])
def test_the_background_is_as_far_under_the_units_as_asked(ratio_db: float) -> None:
    room = replace(DRY, signal_to_noise_db=ratio_db, noise_db_per_octave=0.0)
    cry = synthesise_cry(PLAIN, 5, duration_s=20.0, room=room)
    before = cry.sound.samples[: int(cry.units[0].onset_s * 16_000)]
    inside = np.concatenate([unit_samples(cry, index) for index in range(len(cry.units))])
    noise = float(np.mean(before**2.0))
    found_db = 10.0 * np.log10((np.mean(inside**2.0) - noise) / noise)
    assert found_db == pytest.approx(ratio_db, abs=1.0)


def test_the_same_room_sounds_the_same_and_another_does_not() -> None:
    cries = [synthesise_cry(PLAIN, 1, room=Room(seed=seed)).sound.samples for seed in (1, 1, 2)]
    np.testing.assert_array_equal(cries[0], cries[1])
    assert not np.array_equal(cries[0], cries[2])


def test_too_short_or_too_slow_holds_no_cry() -> None:
    with pytest.raises(ValueError, match="no cry fits"):
        synthesise_cry(InfantVoice(), 0, duration_s=0.5)
    with pytest.raises(ValueError, match="no cry fits"):
        synthesise_cry(InfantVoice(), 0, rate_hz=4_000)


def test_seven_seconds_take_less_than_fifty_milliseconds() -> None:
    taken_s = []
    for seed in range(5):
        start_s = time.process_time()
        synthesise_cry(InfantVoice(), seed)
        taken_s.append(time.process_time() - start_s)
    assert min(taken_s) < 0.050
