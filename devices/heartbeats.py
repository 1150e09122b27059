"""Heartbeats and other signs of life: what a device said of itself, and when it was there.

What comes in: a device, what it says, and the moment at which that came in. What goes out: the
device's row, a `Heartbeat` row for every few minutes, and stretches of `Presence`. Guaranteed: a
heartbeat said twice changes nothing; what grows with the number of heartbeats is kept for
`KEPT_FOR` alone; a stretch of presence is one row however long it lasts.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction

from devices.models import Device, Heartbeat, Presence
from devices.moments import as_utc, said_moment
from devices.skew import LONGEST_ROUND_TRIP_S, Sample, from_json, skew_of, to_json, with_sample

ROW_EVERY = dt.timedelta(minutes=5)
KEPT_FOR = dt.timedelta(days=30)
NOTED_EVERY = dt.timedelta(minutes=1)


@dataclass(frozen=True)
class Said:
    """What a device says of itself; everything may be missing."""

    battery_frac: float | None = None
    clock: str = ""
    round_trip_s: float | None = None


@dataclass(frozen=True)
class Beat(Said):
    """What a heartbeat says beside that."""

    firmware: str = ""
    queue_length: int | None = None
    uptime_s: float | None = None
    is_leaving: bool = False


def silent_after() -> dt.timedelta:
    """Return after how long a monitor that sends heartbeats counts as silent."""
    return dt.timedelta(seconds=settings.ICLAS_MONITOR_SILENT_S)


def note_sign(device: Device, said: Said, now: dt.datetime) -> None:
    """Write down that a device was heard from, and what it said; a heartbeat, or an upload."""
    seen_at = device.last_seen_at
    _note(device, said, now)
    is_due = seen_at is None or now - seen_at >= NOTED_EVERY
    if device.last_heartbeat_at is not None and is_due:
        note_presence(device, now)


def _note(device: Device, said: Said, now: dt.datetime, *also: str) -> None:
    device.last_seen_at = now
    if said.battery_frac is not None:
        device.battery_frac = said.battery_frac
    changed = _read_clock(device, said, now)
    device.save(update_fields=["last_seen_at", "battery_frac", *changed, *also])


def _read_clock(device: Device, said: Said, now: dt.datetime) -> list[str]:
    """Take the device's present time into account; return which fields changed."""
    clock = said_moment(said.clock) if said.clock.strip() else None
    if clock is None:
        return []
    trip_s = said.round_trip_s
    if trip_s is not None and not 0 <= trip_s <= LONGEST_ROUND_TRIP_S:
        trip_s = None
    samples = with_sample(from_json(device.clock_samples), Sample(now, as_utc(clock), trip_s))
    device.clock_samples, found = to_json(samples), skew_of(samples)
    if found is not None:
        device.clock_skew_s, device.clock_bound_s = found
    return ["clock_samples", "clock_skew_s", "clock_bound_s"]


def note_heartbeat(device: Device, beat: Beat, now: dt.datetime) -> None:
    """Write down a heartbeat: the last values on the device, and a row for every few minutes."""
    with transaction.atomic():
        device.last_heartbeat_at = now
        device.left_at = now if beat.is_leaving else None
        if beat.firmware:
            device.firmware = beat.firmware
        device.queue_length = beat.queue_length
        _note(device, beat, now, "last_heartbeat_at", "left_at", "firmware", "queue_length")
        note_presence(device, now)
        _keep(device, beat, now)


def _keep(device: Device, beat: Beat, now: dt.datetime) -> None:
    row: dict[str, Any] = {
        "battery_frac": beat.battery_frac,
        "firmware": beat.firmware,
        "queue_length": beat.queue_length,
        "uptime_s": beat.uptime_s,
        "clock_skew_s": device.clock_skew_s,
    }
    newest = device.heartbeats.order_by("-at").values_list("at", flat=True).first()
    if newest is None or now - newest >= ROW_EVERY:
        Heartbeat.objects.create(device=device, at=now, **row)
    else:
        Heartbeat.objects.filter(device=device, at=newest).update(**row)


def note_presence(device: Device | None, now: dt.datetime) -> None:
    """Write down that a device, or ICLAS itself, is there; a short pause is none."""
    rows = Presence.objects.filter(device=device)
    newest = rows.order_by("-ends_at").first()
    if newest is None or now - newest.ends_at > silent_after():
        Presence.objects.create(device=device, starts_at=now, ends_at=now)
    elif now > newest.ends_at:
        rows.filter(id=newest.id).update(ends_at=now)


def forget_old_heartbeats(now: dt.datetime) -> int:
    """Delete the rows of heartbeats that are kept no longer; return how many."""
    return Heartbeat.objects.filter(at__lt=now - KEPT_FOR).delete()[0]
