"""The page of the protocol of 24 hours.

What comes in: the viewer, a visible infant, the last day and how many. What goes out: a `Page` that
a template only prints. Guaranteed: every time is the infant's own; everything drawn stands in the
tables too; a fixed number of queries.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from anomaly.selectors.protocol import Lived, lived_by
from dashboard import words
from dashboard.report import phrases
from dashboard.report.days import Day, dates_between, days_of, midnight
from dashboard.report.phrases import Phrases
from dashboard.report.protocol_chart import NARROW, Chart, draw, wide_layout
from dashboard.report.shapes import SHAPES, Shape
from infants.access import Viewer
from infants.models import DiaryEntry, Infant

DAYS = (7, 14, 28)
DEFAULT_DAYS = 14
ONE_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class KeyEntry:
    """A shape of the drawing and what it stands for."""

    kind: str
    shape: Shape
    words: str


@dataclass(frozen=True)
class DayRow:
    """A day as a line of the table, with what is drawn of it."""

    name: str
    figures: list[str]
    entries: list[str]


@dataclass(frozen=True)
class Page:
    """Everything to print; `later` is absent where the newest days are shown."""

    name: str
    zone: str
    n_days: int
    first: dt.date
    last: dt.date
    period: str
    wide: Chart
    narrow: Chart
    totals: list[tuple[str, str]]
    key: list[KeyEntry]
    clocks: list[str]
    rows: list[DayRow]
    earlier: dt.date
    later: dt.date | None


def page_of(viewer: Viewer, infant: Infant, now: dt.datetime, last: dt.date, n_days: int) -> Page:
    """Return the page of so many days of an infant."""
    is_identified = bool(getattr(infant, "is_identified", False))
    said = Phrases(infant.zone, is_identified)
    first, today = last - (n_days - 1) * ONE_DAY, infant.local_day(now)
    lived = lived_in(viewer, infant, now, first, last)
    days = days_of(lived, list(dates_between(first, last)), infant.zone)
    return Page(
        name=words.called(infant, is_identified=is_identified),
        zone=infant.time_zone,
        n_days=n_days,
        first=first,
        last=last,
        period=phrases.period(first, last),
        wide=draw(days, infant.zone, wide_layout(n_days), said.labels),
        narrow=draw(days, infant.zone, NARROW, said.labels),
        totals=phrases.totals_names(),
        key=key_of(days),
        clocks=[said.clocks(day) for day in days if day.has_clock_change],
        rows=[_row(day, said) for day in days],
        earlier=last - n_days * ONE_DAY,
        later=min(last + n_days * ONE_DAY, today) if last < today else None,
    )


def lived_in(
    viewer: Viewer, infant: Infant, now: dt.datetime, first: dt.date, last: dt.date
) -> Lived:
    """Return what was lived from the first day to the end of the last, or to now."""
    end = min(midnight(last + ONE_DAY, infant.zone), max(now, midnight(first, infant.zone)))
    return lived_by(viewer, infant, midnight(first, infant.zone), end)


def key_of(days: Sequence[Day]) -> list[KeyEntry]:
    """Return the shapes with their words: feeds and unusual bouts, and what else is drawn."""
    drawn = {entry.kind for day in days for entry in day.diary}
    if any(day.dozed_off for day in days):
        drawn.add("dozed_off")
    always = {"unusual", DiaryEntry.Kind.FEED.value}
    names = phrases.shape_names()
    return [KeyEntry(kind, SHAPES[kind], names[kind]) for kind in SHAPES if kind in drawn | always]


def figures_of(day: Day) -> list[str]:
    """Return a day's figures as the table has them."""
    cried, n_bouts, slept, n_feeds = phrases.totals(day)
    return [
        cried,
        n_bouts,
        phrases.whole(day.n_unusual) if day.bouts else phrases.NONE,
        phrases.minutes(day.longest_s) if day.bouts else phrases.NONE,
        slept,
        n_feeds,
        f"{phrases.hours(day.heard_s)} / {phrases.whole(day.hours)}",
    ]


def _row(day: Day, said: Phrases) -> DayRow:
    timed = [(bout.span.start, said.bout(bout)) for bout in day.bouts]
    timed += [(entry.starts_at, said.entry(entry)) for entry in day.diary]
    return DayRow(
        name=phrases.short_date(day.date),
        figures=figures_of(day),
        entries=[text for _, text in sorted(timed)],
    )
