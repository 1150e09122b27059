"""What every layout of a corpus is read into: one row for each file, or why it was not taken."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.errors import ManifestError


@dataclass(frozen=True)
class CorpusRow:
    """One file of a corpus.

    Attributes
    ----------
    file, infant
        Where it lies, and whose it is.
    recorded_at
        None where the layout does not say.
    local_time
        ISO 8601 without a zone: what the clocks showed where it was recorded, where the layout
        says that and not the zone.
    session
        Name of the infant's session; None where only time tells sessions apart.
    place
        Place among the files of its session; None where there is no order.
    split
        Part of the corpus as published (``train``, ``dev``, ``test``); None where there are none.
    cut
        Whether it is one piece of crying that was cut out already, so that nothing in it is to be
        searched for; the pieces of one infant and session make up one recording.
    device, sex, reason, age_days
        None where the layout does not say.
    """

    file: Path
    infant: str
    recorded_at: dt.datetime | None = None
    session: str | None = None
    place: int | None = None
    split: str | None = None
    cut: bool = False
    device: str | None = None
    sex: str | None = None
    reason: str | None = None
    local_time: str | None = None
    age_days: float | None = None
    extra: Mapping[str, str] = field(default_factory=dict)


def need_columns(columns: Sequence[str], reader: csv.DictReader[str]) -> None:
    """Refuse a list that lacks a column.

    Raises
    ------
    ManifestError
        Which names what is missing.
    """
    found = reader.fieldnames or ()
    missing = [name for name in columns if name not in found]
    if missing:
        raise ManifestError(missing, found)
