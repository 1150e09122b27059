"""The timeline's page: what a template prints before any script runs.

What comes in: the viewer, a visible infant, what is asked, and the moment. What goes out: a `Page`.
Guaranteed: the drawn chart, the tables and the script's first document are of one reading.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from anomaly.selectors.lanes import days_of, heard_from_to
from dashboard import words
from dashboard.infant_page import NARROW, WIDE
from dashboard.timeline import labels
from dashboard.timeline.asked import Asked, asked_of
from dashboard.timeline.channels import SHOWN
from dashboard.timeline.document import Document, document, life
from dashboard.timeline.reading import Reading, read
from dashboard.timeline.story import story_of, summary_words
from dashboard.timeline.tables import TABLES, TITLES, TablePage, start_of_table
from dashboard.timeline_chart import Chart, draw
from infants.access import Viewer
from infants.listening import may_listen
from infants.models import Infant

OLD = dt.timedelta(days=30)
AFTER_AN_ARCHIVE = dt.timedelta(hours=12)
SPANS = ("1d", "7d", "30d", "90d", "365d")
SPAN_WORDS = {
    "1d": gettext_lazy("1 day"),
    "7d": gettext_lazy("7 days"),
    "30d": gettext_lazy("30 days"),
    "90d": gettext_lazy("90 days"),
    "365d": gettext_lazy("1 year"),
}


@dataclass(frozen=True)
class Named:
    """Whose page it is."""

    name: str


@dataclass(frozen=True)
class Choice:
    """Something that can be shown beside."""

    name: str
    label: str
    is_chosen: bool


@dataclass(frozen=True)
class BehindChart:
    """A table behind a chart, its first page, and where the rest is."""

    name: str
    title: str
    page: TablePage


@dataclass(frozen=True)
class Page:
    """Everything to print."""

    card: Named
    infant: Infant
    asked: Asked
    stretch_words: str
    wide: Chart
    narrow: Chart
    summary: str
    usual_words: str
    tables: list[BehindChart]
    channels: list[Choice]
    scorers: list[Choice]
    spans: list[tuple[str, str, bool]]
    script: dict[str, Any]
    may_listen: bool
    is_empty: bool


def latest_of(viewer: Viewer, infant: Infant, now: dt.datetime) -> dt.datetime:
    """Return where the view ends by itself: now, or where an old archive ends."""
    return _latest(heard_from_to(viewer, infant), now)


def _latest(ends: tuple[dt.datetime, dt.datetime] | None, now: dt.datetime) -> dt.datetime:
    return now if ends is None or now - ends[1] < OLD else ends[1] + AFTER_AN_ARCHIVE


def page_of(viewer: Viewer, infant: Infant, query: Any, now: dt.datetime) -> Page:  # noqa: ANN401
    """Return the page of an infant; the query is a request's."""
    ends = heard_from_to(viewer, infant)
    latest = _latest(ends, now)
    asked = asked_of(query, infant, latest)
    reading = read(viewer, infant, asked, now)
    story = story_of(reading)
    return Page(
        card=Named(words.called(infant, is_identified=infant.is_identified)),  # type: ignore[attr-defined]
        infant=infant,
        asked=asked,
        stretch_words=stretch_words(asked, infant),
        wide=draw(story, WIDE),
        narrow=draw(story, NARROW),
        summary=summary_words(reading),
        usual_words=usual_words(reading),
        tables=tables_of(reading),
        channels=[Choice(n, str(one.label), n in asked.channels) for n, one in SHOWN.items()],
        scorers=[Choice(n, str(one), n in asked.scorers) for n, one in labels.SCORERS.items()],
        spans=[(span, str(SPAN_WORDS[span]), _is_span(asked, span)) for span in SPANS],
        script=_script(viewer, reading, ends, latest),
        may_listen=may_listen(viewer, infant),
        is_empty=ends is None,
    )


def tables_of(reading: Reading) -> list[BehindChart]:
    """Return the tables behind the charts, each with its first page."""
    return [
        BehindChart(name, str(TITLES[name]), start_of_table(make(reading)))
        for name, make in TABLES.items()
    ]


def stretch_words(asked: Asked, infant: Infant) -> str:
    """Return from when to when, where the infant lives."""
    first, last = infant.local_day(asked.start), infant.local_day(asked.end)
    return _("%(first)s to %(last)s") % {
        "first": formats.date_format(first, "DATE_FORMAT"),
        "last": formats.date_format(last, "DATE_FORMAT"),
    }


def usual_words(reading: Reading) -> str:
    """Return what the bands in the charts are."""
    usual = reading.usual
    if not usual.n_recordings:
        return _("No usual range is known yet: too few recordings were learnt from.")
    if usual.version is None:
        return _(
            "The bands hold eight in ten of the %(n)d recordings that were accepted so far."
        ) % {"n": usual.n_recordings}
    return _(
        "The bands hold eight in ten of the %(n)d recordings that model %(number)d learnt from."
    ) % {"n": usual.n_recordings, "number": usual.version}


def channel_facts() -> dict[str, Any]:
    """Return of each channel what the script writes beside it."""
    return {
        name: {"label": str(one.label), "unit": str(one.unit), "places": one.places}
        for name, one in SHOWN.items()
    }


def _script(
    viewer: Viewer,
    reading: Reading,
    ends: tuple[dt.datetime, dt.datetime] | None,
    latest: dt.datetime,
) -> dict[str, Any]:
    infant = reading.infant
    first = ends[0] if ends else reading.asked.start
    days = days_of(viewer, infant)
    whole: Document = life(
        days, infant.zone, min(first, reading.asked.start), max(latest, reading.asked.end)
    )
    return {
        "document": document(reading),
        "life": whole,
        "channels": channel_facts(),
        "words": labels.script_words(),
        "unusual": 0.05,
    }


def _is_span(asked: Asked, span: str) -> bool:
    return (asked.end - asked.start) == dt.timedelta(days=int(span[:-1]))
