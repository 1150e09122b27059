"""That a report on an infant was made is itself written down.

What comes in: who made it, of whom, on which days and in which form. What goes out: an event.
Guaranteed: names nobody but by id; holds nothing that stands in the report.
"""

import datetime as dt

from uuid6 import uuid7

from anomaly.models import Event
from infants.access import Viewer
from infants.models import Infant


def note_report(
    viewer: Viewer, infant: Infant, now: dt.datetime, days: tuple[dt.date, dt.date], form: str
) -> Event:
    """Write down that this viewer made a report on these days, as a page or as a document."""
    by = "system" if viewer.user is None else str(viewer.user.id)
    first, last = days
    return Event.objects.create(
        infant=infant,
        kind=Event.Kind.REPORT_MADE,
        key=f"{form} {uuid7()}",
        occurred_at=now,
        facts={"by": by, "from": first.isoformat(), "to": last.isoformat(), "form": form},
    )
