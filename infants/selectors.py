"""Infants, sessions, recordings and cries as a viewer may read them."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from devices.models import Device
from infants.access import (
    Right,
    Viewer,
    assignments_for,
    diary_changeable_by,
    exportable_infants,
    infants_for,
    sees_everything,
)
from infants.errors import UnknownInfantError
from infants.models import Cry, DiaryEntry, Infant, Recording, RecordingSession


def visible_infants(viewer: Viewer) -> QuerySet[Infant]:
    """Return the infants whose records this viewer may see.

    `is_identified` says of each whether the viewer may know the name and the date of birth too.
    """
    known_by_name = infants_for(viewer, Right.IDENTIFY).filter(id=OuterRef("id"))
    seen = infants_for(viewer, Right.SEE).select_related("household")
    return seen.annotate(is_identified=Exists(known_by_name))


def infant_named(viewer: Viewer, name: str) -> Infant:
    """Return the visible infant with this id or source key."""
    infants = visible_infants(viewer)
    try:
        found = infants.filter(id=name).first()
    except ValidationError:  # not the form of an id
        found = None
    if found is None and name:  # a source key may have the form of an id
        found = infants.filter(source_key=name).first()
    if found is None:
        raise UnknownInfantError(name)
    return found


def exported_infants(viewer: Viewer) -> QuerySet[Infant]:
    """Return the infants whose data this viewer may take away, in the order they were added.

    `is_identified` says of each whether names and dates of birth go along.
    """
    takeable = exportable_infants(viewer).values("id")
    return visible_infants(viewer).filter(id__in=takeable).order_by("created_at", "id")


def exported_infant(viewer: Viewer, infant_id: UUID) -> Infant:
    """Return an infant of whom that holds."""
    found = exported_infants(viewer).filter(id=infant_id).first()
    if found is None:
        raise UnknownInfantError(str(infant_id))
    return found


def managed_infant(viewer: Viewer, infant_id: UUID) -> Infant:
    """Return an infant whose members, devices and policies this viewer may change."""
    found = infants_for(viewer, Right.MANAGE).filter(id=infant_id).first()
    if found is None:
        raise UnknownInfantError(str(infant_id))
    return found


def managed_infants(viewer: Viewer) -> QuerySet[Infant]:
    """Return the infants of whom that holds, in the order in which they were added."""
    return infants_for(viewer, Right.MANAGE).select_related("household").order_by("created_at")


def check_visible(viewer: Viewer, infant: Infant) -> None:
    """Refuse an infant that this viewer may not see, once for all that is read of it then."""
    if not infants_for(viewer).filter(id=infant.id).exists():
        raise UnknownInfantError(str(infant.id))


def infant_served(device: Device, moment: dt.datetime) -> Infant | None:
    """Return the infant that a device served at this moment."""
    still = Q(ends_at=None) | Q(ends_at__gt=moment)
    assignment = assignments_for(device).filter(still, starts_at__lte=moment).first()
    return assignment.infant if assignment else None


def visible_sessions(viewer: Viewer) -> QuerySet[RecordingSession]:
    """Return the recording sessions of the infants this viewer may see."""
    return RecordingSession.objects.filter(infant__in=infants_for(viewer, Right.SEE))


def visible_recordings(viewer: Viewer) -> QuerySet[Recording]:
    """Return the recordings this viewer may see; a device sees its own, to know their fate."""
    if viewer.device is not None:
        return Recording.objects.filter(device=viewer.device)
    if sees_everything(viewer):
        return Recording.objects.all()
    return Recording.objects.filter(infant__in=infants_for(viewer, Right.SEE))


def sessions_where(viewer: Viewer, chosen: Mapping[str, Any]) -> QuerySet[RecordingSession]:
    """Return the visible sessions of an infant, or that started in a span, with their sizes."""
    wanted = _wanted(chosen, {"infant": "infant_id", **_span("started_at")})
    return visible_sessions(viewer).filter(**wanted).annotate(n_recordings=Count("recordings"))


def recordings_where(viewer: Viewer, chosen: Mapping[str, Any]) -> QuerySet[Recording]:
    """Return the visible recordings of an infant, a session, a state or a span."""
    names = {"infant": "infant_id", "session": "session_id", "state": "state"}
    recordings = visible_recordings(viewer).defer("gate_features", "room")
    return recordings.filter(**_wanted(chosen, names | _span("recorded_at")))


def _span(column: str) -> dict[str, str]:
    return {"from": f"{column}__gte", "to": f"{column}__lt"}


def _wanted(chosen: Mapping[str, Any], columns: Mapping[str, str]) -> dict[str, Any]:
    """Return the conditions that were chosen, by column."""
    return {column: chosen[name] for name, column in columns.items() if name in chosen}


def cries_of(viewer: Viewer, recordings: Sequence[UUID]) -> QuerySet[Cry]:
    """Return the cries of these recordings, in order, as far as the viewer may see them."""
    seen = visible_recordings(viewer).filter(id__in=recordings)
    return Cry.objects.filter(recording__in=seen).order_by("recording", "index")


LONGEST_SLEEP = dt.timedelta(hours=24)
"""A sleep that began longer ago is not going on: somebody forgot to write down its end."""


def diary_where(viewer: Viewer, chosen: Mapping[str, Any]) -> QuerySet[DiaryEntry]:
    """Return the visible diary entries of an infant, a kind or a span of their beginning.

    `is_changeable` says of each whether the viewer may change it, `is_identified` whether the
    viewer may read its text, which can name people.
    """
    names = {"infant": "infant_id", "kind": "kind"} | _span("starts_at")
    known_by_name = infants_for(viewer, Right.IDENTIFY).filter(id=OuterRef("infant_id"))
    entries = DiaryEntry.objects.filter(infant__in=infants_for(viewer))
    return entries.filter(**_wanted(chosen, names)).annotate(
        is_changeable=Exists(diary_changeable_by(viewer).filter(id=OuterRef("id"))),
        is_identified=Exists(known_by_name),
    )


def running_sleep(infant: Infant, now: dt.datetime) -> DiaryEntry | None:
    """Return the sleep that goes on, by the diary."""
    sleeps = DiaryEntry.objects.filter(
        infant=infant,
        kind=DiaryEntry.Kind.SLEEP,
        ends_at=None,
        starts_at__gt=now - LONGEST_SLEEP,
    )
    return sleeps.order_by("-starts_at").first()
