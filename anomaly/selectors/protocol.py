"""A stretch of an infant's days as they were lived: crying, what the diary says, who listened.

What comes in: the viewer, a visible infant and the stretch. What goes out: bouts of crying with
their parts, entries of the diary, and when a monitor listened. Guaranteed: a fixed number of
queries; what the gate calls no cry is not among the crying; nothing is judged here, only read.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Count, F, FloatField, Q, Sum
from django.db.models.functions import Coalesce

from devices.models import Device
from infants.access import Viewer, infants_for
from infants.attendance import Attendance, attendance_of
from infants.models import DeviceAssignment, DiaryEntry, Infant
from infants.selectors import visible_recordings
from infants.stretches import SPEAKS_WITHIN, Span, inside, joined

READ = (
    *("recorded_at", "duration_s", "device_id", "session_id", "n_cries", "cry_s"),
    *("gate_decision__is_cry", "session__judgement__p_value"),
)


@dataclass(frozen=True)
class CriedPart:
    """One recording with crying in it; `cry_s` counts the cries, without the breaths between."""

    span: Span
    n_cries: int
    cry_s: float


@dataclass(frozen=True)
class Bout:
    """A bout of crying; `p_value` is absent where it was compared with nothing."""

    parts: list[CriedPart]
    p_value: float | None

    @property
    def span(self) -> Span:
        """From the first cry's recording to the last one's end."""
        return Span(self.parts[0].span.start, max(part.span.end for part in self.parts))


@dataclass(frozen=True)
class Lived:
    """From `start` to `end`; everything is in order of time."""

    start: dt.datetime
    end: dt.datetime
    bouts: list[Bout] = field(default_factory=list)
    diary: list[DiaryEntry] = field(default_factory=list)
    listened: list[Span] = field(default_factory=list)


def lived_by(viewer: Viewer, infant: Infant, start: dt.datetime, end: dt.datetime) -> Lived:
    """Return what is known of the infant's days between two moments."""
    rows = _recordings(viewer, infant, start, end)
    signs: dict[UUID, list[Span]] = defaultdict(list)
    for row in rows:
        signs[row["device_id"]].append(_span(row))
    return Lived(
        start=start,
        end=end,
        bouts=list(_bouts(row for row in rows if start <= row["recorded_at"] < end)),
        diary=_diary(viewer, infant, start, end),
        listened=inside(
            _listened(_assignments(viewer, infant, start, end), signs, start, end), start, end
        ),
    )


def _recordings(
    viewer: Viewer, infant: Infant, start: dt.datetime, end: dt.datetime
) -> list[dict[str, Any]]:
    """Return the recordings of the stretch and just around it, whatever became of them."""
    around = {"recorded_at__gte": start - SPEAKS_WITHIN, "recorded_at__lt": end + SPEAKS_WITHIN}
    length = Sum(F("cries__offset_s") - F("cries__onset_s"), output_field=FloatField())
    rows = visible_recordings(viewer).filter(infant=infant, **around)
    rows = rows.annotate(n_cries=Count("cries"), cry_s=Coalesce(length, 0.0))
    return list(rows.order_by("recorded_at", "id").values(*READ))


def _span(row: dict[str, Any]) -> Span:
    length = dt.timedelta(seconds=row["duration_s"] or 0.0)
    return Span(row["recorded_at"], row["recorded_at"] + length)


def _bouts(rows: Iterable[dict[str, Any]]) -> Iterable[Bout]:
    """Yield the crying, session by session."""
    by_session: dict[UUID, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        if row["gate_decision__is_cry"]:
            by_session[row["session_id"]].append(row)
    for parts in by_session.values():
        p_value = parts[0]["session__judgement__p_value"]
        yield Bout([CriedPart(_span(r), r["n_cries"], r["cry_s"]) for r in parts], p_value)


def _diary(
    viewer: Viewer, infant: Infant, start: dt.datetime, end: dt.datetime
) -> list[DiaryEntry]:
    lasting = Q(starts_at__gte=start) | Q(ends_at__gt=start)
    visible = {"infant": infant, "infant__in": infants_for(viewer)}
    rows = DiaryEntry.objects.filter(lasting, **visible, starts_at__lt=end)
    return list(rows.order_by("starts_at", "id"))


def _assignments(
    viewer: Viewer, infant: Infant, start: dt.datetime, end: dt.datetime
) -> list[DeviceAssignment]:
    """Return who served the infant in the stretch, the one that came first at the beginning."""
    still = Q(ends_at=None) | Q(ends_at__gt=start)
    visible = {"infant": infant, "infant__in": infants_for(viewer)}
    rows = DeviceAssignment.objects.filter(still, **visible, starts_at__lt=end)
    return list(rows.select_related("device").order_by("starts_at", "id"))


def _listened(
    assignments: Sequence[DeviceAssignment],
    signs: Mapping[UUID, list[Span]],
    start: dt.datetime,
    end: dt.datetime,
) -> list[Span]:
    attended = attendance_of([one.device for one in assignments], start, end)
    return joined(
        span
        for one in assignments
        for span in _listened_by(one, signs.get(one.device_id, []), attended.get(one.device_id))
    )


def _listened_by(
    assignment: DeviceAssignment, signs: Sequence[Span], attended: Attendance | None
) -> list[Span]:
    """Return when a device listened: by its heartbeats, and before the first of them by its signs.

    An archive was read, and heard nothing else.
    """
    device = assignment.device
    if device.kind == Device.Kind.ARCHIVE:
        known = joined(signs)
    else:
        seen = device.last_seen_at
        known = joined([*signs, *([Span(seen, seen)] if seen else [])], SPEAKS_WITHIN)
    if attended is not None:
        before = inside(known, dt.datetime.min.replace(tzinfo=dt.UTC), attended.known_from)
        known = joined([*before, *attended.listened, *signs])
    ends_at = assignment.ends_at or dt.datetime.max.replace(tzinfo=dt.UTC)
    return inside(known, assignment.starts_at, ends_at)
