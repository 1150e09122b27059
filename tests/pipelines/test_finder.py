"""Finder: chances for every frame, whatever the scale and length, and an artefact that lasts."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.errors import CorruptArtefactError
from pipelines.finder import (
    BANDS,
    BLOCK,
    FEATURES,
    HOP,
    band_powers,
    bundled_facts,
    bundled_finder,
    crying,
    frame_features,
    read_finder,
    write_finder,
)
from pipelines.sound import RATE_HZ, Sound
from pipelines.synthesis import InfantVoice, synthesise_cry

CRY = synthesise_cry(InfantVoice(), 5)


def test_crying_is_likelier_within_units_than_between_them() -> None:
    chances = crying(CRY.sound)
    times_s = (np.arange(len(chances)) + 0.5) * HOP / RATE_HZ
    inside = np.zeros(len(chances), dtype=bool)
    for unit in CRY.units:
        inside |= (times_s > unit.onset_s + 0.05) & (times_s < unit.offset_s - 0.05)
    assert np.mean(chances[inside] > 0.5) > 0.9
    assert np.mean(chances[~inside] > 0.5) < 0.3


@pytest.mark.parametrize("scale", [1e-4, 0.1, 3.0])
def test_the_scale_does_not_matter(scale: float) -> None:
    scaled = Sound((CRY.sound.samples * np.float32(scale)).astype(np.float32), RATE_HZ)
    np.testing.assert_allclose(crying(scaled), crying(CRY.sound), atol=1e-3)


def test_what_no_telephone_transmits_does_not_matter() -> None:
    times_s = np.arange(len(CRY.sound.samples)) / RATE_HZ
    whistle = 0.05 * np.sin(2.0 * np.pi * 6_000.0 * times_s)
    changed = Sound((CRY.sound.samples + whistle).astype(np.float32), RATE_HZ)
    np.testing.assert_allclose(crying(changed), crying(CRY.sound), atol=0.05)


@settings(max_examples=40)
@given(
    length=st.integers(0, 3_000),
    scale=st.sampled_from([0.0, 1e-20, 1.0, 1e4]),
    seed=st.integers(0, 9),
)
def test_whatever_the_sound_every_frame_has_a_chance(length: int, scale: float, seed: int) -> None:
    samples = (scale * np.random.default_rng(seed).normal(size=length)).astype(np.float32)
    chances = crying(Sound(samples, RATE_HZ))
    assert chances.shape == (length // HOP,)
    assert np.all((chances >= 0.0) & (chances <= 1.0))


def test_blocks_leave_no_seam() -> None:
    samples = np.random.default_rng(0).normal(size=(BLOCK + 50) * HOP).astype(np.float32)
    whole = band_powers(Sound(samples, RATE_HZ))
    assert whole.shape == (BLOCK + 50, BANDS)
    peak = np.max(np.abs(samples))
    part = samples[(BLOCK - 50) * HOP :].copy()
    part[0] = peak  # the same scale
    np.testing.assert_allclose(
        band_powers(Sound(part, RATE_HZ))[5:], whole[BLOCK - 45 :], rtol=1e-3
    )


def test_another_rate_is_refused() -> None:
    with pytest.raises(ValueError, match="16000 Hz, not at 8000 Hz"):
        crying(Sound(CRY.sound.samples, 8_000))


def test_features_are_about_one_in_size() -> None:
    features = frame_features(band_powers(CRY.sound))
    assert features.shape[1] == FEATURES
    assert features.dtype == np.float32
    assert np.all(np.abs(features) < 8.0)


def test_what_is_written_is_read_back_and_damage_is_found(tmp_path: Path) -> None:
    path = tmp_path / "finder.safetensors"
    write_finder(path, bundled_finder(), {"seed": 0})
    np.testing.assert_array_equal(crying(CRY.sound, read_finder(path)), crying(CRY.sound))
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(CorruptArtefactError):
        read_finder(path)


def test_the_bundled_finder_says_how_good_it_was_on_infants_it_had_not_heard() -> None:
    facts = bundled_facts()
    assert 0.75 < facts["event_f1_cross_validated"] < 0.95
    assert facts["event_f1_cross_validated_groups"] >= 50
