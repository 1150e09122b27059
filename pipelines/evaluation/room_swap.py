"""Room swap: the same cries in other rooms, to see what moves an embedding more, infant or room.

In: a manifest of recordings and an encoder. Out: how alike one cry is in two rooms, how often the
infant wins over the room, and how far another room's background moves an embedding. Guaranteed:
both rooms and their backgrounds are the same for all recordings, seeded, and taken from recordings
that are not themselves judged; cry units stay where they were found in the recording as it is.

The rooms are simulated: a decaying tail, and the background of a real recording under the cry.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from pipelines.channel import Samples, add_noise, in_room, room_response
from pipelines.embed import Encoder, load_encoder, recording_embedding
from pipelines.errors import ConfigError, DecodeError
from pipelines.evaluation.metrics import Absent, Estimate, frac_by_group, json_keys
from pipelines.manifest import ManifestRow, read_manifest
from pipelines.segment import Segmentation, Unit, segment
from pipelines.sound import Sound, peak_normalise

BATCH = 16
ROOM_SNR_DB = 12.0
DRIFT_SNR_DB = 10.0
ROOMS = ((0.25, 10.0), (0.7, 3.0))
"""Reverberation time in seconds and direct-to-reverberant ratio in dB of the two rooms."""
FORMAT_VERSION = 1

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Room:
    """A room: its impulse response and what is heard in it when nobody cries."""

    response: Samples
    background: Sound

    def hear(self, sound: Sound, rng: np.random.Generator) -> Sound:
        """Let a recording sound in this room."""
        there = in_room(sound, self.response)
        return peak_normalise(add_noise(there, self.background, ROOM_SNR_DB, rng))


@dataclass(frozen=True)
class Swapped:
    """Embeddings of recordings, row by row: as they are, in two rooms, and with a background.

    Attributes
    ----------
    infant, device
        Names, shape ``(n,)``.
    plain, here, there, drifted
        Shape ``(n, 192)``: as recorded, in the first room, in the second one, and as recorded with
        the second room's background 10 dB under the cry.
    """

    infant: NDArray[np.str_]
    device: NDArray[np.str_]
    plain: Vectors
    here: Vectors
    there: Vectors
    drifted: Vectors


Opened = tuple[ManifestRow, Segmentation]


def background_of(found: Segmentation) -> Samples:
    """Take the samples outside a recording's cry units, a tenth of a second away from them."""
    sound = found.sound
    quiet = np.ones(sound.samples.size, dtype=bool)
    for unit in found.units:
        onset, offset = (int(time * sound.rate_hz) for time in (unit.onset_s, unit.offset_s))
        margin = sound.rate_hz // 10
        quiet[max(0, onset - margin) : offset + margin] = False
    samples: Samples = sound.samples[quiet]
    return samples


def choose_rooms(opened: Sequence[Opened], seed: int) -> tuple[list[Room], list[Opened]]:
    """Take the rooms' backgrounds from the infants heard longest without crying.

    Returns
    -------
    list of Room
        Two rooms.
    list
        The recordings of all other infants.

    Raises
    ------
    ConfigError
        There are not two infants with any background, or nobody else.
    """
    longest: dict[str, Samples] = {}
    for row, found in opened:
        samples = background_of(found)
        if samples.size > longest.get(row.infant, samples[:0]).size:
            longest[row.infant] = samples
    chosen = sorted(longest, key=lambda infant: (-longest[infant].size, infant))[: len(ROOMS)]
    left = [(row, found) for row, found in opened if row.infant not in chosen]
    if len(chosen) < len(ROOMS) or not left:
        message = "a room swap needs recordings of at least three infants, two with a background"
        raise ConfigError(message)
    rng = np.random.default_rng(seed)
    rate_hz = left[0][1].sound.rate_hz
    rooms = [
        Room(room_response(rate_hz, *shape, rng), Sound(longest[infant], rate_hz))
        for shape, infant in zip(ROOMS, chosen, strict=True)
    ]
    return rooms, left


def swap(rows: Sequence[ManifestRow], encoder: Encoder, seed: int = 0) -> Swapped:
    """Embed recordings as they are and in the two rooms.

    Raises
    ------
    ConfigError
        Too few infants can be heard.
    """
    rooms, opened = choose_rooms(list(_opened(rows)), seed)
    rng = np.random.default_rng([seed, 1])
    versions: tuple[Callable[[Sound], Sound], ...] = (
        lambda sound: sound,
        lambda sound: rooms[0].hear(sound, rng),
        lambda sound: rooms[1].hear(sound, rng),
        lambda sound: peak_normalise(add_noise(sound, rooms[1].background, DRIFT_SNR_DB, rng)),
    )
    return Swapped(
        np.array([row.infant for row, _ in opened]),
        np.array([row.device or "unknown" for row, _ in opened]),
        *(_embedded(opened, encoder, version) for version in versions),
    )


def _opened(rows: Sequence[ManifestRow]) -> list[Opened]:
    result = []
    for row in rows:
        try:
            found = segment(row.file)
        except DecodeError:
            continue
        if not found.unusable:
            result.append((row, found))
    return result


def _embedded(
    opened: Sequence[Opened], encoder: Encoder, version: Callable[[Sound], Sound]
) -> Vectors:
    vectors: list[Vectors] = []
    for start in range(0, len(opened), BATCH):
        batch: list[tuple[Sound, tuple[Unit, ...]]] = [
            (version(found.sound), found.units) for _, found in opened[start : start + BATCH]
        ]
        vectors += [recording_embedding(units) for units in encoder.embed(batch)]
    return np.stack(vectors)


def _cosines(one: Vectors, other: Vectors) -> NDArray[np.float64]:
    result: NDArray[np.float64] = np.einsum("ij,ij->i", one, other).astype(np.float64)
    return result


def figures(swapped: Swapped) -> dict[str, Estimate | Absent]:
    """Tell what the rooms did.

    Returns
    -------
    dict
        ``cosine_same_cry_other_room``: cosine of one recording in the two rooms.
        ``infant_over_room_frac``: share of comparisons in which a recording in the first room is
        nearer to another one of its infant in the second room than to a stranger's in the first;
        0 for an embedding that hears rooms alone, 1 for one that hears infants alone.
        ``background_drift_10db``: 1 - cosine after mixing in another room's background 10 dB under
        the cry, relative to the mean 1 - cosine of strangers.
    """
    moved = 1.0 - _cosines(swapped.plain, swapped.drifted)
    strange = _strangers_distance(swapped)
    drift: Estimate | Absent = Absent("needs two infants with the same kind of device")
    if strange is not None:
        drift = frac_by_group(moved / strange, swapped.infant)
    same = _cosines(swapped.here, swapped.there)
    return {
        "cosine_same_cry_other_room": frac_by_group(same, swapped.infant),
        "infant_over_room_frac": _infant_over_room(swapped),
        "background_drift_10db": drift,
    }


def _strangers_distance(swapped: Swapped) -> float | None:
    cosine = swapped.plain @ swapped.plain.T
    strangers = (swapped.infant[:, None] != swapped.infant) & (
        swapped.device[:, None] == swapped.device
    )
    return float(1.0 - cosine[strangers].mean()) if strangers.any() else None


def _infant_over_room(swapped: Swapped) -> Estimate | Absent:
    to_own = swapped.here @ swapped.there.T
    to_others = swapped.here @ swapped.here.T
    alike = swapped.device[:, None] == swapped.device
    same = swapped.infant[:, None] == swapped.infant
    wins, owners = [], []
    for row, infant in enumerate(swapped.infant):
        own = to_own[row, alike[row] & same[row] & (np.arange(len(same)) != row)]
        other = to_others[row, alike[row] & ~same[row]]
        if own.size and other.size:
            wins.append(float((own[:, None] > other).mean()))
            owners.append(infant)
    if not wins:
        return Absent("needs infants with two recordings, and strangers with the same device")
    return frac_by_group(wins, owners)


def run(manifest: Path, encoder_spec: str = "bundled") -> dict[str, object]:
    """Swap the rooms of a manifest's recordings.

    Parameters
    ----------
    manifest
        CSV, see :func:`pipelines.manifest.read_manifest`.
    encoder_spec
        See :func:`pipelines.embed.load_encoder`.

    Returns
    -------
    dict
        The figures with ``_lo``, ``_hi``, ``_n`` (recordings) and ``_groups`` (infants), and the
        versions used.

    Raises
    ------
    ManifestError, ConfigError
        The manifest lacks a column, or too few infants can be heard.
    """
    encoder = load_encoder(encoder_spec)
    rows = [row for row in read_manifest(manifest) if isinstance(row, ManifestRow)]
    swapped = swap(rows, encoder)
    result: dict[str, object] = {}
    for name, figure in figures(swapped).items():
        result |= json_keys(name, figure)
    return result | {
        "simulated_rooms": True,
        "encoder": encoder.name,
        "encoder_fingerprint": encoder.fingerprint,
        "format_version": FORMAT_VERSION,
    }


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("manifest", type=Path, help="CSV with file, infant and recorded_at")
    parser.add_argument("--encoder", default="bundled", help="bundled, a path, or a hub name")


def main(args: argparse.Namespace) -> int:
    """Print the figures as a table and, with ``--json``, write them."""
    result = run(args.manifest, args.encoder)
    table = Table("figure", "value", "95 % interval", "recordings / infants")
    table.title = f"Simulated rooms, {result['encoder']}"
    for name in ("cosine_same_cry_other_room", "infant_over_room_frac", "background_drift_10db"):
        table.add_row(*_cells(name, result))
    Console(file=sys.stdout).print(table)
    if args.json:
        args.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0


def _cells(name: str, result: dict[str, object]) -> tuple[str, str, str, str]:
    if result[name] is None:
        return name, str(result[f"{name}_reason"]), "", ""
    counted = f"{result[f'{name}_n']} / {result[f'{name}_groups']}"
    if result[f"{name}_lo"] is None:
        return name, f"{result[name]:.3f}", "", counted
    interval = f"{result[f'{name}_lo']:.3f} to {result[f'{name}_hi']:.3f}"
    return name, f"{result[name]:.3f}", interval, counted
