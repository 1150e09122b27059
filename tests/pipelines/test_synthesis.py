"""Synthesis: simulated cries are what they say they are."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipelines.acoustics import measure_unit, track_f0
from pipelines.evaluation.segments import event_flags
from pipelines.population import typical_voice
from pipelines.segment import find_units
from pipelines.sound import resample
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
    pauses_s = [b.onset_s - a.offset_s for a, b in itertools.pairwise(cry.units)]
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


# --- irregularities -----------------------------------------------------------------------------


def quiet_cries(voice: InfantVoice, count: int = 6) -> list[SyntheticCry]:
    return [synthesise_cry(voice, seed, room=DRY) for seed in range(count)]


def unit_f0_hz(cry: SyntheticCry) -> list[NDArray[np.float64]]:
    """Return the planted pitch of each unit."""
    spans = [(int(np.ceil(u.onset_s * 100)), int(u.offset_s * 100)) for u in cry.units]
    return [cry.f0_hz[start:stop] for start, stop in spans]


def medians(voice: InfantVoice, measure: str) -> float:
    taken = [
        measure_unit(cry.sound, unit, -60.0) for cry in quiet_cries(voice) for unit in cry.units
    ]
    return float(np.median([one[measure] for one in taken if measure in one]))


def test_a_change_of_the_voice_moves_no_unit() -> None:
    one = synthesise_cry(typical_voice(), 4)
    other = synthesise_cry(
        typical_voice(f0_hz=600.0, breathiness_frac=0.4, break_frac=1.0, intensity_db=6.0), 4
    )
    assert one.units == other.units


def test_units_and_pauses_have_the_lengths_that_belong_to_the_voice() -> None:
    voice = InfantVoice(unit_s=0.4, unit_spread=0.1, pause_s=1.0, pause_spread=0.1)
    cries = [synthesise_cry(voice, seed, 20.0, 8_000) for seed in range(5)]
    lengths_s = [unit.duration_s for cry in cries for unit in cry.units[:-1]]
    pauses_s = [
        later.onset_s - earlier.offset_s
        for cry in cries
        for earlier, later in itertools.pairwise(cry.units)
    ]
    assert np.median(lengths_s) == pytest.approx(0.4, rel=0.06)
    assert np.median(pauses_s) == pytest.approx(1.0, rel=0.06)
    assert np.std(np.log(lengths_s)) == pytest.approx(0.1, abs=0.03)


def test_units_vary_in_pitch_as_much_as_asked() -> None:
    def spread(semitones: float) -> float:
        voice = InfantVoice(melody=Melody.FLAT, unit_f0_semitones=semitones)
        middles = [np.median(f0_hz) for cry in quiet_cries(voice) for f0_hz in unit_f0_hz(cry)]
        return float(np.std(12.0 * np.log2(middles)))

    assert spread(0.0) < 0.1
    assert spread(2.0) == pytest.approx(2.0, abs=0.6)


def test_a_varied_voice_takes_other_melodies() -> None:
    def slopes(variety: float) -> list[float]:
        voice = replace(PLAIN, melody=Melody.FALLING, melody_semitones=6.0)
        cries = quiet_cries(replace(voice, melody_variety_frac=variety))
        return [float(np.log2(f0[-1] / f0[0])) for cry in cries for f0 in unit_f0_hz(cry)]

    assert max(slopes(0.0)) < -0.3
    assert max(slopes(1.0)) > 0.1


def test_a_breaking_voice_jumps_and_comes_back() -> None:
    def jumps(voice: InfantVoice) -> list[float]:
        units = [f0_hz for cry in quiet_cries(voice) for f0_hz in unit_f0_hz(cry)]
        return [float(np.max(np.abs(12.0 * np.log2(f0 / np.median(f0))))) for f0 in units]

    assert max(jumps(PLAIN)) < 1.0
    assert min(jumps(replace(PLAIN, break_frac=1.0))) > 4.0


def test_a_rough_voice_is_less_harmonic_and_more_jittered() -> None:
    rough = replace(PLAIN, dysphonation_frac=1.0, jitter_frac=0.01)
    clear = replace(PLAIN, jitter_frac=0.01)
    name = "harmonics_to_noise_db"
    assert medians(rough, name) < medians(clear, name) - 2.0
    assert medians(rough, "jitter_frac") > 1.3 * medians(clear, "jitter_frac")


def test_period_doubling_puts_power_between_the_harmonics_in_its_share_of_the_unit() -> None:
    def between_db(share: float) -> float:
        voice = replace(PLAIN, subharmonic_frac=0.5, subharmonic_share=share)
        hertz, level_db = spectrum_db(unit_samples(synthesise_cry(voice, 3, room=DRY)), 16_000)
        return float(level_db[np.abs(hertz - 1.5 * PLAIN.f0_hz) < 40.0].max())

    none = replace(PLAIN, subharmonic_frac=0.0)
    hertz, level_db = spectrum_db(unit_samples(synthesise_cry(none, 3, room=DRY)), 16_000)
    plain_db = float(level_db[np.abs(hertz - 1.5 * PLAIN.f0_hz) < 40.0].max())
    assert plain_db + 10.0 < between_db(0.3) < between_db(1.0)


def test_a_louder_voice_stands_out_more_and_the_background_stays() -> None:
    room = replace(DRY, signal_to_noise_db=20.0, peak_dbfs=-20.0)
    soft, loud = (
        synthesise_cry(replace(PLAIN, intensity_db=level_db), 5, room=room)
        for level_db in (0.0, 10.0)
    )
    before = int(0.9 * soft.units[0].onset_s * 16_000)
    noise = [float(np.std(cry.sound.samples[:before])) for cry in (soft, loud)]
    cried = [float(np.std(unit_samples(cry))) for cry in (soft, loud)]
    assert 20.0 * np.log10(cried[1] / cried[0]) == pytest.approx(10.0, abs=1.0)
    assert 20.0 * np.log10(noise[1] / noise[0]) == pytest.approx(0.0, abs=1.0)


def test_the_loudest_voice_stays_within_full_scale() -> None:
    cry = synthesise_cry(replace(PLAIN, intensity_db=40.0), 5)
    assert np.max(np.abs(cry.sound.samples)) < 1.0


def test_units_differ_in_level_where_the_voice_has_it_so() -> None:
    def spread_db(level_db: float) -> float:
        cries = quiet_cries(replace(PLAIN, unit_level_db=level_db))
        levels = [
            20.0 * np.log10(np.std(unit_samples(cry, index)))
            - 20.0 * np.log10(np.std(unit_samples(cry, 0)))
            for cry in cries
            for index in range(1, len(cry.units))
        ]
        return float(np.std(levels))

    assert spread_db(0.0) < 1.0
    assert spread_db(5.0) > 3.0


def test_resonances_may_lie_elsewhere_than_in_an_even_tube() -> None:
    def centre_hz(voice: InfantVoice) -> float:
        hertz, level_db = spectrum_db(unit_samples(synthesise_cry(voice, 1, room=DRY)), 16_000)
        power = np.convolve(10.0 ** (level_db / 10.0), np.full(101, 1.0 / 101), mode="same")
        inside = (hertz > 500.0) & (hertz < 1_800.0)
        return float(hertz[inside][np.argmax(power[inside])])

    even = InfantVoice(f0_hz=300.0, breathiness_frac=30.0)
    raised = replace(even, formant_offsets=(0.3,))
    assert centre_hz(raised) / centre_hz(even) == pytest.approx(1.3, rel=0.08)


def test_a_whoop_is_drawn_in_after_a_unit() -> None:
    voice = replace(
        PLAIN, pause_s=0.8, pause_spread=0.0, inspiration_db=-6.0, inspiration_voiced_frac=1.0
    )
    cry = synthesise_cry(voice, 6, room=DRY)
    after = int((cry.units[0].offset_s + 0.2) * 16_000)
    track = track_f0(cry.sound.samples[after : after + 2_400], 16_000)
    heard = track.f0_hz[np.isfinite(track.f0_hz)]
    assert np.median(heard) > 1.4 * PLAIN.f0_hz
    assert np.isnan(cry.f0_hz[int(cry.units[0].offset_s * 100) + 20])


def test_what_happens_in_a_room_is_heard_in_the_pauses() -> None:
    def loudest_db(room: Room) -> float:
        cry = synthesise_cry(PLAIN, 5, 20.0, room=room)
        samples = cry.sound.samples
        quiet = np.ones(len(samples), dtype=bool)
        for unit in cry.units:
            quiet[int(unit.onset_s * 16_000) : int((unit.offset_s + 0.45) * 16_000)] = False
        return float(20.0 * np.log10(np.max(np.abs(samples[quiet])) / np.std(samples[~quiet])))

    still = replace(DRY, signal_to_noise_db=40.0)
    knocking = replace(still, knocks_per_s=5.0, knock_db=0.0)
    assert loudest_db(knocking) > loudest_db(still) + 10.0


def test_a_room_may_hum_and_its_background_flutter() -> None:
    def background(room: Room) -> NDArray[np.float32]:
        cry = synthesise_cry(replace(PLAIN, pause_s=4.0, pause_spread=0.0), 5, 30.0, room=room)
        start, stop = cry.units[0].offset_s + 0.6, cry.units[1].onset_s
        return cry.sound.samples[int(start * 16_000) : int(stop * 16_000)]

    def hum_db(room: Room) -> float:
        hertz, level_db = spectrum_db(background(room), 16_000)
        near = np.abs(hertz - 100.0) < 4.0
        around = (np.abs(hertz - 100.0) < 40.0) & (np.abs(hertz - 100.0) > 10.0)
        return float(level_db[near].max() - np.median(level_db[around]))

    def flutter_db(room: Room) -> float:
        frames = background(room)
        frames = frames[: len(frames) // 1_600 * 1_600].reshape(-1, 1_600)
        return float(np.std(20.0 * np.log10(np.std(frames, axis=1))))

    still = replace(DRY, signal_to_noise_db=20.0, noise_db_per_octave=0.0)
    assert hum_db(replace(still, hum_db=0.0)) > hum_db(still) + 15.0
    assert flutter_db(replace(still, flutter_db=6.0)) > flutter_db(still) + 2.0


@pytest.mark.parametrize("rate_hz", [8_000, 16_000])
def test_irregular_cries_are_found_and_tracked_where_nothing_disturbs(rate_hz: int) -> None:
    clear = typical_voice(dysphonation_frac=0.0, subharmonic_frac=0.0, hyperphonation_frac=0.0)
    quiet = Room(signal_to_noise_db=45.0, decay_s=0.1, direct_to_reverberant_db=20.0)
    voice = replace(clear, pause_spread=0.4, pause_s=0.6, unit_level_db=2.0, inspiration_db=-40.0)
    flags, off = [], []
    for seed in range(12):
        cry = synthesise_cry(replace(voice, f0_hz=320.0 + 20.0 * seed), seed, 7.0, rate_hz, quiet)
        found = find_units(resample(cry.sound))
        flags.append(event_flags(found, cry.units))
        track = track_f0(cry.sound.samples, rate_hz)
        index = np.round(track.times_s * 100).astype(int)
        inside = index < len(cry.f0_hz)
        both = np.isfinite(track.f0_hz[inside]) & np.isfinite(cry.f0_hz[index[inside]])
        ratio = track.f0_hz[inside][both] / cry.f0_hz[index[inside]][both]
        off.append(np.abs(ratio - 1.0))
    assert np.mean(np.concatenate(flags)) > 0.9
    assert np.mean(np.concatenate(off) > 0.2) < 0.05
    assert np.median(np.concatenate(off)) < 0.01


# --- rooms and limits ---------------------------------------------------------------------------


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
