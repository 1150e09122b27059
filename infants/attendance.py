"""When monitors that send heartbeats listened, and since when that is known of them.

What comes in: devices and a stretch of time. What goes out: an `Attendance` for each that ever sent
a heartbeat. Guaranteed: three queries at most; a monitor that was there and was asked to record
nothing did not listen.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from devices.models import Device, DeviceSettings
from devices.selectors import first_presences, presences_of
from infants.stretches import Span, outside


@dataclass(frozen=True)
class Attendance:
    """When a monitor listened, in order; before `known_from` nothing is known of it."""

    known_from: dt.datetime
    listened: tuple[Span, ...]


def attendance_of(
    devices: Iterable[Device], start: dt.datetime, end: dt.datetime
) -> dict[UUID, Attendance]:
    """Return when devices listened, as far as it touches a stretch of time."""
    beating = {device.id for device in devices if device.last_heartbeat_at is not None}
    if not beating:
        return {}
    there, suspended = presences_of(beating, start, end), _suspended(beating)
    found = {}
    for device_id, known_from in first_presences(beating).items():
        spans = [
            part
            for one in there[device_id]
            for part in _parts(Span(one.starts_at, one.ends_at), suspended[device_id])
        ]
        found[device_id] = Attendance(known_from, tuple(spans))
    return found


def _parts(there: Span, suspended: list[Span]) -> list[Span]:
    """Return a presence without what of it was suspended; one of a moment stays one."""
    return outside(suspended, *there) if there.start < there.end else [there]


def _suspended(devices: Iterable[UUID]) -> dict[UUID, list[Span]]:
    """Return when devices were asked to record nothing, until it was over or something else."""
    found: dict[UUID, list[Span]] = defaultdict(list)
    later: dict[UUID, dt.datetime] = {}
    rows = DeviceSettings.objects.filter(device__in=list(devices)).order_by("-version")
    for device_id, asked_at, until in rows.values_list(
        "device_id", "changed_at", "suspended_until"
    ):
        if asked_at is None:
            continue
        ends = [moment for moment in (until, later.get(device_id)) if moment is not None]
        if until is not None and min(ends) > asked_at:
            found[device_id].append(Span(asked_at, min(ends)))
        later[device_id] = asked_at
    return found
