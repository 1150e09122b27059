"""Room swap: what an embedding that hears only rooms, or only infants, would give."""

import json
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pipelines.__main__ import main
from pipelines.embed import load_encoder
from pipelines.errors import ConfigError
from pipelines.evaluation.metrics import Absent, Estimate
from pipelines.evaluation.room_swap import (
    ROOMS_EACH,
    TRIALS,
    Room,
    Swapped,
    assign_rooms,
    background_of,
    choose_rooms,
    differences,
    figures,
    look_at_background,
    look_with,
    swap,
    swap_systems,
    trials,
)
from pipelines.manifest import ManifestRow, read_manifest
from pipelines.segment import segment
from pipelines.sound import Sound, write_wav

INFANTS = 8


def unit(vectors: NDArray[np.float64]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    result: NDArray[np.float32] = (vectors / lengths).astype(np.float32)
    return result


def swapped(infant_weight: float, room_weight: float) -> Swapped:
    """Make vectors that hold so much of the infant and of the room, each in three of four rooms."""
    rng = np.random.default_rng(0)
    owner = np.repeat(np.arange(INFANTS), 3)
    room = np.stack([rng.permutation(4)[:3] for _ in range(INFANTS)])[owner]
    infants = infant_weight * rng.normal(size=(INFANTS, 192))[owner]
    rooms = room_weight * rng.normal(size=(5, 192))
    cries = infants + 0.2 * rng.normal(size=infants.shape)
    there = cries[:, None] + rooms[room] + 0.1 * rng.normal(size=(len(owner), 3, 192))
    return Swapped(
        infant=np.array([f"i{number}" for number in owner]),
        device=np.array(["ios", "android"])[owner % 2],
        recorded_at_s=np.tile([0.0, 60.0, 9_000.0], INFANTS),
        room=room,
        plain=unit(cries + rooms[4]),
        there=unit(there),
        reverberant=unit(there[:, :2]),
    )


def value(figure: Estimate | Absent) -> float:
    assert isinstance(figure, Estimate)
    return figure.value


@pytest.mark.parametrize("suffix", ["", "_reverberant"])
def test_infants_alone_and_rooms_alone(suffix: str) -> None:
    infants, rooms = figures(swapped(1.0, 0.0)), figures(swapped(0.0, 1.0))
    for name in TRIALS:
        assert value(infants[f"{name}{suffix}"]) > 0.99
        assert value(rooms[f"{name}{suffix}"]) < 0.01
    assert value(infants[f"cosine_same_cry_other_room{suffix}"]) > 0.9
    assert value(rooms[f"cosine_same_cry_other_room{suffix}"]) < 0.2
    assert value(infants["background_drift_10db"]) < value(rooms["background_drift_10db"])


def test_a_stranger_counts_only_in_the_same_room() -> None:
    whole = swapped(0.5, 0.5)
    apart = replace(whole, room=whole.room + 4 * np.arange(len(whole.room))[:, None])
    assert isinstance(figures(apart)["infant_over_room_frac"], Absent)


def test_the_very_same_cry_is_not_another_recording() -> None:
    told = swapped(0.0, 0.5)
    same, other = (trials(told, told.there, kind).estimate() for kind in ("same_cry", "other"))
    assert value(same) >= value(other)
    hour_apart = trials(told, told.there, "hour_apart")
    assert len(hour_apart.rows) == 3 * INFANTS
    near = replace(told, recorded_at_s=np.zeros(3 * INFANTS))
    assert not len(trials(near, near.there, "hour_apart").rows)


def test_differences_are_taken_recording_by_recording() -> None:
    infants, rooms = swapped(1.0, 0.0), swapped(0.0, 1.0)
    found = differences(infants, rooms, "rooms")["infant_over_room_frac_minus_rooms"]
    assert value(found) > 0.98
    nothing = differences(infants, infants, "itself")["same_cry_over_room_frac_minus_itself"]
    assert nothing == Estimate(0.0, 0.0, 0.0, 3 * INFANTS, INFANTS)


def test_one_recording_each_has_no_comparison_and_a_reason() -> None:
    whole = swapped(1.0, 1.0)
    first = _some(whole, slice(None, None, 3))
    assert isinstance(figures(first)["infant_over_room_frac"], Absent)
    assert isinstance(figures(_some(whole, slice(1)))["background_drift_10db"], Absent)


def _some(whole: Swapped, rows: slice) -> Swapped:
    return Swapped(*(getattr(whole, one.name)[rows] for one in fields(whole)))


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


def rows_of(manifest: Path) -> list[ManifestRow]:
    return [row for row in read_manifest(manifest) if isinstance(row, ManifestRow)]


def test_no_infant_is_put_into_its_own_room(manifest: Path) -> None:
    rows = rows_of(manifest)
    rooms = choose_rooms([(row, segment(row.file)) for row in rows], seed=0)
    assert len({room.owner for room in rooms}) == len(rooms) == 6
    assigned = assign_rooms([row.infant for row in rows], rooms, seed=0)
    for infant, places in assigned.items():
        assert len(set(places.tolist())) == ROOMS_EACH
        assert infant not in {rooms[place].owner for place in places}
    assert len({room for places in assigned.values() for room in places.tolist()}) > ROOMS_EACH


def test_too_few_backgrounds_are_named(manifest: Path) -> None:
    opened = [(row, segment(row.file)) for row in rows_of(manifest)]
    with pytest.raises(ConfigError, match="more than 3 infants"):
        choose_rooms(opened[: 2 * ROOMS_EACH], seed=0)


def test_rooms_can_come_from_infants_that_are_not_judged(manifest: Path) -> None:
    rows = rows_of(manifest)
    looks = {"": look_with(load_encoder("bundled"))}
    found = swap_systems(rows[:4], looks, rooms_from=rows[4:])[""]
    assert set(found.infant) == {"i0", "i1"}
    assert found.room.max() <= 3


def test_a_room_lies_ten_decibels_under_the_cry() -> None:
    rng = np.random.default_rng(0)
    cry = Sound(np.sin(np.arange(32_000) / 5.0).astype(np.float32), 16_000)
    room = Room("i1", np.ones(1, np.float32), Sound(rng.normal(size=16_000).astype("f4"), 16_000))
    mixed = room.hear(cry, rng, is_reverberant=False).samples.astype(np.float64)
    gain = float(mixed @ cry.samples / (cry.samples @ cry.samples))
    noise = mixed - gain * cry.samples
    ratio = 10 * np.log10(np.mean((gain * cry.samples) ** 2) / np.mean(noise**2))
    assert ratio == pytest.approx(10.0, abs=0.3)


def test_a_swap_changes_embeddings_and_is_seeded(manifest: Path) -> None:
    rows = rows_of(manifest)
    encoder = load_encoder("bundled", threads=1)
    first, again = swap(rows, encoder, seed=1), swap(rows, encoder, seed=1)
    assert np.array_equal(first.there, again.there)
    assert np.array_equal(first.reverberant, again.reverberant)
    assert first.plain.shape == (12, 192)
    assert first.there.shape == (12, ROOMS_EACH, 192)
    assert np.abs(first.there[:, 0] - first.there[:, 1]).max() > 1e-3
    assert np.abs(first.there[:, 0] - first.reverberant[:, 0]).max() > 1e-3


def test_the_command_prints_a_table_and_writes_its_keys(
    manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written = tmp_path / "figures.json"
    assert main(["room-swap", str(manifest), "--json", str(written)]) == 0
    result = json.loads(written.read_text())
    names = [*TRIALS, "cosine_same_cry_other_room"]
    keys = {f"{name}{suffix}" for name in names for suffix in ("", "_reverberant")}
    for key in {*keys, "background_drift_10db"}:
        for system in ("", "_background", "_random"):
            whole = f"{key}{system}"
            assert {whole, f"{whole}_lo", f"{whole}_hi", f"{whole}_n"} <= set(result)
    assert "infant_over_room_frac_minus_background" in result
    assert (result["n_recordings"], result["n_infants"], result["n_rooms"]) == (12, 6, 6)
    assert result["encoder_fingerprint"] == load_encoder("bundled").fingerprint
    shown = " ".join(capsys.readouterr().out.split())
    assert "control: background only" in shown
    assert "heard 0 of these 6 infants" in shown


def test_the_background_alone_fails_on_real_recordings(iclas_data: Path) -> None:
    rows = rows_of(iclas_data / "donateacry" / "manifest.csv")[:100]
    found = figures(swap_systems(rows, {"background": look_at_background})["background"])
    assert value(found["infant_over_room_frac"]) < 0.3
    assert value(found["same_cry_over_room_frac"]) < 0.5
