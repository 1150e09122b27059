"""Layouts of corpora in which somebody has labelled what was heard.

In: a folder as its authors publish it. Out: one row, or one bad row with a typed reason, for each
recording. Guaranteed: labels are carried as they were published and believed by nothing; what a
layout does not say is None; no audio is opened.

- ``enesbabycries``: files named ``BS03_W_3_F_F_19122018_2021.wav``: the infant, the sex, the visit,
  what the parents took for the cause, what ended the crying, and the local date and time; pieces
  that were cut out end in their place (``_12-40``).
- ``icsd``: ``metadata/PART/SET.tsv`` and ``audio/PART/SET/``. Says which events are in a file, and
  not whose they are.
- ``dunstan``: a folder for each of five sounds. Says nothing else.
- ``recanvo``: ``dataset_file_directory.csv`` and the files. Says the person, the label and, in a
  file's name, the local date and time. The persons are no infants.
"""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from pipelines.corpus_row import CorpusRow, need_columns
from pipelines.manifest import MONTH_DAYS, BadRow, BadRowReason

Rows = list[CorpusRow | BadRow]


# --- EnesBabyCries ------------------------------------------------------------------------------

_ENES_NAME = re.compile(
    r"(?P<infant>[A-Z]+\d+)_(?P<sex>[A-Z])_(?P<visit>\d)_(?P<parents>[A-Z]\w*?)_(?P<ended>[A-Z]\w*?)"
    r"_(?P<day>\d{2})(?P<month>\d{2})(?P<year>\d{4})_(?P<hour>\d{2})(?P<minute>\d{2})"
    r"(?:_(?P<place>\d+)(?:-\d+)?)?",
    re.IGNORECASE,
)
_ENES_SEXES = {"W": "female", "M": "male"}
_ENES_AGES_DAYS = {"1": 15.0, "2": 1.5 * MONTH_DAYS, "3": 2.5 * MONTH_DAYS, "4": 3.5 * MONTH_DAYS}
_ENES_CAUSES = {"F": "hunger", "I": "discomfort", "S": "isolation", "D": "pain"}


def is_enesbabycries(folder: Path) -> bool:
    """Tell whether the files of a folder are named so."""
    return any(_ENES_NAME.fullmatch(file.stem) for file in _sounds(folder))


def read_enesbabycries(folder: Path) -> Rows:
    """Read EnesBabyCries: infants at home, at 15 days and at 1.5, 2.5 and 3.5 months.

    The bouts (1A) and the pieces cut out of them (1B) are named alike; a piece has its place. The
    time is that of the clocks in Saint-Étienne, and the name tells no zone. What ended the crying
    is taken as ``reason``, as the authors do; what the parents said is in ``extra``.

    References
    ----------
    Lockhart-Bouron et al. (2023), Infant cries convey both stable and dynamic information about
    age and identity, Communications Psychology 1:26.
    """
    files = enumerate(_sounds(folder), start=1)
    return [_enes_row(number, file) for number, file in files]


def _enes_row(number: int, file: Path) -> CorpusRow | BadRow:
    match = _ENES_NAME.fullmatch(file.stem)
    if match is None:
        return BadRow(number, BadRowReason.UNPARSABLE_NAME, f"{file.name!r} is no such name")
    local = f"{match['year']}-{match['month']}-{match['day']}T{match['hour']}:{match['minute']}"
    if not _is_time(local):
        return BadRow(number, BadRowReason.UNPARSABLE_TIME, f"{file.name!r} names no such time")
    return CorpusRow(
        file=file,
        infant=match["infant"].upper(),
        local_time=local,
        session=local,
        place=int(match["place"]) if match["place"] else None,
        cut=match["place"] is not None,
        sex=_ENES_SEXES.get(match["sex"].upper()),
        reason=_ENES_CAUSES.get(match["ended"][0].upper()),
        age_days=_ENES_AGES_DAYS.get(match["visit"]),
        extra={"visit": match["visit"], "parents": match["parents"], "ended": match["ended"]},
    )


# --- ICSD ---------------------------------------------------------------------------------------

STRONG, WEAK = "event_label", "event_labels"


def is_icsd(folder: Path) -> bool:
    """Tell whether there are lists of events beside parts of sound."""
    return (folder / "audio").is_dir() and any(_icsd_lists(folder))


def read_icsd(folder: Path) -> Rows:
    """Read ICSD: ten seconds each of infants' crying and of snoring, among other sounds.

    Nothing says which files are of one infant, so that each stands for one of its own.

    References
    ----------
    Liu et al. (2024), ICSD: an open-source dataset for infant cry and snoring detection,
    arXiv:2408.10561, and the settings of its baseline, where the folders are named.
    """
    return [row for file in _icsd_lists(folder) for row in _icsd_part(folder, file)]


def _icsd_lists(folder: Path) -> Iterator[Path]:
    """Yield the lists of events; those of lengths alone are none."""
    for file in sorted((folder / "metadata").glob("*/*.tsv")):
        if not file.stem.endswith("_durations"):
            yield file


def _icsd_part(folder: Path, listed: Path) -> Iterator[CorpusRow | BadRow]:
    events: dict[str, list[str]] = defaultdict(list)
    spans: dict[str, list[str]] = defaultdict(list)
    first: dict[str, int] = {}
    with listed.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file, delimiter="\t", restval="")
        need_columns(("filename",), reader)
        label = WEAK if WEAK in (reader.fieldnames or ()) else STRONG
        need_columns((label,), reader)
        for line in reader:
            name = line["filename"]
            first.setdefault(name, reader.line_num)
            events[name] += [event for event in line[label].split(",") if event]
            if line.get("onset"):
                spans[name].append(f"{line['onset']}-{line['offset']}")
    where = folder / "audio" / listed.parent.name / listed.stem
    for name, number in first.items():
        extra = {"events": ",".join(dict.fromkeys(events[name])), "spans": ";".join(spans[name])}
        yield _icsd_row(where / name, number, listed.parent.name, extra)


def _icsd_row(file: Path, number: int, part: str, extra: Mapping[str, str]) -> CorpusRow | BadRow:
    if not file.is_file():
        return BadRow(number, BadRowReason.MISSING_FILE, f"there is no file {file.name!r}")
    return CorpusRow(file=file, infant=file.stem, split=part, extra=extra)


# --- Dunstan ------------------------------------------------------------------------------------

DUNSTAN_CLASSES = ("eairh", "eh", "heh", "neh", "owh")


def is_dunstan(folder: Path) -> bool:
    """Tell whether sounds lie in folders that are called like the five sounds."""
    return any(file.parent.name.lower() in DUNSTAN_CLASSES for file in _sounds(folder))


def read_dunstan(folder: Path) -> Rows:
    """Read sounds in folders that are called like the five of Dunstan's.

    There is no published corpus with a layout of its own: copies cut from the films go about, in
    such folders, wherever those lie. Nothing says whose the sounds are, so that each stands for an
    infant of its own; a file in a folder of another name is not taken.
    """
    files = enumerate(_sounds(folder), start=1)
    return [_dunstan_row(number, file) for number, file in files]


def _dunstan_row(number: int, file: Path) -> CorpusRow | BadRow:
    kind = file.parent.name.lower()
    if kind not in DUNSTAN_CLASSES:
        detail = f"{file.name!r} lies in {file.parent.name!r}, which is none of the five sounds"
        return BadRow(number, BadRowReason.UNPARSABLE_NAME, detail)
    return CorpusRow(file=file, infant=f"{kind}-{file.stem}", cut=True, reason=kind)


# --- ReCANVo ------------------------------------------------------------------------------------

RECANVO_LIST = "dataset_file_directory.csv"
RECANVO_COLUMNS = ("Filename", "Participant", "Label")
_RECANVO_NAME = re.compile(
    r"(?P<year>\d{2})(?P<month>\d{2})(?P<day>\d{2})_(?P<hour>\d{2})(?P<minute>\d{2})(?:_.*)?"
)


def is_recanvo(folder: Path) -> bool:
    """Tell whether its list lies there."""
    return (folder / RECANVO_LIST).is_file()


def read_recanvo(folder: Path) -> Rows:
    """Read ReCANVo: vocalisations of people who speak few words or none, of 6 to 23 years.

    A name starts with the local date and time of the recording from which it was cut. It is no
    corpus of infants: what it is good for is to see what the gate makes of other voices.

    References
    ----------
    Johnson et al. (2023), ReCANVo: a database of real-world communicative and affective nonverbal
    vocalizations, Scientific Data 10:523.
    """
    with (folder / RECANVO_LIST).open(newline="", encoding="utf-8-sig", errors="replace") as file:
        reader = csv.DictReader(file, restval="")
        need_columns(RECANVO_COLUMNS, reader)
        return [_recanvo_row(folder, reader.line_num, line) for line in reader]


def _recanvo_row(folder: Path, number: int, line: Mapping[str, str]) -> CorpusRow | BadRow:
    name, person, label = (line[column].strip() for column in RECANVO_COLUMNS)
    if not person:
        return BadRow(number, BadRowReason.EMPTY_INFANT, "no participant is given")
    if not name or not (folder / name).is_file():
        return BadRow(number, BadRowReason.MISSING_FILE, f"there is no file {name!r}")
    match = _RECANVO_NAME.fullmatch(Path(name).stem)
    local = None
    if match is not None:
        date = f"20{match['year']}-{match['month']}-{match['day']}"
        local = f"{date}T{match['hour']}:{match['minute']}"
    known = local if local is not None and _is_time(local) else None
    return CorpusRow(
        file=folder / name,
        infant=person,
        local_time=known,
        session=known,
        cut=True,
        reason=label or None,
    )


# --- of all -------------------------------------------------------------------------------------


def _sounds(folder: Path) -> list[Path]:
    """Return the WAV files of a folder and of those in it, in their order."""
    files = (file for file in folder.rglob("*") if file.suffix.lower() == ".wav")
    return sorted(file for file in files if file.is_file())


def _is_time(text: str) -> bool:
    try:
        dt.datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
