"""Heads: what the gate has learnt survives writing and reading, and rows of age are right."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipelines.artefacts import write_artefact
from pipelines.errors import CorruptArtefactError, IncompatibleArtefactError
from pipelines.heads import (
    TRAITS,
    bundled_heads,
    likeness,
    read_heads,
    standardise,
    summarise,
    write_heads,
)
from tests.pipelines.gating import USUAL_UNIT, made_up_heads


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    written = made_up_heads()
    write_heads(tmp_path / "gate.safetensors", written, {"note": "made up"})
    read = read_heads(tmp_path / "gate.safetensors")
    assert read.version.startswith("gate-2-")
    np.testing.assert_array_equal(read.ranges.centre, written.ranges.centre)
    np.testing.assert_array_equal(read.ranges.spread, written.ranges.spread)
    blank = {"mean": 0, "scale": 0, "landmarks": 0, "weights": 0}
    assert replace(read.cry, **blank) == replace(written.cry, **blank)
    assert read.cry.probability(np.ones(80)) == written.cry.probability(np.ones(80))
    assert read.embedding.predict(np.ones((2, 192))) == written.embedding.predict(np.ones((2, 192)))
    traits = summarise([USUAL_UNIT | {"f0_median_hz": 500.0}])
    assert read.arousal.index(traits) == written.arousal.index(traits)


def test_other_content_has_another_version(tmp_path: Path) -> None:
    versions = set()
    for threshold in (0.01, 0.02):
        write_heads(tmp_path / "gate.safetensors", made_up_heads(threshold), {})
        versions.add(read_heads(tmp_path / "gate.safetensors").version)
    assert len(versions) == 2


def test_a_damaged_file_or_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "gate.safetensors"
    write_heads(path, made_up_heads(), {})
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(CorruptArtefactError):
        read_heads(path)
    standing = {"kind": "other", "format_version": 1, "encoder_fingerprint": ""}
    write_artefact(path, {"a": np.zeros(1)}, standing)
    with pytest.raises(IncompatibleArtefactError):
        read_heads(path)


@pytest.mark.parametrize(("age_days", "row"), [(0.0, 0), (99.9, 0), (100.0, 1), (4000.0, 1)])
def test_rows_of_age(age_days: float, row: int) -> None:
    assert made_up_heads().ranges.row(age_days) == row


def test_an_unknown_age_has_the_last_row() -> None:
    assert made_up_heads().ranges.row(None) == 2


def test_traits_are_medians_over_the_units_that_have_them() -> None:
    units = [{"duration_s": 1.0}, {"duration_s": 4.0}, {"duration_s": 2.0, "f0_median_hz": 512.0}]
    assert summarise(units) == {"duration_s": 1.0, "f0_median_hz": 9.0}
    assert summarise([]) == {}


def test_arousal_needs_a_pitch() -> None:
    assert made_up_heads().arousal.index({"duration_s": 3.0}) is None


def test_features_far_outside_the_training_range_count_no_further() -> None:
    near, far = (
        standardise(np.full(3, value), np.zeros(3, np.float32), np.ones(3, np.float32))
        for value in (2.0, 1e6)
    )
    np.testing.assert_array_equal(near, far)


def test_features_that_were_not_stored_count_as_average() -> None:
    head = made_up_heads().cry
    short, whole = np.ones(60, np.float32), np.append(np.ones(60), np.zeros(20)).astype(np.float32)
    assert head.probability(short) == head.probability(whole) > 0.5


def test_likeness_is_one_for_the_same_and_falls_with_distance() -> None:
    landmarks = np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]], dtype=np.float32)
    found = likeness(np.zeros((5, 2), dtype=np.float32), landmarks)
    np.testing.assert_allclose(found, np.tile(np.exp([0.0, -1.0, -4.0]), (5, 1)))


def test_values_are_spelt_as_people_read_them() -> None:
    pitch, jitter = TRAITS[0], TRAITS[5]
    assert pitch.spell(pitch.to_scale(432.1)) == "432 Hz"
    assert jitter.spell(jitter.to_scale(0.0123)) == "0.012"


def test_the_shipped_heads_have_sensible_ranges() -> None:
    heads = bundled_heads()
    pitch_hz = 2.0 ** heads.ranges.centre[:, 0]
    assert np.all((pitch_hz > 300.0) & (pitch_hz < 650.0))
    assert np.all(heads.ranges.spread > 0.0)
    assert np.all(heads.ranges.spread[-1] >= heads.ranges.spread[:-1].max(axis=0))
    assert 0.0 < heads.cry.threshold < 0.6
    assert 0.0 < heads.ranges.no_pitch_frac < 0.1
