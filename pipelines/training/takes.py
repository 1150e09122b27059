"""Training: recordings as fine-tuning hears them, who may be heard for what, and batches of crops.

In: rows of a corpus. Out: :class:`Take` values in parts (training, validation, test), and crops of
several recordings of many infants. Guaranteed: an infant is in one part only; a batch is a function
of the recordings and the generator that is handed in; all infants of a batch have one kind of
device.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from pipelines.errors import ConfigError, DecodeError
from pipelines.frontend import RATE_HZ
from pipelines.layouts import CorpusRow
from pipelines.segment import MIN_UNIT_S, Unit, segment
from pipelines.sound import Sound, decode, peak_normalise, resample
from pipelines.training.split import is_held_out

CROP_S = (0.48, 0.64, 0.8, 0.96, 1.28)
HOUR_S = 3600.0
MIN_BACKGROUND_S = 0.2

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class Piece:
    """A stretch of sound, 16 kHz and peak-normalised, with its cry units."""

    sound: Sound
    units: tuple[Unit, ...]


@dataclass(frozen=True)
class Take:
    """One recording of an infant.

    Attributes
    ----------
    infant, group
        Whose it is, and the kind of device within which infants are compared.
    recorded_at_s, session
        Seconds since 1970 and the session's name; None where unknown.
    split
        Part of the corpus as published; None where there are none.
    pieces
        One, or those that a corpus was cut into.
    background
        Samples between the cry units, put together; empty where there are next to none.
    """

    infant: str
    group: str
    recorded_at_s: float | None
    session: str | None
    split: str | None
    pieces: tuple[Piece, ...]
    background: Samples


def load_takes(rows: Sequence[CorpusRow]) -> list[Take]:
    """Read recordings; what cannot be decoded or has no cry units is left out.

    Files that a corpus has cut are put together by infant and session, and taken whole.
    """
    whole = [_whole(row) for row in rows if not row.cut]
    together: dict[tuple[str, str | None], list[CorpusRow]] = defaultdict(list)
    for row in rows:
        if row.cut:
            together[row.infant, row.session].append(row)
    cut = [_put_together(group) for group in together.values()]
    return [take for take in [*whole, *cut] if take is not None]


def _whole(row: CorpusRow) -> Take | None:
    try:
        found = segment(row.file)
    except DecodeError:
        return None
    if found.unusable:
        return None
    piece = Piece(found.sound, found.units)
    return _take(row, (piece,), _between(piece))


def _between(piece: Piece) -> Samples:
    """Put together the samples outside the cry units; none where they are next to none."""
    edges_s = [0.0, *(t for unit in piece.units for t in (unit.onset_s, unit.offset_s))]
    edges = [round(t * RATE_HZ) for t in [*edges_s, piece.sound.duration_s]]
    gaps = [piece.sound.samples[a:b] for a, b in zip(edges[::2], edges[1::2], strict=True)]
    between: Samples = np.concatenate(gaps)
    return between if between.size >= MIN_BACKGROUND_S * RATE_HZ else between[:0]


def _put_together(rows: Sequence[CorpusRow]) -> Take | None:
    ordered = sorted(rows, key=lambda row: (row.place is None, row.place or 0, row.file))
    pieces = tuple(piece for row in ordered if (piece := _cut_piece(row)) is not None)
    return _take(ordered[0], pieces, np.zeros(0, dtype=np.float32)) if pieces else None


def _cut_piece(row: CorpusRow) -> Piece | None:
    try:
        sound = peak_normalise(resample(decode(row.file)[0]))
    except DecodeError:
        return None
    if sound.duration_s < MIN_UNIT_S or not sound.samples.any():
        return None
    return Piece(sound, (Unit(0.0, sound.duration_s),))


def _take(row: CorpusRow, pieces: tuple[Piece, ...], background: Samples) -> Take:
    return Take(
        infant=row.infant,
        group=row.device or "unknown",
        recorded_at_s=row.recorded_at.timestamp() if row.recorded_at else None,
        session=row.session,
        split=row.split,
        pieces=pieces,
        background=background,
    )


def lie_apart(first: Take, second: Take) -> bool:
    """Say whether two recordings are known to be of other sessions, or more than an hour apart."""
    if first.session is not None and second.session is not None:
        return first.session != second.session
    if first.recorded_at_s is None or second.recorded_at_s is None:
        return False
    return abs(first.recorded_at_s - second.recorded_at_s) > HOUR_S


# --- Parts --------------------------------------------------------------------------------------


class HoldOut(StrEnum):
    """Which infants are kept for the test, where the corpus does not say.

    ``rule`` is that of every training here (see :mod:`pipelines.training.split`). ``share`` holds
    out the hashed share alone, for corpora in which every infant has many recordings.
    """

    RULE = "rule"
    SHARE = "share"


PUBLISHED_PARTS = {"train": "training", "dev": "validation", "test": "test"}
VALIDATION_FRAC = 0.2


@dataclass(frozen=True)
class Parts:
    """Recordings to learn from, to stop by, and to judge on; no infant is in two of them."""

    training: tuple[Take, ...]
    validation: tuple[Take, ...]
    test: tuple[Take, ...]

    def infants(self) -> dict[str, int]:
        """How many infants each part has."""
        return {name: len({take.infant for take in takes}) for name, takes in vars(self).items()}


def part(takes: Sequence[Take], hold_out: HoldOut = HoldOut.RULE) -> Parts:
    """Part recordings by infant: as published where the corpus says, else by hash.

    Raises
    ------
    ConfigError
        A corpus has an infant in two parts, or names a part that is not known.
    """
    count = Counter(take.infant for take in takes)
    parts: dict[str, list[Take]] = {name: [] for name in PUBLISHED_PARTS.values()}
    for take in takes:
        parts[_part_of(take, count[take.infant], hold_out)].append(take)
    found = Parts(**{name: tuple(members) for name, members in parts.items()})
    _check_disjoint(found)
    return found


def _part_of(take: Take, n_recordings: int, hold_out: HoldOut) -> str:
    if take.split is not None:
        if take.split not in PUBLISHED_PARTS:
            message = f"split {take.split!r} is none of {', '.join(PUBLISHED_PARTS)}"
            raise ConfigError(message)
        return PUBLISHED_PARTS[take.split]
    if is_held_out(take.infant, n_recordings if hold_out is HoldOut.RULE else 0):
        return "test"
    # Another hash than the test's, which has used up the low end of its own.
    digest = hashlib.sha256(f"validation {take.infant}".encode()).digest()
    share = int.from_bytes(digest[:8], "big") / 2**64
    return "validation" if share < VALIDATION_FRAC else "training"


def _check_disjoint(parts: Parts) -> None:
    where: dict[str, set[str]] = defaultdict(set)
    for name, takes in vars(parts).items():
        for take in takes:
            where[take.infant].add(name)
    twice = sorted(infant for infant, names in where.items() if len(names) > 1)
    if twice:
        message = f"infant {twice[0]!r} is in two parts of the corpus"
        raise ConfigError(message)


# --- Batches ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Drawn:
    """Crops of equal length, ``each`` of every infant, one infant after the other.

    Attributes
    ----------
    samples
        Shape ``(infants * each, length)``.
    takes
        Index of each crop's recording.
    new_background
        Background of other recordings, shape as ``samples``; None where no recording has any.
    each
        Crops of each infant.
    """

    samples: Samples
    takes: tuple[int, ...]
    new_background: Samples | None
    each: int


class Crops:
    """Draws batches of crops from recordings.

    Parameters
    ----------
    takes
        Recordings to draw from.
    infants
        Infants per batch; a group with fewer gives all it has.
    each
        Crops of each infant: from that many recordings where there are so many.

    Raises
    ------
    ConfigError
        No kind of device has two infants.
    """

    def __init__(self, takes: Sequence[Take], infants: int, each: int) -> None:
        self.takes = takes
        self._infants, self._each = infants, each
        members: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        for index, take in enumerate(takes):
            members[take.group][take.infant].append(index)
        self._groups = [
            [known[name] for name in sorted(known)]
            for _, known in sorted(members.items())
            if len(known) > 1
        ]
        if not self._groups:
            message = "learning needs recordings of two infants on one kind of device"
            raise ConfigError(message)
        self._noisy = [index for index, take in enumerate(takes) if take.background.size]

    def draw(self, rng: np.random.Generator) -> Drawn:
        """Draw a batch."""
        sizes = np.array([len(group) for group in self._groups], dtype=float)
        group = self._groups[int(rng.choice(len(sizes), p=sizes / sizes.sum()))]
        chosen = rng.choice(len(group), min(self._infants, len(group)), replace=False)
        indices = [take for infant in chosen for take in self._recordings(group[infant], rng)]
        length = round(float(rng.choice(CROP_S)) * RATE_HZ)
        samples = np.stack([crop(self.takes[index], length, rng) for index in indices])
        return Drawn(samples, tuple(indices), self._backgrounds(indices, length, rng), self._each)

    def _recordings(self, own: Sequence[int], rng: np.random.Generator) -> list[int]:
        order = [own[place] for place in rng.permutation(len(own))]
        return [order[place % len(order)] for place in range(self._each)]

    def _backgrounds(
        self, indices: Sequence[int], length: int, rng: np.random.Generator
    ) -> Samples | None:
        if not self._noisy:
            return None
        return np.stack([self._background(index, length, rng) for index in indices])

    def _background(self, index: int, length: int, rng: np.random.Generator) -> Samples:
        place = int(rng.integers(len(self._noisy)))
        if self._noisy[place] == index:
            place -= 1
        found = self.takes[self._noisy[place]].background
        return np.resize(np.roll(found, -int(rng.integers(found.size))), length)


def crop(take: Take, length: int, rng: np.random.Generator) -> Samples:
    """Cut a stretch out of one of a recording's cry units, longer units being likelier.

    A unit shorter than the stretch brings its surroundings with it; a piece shorter than the
    stretch is repeated, as a cry repeats itself.
    """
    units = [(piece, unit) for piece in take.pieces for unit in piece.units]
    durations = np.array([unit.duration_s for _, unit in units])
    piece, unit = units[int(rng.choice(len(units), p=durations / durations.sum()))]
    samples = piece.sound.samples
    onset, offset = round(unit.onset_s * RATE_HZ), round(unit.offset_s * RATE_HZ)
    low, high = sorted((onset, offset - length))
    start = int(np.clip(rng.integers(low, high + 1), 0, max(0, samples.size - length)))
    found = samples[start : start + length]
    return found if found.size == length else np.resize(found, length)
