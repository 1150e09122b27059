"""Segment: units found where they were planted, quality in its units, and every named end."""

import math
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipelines.errors import DecodeError
from pipelines.segment import (
    FLOOR_DBFS,
    MAX_DURATION_S,
    MIN_DURATION_S,
    Segmentation,
    Unit,
    Unusable,
    find_units,
    frame_levels,
    segment,
    units_by_chance,
    units_by_level,
)
from pipelines.sound import Sound, write_wav
from pipelines.synthesis import InfantVoice, Melody, Room, synthesise_cry

RATE_HZ = 16_000
Samples = NDArray[np.float32]


def segmented(folder: Path, samples: NDArray[np.floating], rate_hz: int = RATE_HZ) -> Segmentation:
    path = folder / "recording.wav"
    write_wav(path, Sound(samples.astype(np.float32), rate_hz))
    return segment(path)


def bursts(*spans_s: tuple[float, float], duration_s: float = 4.0) -> Sound:
    """Return a tone of 600 Hz within the spans, over a faint noise."""
    times_s = np.arange(int(duration_s * RATE_HZ)) / RATE_HZ
    sounding = np.zeros(len(times_s), dtype=bool)
    for start_s, stop_s in spans_s:
        sounding |= (times_s >= start_s) & (times_s < stop_s)
    noise = 1e-3 * np.random.default_rng(0).normal(size=len(times_s))
    tone = 0.5 * np.sin(2 * np.pi * 600.0 * times_s) * sounding
    return Sound((tone + noise).astype(np.float32), RATE_HZ)


def assert_well_formed(units: tuple[Unit, ...], duration_s: float) -> None:
    ends_s = [0.0] + [unit.offset_s for unit in units]
    assert all(end_s <= unit.onset_s for end_s, unit in zip(ends_s, units, strict=False))
    assert all(0.199 <= unit.duration_s <= 10.001 for unit in units)
    assert ends_s[-1] <= duration_s + 1e-9


# --- units --------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 44_100])
@pytest.mark.parametrize("seed", range(6))
def test_planted_units_are_found_within_a_tenth_of_a_second(
    tmp_path: Path, rate_hz: int, seed: int
) -> None:
    voice = InfantVoice(f0_hz=350.0 + 50.0 * seed, melody=list(Melody)[seed % 5])
    cry = synthesise_cry(
        voice, seed, rate_hz=rate_hz, room=Room(signal_to_noise_db=20.0, seed=seed)
    )
    result = segmented(tmp_path, cry.sound.samples, rate_hz)
    assert result.unusable is None
    assert len(result.units) == len(cry.units)
    for found, planted in zip(result.units, cry.units, strict=True):
        assert found.onset_s == pytest.approx(planted.onset_s, abs=0.1)
        assert found.offset_s == pytest.approx(planted.offset_s, abs=0.15)


def test_level_of_the_recording_does_not_matter() -> None:
    cry = synthesise_cry(InfantVoice(), 3).sound
    quiet = replace(cry, samples=cry.samples * np.float32(0.01))
    for one, other in zip(find_units(cry), find_units(quiet), strict=True):
        assert (one.onset_s, one.offset_s) == pytest.approx((other.onset_s, other.offset_s))


def test_short_gaps_are_bridged_and_long_ones_kept() -> None:
    assert len(find_units(bursts((0.5, 1.0), (1.06, 1.6)))) == 1
    assert len(find_units(bursts((0.5, 1.0), (1.3, 1.8)))) == 2


def test_short_sounds_are_dropped() -> None:
    found = find_units(bursts((0.5, 1.0), (1.5, 1.54), (2.0, 2.6)))
    assert [round(unit.onset_s, 1) for unit in found] == [0.5, 2.0]


def test_rumble_beneath_the_cries_hides_none() -> None:
    cry = synthesise_cry(InfantVoice(), 4)
    times_s = np.arange(len(cry.sound.samples)) / RATE_HZ
    rumble = 0.3 * np.sin(2 * np.pi * 50.0 * times_s) * np.sin(2 * np.pi * 0.2 * times_s) ** 2
    found = find_units(Sound((cry.sound.samples + rumble).astype(np.float32), RATE_HZ))
    assert len(found) == len(cry.units)
    for one, planted in zip(found, cry.units, strict=True):
        assert one.onset_s == pytest.approx(planted.onset_s, abs=0.1)


def test_a_sound_that_never_ends_is_cut_into_bounded_units() -> None:
    noise = np.random.default_rng(0).normal(size=25 * RATE_HZ).astype(np.float32)
    units = find_units(Sound(noise, RATE_HZ))
    assert len(units) == 3
    assert_well_formed(units, 25.0)
    assert units[0].onset_s == pytest.approx(0.0)
    assert units[-1].offset_s == pytest.approx(25.0)


def test_the_frame_grid_is_ten_milliseconds_and_levels_are_dbfs() -> None:
    tone = np.sin(2 * np.pi * 1_000.0 * np.arange(RATE_HZ) / RATE_HZ).astype(np.float32)
    levels = frame_levels(tone, RATE_HZ)
    assert levels.shape == (100,)
    np.testing.assert_allclose(levels, 10 * math.log10(0.5), atol=0.01)
    assert frame_levels(np.zeros(RATE_HZ, dtype=np.float32), RATE_HZ).max() == FLOOR_DBFS
    assert frame_levels(np.zeros(3, dtype=np.float32), RATE_HZ).shape == (1,)


@given(
    levels=st.lists(st.floats(-120.0, 0.0), min_size=1, max_size=3_000),
    last_s=st.floats(0.0, 0.0099),
)
def test_units_are_well_formed_whatever_the_levels(levels: list[float], last_s: float) -> None:
    duration_s = len(levels) * 0.01 + last_s
    assert_well_formed(units_by_level(np.array(levels), duration_s), duration_s)


@given(
    chances=st.lists(st.floats(0.0, 1.0), max_size=3_000),
    last_s=st.floats(0.0, 0.0099),
)
def test_units_are_well_formed_whatever_the_chances(chances: list[float], last_s: float) -> None:
    duration_s = len(chances) * 0.01 + last_s
    assert_well_formed(units_by_chance(np.array(chances), duration_s), duration_s)


def test_a_short_cry_is_a_unit_of_the_shortest_length_and_a_shorter_one_none() -> None:
    chances = np.zeros(200)
    chances[20:32], chances[60:69] = 0.9, 0.9
    (unit,) = units_by_chance(chances, 2.0)
    assert (unit.onset_s, unit.offset_s) == pytest.approx((0.2, 0.4))


def test_a_stretch_that_is_never_sure_is_no_unit() -> None:
    chances = np.zeros(200)
    chances[20:80] = 0.6
    assert units_by_chance(chances, 2.0) == ()
    chances[50] = 0.8
    assert len(units_by_chance(chances, 2.0)) == 1


def test_where_nothing_sounds_like_crying_the_level_decides(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pipelines.segment.crying", lambda _: np.zeros(400))
    found = find_units(bursts((0.5, 1.0), (1.3, 1.8)))
    assert [round(unit.onset_s, 1) for unit in found] == [0.5, 1.3]


# --- quality ------------------------------------------------------------------------------------


def test_level_and_peak_are_those_of_the_upload(tmp_path: Path) -> None:
    tone = 0.1 * np.sin(2 * np.pi * 1_000.0 * np.arange(2 * RATE_HZ) / RATE_HZ) + 0.2
    quality = segmented(tmp_path, tone).quality
    assert quality.peak_dbfs == pytest.approx(-20.0, abs=0.02)
    assert quality.level_dbfs == pytest.approx(-23.01, abs=0.02)
    assert quality.clipped_frac == 0.0


def test_clipping_is_counted(tmp_path: Path) -> None:
    tone = np.sin(2 * np.pi * 500.0 * np.arange(RATE_HZ) / RATE_HZ)
    clipped = segmented(tmp_path, np.clip(2.0 * tone, -1.0, 1.0)).quality.clipped_frac
    assert clipped == pytest.approx(2.0 / 3.0, abs=0.03)


def test_signal_to_background_follows_the_planted_noise(tmp_path: Path) -> None:
    ratios = [
        segmented(
            tmp_path,
            synthesise_cry(
                InfantVoice(), 5, room=Room(decay_s=0.05, signal_to_noise_db=snr_db)
            ).sound.samples,
        ).quality.signal_to_background_db
        for snr_db in (10.0, 20.0, 30.0)
    ]
    assert np.diff(ratios) == pytest.approx([10.0, 10.0], abs=3.0)


def test_background_is_on_the_scale_of_the_normalised_sound(tmp_path: Path) -> None:
    sound = bursts((0.5, 1.0), (2.0, 2.8))
    loud = segmented(tmp_path, sound.samples).quality
    quiet = segmented(tmp_path, 0.1 * sound.samples).quality
    assert loud.background_dbfs == pytest.approx(quiet.background_dbfs, abs=0.5)
    assert loud.peak_dbfs - quiet.peak_dbfs == pytest.approx(20.0, abs=0.1)
    # Noise of 1e-3 over a peak of 0.5; 3.7 of 8 kHz pass the band.
    assert loud.background_dbfs == pytest.approx(-54.0 - 3.3, abs=1.5)


def test_bandwidth_tells_a_telephone_from_a_microphone(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(size=2 * RATE_HZ)
    wide = segmented(tmp_path, 0.1 * noise).quality.bandwidth_hz
    narrow = segmented(tmp_path, 0.1 * noise[:16_000], 8_000).quality.bandwidth_hz
    assert wide == pytest.approx(0.95 * 8_000, rel=0.03)
    assert 3_500.0 < narrow < 3_850.0


# --- named ends ---------------------------------------------------------------------------------

NOTHING = np.zeros(2 * RATE_HZ)
FAINT = 1e-4 * np.sin(2 * np.pi * 500.0 * np.arange(2 * RATE_HZ) / RATE_HZ)
CLICK = np.where(np.arange(2 * RATE_HZ) % RATE_HZ == 8_000, 0.5, 0.0)
BRIEF = 0.5 * np.sin(2 * np.pi * 500.0 * np.arange(int(0.29 * RATE_HZ)) / RATE_HZ)


@pytest.mark.parametrize(
    ("samples", "reason"),
    [
        (NOTHING, Unusable.SILENT),
        (NOTHING + 0.3, Unusable.SILENT),
        (FAINT, Unusable.SILENT),
        (CLICK, Unusable.NO_CRY_UNITS),
        (BRIEF, Unusable.TOO_SHORT),
        (BRIEF[:1], Unusable.TOO_SHORT),
        (BRIEF[:200], Unusable.TOO_SHORT),
    ],
)
@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 96_000])
def test_a_recording_of_no_use_has_a_named_reason_and_finite_quality(
    tmp_path: Path, samples: Samples, reason: Unusable, rate_hz: int
) -> None:
    at_rate = np.repeat(samples, rate_hz // RATE_HZ) if rate_hz > RATE_HZ else samples
    if rate_hz < RATE_HZ:
        at_rate = samples[:: RATE_HZ // rate_hz]
    result = segmented(tmp_path, at_rate, rate_hz)
    assert (result.unusable, result.units) == (reason, ())
    assert all(math.isfinite(value) for value in asdict(result.quality).values())


def test_the_length_that_is_of_use_is_closed_at_both_ends(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)

    def reason(duration_s: float) -> Unusable | None:
        samples = 0.1 * rng.normal(size=round(duration_s * 8_000))
        return segmented(tmp_path, samples, 8_000).unusable

    assert reason(MIN_DURATION_S) is None
    assert reason(MIN_DURATION_S - 0.001) is Unusable.TOO_SHORT
    assert reason(MAX_DURATION_S) is None
    assert reason(MAX_DURATION_S + 0.001) is Unusable.TOO_LONG
    assert reason(400.0) is Unusable.TOO_LONG


def test_what_does_not_decode_is_an_error_with_its_reason() -> None:
    with pytest.raises(DecodeError) as caught:
        segment(b"not a recording")
    assert caught.value.reason == "undecodable"


# --- as a whole ---------------------------------------------------------------------------------


def test_the_sound_is_at_16_khz_centred_and_reaches_one(tmp_path: Path) -> None:
    cry = synthesise_cry(InfantVoice(), 1, rate_hz=44_100).sound.samples
    result = segmented(tmp_path, 0.2 * cry + 0.1, 44_100)
    assert result.sound.rate_hz == 16_000
    assert np.max(np.abs(result.sound.samples)) == pytest.approx(1.0)
    assert abs(np.mean(result.sound.samples)) < 1e-4
    assert (result.source.rate_hz, result.source.channels) == (44_100, 1)


def test_the_same_bytes_give_the_same_result(tmp_path: Path) -> None:
    path = tmp_path / "cry.wav"
    write_wav(path, synthesise_cry(InfantVoice(), 2).sound)
    once, again = segment(path), segment(path.read_bytes())
    assert (once.units, once.quality) == (again.units, again.quality)
    np.testing.assert_array_equal(once.sound.samples, again.sound.samples)


@settings(max_examples=40)
@given(
    seed=st.integers(0, 2**20),
    length=st.integers(1, 40_000),
    scale=st.sampled_from([0.0, 1e-5, 1e-3, 1.0, 50.0]),
    rate_hz=st.sampled_from([8_000, 16_000, 48_000]),
)
def test_whatever_decodes_gets_a_value(
    tmp_path_factory: pytest.TempPathFactory, seed: int, length: int, scale: float, rate_hz: int
) -> None:
    rng = np.random.default_rng(seed)
    samples = (
        scale * rng.normal(size=length) * np.repeat(rng.random(length // 4_000 + 1), 4_000)[:length]
    )
    result = segmented(tmp_path_factory.mktemp("any"), samples, rate_hz)
    assert (result.unusable is None) == bool(result.units)
    assert_well_formed(result.units, result.sound.duration_s + 0.001)
    assert all(math.isfinite(value) for value in asdict(result.quality).values())


def test_every_real_recording_is_segmented_and_nearly_all_have_units(iclas_data: Path) -> None:
    files = sorted((iclas_data / "donateacry" / "audio").iterdir())
    results = [segment(file) for file in files]
    assert len(results) == 680
    reasons = [result.unusable for result in results if result.unusable is not None]
    assert len(reasons) <= 10
    for result in results:
        assert_well_formed(result.units, result.sound.duration_s)
