"""Layouts: published corpora of crying, read as they are laid out.

In: a folder as its authors publish it, or a manifest. Out: one row, or one bad row with a typed
reason, for each recording that it lists. Guaranteed: nothing is invented; what a layout does not
say (mostly the time of a recording) is None; one bad row disturbs no other; no audio is opened.

- ``cryceleb``: ``metadata.csv`` and ``audio/SPLIT/BABY/PERIOD/*.wav``, one expiration each. Says
  the infant, the session (at birth or at discharge), the place in it, and the split.
- ``chillanto``: a folder for each class with ``NNNNPPPCCC.wav``, one second of crying each. Says
  the infant, the place, and the class.
- ``donateacry``: files named by installation, time, kind of phone and answers. Says all of these.
- ``enesbabycries``, ``icsd``, ``dunstan``, ``recanvo``: see `pipelines.labelled_layouts`.
- ``manifest``: a CSV file, see `pipelines.manifest`.
"""

from __future__ import annotations

import argparse
import csv
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from pipelines.corpus_row import CorpusRow, need_columns
from pipelines.errors import ConfigError
from pipelines.evaluation.report import console, table, write_json
from pipelines.labelled_layouts import (
    is_dunstan,
    is_enesbabycries,
    is_icsd,
    is_recanvo,
    read_dunstan,
    read_enesbabycries,
    read_icsd,
    read_recanvo,
)
from pipelines.manifest import BadRow, BadRowReason, ManifestRow, read_directory, read_manifest

__all__ = ["CorpusRow"]  # for those who read corpora here

FORMAT_VERSION = 1


class Layout(StrEnum):
    """The layouts that are known."""

    CRYCELEB = "cryceleb"
    CHILLANTO = "chillanto"
    DONATEACRY = "donateacry"
    ENESBABYCRIES = "enesbabycries"
    ICSD = "icsd"
    DUNSTAN = "dunstan"
    RECANVO = "recanvo"
    MANIFEST = "manifest"


@dataclass(frozen=True)
class PublishedPair:
    """One infant at birth and one at discharge, and whether they are the same."""

    infant_at_birth: str
    infant_at_discharge: str
    same: bool


def read_corpus(path: Path, layout: Layout | None = None) -> list[CorpusRow | BadRow]:
    """Read a corpus in whichever layout it is.

    Parameters
    ----------
    path
        A manifest (CSV, see :func:`pipelines.manifest.read_manifest`), or a corpus's folder.
    layout
        Which one; None looks for the signs of each.

    Returns
    -------
    list
        One entry for each file that the layout lists.

    Raises
    ------
    ConfigError
        The folder shows no known layout.
    ManifestError
        A list of the layout lacks a column.
    OSError
        A list or the folder cannot be read.
    """
    return _READERS[layout or recognise(path)](path)


def recognise(path: Path) -> Layout:
    """Tell in which layout a corpus is, by what only that one has.

    Raises
    ------
    ConfigError
        It shows no known layout.
    """
    if not path.is_dir():
        return Layout.MANIFEST
    for layout, shows in _SIGNS.items():
        if shows(path):
            return layout
    known = ", ".join(Layout)
    message = f"{path} shows none of the layouts that are known: {known}"
    raise ConfigError(message)


# --- CryCeleb 2023 ------------------------------------------------------------------------------

METADATA = "metadata.csv"
CRYCELEB_COLUMNS = ("baby_id", "period", "split", "chronological_index", "file_name")
PAIR_COLUMNS = ("baby_id_B", "baby_id_D", "label")
PERIODS = ("B", "D")  # at birth, at discharge


def read_cryceleb(folder: Path) -> list[CorpusRow | BadRow]:
    """Read CryCeleb 2023: expirations of newborns at birth (B) and at discharge (D).

    The audio files lie where ``file_name`` says, relative to the folder. When a recording was made
    is not published, only that the two periods lie hours to days apart.

    References
    ----------
    Budaghyan et al. (2023), CryCeleb: a speaker verification dataset based on infant cry sounds,
    arXiv:2305.00969, and the dataset's own card.
    """
    with (folder / METADATA).open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        need_columns(CRYCELEB_COLUMNS, reader)
        return [_cryceleb_row(folder, reader.line_num, line) for line in reader]


def _cryceleb_row(folder: Path, number: int, line: Mapping[str, str | None]) -> CorpusRow | BadRow:
    values = {name: (value or "").strip() for name, value in line.items() if name}
    if not values["baby_id"]:
        return BadRow(number, BadRowReason.EMPTY_INFANT, "no baby_id is given")
    if values["period"] not in PERIODS:
        detail = f"period is {values['period']!r}, neither B nor D"
        return BadRow(number, BadRowReason.UNPARSABLE_NAME, detail)
    file = folder / values["file_name"]
    if not values["file_name"] or not file.is_file():
        detail = f"there is no file {values['file_name']!r}"
        return BadRow(number, BadRowReason.MISSING_FILE, detail)
    place = values["chronological_index"]
    return CorpusRow(
        file=file,
        infant=values["baby_id"],
        session=values["period"],
        place=int(place) if place.isdecimal() else None,
        split=values["split"] or None,
        cut=True,
        extra={name: values[name] for name in values if name not in CRYCELEB_COLUMNS},
    )


def read_cryceleb_pairs(file: Path) -> list[PublishedPair]:
    """Read ``dev_pairs.csv`` or ``test_pairs.csv`` of CryCeleb 2023.

    Raises
    ------
    ManifestError
        A column is missing; the list of the running competition had no ``label``.
    ConfigError
        A label is neither 0 nor 1.
    """
    with file.open(newline="", encoding="utf-8-sig") as handle:
        reader = csv.DictReader(handle)
        need_columns(PAIR_COLUMNS, reader)
        return [_pair(file, reader.line_num, line) for line in reader]


def _pair(file: Path, number: int, line: Mapping[str, str]) -> PublishedPair:
    at_birth, at_discharge, label = (line[name].strip() for name in PAIR_COLUMNS)
    if label not in {"0", "1"}:
        message = f"{file.name}, line {number}: label is {label!r}, neither 0 nor 1"
        raise ConfigError(message)
    return PublishedPair(at_birth, at_discharge, label == "1")


# --- Baby Chillanto -----------------------------------------------------------------------------

CHILLANTO_CLASSES = ("asphyxia", "deaf", "hunger", "normal", "pain")
_CHILLANTO_NAME = re.compile(r"(?P<infant>\d{4})(?P<place>\d{3})(?P<kind>\d{3})")


def read_chillanto(folder: Path) -> list[CorpusRow | BadRow]:
    """Read Baby Chillanto: pieces of one second, in a folder for each class.

    A name is ten digits: four for the recording, three for the piece, three for the class. There
    is one recording of each infant, so the first four stand for the infant; within a class their
    number is the published number of infants (asphyxia 6, deaf 6, normal 5). One recording each
    also means that nothing here can show whether an infant is known again at another time.

    References
    ----------
    Reyes-Galaviz, Cano-Ortiz, Reyes-García (2008), Evolutionary-neural system to classify infant
    cry units for pathologies identification in recently born babies.
    """
    files = [
        file
        for name in CHILLANTO_CLASSES
        for file in sorted((folder / name).rglob("*"))
        if file.suffix.lower() == ".wav" and file.is_file()
    ]
    return [
        _chillanto_row(number, file, file.relative_to(folder).parts[0])
        for number, file in enumerate(files, start=1)
    ]


def _chillanto_row(number: int, file: Path, kind: str) -> CorpusRow | BadRow:
    match = _CHILLANTO_NAME.fullmatch(file.stem)
    if match is None:
        return BadRow(number, BadRowReason.UNPARSABLE_NAME, f"{file.name!r} is not ten digits")
    return CorpusRow(
        file=file,
        infant=match["infant"],
        place=int(match["place"]),
        cut=True,
        reason=kind,
        extra={"class_code": match["kind"]},
    )


# --- Manifests and Donate-a-Cry -----------------------------------------------------------------


def _of_manifest(row: ManifestRow | BadRow) -> CorpusRow | BadRow:
    if isinstance(row, BadRow):
        return row
    return CorpusRow(
        file=row.file,
        infant=row.infant,
        recorded_at=row.recorded_at,
        device=row.device,
        sex=row.sex,
        reason=row.reason,
        age_days=row.age_days,
        extra=row.extra,
    )


_READERS: Mapping[Layout, Callable[[Path], list[CorpusRow | BadRow]]] = {
    Layout.CRYCELEB: read_cryceleb,
    Layout.CHILLANTO: read_chillanto,
    Layout.DONATEACRY: lambda folder: [_of_manifest(row) for row in read_directory(folder)],
    Layout.ENESBABYCRIES: read_enesbabycries,
    Layout.ICSD: read_icsd,
    Layout.DUNSTAN: read_dunstan,
    Layout.RECANVO: read_recanvo,
    Layout.MANIFEST: lambda file: [_of_manifest(row) for row in read_manifest(file)],
}


_SIGNS: Mapping[Layout, Callable[[Path], bool]] = {
    Layout.CRYCELEB: lambda path: (path / METADATA).is_file(),
    Layout.CHILLANTO: lambda path: any((path / name).is_dir() for name in CHILLANTO_CLASSES),
    Layout.RECANVO: is_recanvo,
    Layout.ICSD: is_icsd,
    Layout.DONATEACRY: lambda path: any(
        file.suffix.lower() in (".caf", ".3gp") for file in path.rglob("*")
    ),
    Layout.DUNSTAN: is_dunstan,
    Layout.ENESBABYCRIES: is_enesbabycries,
}


# --- The command --------------------------------------------------------------------------------

MANIFEST_COLUMNS = ("file", "infant", "recorded_at", "device", "sex", "reason")


def write_manifest(rows: Sequence[CorpusRow], out: Path) -> None:
    """Write a manifest of recordings; files are named relative to its folder where they can be.

    Raises
    ------
    ConfigError
        The layout says no time of a recording, and a manifest must not make one up.
    """
    if any(row.recorded_at is None for row in rows):
        message = (
            "this layout does not say when its recordings were made, and a manifest needs it; "
            "finetune reads the folder itself"
        )
        raise ConfigError(message)
    with out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(MANIFEST_COLUMNS)
        writer.writerows(_manifest_line(row, out.resolve().parent) for row in rows)


def _manifest_line(row: CorpusRow, folder: Path) -> Iterator[str]:
    file = row.file.resolve()
    yield str(file.relative_to(folder) if file.is_relative_to(folder) else file)
    yield row.infant
    yield row.recorded_at.isoformat() if row.recorded_at else ""
    yield from (row.device or "", row.sex or "", row.reason or "")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("corpus", type=Path, help="folder of a published corpus, or a manifest")
    parser.add_argument("--layout", type=Layout, choices=list(Layout), help="default: by its signs")
    parser.add_argument("--manifest", type=Path, metavar="FILE", help="write a manifest of it")


def main(args: argparse.Namespace) -> int:
    """Print what a corpus holds and, where it says enough, write its manifest."""
    layout = args.layout or recognise(args.corpus)
    rows = read_corpus(args.corpus, layout)
    good = [row for row in rows if isinstance(row, CorpusRow)]
    bad = [row for row in rows if isinstance(row, BadRow)]
    found = inventory(layout, good, bad)
    console().print(table(f"{args.corpus}", ("what", "n"), found.items()))
    for row in bad[:_SHOWN]:
        sys.stdout.write(f"not taken: {row.line}: {row.reason}: {row.detail}\n")
    if args.json:
        write_json(args.json, {**found, "format_version": FORMAT_VERSION})
    if args.manifest:
        write_manifest(good, args.manifest)
    return 0


_SHOWN = 5


def inventory(
    layout: Layout, good: Sequence[CorpusRow], bad: Sequence[BadRow]
) -> dict[str, str | int]:
    """Count what a corpus holds, by part, by class and by what could not be taken."""
    sessions = {(row.infant, row.session) for row in good if row.session}
    result: dict[str, str | int] = {
        "layout": str(layout),
        "files": len(good),
        "infants": len({row.infant for row in good}),
        "sessions that are named": len(sessions),
        "files with a time": sum(row.recorded_at is not None for row in good),
    }
    for label, names in (
        ("split", Counter(row.split for row in good if row.split)),
        ("reason", Counter(row.reason for row in good if row.reason)),
        ("not taken", Counter(str(row.reason) for row in bad)),
    ):
        result |= {f"{label}: {name}": count for name, count in sorted(names.items())}
    return result
