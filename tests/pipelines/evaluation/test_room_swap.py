"""Room swap: what an embedding that hears only rooms, or only infants, would give."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pipelines.embed import load_encoder
from pipelines.errors import ConfigError
from pipelines.evaluation.metrics import Absent, Estimate
from pipelines.evaluation.room_swap import (
    Swapped,
    background_of,
    choose_rooms,
    figures,
    run,
    swap,
)
from pipelines.manifest import ManifestRow, read_manifest
from pipelines.segment import segment
from pipelines.sound import Sound, write_wav

INFANTS = 8


def unit(vectors: NDArray[np.float64]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    result: NDArray[np.float32] = (vectors / lengths).astype(np.float32)
    return result


def swapped(infant_weight: float, room_weight: float) -> Swapped:
    rng = np.random.default_rng(0)
    owner = np.repeat(np.arange(INFANTS), 3)
    infants = infant_weight * rng.normal(size=(INFANTS, 192))[owner]
    rooms = room_weight * rng.normal(size=(3, 192))
    noise = 0.2 * rng.normal(size=(4, len(owner), 192))
    return Swapped(
        infant=np.array([f"i{number}" for number in owner]),
        device=np.array(["ios", "android"])[owner % 2],
        plain=unit(infants + rooms[2] + noise[0]),
        here=unit(infants + rooms[0] + noise[1]),
        there=unit(infants + rooms[1] + noise[2]),
        drifted=unit(infants + 0.7 * rooms[2] + 0.3 * rooms[1] + noise[3]),
    )


def value(figure: Estimate | Absent) -> float:
    assert isinstance(figure, Estimate)
    return figure.value


def test_infants_alone_and_rooms_alone() -> None:
    infants, rooms = figures(swapped(1.0, 0.0)), figures(swapped(0.0, 1.0))
    assert value(infants["infant_over_room_frac"]) > 0.99
    assert value(rooms["infant_over_room_frac"]) < 0.01
    assert value(infants["cosine_same_cry_other_room"]) > 0.9
    assert value(rooms["cosine_same_cry_other_room"]) < 0.2
    assert value(infants["background_drift_10db"]) < value(rooms["background_drift_10db"])


def test_one_recording_each_has_no_comparison_and_a_reason() -> None:
    whole = swapped(1.0, 1.0)
    parts = (whole.infant, whole.device, whole.plain, whole.here, whole.there, whole.drifted)
    first = Swapped(*(part[::3] for part in parts))
    assert isinstance(figures(first)["infant_over_room_frac"], Absent)
    assert isinstance(
        figures(Swapped(*(part[:1] for part in parts)))["background_drift_10db"], Absent
    )


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    lines = ["file,infant,recorded_at,device"]
    for infant in range(6):
        for take in range(2):
            rng = np.random.default_rng([infant, take])
            times_s = np.arange(3 * 16_000) / 16_000
            phase = 2 * np.pi * (350 + 60 * infant) * times_s
            voice = sum(np.sin(k * phase) / k for k in range(1, 8))
            samples = 0.2 * voice * (np.sin(2 * np.pi * 0.8 * times_s) > 0)
            samples = samples + 0.002 * rng.normal(size=times_s.size)
            name = f"{infant}-{take}.wav"
            write_wav(tmp_path / name, Sound(samples.astype(np.float32), 16_000))
            lines.append(f"{name},i{infant},2024-01-0{take + 1}T10:00:00+00:00,ios")
    path = tmp_path / "manifest.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_the_background_holds_no_cry(manifest: Path) -> None:
    found = segment(manifest.parent / "0-0.wav")
    background = background_of(found)
    assert 0 < background.size < found.sound.samples.size
    assert np.abs(background).max() < 0.1


def test_rooms_come_from_infants_that_are_not_judged(manifest: Path) -> None:
    rows = [row for row in read_manifest(manifest) if isinstance(row, ManifestRow)]
    rooms, left = choose_rooms([(row, segment(row.file)) for row in rows], seed=0)
    assert len(rooms) == 2
    assert len({row.infant for row, _ in left}) == 4
    with pytest.raises(ConfigError, match="three infants"):
        choose_rooms([(row, segment(row.file)) for row in rows[:2]], seed=0)


def test_a_swap_changes_embeddings_and_is_seeded(manifest: Path) -> None:
    rows = [row for row in read_manifest(manifest) if isinstance(row, ManifestRow)]
    encoder = load_encoder("bundled", threads=1)
    first, again = swap(rows, encoder, seed=1), swap(rows, encoder, seed=1)
    assert np.array_equal(first.there, again.there)
    assert np.array_equal(first.drifted, again.drifted)
    assert first.plain.shape == (8, 192)
    assert np.abs(first.here - first.there).max() > 1e-3


def test_run_gives_its_keys(manifest: Path) -> None:
    result = run(manifest)
    assert {"cosine_same_cry_other_room", "infant_over_room_frac_lo"} <= set(result)
    assert result["simulated_rooms"] is True
    json.dumps(result)
