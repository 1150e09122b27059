"""Manifests: lists of recordings with whose they are and when they were made.

In: a CSV file with the columns ``file``, ``infant`` and ``recorded_at`` at least, or a folder of
files named as Donate-a-Cry publishes them. Out: one row, or one bad row with a typed reason, for
each line. Guaranteed: one bad row disturbs no other; no audio is opened.
"""

from __future__ import annotations

import csv
import datetime as dt
import errno
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from pipelines.errors import ConfigError, ManifestError

REQUIRED = ("file", "infant", "recorded_at")
_FIELDS = (*REQUIRED, "device", "sex", "reason")

WEEK_DAYS = 7.0
MONTH_DAYS = 30.4375
_AGE_DAYS = {
    "0-4 weeks": 2.0 * WEEK_DAYS,
    "4-8 weeks": 6.0 * WEEK_DAYS,
    "2-6 months": 4.0 * MONTH_DAYS,
    "7 months-2 years": 15.5 * MONTH_DAYS,
    "over 2 years": 30.0 * MONTH_DAYS,  # open to one side: half a year past its start
}


class BadRowReason(StrEnum):
    """Why a line of a manifest, or a file of a folder, cannot be taken."""

    MISSING_FILE = "missing_file"
    EMPTY_INFANT = "empty_infant"
    UNPARSABLE_TIME = "unparsable_time"
    TIME_WITHOUT_ZONE = "time_without_zone"
    NO_TIME = "no_time"
    UNPARSABLE_NAME = "unparsable_name"


@dataclass(frozen=True)
class ManifestRow:
    """One recording of an archive; `age_days` is the middle of the age band that was told."""

    file: Path
    infant: str
    recorded_at: dt.datetime
    device: str | None = None
    age_days: float | None = None
    sex: str | None = None
    reason: str | None = None
    extra: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class BadRow:
    """A line (1 is the header; of a folder: the place in its sorted listing) that was not taken."""

    line: int
    reason: BadRowReason
    detail: str


class _RefusedError(Exception):
    """Carries a reason from the check that found it to the row it belongs to."""

    def __init__(self, reason: BadRowReason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def read_manifest(path: Path) -> list[ManifestRow | BadRow]:
    """Read a manifest.

    Parameters
    ----------
    path
        CSV in UTF-8 with a header; paths in ``file`` are relative to the manifest's folder.

    Returns
    -------
    list
        One entry for each line, in its order.

    Raises
    ------
    ManifestError
        A required column is missing.
    ConfigError
        The file is no CSV.
    OSError
        The manifest cannot be read.
    """
    folder = path.resolve().parent
    with path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
        reader = csv.DictReader(file, restkey="", restval="", skipinitialspace=True)
        try:
            _check_columns(reader)
            return [_row_or_bad(folder, reader.line_num, line) for line in reader]
        except csv.Error as error:
            raise ConfigError(f"{path.name} is no CSV: {error}") from error


def _check_columns(reader: csv.DictReader[str]) -> None:
    columns = [name.strip() for name in reader.fieldnames or ()]
    missing = [name for name in REQUIRED if name not in columns]
    if missing:
        raise ManifestError(missing, columns)
    reader.fieldnames = columns


def _row_or_bad(folder: Path, number: int, line: Mapping[str, object]) -> ManifestRow | BadRow:
    values = {name: value.strip() for name, value in line.items() if isinstance(value, str)}
    try:
        return _row(folder, values)
    except _RefusedError as refused:
        return BadRow(number, refused.reason, refused.detail)


def _row(folder: Path, values: dict[str, str]) -> ManifestRow:
    if not values["infant"]:
        raise _RefusedError(BadRowReason.EMPTY_INFANT, "no infant is named")
    return ManifestRow(
        file=_existing(folder, values["file"]),
        infant=values["infant"],
        recorded_at=_aware_time(values["recorded_at"]),
        device=values.get("device") or None,
        age_days=_AGE_DAYS.get(values.get("age_band", "")),
        sex=values.get("sex") or None,
        reason=values.get("reason") or None,
        extra={name: value for name, value in values.items() if name not in _FIELDS},
    )


def _existing(folder: Path, name: str) -> Path:
    file = folder / name
    try:
        there = bool(name) and file.is_file()
    except (OSError, ValueError):  # a name too long, or with a null character
        there = False
    if not there:
        raise _RefusedError(BadRowReason.MISSING_FILE, f"there is no file {name!r}")
    return file


def _aware_time(text: str) -> dt.datetime:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise _RefusedError(BadRowReason.UNPARSABLE_TIME, f"{text!r} is no ISO 8601 time") from None
    if moment.utcoffset() is None:
        raise _RefusedError(BadRowReason.TIME_WITHOUT_ZONE, f"{text!r} has no offset from UTC")
    try:
        moment.astimezone(dt.UTC)
    except OverflowError:
        raise _RefusedError(
            BadRowReason.UNPARSABLE_TIME, f"{text!r} lies before all time"
        ) from None
    return moment


# --- Donate-a-Cry -------------------------------------------------------------------------------

_NAME = re.compile(
    r"(?P<infant>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})-(?P<epoch>\d{10}|\d{13})"
    r"-(?P<app>\d+(?:\.\d+)*)-(?P<sex>[a-z]+)-(?P<age>\d+)-(?P<reason>[a-z]+)\.(?P<kind>caf|3gp)",
    re.IGNORECASE,
)
_DEVICES = {"caf": "ios", "3gp": "android"}
_SEXES = {"m": "male", "f": "female"}
_AGES = {
    "04": "0-4 weeks",
    "48": "4-8 weeks",
    "26": "2-6 months",
    "72": "7 months-2 years",
    "22": "over 2 years",
}
_REASONS = {
    "hu": "hungry",
    "bu": "needs burping",
    "bp": "belly pain",
    "dc": "discomfort",
    "ti": "tired",
    "lo": "lonely",
    "ch": "cold or hot",
    "sc": "scared",
    "dk": "unknown",
}


def parse_donateacry_name(name: str, folder: Path = Path()) -> ManifestRow | None:
    """Read what a published Donate-a-Cry file name tells.

    Parameters
    ----------
    name
        ``installation-epoch-version-gender-age-reason.caf`` (or ``.3gp``); the epoch in seconds
        or milliseconds. Source: the naming scheme of the Donate-a-Cry corpus.
    folder
        Where the file lies.

    Returns
    -------
    ManifestRow or None
        The installation stands for the infant; None if the name has another form. A code that is
        not known leaves its field None.
    """
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    told = {part: text.lower() for part, text in match.groupdict().items()}
    epoch_s = int(told["epoch"]) / (1000.0 if len(told["epoch"]) > 10 else 1.0)
    band = _AGES.get(told["age"])
    return ManifestRow(
        file=(folder / name).resolve(),
        infant=told["infant"],
        recorded_at=dt.datetime.fromtimestamp(epoch_s, dt.UTC),
        device=_DEVICES[told["kind"]],
        age_days=_AGE_DAYS[band] if band else None,
        sex=_SEXES.get(told["sex"]),
        reason=_REASONS.get(told["reason"]),
        extra={"app_version": told["app"], "age_band": band or ""},
    )


def read_directory(path: Path) -> list[ManifestRow | BadRow]:
    """Read a folder, and the folders in it, of Donate-a-Cry files.

    Parameters
    ----------
    path
        The folder; only files that end in ``.caf`` or ``.3gp`` are looked at.

    Returns
    -------
    list
        One entry for each such file, in the order of their paths.

    Raises
    ------
    OSError
        The folder cannot be read, or is none.
    """
    if not path.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))
    names = (file for file in path.rglob("*") if file.suffix.lower() in (".caf", ".3gp"))
    files = sorted(file for file in names if file.is_file())
    return [_named_row_or_bad(number, file) for number, file in enumerate(files, start=1)]


def _named_row_or_bad(number: int, file: Path) -> ManifestRow | BadRow:
    row = parse_donateacry_name(file.name, file.parent)
    if row is None:
        return BadRow(number, BadRowReason.UNPARSABLE_NAME, f"{file.name!r} is no such name")
    return row
