"""Recordings: heard in order, in batches that change nothing, with reasons where nothing came."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from pipelines.embed import Encoder, load_encoder
from pipelines.errors import ConfigError
from pipelines.manifest import ManifestRow
from pipelines.recordings import (
    BATCH,
    Heard,
    Unheard,
    by_infant,
    good_rows,
    hear,
    session_numbers,
)
from pipelines.sound import RATE_HZ, Sound, write_wav
from pipelines.synthesis import InfantVoice, synthesise_cry
from tests.pipelines.evaluation.recordings_made_up import START, a_recording


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return load_encoder("bundled", threads=1)


def rows(folder: Path, count: int) -> list[ManifestRow]:
    made = []
    for number in range(count):
        path = folder / f"{number}.wav"
        if number == 1:
            path.write_bytes(b"no sound at all")
        elif number == 2:
            write_wav(path, Sound(np.zeros(RATE_HZ, dtype=np.float32), RATE_HZ))
        else:
            write_wav(path, synthesise_cry(InfantVoice(), number, 2.0).sound)
        made.append(ManifestRow(path, "x", START + timedelta(hours=number)))
    return made


def test_recordings_are_heard_in_order_and_reasons_told(tmp_path: Path, encoder: Encoder) -> None:
    counted: list[int] = []
    given = rows(tmp_path, BATCH + 3)
    heard = hear(given, encoder, counted.append)
    assert [one.row for one in heard] == given
    assert counted == [BATCH, 3]
    assert [one.reason for one in heard if isinstance(one, Unheard)] == ["undecodable", "silent"]
    for one in heard:
        if isinstance(one, Heard):
            assert one.embeddings.shape == (len(one.units), 192)
            assert len(one.measures) == len(one.units)
            assert (one.features.shape, one.background.shape) == ((116,), (80,))


def test_a_recording_is_heard_the_same_alone(tmp_path: Path, encoder: Encoder) -> None:
    given = rows(tmp_path, 6)
    whole, (alone,) = hear(given, encoder)[5], hear(given[5:], encoder)
    assert isinstance(whole, Heard)
    assert isinstance(alone, Heard)
    np.testing.assert_allclose(whole.embeddings, alone.embeddings, atol=1e-4)


def test_a_gap_of_more_than_half_an_hour_parts_sessions() -> None:
    minutes = [0, 10, 40, 71, 300]
    times = [START + timedelta(minutes=m) for m in minutes]
    assert session_numbers(times).tolist() == [0, 0, 0, 1, 2]
    assert session_numbers(times[:1]).tolist() == [0]


def test_infants_are_grouped_in_the_order_of_time() -> None:
    later, earlier = a_recording("x", 0, 5.0), a_recording("x", 1, 1.0)
    other = a_recording("y", 0, 3.0)
    none = Unheard(later.row, "silent")
    assert by_infant([later, none, other, earlier]) == {"x": [earlier, later], "y": [other]}


def test_a_manifest_without_a_row_that_can_be_taken_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("file,infant,recorded_at\nnone.wav,x,2024-01-01T00:00:00Z\n")
    with pytest.raises(ConfigError, match="no row that can be taken"):
        good_rows(tmp_path / "m.csv")
