"""Pulse: whether anything changed that a viewer's pages show.

What comes in: the viewer. What goes out: for each infant when anything last changed that pages tell
of: a recording got on, something was judged or reviewed, a monitor was heard, the diary was
written. Guaranteed: one query, however many infants; nothing but times.
"""

import datetime as dt
from uuid import UUID

from django.db.models import Max, OuterRef, Subquery

from anomaly.models import Event
from infants.access import Viewer, infants_for
from infants.models import DeviceAssignment, DiaryEntry, Recording

NEVER = dt.datetime.min.replace(tzinfo=dt.UTC)


def pulse(viewer: Viewer) -> dict[UUID, dt.datetime]:
    """Return when each infant that the viewer may see last changed."""
    own = {"infant": OuterRef("id")}
    recordings = Recording.objects.filter(**own).order_by("-state_changed_at")
    events = Event.objects.filter(**own).order_by("-id")  # which are made in the order of time
    heard = (
        DeviceAssignment.objects.filter(ends_at=None, **own)
        .order_by()
        .values("infant")
        .annotate(newest=Max("device__last_seen_at"))
    )
    written = (
        DiaryEntry.objects.filter(**own)
        .order_by()
        .values("infant")
        .annotate(newest=Max("updated_at"))
    )
    rows = infants_for(viewer).values_list(
        "id",
        Subquery(recordings.values("state_changed_at")[:1]),
        Subquery(events.values("created_at")[:1]),
        Subquery(heard.values("newest")[:1]),
        Subquery(written.values("newest")[:1]),
    )
    return {id_: max(filter(None, times), default=NEVER) for id_, *times in rows}
