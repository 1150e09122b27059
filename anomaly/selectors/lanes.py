"""What stands beside an infant's scores on the same axis: episodes, diary, versions, monitors.

What comes in: the viewer, a visible infant and a stretch of time. What goes out: rows in the order
of time. Guaranteed: a fixed number of queries, whatever the length; who may not know the name gets
diary entries without their text, and monitors without their names.
"""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q

from anomaly.models import DailyRollup, Episode, PersonalModel
from anomaly.selectors.watched import watched_days
from infants.access import Right, Viewer, infants_for
from infants.attendance import Attendance, attendance_of
from infants.models import DeviceAssignment, DiaryEntry, Infant
from infants.selectors import check_visible, visible_recordings
from infants.stretches import Span
from pipelines.lasting import WatchedDay

MOST_NOTES = 400


@dataclass(frozen=True)
class Version:
    """A version of the personal model that began to judge; `encoder` where it is another one."""

    number: int
    time: dt.datetime
    n_recordings: int
    encoder: str


@dataclass(frozen=True)
class Serving:
    """A monitor that served the infant; its name is empty for those who may not know names.

    `listened` is when it listened, and `known_from` since when that is known: only of monitors that
    send heartbeats.
    """

    starts_at: dt.datetime
    ends_at: dt.datetime | None
    name: str
    kind: str
    last_seen_at: dt.datetime | None
    known_from: dt.datetime | None = None
    listened: tuple[Span, ...] = ()


@dataclass(frozen=True)
class Note:
    """An entry of the diary; its text is empty for those who may not know names."""

    id: UUID
    starts_at: dt.datetime
    ends_at: dt.datetime | None
    kind: str
    text: str
    temperature_c: float | None


@dataclass(frozen=True)
class Lanes:
    """Everything beside the scores; `notes` are at most `MOST_NOTES`, the newest."""

    episodes: list[Episode]
    notes: list[Note]
    versions: list[Version]
    serving: list[Serving]
    watched: list[WatchedDay]


@dataclass(frozen=True)
class Day:
    """One of the infant's days in the overview; p-values are absent where nothing was scored."""

    day: dt.date
    n_recordings: int
    n_accepted: int
    p_value_min: float | None
    p_value_median: float | None


def lanes_of(
    viewer: Viewer,
    infant: Infant,
    start: dt.datetime,
    end: dt.datetime,
    *,
    left_out: frozenset[str] = frozenset(),
) -> Lanes:
    """Return what lies in a stretch; kinds of the diary may be left out.

    UnknownInfantError where the viewer may not see the infant.
    """
    check_visible(viewer, infant)
    is_identified = infants_for(viewer, Right.IDENTIFY).filter(id=infant.id).exists()
    still = Q(closed_at=None) | Q(closed_at__gte=start)
    episodes = Episode.objects.filter(still, infant=infant, opened_at__lt=end)
    return Lanes(
        episodes=list(episodes.order_by("opened_at")),
        notes=_notes(infant, start, end, left_out, is_identified=is_identified),
        versions=_versions(infant, start, end),
        serving=_serving(infant, start, end, is_identified=is_identified),
        watched=watched_days(viewer, infant, start, end),
    )


def _notes(
    infant: Infant,
    start: dt.datetime,
    end: dt.datetime,
    left_out: frozenset[str],
    *,
    is_identified: bool,
) -> list[Note]:
    lasting = Q(starts_at__gte=start) | Q(ends_at__gte=start)
    rows = DiaryEntry.objects.filter(lasting, infant=infant, starts_at__lt=end).exclude(
        kind__in=left_out
    )
    columns = ("id", "starts_at", "ends_at", "kind", "text", "temperature_c")
    newest = rows.order_by("-starts_at").values_list(*columns)[:MOST_NOTES]
    return [
        Note(id_, starts_at, ends_at, kind, text if is_identified else "", degrees)
        for id_, starts_at, ends_at, kind, text, degrees in reversed(newest)
    ]


def _versions(infant: Infant, start: dt.datetime, end: dt.datetime) -> list[Version]:
    """Return the versions that began to judge; each says its encoder where that changed."""
    models = PersonalModel.objects.filter(
        infant=infant, withdrawn_at=None, in_force_after__lt=end
    ).order_by("in_force_after")
    columns = ("number", "in_force_after", "n_recordings", "encoder")
    before = models.filter(in_force_after__lt=start).values_list("encoder", flat=True).last()
    found = []
    for number, time, n_recordings, encoder in models.filter(in_force_after__gte=start).values_list(
        *columns
    ):
        is_other = before is not None and encoder != before
        found.append(Version(number, time, n_recordings, encoder if is_other else ""))
        before = encoder
    return found


def _serving(
    infant: Infant, start: dt.datetime, end: dt.datetime, *, is_identified: bool
) -> list[Serving]:
    """Return the monitors that served the infant in the stretch, the first of them included."""
    still = Q(ends_at=None) | Q(ends_at__gt=start)
    rows = DeviceAssignment.objects.filter(still, infant=infant, starts_at__lt=end).select_related(
        "device"
    )
    served = list(rows.order_by("starts_at", "id"))
    attended = attendance_of([row.device for row in served], start, end)
    return [
        _one_serving(row, attended.get(row.device_id), is_identified=is_identified)
        for row in served
    ]


def _one_serving(
    row: DeviceAssignment, attended: Attendance | None, *, is_identified: bool
) -> Serving:
    device = row.device
    return Serving(
        row.starts_at,
        row.ends_at,
        device.name if is_identified else "",
        device.kind,
        device.last_seen_at,
        None if attended is None else attended.known_from,
        () if attended is None else attended.listened,
    )


def days_of(viewer: Viewer, infant: Infant) -> list[Day]:
    """Return every day of the infant on which something was judged, oldest first."""
    rollups = DailyRollup.objects.filter(infant=infant, infant__in=infants_for(viewer))
    columns = ("day", "n_recordings", "n_accepted", "p_value_min", "p_value_median")
    rows = rollups.filter(n_recordings__gt=0).order_by("day").values_list(*columns)
    return [Day(*row) for row in rows]


def heard_from_to(viewer: Viewer, infant: Infant) -> tuple[dt.datetime, dt.datetime] | None:
    """Return when the first and the last recording of the infant were; None without one."""
    times = visible_recordings(viewer).filter(infant=infant).values_list("recorded_at", flat=True)
    first, last = times.order_by("recorded_at").first(), times.order_by("-recorded_at").first()
    return None if first is None or last is None else (first, last)
