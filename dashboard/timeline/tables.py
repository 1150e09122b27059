"""The tables behind the charts: the same numbers in rows, in pages, and as a file.

What comes in: a `Reading`. What goes out: a `Table` of plain cells. Guaranteed: a table holds what
its chart shows of the same stretch, no more and no less; in a file no cell is taken for a formula.
"""

import csv
import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from io import StringIO
from typing import Any

from django.core.paginator import Paginator
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from anomaly.models import Episode
from anomaly.selectors.focus import Single, SumUp
from anomaly.selectors.timeline import ScoredBucket
from dashboard import words
from dashboard.infant_page import LOOKS
from dashboard.timeline import labels
from dashboard.timeline.channels import SHOWN, to_people
from dashboard.timeline.reading import Reading, gate_of, reason_of
from pipelines.lasting import WatchedDay

ROWS_A_PAGE = 25
FIRST_ROWS = 8
FORMULA = ("=", "+", "-", "@", "\t", "\r")
Cell = str | float | int | None
Words = str | Promise


@dataclass(frozen=True)
class Row:
    """One line; `link` is the recording that it is of, where it is of one."""

    cells: Sequence[Cell]
    link: str = ""


@dataclass(frozen=True)
class Table:
    """Headings, and what its rows are made of; the first cell of a row is what it is about."""

    name: str
    caption: Words
    headings: Sequence[Words]
    sources: Sequence[Any]
    row_of: Callable[[Any], Row]

    def rows(self, chosen: slice = slice(None)) -> list[Row]:
        """Return the rows, or some of them; the others are not made."""
        return [self.row_of(one) for one in self.sources[chosen]]


@dataclass(frozen=True)
class TablePage:
    """One page of a table, ready to print; `is_start` where it is but its first rows."""

    table: Table
    rows: Sequence[Row]
    number: int
    n_pages: int
    is_start: bool = False


def page_of_table(table: Table, number: int) -> TablePage:
    """Return one page; a number that there is not is taken for the nearest one."""
    pages = Paginator(table.sources, ROWS_A_PAGE)
    page = pages.get_page(number)
    rows = table.rows(slice(page.start_index() - 1 if table.sources else 0, page.end_index()))
    return TablePage(table, rows, page.number, pages.num_pages)


def start_of_table(table: Table) -> TablePage:
    """Return the first rows; the rest is a page of its own."""
    is_start = len(table.sources) > FIRST_ROWS
    return TablePage(table, table.rows(slice(FIRST_ROWS)), 1, 1, is_start)


def as_csv(table: Table) -> str:
    """Return a table as a file of values separated by commas."""
    file = StringIO()
    writer = csv.writer(file)
    writer.writerow([str(heading) for heading in table.headings])
    writer.writerows([_harmless(cell) for cell in row.cells] for row in table.rows())
    return file.getvalue()


def _harmless(cell: Cell) -> Cell:
    """Return a cell that no spreadsheet takes for a formula; numbers stay numbers."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


def recordings_table(reading: Reading) -> Table:
    """Return what stands behind the chart of p-values and the gate's lane."""
    return _singles(reading) if reading.focus.bucket is None else _buckets(reading)


def _singles(reading: Reading) -> Table:
    scorers = reading.asked.scorers
    headings = [
        *(_("Recorded"), _("Number"), _("p-value"), _("Gate"), _("Why"), _("Review")),
        *(str(labels.SCORERS[name]) for name in scorers),
    ]

    def row_of(one: Single) -> Row:
        return Row(
            [
                *(_local(reading, one.time), one.number, _rounded(one.p_value)),
                *(str(labels.GATES[gate_of(one)]), reason_of(one), _review(one)),
                *(_rounded(one.p_values.get(name)) for name in scorers),
            ],
            str(one.id),
        )

    return Table("recordings", _("Recordings"), headings, reading.focus.singles, row_of)


def _review(one: Single) -> str:
    if one.review is None:
        return ""
    return _("may be learnt") if one.review else _("not to be learnt")


def _buckets(reading: Reading) -> Table:
    scorers = reading.asked.scorers
    headings = [
        *(_("From"), _("Recordings"), _("Median p"), _("Smallest p"), _("Sessions’ median p")),
        *(_("Accepted"), _("Not a cry"), _("Reviewed")),
        *(str(labels.SCORERS[name]) for name in scorers),
    ]
    caption, sources = _("Recordings, summed up"), _heard(reading)
    return Table("recordings", caption, headings, sources, lambda one: _bucket_row(reading, one))


def _bucket_row(reading: Reading, one: SumUp) -> Row:
    heard = getattr(one.row, "heard", None)
    scored = one.row if isinstance(one.row, ScoredBucket) else None
    session = one.session_p_values
    return Row(
        [
            _local(reading, one.row.stretch.start),
            heard.n_recordings if heard else 0,
            _rounded(scored.p_value_median if scored else None),
            _rounded(scored.p_value_min if scored else None),
            _rounded(session[1] if session else None),
            heard.n_accepted if heard else 0,
            *(one.n_not_cries, one.n_reviewed),
            *(_rounded(one.scorers.get(name)) for name in reading.asked.scorers),
        ]
    )


def channels_table(reading: Reading) -> Table:
    """Return what stands behind the small charts of the acoustic channels."""
    names = reading.asked.channels
    if reading.focus.bucket is None:
        headings = [_("Recorded"), *(_heading(name) for name in names)]
        measured = [one for one in reading.focus.singles if one.channels]

        def row_of(one: Single) -> Row:
            values = (_value(one, name) for name in names)
            return Row([_local(reading, one.time), *values], str(one.id))

        return Table("channels", _("Acoustic channels"), headings, measured, row_of)
    headings = [_("From"), *(h for name in names for h in _three_headings(name))]
    summed_up = [one for one in _heard(reading) if one.channels]
    return Table(
        "channels",
        _("Acoustic channels, summed up"),
        headings,
        summed_up,
        lambda one: Row([_local(reading, one.row.stretch.start), *_three(one, names)]),
    )


def _heading(name: str) -> str:
    shown = SHOWN[name]
    return f"{shown.label} ({shown.unit})"


def _three_headings(name: str) -> list[str]:
    return [
        _("%(channel)s, a tenth under") % {"channel": _heading(name)},
        _("%(channel)s, median") % {"channel": _heading(name)},
        _("%(channel)s, nine tenths under") % {"channel": _heading(name)},
    ]


def _three(one: SumUp, names: Sequence[str]) -> Iterator[Cell]:
    for name in names:
        found = one.channels.get(name)
        ends = (found.low, found.middle, found.high) if found else (None, None, None)
        yield from (None if end is None else to_people(name, end) for end in ends)


def _value(one: Single, name: str) -> Cell:
    value = one.channels.get(name, {}).get("value")
    return None if value is None else to_people(name, float(value))


def monitor_table(reading: Reading) -> Table:
    """Return what stands behind the chart of the sequential monitor's evidence."""
    moved = {"room": _("another room"), "device": _("another monitor")}
    headings = [_("Day"), _("Statistic"), _("Threshold"), _("Reached"), _("Surroundings")]

    def row_of(one: WatchedDay) -> Row:
        is_over = one.highest >= reading.threshold
        figures = (one.day.isoformat(), round(one.highest, 2), reading.threshold)
        return Row([*figures, _("yes") if is_over else _("no"), moved.get(one.surroundings, "")])

    return Table("monitor", _("Evidence by day"), headings, reading.lanes.watched, row_of)


def happened_table(reading: Reading) -> Table:
    """Return what stands behind the lanes: episodes, diary, models, monitors and gaps."""
    headings = [_("From"), _("To"), _("What"), _("Words")]

    def row_of(one: Happened) -> Row:
        ends = [_local(reading, one.start), _local(reading, one.end)]
        return Row([*ends, str(one.what), str(one.words())])

    sources = sorted(_happened(reading), key=lambda one: one.start)
    return Table("happened", _("What else happened"), headings, sources, row_of)


@dataclass(frozen=True)
class Happened:
    """Something beside the scores; its words are made when they are printed."""

    start: dt.datetime
    end: dt.datetime | None
    what: Words
    words: Callable[[], Words]


def _happened(reading: Reading) -> Iterator[Happened]:
    lanes, infant, now = reading.lanes, reading.infant, reading.now
    for episode in lanes.episodes:
        look = LOOKS[Episode.Kind(episode.kind)].name
        said = partial(words.episode_words, infant, episode, now)
        yield Happened(episode.began_at, episode.closed_at, labels.EPISODES[look], said)
    for note in lanes.notes:
        said = partial(labels.note_words, note)
        yield Happened(note.starts_at, note.ends_at, _("diary"), said)
    for version in lanes.versions:
        yield Happened(version.time, None, _("model"), partial(labels.version_words, version))
    for one in lanes.serving:
        said = partial(labels.monitor_words, one)
        yield Happened(one.starts_at, one.ends_at, _("monitor"), said)
    for gap in reading.gaps:
        yield Happened(gap.start, gap.end, _("gap"), partial(labels.GAPS.__getitem__, gap.kind))


def _heard(reading: Reading) -> list[SumUp]:
    return [one for one in reading.focus.buckets if hasattr(one.row, "heard") or one.n_not_cries]


def _local(reading: Reading, moment: dt.datetime | None) -> str:
    if moment is None:
        return ""
    return moment.astimezone(reading.infant.zone).strftime("%Y-%m-%d %H:%M")


def _rounded(p_value: float | None) -> float | None:
    return None if p_value is None else float(f"{p_value:.3g}")


TABLES: dict[str, Callable[[Reading], Table]] = {
    "recordings": recordings_table,
    "monitor": monitor_table,
    "channels": channels_table,
    "happened": happened_table,
}
TITLES = {
    "recordings": gettext_lazy("The numbers behind the chart"),
    "monitor": gettext_lazy("The numbers behind the evidence"),
    "channels": gettext_lazy("The numbers behind the acoustic channels"),
    "happened": gettext_lazy("The episodes, the diary and the rest as a table"),
}
