"""Published data sets as archives: whose each file is, and when it was recorded.

What comes in: rows of a layout. What goes out: rows that `iclas.archive` takes. Guaranteed: an
infant of one data set is never taken for one of another; no day is made up unless the operator says
from which one on, and then the order within a session, and of sessions, is that of the layout.
"""

import datetime as dt
import zoneinfo
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipelines.corpus_row import CorpusRow
from pipelines.layouts import Layout
from pipelines.manifest import BadRow, BadRowReason, ManifestRow

OWN_NAMES = frozenset({Layout.MANIFEST, Layout.DONATEACRY})
"""Layouts whose infants are called by what is known everywhere: a person's word, or a UUID."""
FIRST_HOUR = dt.time(9)
APART = dt.timedelta(seconds=15)
DAY = dt.timedelta(days=1)
NO_TIME = "the layout does not say when it was recorded; --from-day gives sessions a day each"


@dataclass(frozen=True)
class Calendar:
    """In which zone a layout's clocks ran, and on which day sessions without a time begin."""

    zone: zoneinfo.ZoneInfo
    first_day: dt.date | None = None


def rows_for_archive(
    layout: Layout, rows: Sequence[CorpusRow | BadRow], calendar: Calendar
) -> Iterator[ManifestRow | BadRow]:
    """Yield what an archive takes, and what it cannot take, in the order of the layout."""
    session_of, place_of = _sessions(rows), _places(rows)
    for number, row in enumerate(rows, start=1):
        if isinstance(row, BadRow):
            yield row
            continue
        at = _recorded_at(row, calendar, session_of.get(number, 0), place_of.get(number, 0))
        if at is None:
            yield BadRow(number, BadRowReason.NO_TIME, f"{row.file.name}: {NO_TIME}")
        else:
            yield _manifest_row(layout, row, at)


def _recorded_at(
    row: CorpusRow, calendar: Calendar, session: int, place: int
) -> dt.datetime | None:
    if row.recorded_at is not None:
        return row.recorded_at
    if row.local_time is not None:
        return dt.datetime.fromisoformat(row.local_time).replace(
            tzinfo=calendar.zone
        ) + place * dt.timedelta(seconds=1)
    if calendar.first_day is None:
        return None
    start = dt.datetime.combine(calendar.first_day, FIRST_HOUR, calendar.zone)
    return start + session * DAY + place * APART


def _sessions(rows: Sequence[CorpusRow | BadRow]) -> dict[int, int]:
    """Return which of its infant's sessions each row belongs to, by the row's number."""
    known: dict[str, dict[str, int]] = {}
    found = {}
    for number, row in enumerate(rows, start=1):
        if isinstance(row, CorpusRow):
            sessions = known.setdefault(row.infant, {})
            found[number] = sessions.setdefault(row.session or "", len(sessions))
    return found


def _places(rows: Sequence[CorpusRow | BadRow]) -> dict[int, int]:
    """Return each row's place in its session: the layout's, or where the row stands."""
    counts: Counter[tuple[str, str]] = Counter()
    places = {}
    for number, row in enumerate(rows, start=1):
        if isinstance(row, CorpusRow):
            key = (row.infant, row.session or "")
            places[number] = counts[key] if row.place is None else row.place
            counts[key] += 1
    return places


def _manifest_row(layout: Layout, row: CorpusRow, at: dt.datetime) -> ManifestRow:
    infant = row.infant if layout in OWN_NAMES else f"{layout}:{row.infant}"
    return ManifestRow(
        file=row.file,
        infant=infant,
        recorded_at=at,
        device=row.device,
        age_days=row.age_days,
        sex=row.sex,
        reason=row.reason,
        extra=dict(row.extra),
    )
