"""What the readings' pages print.

What comes in: a reader, or a task of the viewer's own. What goes out: values for the templates.
Guaranteed: what is made for a reader of a blinded task holds nothing by which an infant is known.
"""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext_lazy

from anomaly.figures import percent
from anomaly.models import Opinion, Reader, Reading, ReadingTask
from anomaly.reading_tasks import may_read_on
from anomaly.selectors.readings import (
    AgainstModel,
    Progress,
    is_done,
    own_order,
    progress_in,
    progress_of,
    readings_by,
    recordings_in,
    results_of,
)
from dashboard.patients.words import moment_words, person
from dashboard.readings.forms import CONFIDENCES, OPINIONS
from infants.access import Viewer
from infants.models import Recording
from pipelines.agreement import Agreement

OPINION_WORDS = dict(OPINIONS)
CONFIDENCE_WORDS = dict(CONFIDENCES)
KAPPA_WORDS = {
    "almost perfect": pgettext_lazy("agreement of readers", "almost perfect"),
    "substantial": pgettext_lazy("agreement of readers", "substantial"),
    "moderate": pgettext_lazy("agreement of readers", "moderate"),
    "fair": pgettext_lazy("agreement of readers", "fair"),
    "slight": pgettext_lazy("agreement of readers", "slight"),
    "poor": pgettext_lazy("agreement of readers", "poor"),
}


@dataclass(frozen=True)
class Named:
    """Whose recordings these are and of when, where a task is not blinded."""

    infant_id: UUID
    name: str
    start: str
    end: str


@dataclass(frozen=True)
class ItemPage:
    """One item; `recordings` are for the server alone, the page prints their numbers."""

    place: int
    n_items: int
    n_read: int
    recordings: list[Recording] = field(repr=False)
    named: Named | None
    said: dict[str, Any]

    @property
    def numbers(self) -> range:
        """The recordings' numbers."""
        return range(1, len(self.recordings) + 1)


@dataclass(frozen=True)
class SaidRow:
    """One item as its reader left it."""

    place: int
    opinion: str
    confidence: str


@dataclass(frozen=True)
class ReaderPage:
    """How far a reader is; `rows` are the reader's own words."""

    progress: Progress
    next_place: int | None
    may_read_on: bool
    rows: list[SaidRow]


@dataclass(frozen=True)
class ResultRow:
    """One number of a study's results."""

    who: str
    kappa: str
    interval: str
    words: str
    observed: str
    n: str
    method: str


@dataclass(frozen=True)
class OwnerPage:
    """How far the readers are, and once they are done what was found."""

    readers: list[tuple[str, Progress]]
    n_items: int
    is_done: bool
    results: list[ResultRow]
    how: str


def item_page(viewer: Viewer, reader: Reader, place: int) -> ItemPage | None:
    """Return one item in the reader's own order, or None: there is none at this place."""
    items, said = own_order(viewer, reader), readings_by(reader)
    if not 1 <= place <= len(items):
        return None
    item = items[place - 1]
    before = said.get(item.id)
    named = None
    if not reader.task.is_blinded:
        start, end = (moment_words(item.infant, at) for at in (item.starts_at, item.ends_at))
        named = Named(item.infant_id, item.infant.name, start, end)
    return ItemPage(
        place=place,
        n_items=len(items),
        n_read=sum(one.id in said for one in items),
        recordings=recordings_in(viewer, item),
        named=named,
        said={"opinion": before.opinion, "confidence": before.confidence} if before else {},
    )


def next_place(viewer: Viewer, reader: Reader) -> int | None:
    """Return the first place that is not read."""
    said = readings_by(reader)
    places = enumerate(own_order(viewer, reader), start=1)
    return next((place for place, item in places if item.id not in said), None)


def reader_page(viewer: Viewer, reader: Reader) -> ReaderPage:
    """Return how far a reader is."""
    said = readings_by(reader)
    rows = [
        SaidRow(
            place,
            str(OPINION_WORDS[Opinion(said[item.id].opinion)]),
            str(CONFIDENCE_WORDS[Reading.Confidence(said[item.id].confidence)]),
        )
        for place, item in enumerate(own_order(viewer, reader), start=1)
        if item.id in said
    ]
    return ReaderPage(
        progress=progress_of(viewer, reader),
        next_place=next_place(viewer, reader),
        may_read_on=may_read_on(viewer, reader),
        rows=rows,
    )


def owner_page(task: ReadingTask) -> OwnerPage:
    """Return what the owner sees: who is how far, and what was found once nobody reads on."""
    progress = progress_in(task)
    done = is_done(task, progress)
    found = results_of(task) if done else None
    results = []
    if found is not None and found.readers is not None:
        n = found.readers.n_readers
        who = ngettext("%(n)d reader", "%(n)d readers among themselves", n) % {"n": n}
        results.append(_result(who, found.readers))
    if found is not None:
        results += [_against(one) for one in found.against_model]
    return OwnerPage(
        readers=[(person(one.reader.user), one) for one in progress],
        n_items=task.items.count(),
        is_done=done,
        results=results,
        how=_how(found.readers if found else None),
    )


def _against(one: AgainstModel) -> ResultRow:
    named = {"number": one.reader.number, "name": person(one.reader.user)}
    return _result(_("Reader %(number)d (%(name)s) and the model") % named, one.found)


def _result(who: str, found: Agreement) -> ResultRow:
    method = _("Cohen’s kappa") if found.n_readers == 2 else _("Fleiss’ kappa")
    return ResultRow(
        who=who,
        kappa=_("not defined") if found.kappa is None else _figure(found.kappa),
        interval=_interval(found),
        words=str(KAPPA_WORDS.get(found.words, found.words)),
        observed="–" if found.observed_frac is None else percent(found.observed_frac),
        n=str(found.n_items),
        method=method,
    )


def _interval(found: Agreement) -> str:
    if found.low is None or found.high is None:
        return "–"
    named = {"low": _figure(found.low), "high": _figure(found.high)}
    return _("%(low)s to %(high)s") % named


def _figure(number: float) -> str:
    return formats.number_format(round(number, 2), 2)


def _how(found: Agreement | None) -> str:
    """Say how the intervals were made."""
    if found is not None and found.by_groups:
        return _("Intervals of 95 % by a bootstrap that draws whole infants.")
    return _(
        "Intervals of 95 % by a bootstrap that draws items. Items of one infant are alike, and "
        "there are too few infants to draw them whole: take the intervals for too narrow."
    )
