"""Channels: every one is answered, by a value that is sure to a degree or by a reason."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.acoustics import (
    CHANNELS,
    Absence,
    Measured,
    Missing,
    RecordingChannels,
    from_json,
    hear_unit,
    recording_channels,
    to_json,
    unit_channels,
)
from pipelines.acoustics.channels import midmean, scaled
from pipelines.channel import add_noise, coloured_noise
from pipelines.segment import FLOOR_DBFS, Unit
from pipelines.sound import Sound
from pipelines.synthesis import InfantVoice, synthesise_cry

RATE_HZ = 16_000
ALL = [channel.name for channel in CHANNELS]


def heard(voice: InfantVoice = InfantVoice(), seed: int = 0) -> RecordingChannels:  # noqa: B008
    """Return the channels of a simulated recording."""
    cry = synthesise_cry(voice, seed)
    return recording_channels(cry.sound, cry.units, -50.0)


def value(channels: RecordingChannels, name: str) -> float:
    """Return a channel's value; it has one."""
    answer = channels[name]
    assert isinstance(answer, Measured)
    return answer.value


def test_a_clear_recording_answers_every_channel_with_a_value() -> None:
    channels = heard()
    assert list(channels) == ALL
    for answer in channels.values():
        assert isinstance(answer, Measured)
        assert math.isfinite(answer.value)
        assert 0.0 <= answer.confidence <= 1.0


def test_pitch_is_the_planted_one_in_octaves() -> None:
    low, high = (heard(InfantVoice(f0_hz=f0_hz, melody_semitones=1.0)) for f0_hz in (350.0, 500.0))
    risen = value(high, "f0_log2_hz") - value(low, "f0_log2_hz")
    assert risen == pytest.approx(math.log2(500.0 / 350.0), abs=0.02)


def test_timing_is_that_of_the_units() -> None:
    sound = synthesise_cry(InfantVoice(), 0).sound
    units = [Unit(at_s, at_s + 0.5) for at_s in (0.0, 0.8, 1.6)]
    channels = recording_channels(sound, units, -50.0)
    assert value(channels, "pause_s") == pytest.approx(0.3)
    assert value(channels, "cries_per_min") == pytest.approx(75.0)
    assert value(channels, "duration_s") == pytest.approx(0.5)


def test_a_silence_of_many_seconds_is_no_pause() -> None:
    sound = synthesise_cry(InfantVoice(), 0).sound
    channels = recording_channels(sound, [Unit(0.0, 0.5), Unit(6.0, 6.5)], -50.0)
    assert channels["pause_s"] == channels["cries_per_min"] == Missing(Absence.NO_PAUSE)


def test_without_units_every_channel_says_so() -> None:
    silence = Sound(np.zeros(RATE_HZ, dtype=np.float32), RATE_HZ)
    channels = recording_channels(silence, [], FLOOR_DBFS)
    assert channels == dict.fromkeys(ALL, Missing(Absence.NO_UNITS))


def test_what_has_no_voice_has_no_pitch_and_says_why() -> None:
    noise = np.random.default_rng(0).normal(size=RATE_HZ).astype(np.float32)
    channels = recording_channels(Sound(noise, RATE_HZ), [Unit(0.1, 0.9)], FLOOR_DBFS)
    for name in ("f0_log2_hz", "harmonics_to_noise_db", "jitter_frac", "hyperphonation_frac"):
        assert channels[name] == Missing(Absence.TOO_LITTLE_VOICE)
    assert channels["intensity_over_background_db"] == Missing(Absence.NO_BACKGROUND)
    assert value(channels, "noisy_frac") > 0.9


def test_a_unit_has_no_timing_but_all_else() -> None:
    cry = synthesise_cry(InfantVoice(), 0)
    channels = unit_channels(hear_unit(cry.sound, cry.units[0], -50.0))
    missing = {name for name, answer in channels.items() if isinstance(answer, Missing)}
    assert list(channels) == ALL
    assert missing == {"pause_s", "cries_per_min"}
    assert channels["pause_s"] == Missing(Absence.ONLY_OF_RECORDINGS)


def test_noise_and_few_units_make_less_sure() -> None:
    cry = synthesise_cry(InfantVoice(), 0)
    noise = coloured_noise(7.0, RATE_HZ, 3.0, np.random.default_rng(0))
    noisy = add_noise(cry.sound, noise, 5.0, np.random.default_rng(1))
    sureness = [
        recording_channels(sound, units, -50.0)["f0_log2_hz"]
        for sound, units in (
            (cry.sound, cry.units),
            (cry.sound, cry.units[:1]),
            (noisy, cry.units[:1]),
        )
    ]
    best, fewer, noisiest = (one.confidence for one in sureness if isinstance(one, Measured))
    assert best > fewer > noisiest


def test_one_mistracked_unit_of_many_hardly_moves_the_pitch() -> None:
    cry = synthesise_cry(InfantVoice(f0_hz=400.0), 0)
    other = synthesise_cry(InfantVoice(f0_hz=800.0), 0)
    first, *rest = cry.units
    start, stop = (round(at_s * RATE_HZ) for at_s in (first.onset_s, first.offset_s))
    mixed = cry.sound.samples.copy()
    mixed[start:stop] = other.sound.samples[start:stop]
    clean = recording_channels(cry.sound, rest, -50.0)
    odd = recording_channels(Sound(mixed, RATE_HZ), cry.units, -50.0)
    assert len(rest) >= 3
    assert value(odd, "f0_log2_hz") == pytest.approx(value(clean, "f0_log2_hz"), abs=0.1)


def test_what_was_written_reads_back_the_same() -> None:
    channels = dict(heard()) | {"pause_s": Missing(Absence.NO_PAUSE)}
    assert from_json(json.loads(json.dumps(to_json(channels)))) == channels


def test_only_values_are_scaled() -> None:
    channels = dict(heard()) | {"pause_s": Missing(Absence.NO_PAUSE)}
    found = scaled(channels)
    assert set(found) == set(ALL) - {"pause_s"}
    assert found["duration_s"] == pytest.approx(math.log2(value(channels, "duration_s")))
    assert found["f0_log2_hz"] == value(channels, "f0_log2_hz")


def test_scale_does_not_matter() -> None:
    cry = synthesise_cry(replace(InfantVoice(), breathiness_frac=0.1), 3)
    quiet = Sound(cry.sound.samples * np.float32(2.0**-7), RATE_HZ)
    loud_db, quiet_db = -50.0, -50.0 - 140.0 * math.log10(2.0)
    loud = scaled(recording_channels(cry.sound, cry.units, loud_db))
    for name, found in scaled(recording_channels(quiet, cry.units, quiet_db)).items():
        assert found == pytest.approx(loud[name], rel=1e-3, abs=1e-3), name


@given(
    values=st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=30),
    weight=st.floats(0.1, 10.0),
)
def test_the_midmean_lies_within_and_ignores_a_common_weight(
    values: list[float], weight: float
) -> None:
    given_values = np.array(values)
    level = midmean(given_values, np.full(len(values), weight))
    assert min(values) - 1e-9 <= level <= max(values) + 1e-9
    assert level == pytest.approx(midmean(given_values, np.ones(len(values))), abs=1e-6)


def test_the_midmean_leaves_the_outer_quarters_out() -> None:
    assert midmean(np.array([-1e6, 1.0, 2.0, 1e6]), np.ones(4)) == pytest.approx(1.5)
    assert midmean(np.array([0.0, 10.0]), np.array([1.0, 1e-6])) == pytest.approx(0.0, abs=1e-3)
