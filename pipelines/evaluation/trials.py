"""Trials: published lists of which recordings to compare, and corpora that were cut into pieces.

In: a list of pairs, as a file, and what was heard. Out: pairs by index. Guaranteed: two recordings
of one session are never counted as the same infant known again, and it is told how many were
dropped for that; a list in another form is refused by the names of its columns.

Two forms are known: ``baby_id_B,baby_id_D,label`` of CryCeleb 2023, which compares all cries at
birth of one infant with all cries at discharge of another or the same; and ``id1,id2,label``,
whose names are files of the manifest (with or without folder and ending) or its infants.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipelines.errors import ConfigError, DecodeError
from pipelines.layouts import PAIR_COLUMNS, PERIODS, CorpusRow, read_cryceleb_pairs
from pipelines.recordings import session_numbers
from pipelines.segment import MIN_UNIT_S, RATE_HZ, Unit
from pipelines.sound import Sound, decode, peak_normalise, resample

COLUMNS = ("id1", "id2", "label")

Names = NDArray[np.str_]
Indices = NDArray[np.intp]


@dataclass(frozen=True)
class NamedTrial:
    """What a list says of one pair; sessions are named where the list compares only those."""

    first: str
    second: str
    same: bool
    sessions: tuple[str, str] | None = None


@dataclass(frozen=True)
class Trials:
    """Pairs by index, shape ``(m,)`` each, and how many the list names that are not there.

    Attributes
    ----------
    first, second, same
        The pairs.
    same_session
        How many genuine pairs were dropped because both recordings are of one session.
    unknown
        How many lines name a recording that was not heard.
    """

    first: Indices
    second: Indices
    same: NDArray[np.bool_]
    same_session: int
    unknown: int


# --- lists --------------------------------------------------------------------------------------


def read_trials(file: Path) -> list[NamedTrial]:
    """Read a list of pairs in one of the known forms.

    Raises
    ------
    ConfigError
        The list has another form, or a label that is neither 0 nor 1.
    OSError
        It cannot be read.
    """
    with file.open(newline="", encoding="utf-8-sig") as handle:
        reader = csv.DictReader(handle)
        columns = set(reader.fieldnames or ())
        if columns.issuperset(COLUMNS):
            return [_named(file, reader.line_num, line) for line in reader]
    if columns.issuperset(PAIR_COLUMNS):
        return [
            NamedTrial(pair.infant_at_birth, pair.infant_at_discharge, pair.same, PERIODS)
            for pair in read_cryceleb_pairs(file)
        ]
    known = f"{','.join(COLUMNS)} or {','.join(PAIR_COLUMNS)}"
    message = f"{file.name} has the columns {sorted(columns)}; known are {known}"
    raise ConfigError(message)


def _named(file: Path, number: int, line: dict[str, str | None]) -> NamedTrial:
    first, second, label = ((line[name] or "").strip() for name in COLUMNS)
    if label not in {"0", "1"}:
        message = f"{file.name}, line {number}: label is {label!r}, neither 0 nor 1"
        raise ConfigError(message)
    return NamedTrial(first, second, label == "1")


def find_trials(
    named: Sequence[NamedTrial], files: Names, infants: Names, sessions: Names
) -> Trials:
    """Find the recordings that a list names.

    Parameters
    ----------
    named
        The list.
    files, infants, sessions
        Of each recording that was heard, shape ``(n,)``.

    Raises
    ------
    ConfigError
        A label contradicts whose the recordings are.
    """
    index = _index(files, infants)
    found: list[tuple[int, int, bool]] = []
    same_session = unknown = 0
    for trial in named:
        sides = _sides(trial, index, sessions)
        unknown += not all(sides)
        for first, second in product(*sides):
            if trial.same != bool(infants[first] == infants[second]):
                _contradicted(trial)
            if trial.same and sessions[first] == sessions[second]:
                same_session += 1
            else:
                found.append((first, second, trial.same))
    places = np.array([one[:2] for one in found], dtype=np.intp).reshape(-1, 2)
    same = np.array([one[2] for one in found], dtype=bool)
    return Trials(places[:, 0], places[:, 1], same, same_session, unknown)


def _contradicted(trial: NamedTrial) -> None:
    says = "the same infant" if trial.same else "different infants"
    message = f"the list calls {trial.first} and {trial.second} {says}, the corpus does not"
    raise ConfigError(message)


def _index(files: Names, infants: Names) -> dict[str, list[int]]:
    """Give each name the recordings that it may stand for: an infant's, or one file's."""
    index: dict[str, list[int]] = {}
    for place, file in enumerate(files):
        parts = Path(file).parts
        tails = {"/".join(parts[start:]) for start in range(len(parts))}
        for name in {*tails, Path(file).stem}:
            index.setdefault(name, []).append(place)
    for infant in np.unique(infants):
        index[str(infant)] = np.flatnonzero(infants == infant).tolist()
    return index


def _sides(
    trial: NamedTrial, index: dict[str, list[int]], sessions: Names
) -> tuple[list[int], list[int]]:
    first, second = (index.get(name, []) for name in (trial.first, trial.second))
    if trial.sessions is None:
        return first, second
    at_first, at_second = trial.sessions
    return (
        [place for place in first if sessions[place] == at_first],
        [place for place in second if sessions[place] == at_second],
    )


def sessions_by_time(infants: Names, recorded_at_s: NDArray[np.float64]) -> Names:
    """Name the session of each recording, shape ``(n,)``: a new one after half an hour's pause."""
    names = np.zeros(len(infants), dtype="U12")
    for infant in np.unique(infants):
        own = np.flatnonzero(infants == infant)
        own = own[np.argsort(recorded_at_s[own], kind="stable")]
        times = [dt.datetime.fromtimestamp(float(time_s), dt.UTC) for time_s in recorded_at_s[own]]
        names[own] = session_numbers(times).astype("U12")
    return names


# --- pieces -------------------------------------------------------------------------------------


def join_pieces(rows: Sequence[CorpusRow]) -> Iterator[tuple[CorpusRow, Sound, tuple[Unit, ...]]]:
    """Put the pieces of each infant and session together, each piece one cry unit.

    Yields
    ------
    tuple
        The first of the rows, the sound at 16 kHz and peak-normalised, and its units; an infant
        and session of which no piece can be decoded or is long enough is left out.
    """
    order = sorted(rows, key=lambda row: (row.infant, row.session or "", row.place or 0))
    for _, group in groupby(order, key=lambda row: (row.infant, row.session)):
        own = list(group)
        pieces = [piece for row in own for piece in _piece(row)]
        if pieces:
            lengths = [piece.duration_s for piece in pieces]
            ends = np.cumsum(lengths).tolist()
            units = [Unit(end - length, end) for end, length in zip(ends, lengths, strict=True)]
            joined = np.concatenate([piece.samples for piece in pieces])
            yield own[0], Sound(joined, RATE_HZ), tuple(units)


def _piece(row: CorpusRow) -> Iterator[Sound]:
    try:
        sound, _ = decode(row.file)
    except DecodeError:
        return
    if sound.duration_s >= MIN_UNIT_S:
        yield peak_normalise(resample(sound))
