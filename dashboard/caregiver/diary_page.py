"""The diary by day.

What comes in: a place and a cursor. What goes out: a page of days with their entries. Guaranteed:
days and times are the infant's own; what the viewer may not change has no way to change it.
"""

import datetime as dt
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from dashboard.caregiver import sentences
from dashboard.caregiver.paging import page_of
from dashboard.caregiver.place import Place
from infants.models import DiaryEntry
from infants.selectors import LONGEST_SLEEP, diary_where

ENTRIES = 40


@dataclass(frozen=True)
class Line:
    """One entry in words."""

    id: UUID
    kind: str
    time: str
    words: str
    is_changeable: bool


@dataclass(frozen=True)
class Day:
    """A day and what was written of it, newest first."""

    name: str
    lines: list[Any]


@dataclass(frozen=True)
class DiaryPage:
    """Everything to print."""

    days: list[Day]
    older: str
    is_first: bool


def diary_page(place: Place, cursor: str) -> DiaryPage:
    """Return one page of the diary."""
    entries = diary_where(place.viewer, {"infant": place.infant.id})
    paged = page_of(entries, "starts_at", cursor, ENTRIES)
    today = place.infant.local_day(place.now)
    days = [
        Day(sentences.day_name(day, today), [_line(entry, place) for entry in of_day])
        for day, of_day in groupby(paged.rows, key=lambda one: _day(one, place))
    ]
    return DiaryPage(days, paged.older, paged.is_first)


def _day(entry: DiaryEntry, place: Place) -> dt.date:
    return place.infant.local_day(entry.starts_at)


def _line(entry: DiaryEntry, place: Place) -> Line:
    time = sentences.entry_time(entry, place.infant)
    if entry.kind == DiaryEntry.Kind.SLEEP and entry.ends_at is None:
        goes_on = place.now - entry.starts_at < LONGEST_SLEEP
        said = {"time": time}
        time = _("%(time)s, goes on") % said if goes_on else _("%(time)s, no end noted") % said
    return Line(
        id=entry.id,
        kind=entry.kind,
        time=time,
        words=sentences.entry(entry, is_identified=place.is_identified),
        is_changeable=bool(getattr(entry, "is_changeable", False)),
    )
