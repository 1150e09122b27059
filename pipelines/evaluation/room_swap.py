"""Room swap: the same cries in other rooms, to see what moves an embedding more, infant or room.

In: a manifest of recordings and an encoder. Out: how alike one cry is in two rooms, how often the
infant wins over the room, and how far another room's background moves an embedding, each beside the
background-only control and a network that has learnt nothing. Guaranteed: seeded; no recording is
ever put into its own infant's room; cry units stay where they were found in the recording as it is.

A room is the background of another recording, 10 dB under the cry; in the figures that end in
``_reverberant`` a simulated decaying tail comes to it. In a trial an infant's cry in one room is
compared with the same infant in another room, and with other infants in the same room: what hears
rooms alone loses every trial, which is what the background-only control is there to show.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipelines.channel import Samples, add_noise, in_room, room_response
from pipelines.embed import Encoder, load_encoder, recording_embedding
from pipelines.errors import ConfigError, DecodeError
from pipelines.evaluation.backgrounds import background_views
from pipelines.evaluation.metrics import Absent, Estimate, frac_by_group, json_keys
from pipelines.evaluation.report import console, table, versions, write_json
from pipelines.evaluation.untrained import untrained_encoder
from pipelines.evaluation.verify import HOUR_S, unheard_infants
from pipelines.manifest import ManifestRow
from pipelines.recordings import good_rows
from pipelines.segment import Segmentation, Unit, segment
from pipelines.sound import Sound, peak_normalise

ROOM_SNR_DB = 10.0
ROOMS = 8
ROOMS_EACH = 3
"""In how many of the rooms each recording is heard, without a tail."""
REVERBERANT_EACH = 2
"""In how many of them it is heard with a tail besides."""
ENOUGH_BACKGROUND_S = 1.5
DECAY_S = (0.2, 0.8)
DIRECT_TO_REVERBERANT_DB = (2.0, 12.0)
FORMAT_VERSION = 2

Vectors = NDArray[np.float32]
Opened = tuple[ManifestRow, Segmentation]
Look = Callable[[Sound, Sequence[Unit]], Vectors]
"""What a system makes of a recording: one vector."""


@dataclass(frozen=True)
class Room:
    """A room: whose it is, its impulse response, and what is heard in it when nobody cries."""

    owner: str
    response: Samples
    background: Sound

    def hear(self, sound: Sound, rng: np.random.Generator, *, is_reverberant: bool) -> Sound:
        """Let a recording sound in this room."""
        there = in_room(sound, self.response) if is_reverberant else sound
        return peak_normalise(add_noise(there, self.background, ROOM_SNR_DB, rng))


@dataclass(frozen=True)
class Swapped:
    """Vectors of recordings, row by row: as they are, and in several rooms.

    Attributes
    ----------
    infant, device
        Names, shape ``(n,)``.
    recorded_at_s
        Seconds since 1970, shape ``(n,)``.
    room
        Numbers of the rooms that each was put into, the same for all of an infant's, shape
        ``(n, k)``.
    plain
        As recorded, shape ``(n, d)``.
    there
        In each of the rooms, shape ``(n, k, d)``.
    reverberant
        In the first of the rooms with their tails, shape ``(n, m, d)`` with ``m <= k``.
    """

    infant: NDArray[np.str_]
    device: NDArray[np.str_]
    recorded_at_s: NDArray[np.float64]
    room: NDArray[np.intp]
    plain: Vectors
    there: Vectors
    reverberant: Vectors


# --- rooms --------------------------------------------------------------------------------------


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


def choose_rooms(opened: Sequence[Opened], seed: int) -> list[Room]:
    """Take rooms from infants of whom enough is heard without crying.

    Parameters
    ----------
    opened
        Recordings; the longest background of each infant counts.
    seed
        Chooses among those that have enough, and draws the tails.

    Returns
    -------
    list of Room
        At most `ROOMS`, each of another infant.

    Raises
    ------
    ConfigError
        There are too few for every recording to have rooms that are not its own infant's.
    """
    longest: dict[str, Sound] = {}
    for row, found in opened:
        own = Sound(background_of(found), found.sound.rate_hz)
        if np.any(own.samples) and own.duration_s > _duration_s(longest.get(row.infant)):
            longest[row.infant] = own
    rng = np.random.default_rng(seed)
    order = sorted(longest, key=lambda infant: (-longest[infant].duration_s, infant))
    enough = [infant for infant in order if longest[infant].duration_s >= ENOUGH_BACKGROUND_S]
    if len(enough) > ROOMS:
        order = [enough[place] for place in rng.permutation(len(enough))]
    chosen = order[:ROOMS]
    if len(chosen) <= ROOMS_EACH:
        message = f"a room swap needs backgrounds of more than {ROOMS_EACH} infants"
        raise ConfigError(message)
    return [_room(infant, longest[infant], rng) for infant in chosen]


def _duration_s(sound: Sound | None) -> float:
    return 0.0 if sound is None else sound.duration_s


def _room(owner: str, background: Sound, rng: np.random.Generator) -> Room:
    shape = rng.uniform(*DECAY_S), rng.uniform(*DIRECT_TO_REVERBERANT_DB)
    return Room(owner, room_response(background.rate_hz, *shape, rng), background)


def assign_rooms(
    infants: Sequence[str], rooms: Sequence[Room], seed: int
) -> dict[str, NDArray[np.intp]]:
    """Draw `ROOMS_EACH` rooms for each infant, never its own."""
    rng = np.random.default_rng([seed, 1])
    assigned = {}
    for infant in sorted(set(infants)):
        others = [place for place, room in enumerate(rooms) if room.owner != infant]
        assigned[infant] = rng.permutation(others)[:ROOMS_EACH].astype(np.intp)
    return assigned


# --- hearing ------------------------------------------------------------------------------------


def look_with(encoder: Encoder) -> Look:
    """Look at a recording through an encoder: the mean embedding of its units."""
    return lambda sound, units: recording_embedding(encoder.embed([(sound, units)])[0])


def look_at_background(sound: Sound, units: Sequence[Unit]) -> Vectors:
    """Look at a recording's background alone."""
    del units
    return background_views(sound)


def swap(rows: Sequence[ManifestRow], encoder: Encoder, seed: int = 0) -> Swapped:
    """Embed recordings as they are and in rooms of other infants.

    Raises
    ------
    ConfigError
        Too few infants can be heard.
    """
    return swap_systems(rows, {"": look_with(encoder)}, seed)[""]


def swap_systems(
    rows: Sequence[ManifestRow],
    looks: Mapping[str, Look],
    seed: int = 0,
    rooms_from: Sequence[ManifestRow] | None = None,
) -> dict[str, Swapped]:
    """Let several systems hear the very same recordings in the very same rooms.

    Parameters
    ----------
    rows
        Recordings that are judged.
    looks
        The systems by their names; the one without a name gives vectors of unit length, those of
        the others (controls) are standardised first.
    seed
        Chooses and assigns rooms.
    rooms_from
        Recordings that rooms are taken from; None takes them from those that are judged.

    Raises
    ------
    ConfigError
        Too few infants can be heard.
    """
    opened = _opened(rows)
    rooms = choose_rooms(opened if rooms_from is None else _opened(rooms_from), seed)
    if not opened:
        raise ConfigError("no recording that is judged has cry units")
    assigned = assign_rooms([row.infant for row, _ in opened], rooms, seed)
    heard: dict[str, list[Vectors]] = {name: [] for name in looks}
    for number, (row, found) in enumerate(opened):
        rng = np.random.default_rng([seed, 2, number])
        sounds = list(_versions(found.sound, [rooms[r] for r in assigned[row.infant]], rng))
        for name, look in looks.items():
            heard[name].append(np.stack([look(sound, found.units) for sound in sounds]))
    stacked = {name: np.stack(own) for name, own in heard.items()}
    return {
        name: _laid_out(opened, assigned, _standardised(own) if name else own)
        for name, own in stacked.items()
    }


def _versions(sound: Sound, rooms: Sequence[Room], rng: np.random.Generator) -> Iterator[Sound]:
    yield sound
    for room in rooms:
        yield room.hear(sound, rng, is_reverberant=False)
    for room in rooms[:REVERBERANT_EACH]:
        yield room.hear(sound, rng, is_reverberant=True)


def _laid_out(
    opened: Sequence[Opened], assigned: Mapping[str, NDArray[np.intp]], vectors: Vectors
) -> Swapped:
    return Swapped(
        infant=np.array([row.infant for row, _ in opened]),
        device=np.array([row.device or "unknown" for row, _ in opened]),
        recorded_at_s=np.array([row.recorded_at.timestamp() for row, _ in opened]),
        room=np.stack([assigned[row.infant] for row, _ in opened]),
        plain=vectors[:, 0],
        there=vectors[:, 1 : 1 + ROOMS_EACH],
        reverberant=vectors[:, 1 + ROOMS_EACH :],
    )


def _standardised(vectors: Vectors) -> Vectors:
    """Standardise each number over all recordings and rooms, and scale to unit length.

    What was never trained to be compared by its direction shows more in this form.
    """
    flat = vectors.reshape(-1, vectors.shape[2])
    standard = (vectors - flat.mean(axis=0)) / np.maximum(flat.std(axis=0), 1e-6)
    lengths = np.linalg.norm(standard, axis=2, keepdims=True)
    result: Vectors = (standard / np.maximum(lengths, 1e-12)).astype(np.float32)
    return result


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


# --- figures ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Wins:
    """Share of its comparisons that each recording wins, and whose recordings they are."""

    shares: NDArray[np.float64]
    owners: NDArray[np.str_]
    rows: NDArray[np.intp]

    def estimate(self) -> Estimate | Absent:
        """Return the mean over recordings, with its interval by infant."""
        if not len(self.shares):
            return Absent(_NO_TRIAL)
        return frac_by_group(self.shares, self.owners)


_NO_TRIAL = "needs infants with two recordings, and strangers with the same device in that room"


def trials(swapped: Swapped, vectors: Vectors, kind: str) -> Wins:
    """Count how often an infant in another room is nearer than a stranger in the same room.

    Parameters
    ----------
    swapped
        Whose the recordings are and in which rooms.
    vectors
        Shape ``(n, k, d)``: `there` or `reverberant` of `swapped`.
    kind
        What the anchor is compared with in the other rooms: ``other`` recordings of the infant,
        those more than an ``hour_apart``, or the ``same_cry``.

    Returns
    -------
    Wins
        Of each recording that has a comparison.
    """
    rooms = swapped.room[:, : vectors.shape[1]]
    shares, kept = [], []
    for row in range(len(rooms)):
        own = _own(swapped, row, kind)
        alike = swapped.device == swapped.device[row]
        strangers = alike & (swapped.infant != swapped.infant[row])
        share = [
            _share(vectors, place, rooms, np.flatnonzero(own & alike), strangers)
            for place in ((row, slot) for slot in range(rooms.shape[1]))
        ]
        told = [one for one in share if one is not None]
        if told:
            shares.append(float(np.mean(told)))
            kept.append(row)
    return Wins(np.array(shares), swapped.infant[kept], np.array(kept, dtype=np.intp))


def _own(swapped: Swapped, row: int, kind: str) -> NDArray[np.bool_]:
    itself = np.arange(len(swapped.infant)) == row
    if kind == "same_cry":
        return itself
    own = (swapped.infant == swapped.infant[row]) & ~itself
    if kind == "hour_apart":
        own &= np.abs(swapped.recorded_at_s - swapped.recorded_at_s[row]) > HOUR_S
    return own


def _share(
    vectors: Vectors,
    place: tuple[int, int],
    rooms: NDArray[np.intp],
    own: NDArray[np.intp],
    strangers: NDArray[np.bool_],
) -> float | None:
    """Share of pairs of own and stranger in which the own is nearer to the anchor; ties by half."""
    anchor, here = vectors[place], rooms[place]
    near = vectors[own][rooms[own] != here] @ anchor
    far = vectors[strangers[:, None] & (rooms == here)] @ anchor
    if not near.size or not far.size:
        return None
    return float(np.mean(near[:, None] > far) + 0.5 * np.mean(near[:, None] == far))


TRIALS = {
    "infant_over_room_frac": "other",
    "infant_over_room_frac_hour_apart": "hour_apart",
    "same_cry_over_room_frac": "same_cry",
}


def figures(swapped: Swapped) -> dict[str, Estimate | Absent]:
    """Tell what the rooms did.

    Returns
    -------
    dict
        ``cosine_same_cry_other_room``: cosine of one recording in two rooms.
        ``infant_over_room_frac``: share of comparisons in which a recording in one room is nearer
        to another one of its infant in another room than to a stranger's in the same; 0 for an
        embedding that hears rooms alone, 1 for one that hears infants alone.
        ``infant_over_room_frac_hour_apart``, ``same_cry_over_room_frac``: the same for recordings
        more than an hour apart, and for the very same recording.
        ``background_drift_10db``: 1 - cosine after mixing in another room's background 10 dB under
        the cry, relative to the mean 1 - cosine of strangers.
        All but the last with ``_reverberant`` for rooms with a tail.
    """
    result = _figures_in(swapped, swapped.there, "")
    result["background_drift_10db"] = _drift(swapped)
    return result | _figures_in(swapped, swapped.reverberant, "_reverberant")


def _figures_in(swapped: Swapped, vectors: Vectors, suffix: str) -> dict[str, Estimate | Absent]:
    cosine = frac_by_group(_same_cry_cosine(vectors), swapped.infant)
    found = {name: trials(swapped, vectors, kind).estimate() for name, kind in TRIALS.items()}
    named = {"cosine_same_cry_other_room": cosine, **found}
    return {f"{name}{suffix}": figure for name, figure in named.items()}


def _same_cry_cosine(vectors: Vectors) -> NDArray[np.float64]:
    """Mean cosine of each recording in all pairs of its rooms, shape ``(n,)``."""
    cosines = np.einsum("nad,nbd->nab", vectors, vectors).astype(np.float64)
    first, second = np.triu_indices(vectors.shape[1], k=1)
    result: NDArray[np.float64] = cosines[:, first, second].mean(axis=1)
    return result


def _drift(swapped: Swapped) -> Estimate | Absent:
    cosine = swapped.plain @ swapped.plain.T
    strangers = (swapped.infant[:, None] != swapped.infant) & (
        swapped.device[:, None] == swapped.device
    )
    if not strangers.any():
        return Absent("needs two infants with the same kind of device")
    moved = 1.0 - np.einsum("nd,nkd->nk", swapped.plain, swapped.there).mean(axis=1)
    return frac_by_group(moved / float(1.0 - cosine[strangers].mean()), swapped.infant)


def differences(one: Swapped, other: Swapped, against: str) -> dict[str, Estimate | Absent]:
    """Subtract what another system wins of the same trials, recording by recording."""
    result = {}
    for name, kind in TRIALS.items():
        ours, theirs = (trials(system, system.there, kind) for system in (one, other))
        key = f"{name}_minus_{against}"
        same = np.array_equal(ours.rows, theirs.rows) and len(ours.rows)
        result[key] = (
            frac_by_group(ours.shares - theirs.shares, ours.owners) if same else Absent(_NO_TRIAL)
        )
    return result


# --- the command --------------------------------------------------------------------------------

LABELS = {
    "": "embedding",
    "background": "control: background only",
    "random": "control: random network",
}


def run(
    manifest: Path, encoder_spec: str = "bundled", seed: int = 0, *, held_out: bool = False
) -> dict[str, object]:
    """Swap the rooms of a manifest's recordings.

    Parameters
    ----------
    manifest
        CSV, see :func:`pipelines.manifest.read_manifest`.
    encoder_spec
        See :func:`pipelines.embed.load_encoder`.
    seed
        Chooses rooms.
    held_out
        Whether to judge only infants that the encoder has not heard in training.

    Returns
    -------
    dict
        The figures of :func:`figures` for the embedding, and with ``_background`` and ``_random``
        for the controls; differences to these with ``_minus_background`` and ``_minus_random``;
        all with ``_lo``, ``_hi``, ``_n`` (recordings) and ``_groups`` (infants); and the versions.

    Raises
    ------
    ManifestError, ConfigError
        The manifest lacks a column, or too few infants can be heard.
    """
    encoder, random = load_encoder(encoder_spec), untrained_encoder(encoder_spec)
    rows = good_rows(manifest)
    # Rooms come from those who are judged too, never one's own: training has heard none of them.
    judged = _unheard(rows, encoder) if held_out else rows
    looks = {"": look_with(encoder), "background": look_at_background}
    if random is not None:
        looks["random"] = look_with(random)
    swapped = swap_systems(judged, looks, seed)
    result: dict[str, object] = {}
    for name, own in swapped.items():
        for key, figure in figures(own).items():
            result |= json_keys(f"{key}_{name}" if name else key, figure)
        for key, figure in (differences(swapped[""], own, name) if name else {}).items():
            result |= json_keys(key, figure)
    infants = np.unique(swapped[""].infant)
    return result | {
        "n_recordings": len(swapped[""].infant),
        "n_infants": len(infants),
        "n_infants_heard_in_training": sum(encoder.heard(str(name)) is True for name in infants),
        "n_rooms": len(np.unique(swapped[""].room)),
        "held_out_only": held_out,
        "encoder": encoder.name,
        "encoder_fingerprint": encoder.fingerprint,
        "versions": versions(),
        "format_version": FORMAT_VERSION,
    }


def _unheard(rows: Sequence[ManifestRow], encoder: Encoder) -> list[ManifestRow]:
    unheard = unheard_infants([row.infant for row in rows], encoder)
    return [row for row in rows if row.infant in unheard]


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("manifest", type=Path, help="CSV with file, infant and recorded_at")
    parser.add_argument("--encoder", default="bundled", help="bundled, a path, or a hub name")
    parser.add_argument(
        "--held-out", action="store_true", help="judge only infants the encoder has not heard"
    )
    parser.add_argument("--seed", type=int, default=0, help="chooses the rooms")


def main(args: argparse.Namespace) -> int:
    """Print the figures as a table and, with ``--json``, write them."""
    result = run(args.manifest, args.encoder, args.seed, held_out=args.held_out)
    shown = console()
    shown.print(_table(result))
    for line in _remarks(result):
        shown.print(line, markup=False)
    if args.json is not None:
        write_json(args.json, result)
    return 0


def _table(result: Mapping[str, object]) -> object:
    systems = [name for name in LABELS if _named("infant_over_room_frac", name) in result]
    keys = [key for key in _shown() if key in result]
    rows = [
        [key, *(_cell(result, _named(key, name)) for name in systems), _counted(result, key)]
        for key in keys
    ]
    title = (
        f"Cries in {result['n_rooms']} other rooms, background 10 dB under them:"
        f" {result['n_recordings']} recordings of {result['n_infants']} infants [95 % by infant]"
    )
    return table(title, ["figure", *(LABELS[name] for name in systems), "n / infants"], rows)


def _shown() -> Iterator[str]:
    for suffix in ("", "_reverberant"):
        yield from (f"{key}{suffix}" for key in (*TRIALS, "cosine_same_cry_other_room"))
    yield "background_drift_10db"


def _remarks(result: Mapping[str, object]) -> Iterator[str]:
    for key in TRIALS:
        for name in LABELS:
            if f"{key}_minus_{name}" in result:
                yield f"{key} minus {name}: {_cell(result, f'{key}_minus_{name}')}"
    heard = result["n_infants_heard_in_training"]
    yield f"The encoder heard {heard} of these {result['n_infants']} infants in training."
    if heard:
        yield "Warning: on infants heard in training the embedding flatters itself: --held-out."


def _named(key: str, name: str) -> str:
    return f"{key}_{name}" if name else key


def _counted(result: Mapping[str, object], key: str) -> str:
    return f"{result[f'{key}_n']} / {result.get(f'{key}_groups', 0)}"


def _cell(result: Mapping[str, object], name: str) -> str:
    value, lo, hi = (result.get(f"{name}{end}") for end in ("", "_lo", "_hi"))
    if value is None:
        return str(result.get(f"{name}_reason", ""))
    return f"{value:.3f}" if lo is None else f"{value:.3f} [{lo:.3f}, {hi:.3f}]"
