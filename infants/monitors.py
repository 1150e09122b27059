"""The monitors that serve an infant, as those who manage the infant see, set and end them.

What comes in: a viewer and a device. What goes out: the device as it is then. Guaranteed: only who
manages the infant that a device serves, or served last, reaches it; whom it served before, and what
it sent, stays as it was.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils import timezone

from devices.credentials import revoke_device, rotate_token
from devices.models import Device, DeviceSettings
from devices.wishes import change_settings
from infants.access import Viewer, devices_managed_by
from infants.assignments import assign_device
from infants.errors import DeviceGoneError, UnknownDeviceError
from infants.models import DeviceAssignment, Infant, Recording
from infants.selectors import managed_infant
from infants.states import Reason

UNDECODED = (Reason.EMPTY, Reason.UNDECODABLE, Reason.TOO_LONG, Reason.AUDIO_CORRUPT)


@dataclass(frozen=True)
class Monitors:
    """Whom monitors serve: those of now, and those that no longer do."""

    infant: Infant
    serving: tuple[Device, ...]
    former: tuple[Device, ...]


def monitors_of(viewer: Viewer, infant_id: UUID) -> Monitors:
    """Return an infant's monitors, the newest first."""
    infant = managed_infant(viewer, infant_id)
    open_now = set(_open(infant).values_list("device_id", flat=True))
    devices = (
        Device.objects.filter(assignments__infant=infant)
        .annotate(newest=Max("assignments__starts_at"))
        .order_by("-created_at")
    )
    serving = tuple(one for one in devices if one.id in open_now and not one.revoked_at)
    former = tuple(one for one in devices if one not in serving)
    return Monitors(infant, serving, former)


def monitor_named(viewer: Viewer, device_id: UUID) -> Device:
    """Return a device that this viewer manages; `infant_id` says whom it serves, or served last."""
    found = devices_managed_by(viewer).filter(id=device_id).first()
    if found is None:
        raise UnknownDeviceError(device_id)
    return found


def revoke_monitor(viewer: Viewer, device_id: UUID) -> Device:
    """Let a monitor upload nothing more; what it has uploaded stays. Commits."""
    device, now = monitor_named(viewer, device_id), timezone.now()
    with transaction.atomic():
        revoke_device(device, now)
        device.assignments.filter(ends_at=None).update(ends_at=now)
    return device


def reassign_monitor(viewer: Viewer, device_id: UUID, infant_id: UUID) -> Device:
    """Let a monitor serve another infant of the viewer's from now on; history is kept. Commits.

    Raises
    ------
    UnknownDeviceError, UnknownInfantError
        Where the viewer manages no such device, or no such infant.
    DeviceGoneError
        A device that was revoked serves nobody any more.

    """
    device, infant = monitor_named(viewer, device_id), managed_infant(viewer, infant_id)
    if device.revoked_at is not None:
        raise DeviceGoneError
    if not _open(infant).filter(device=device).exists():
        assign_device(device, infant)
    return device


def rename_monitor(viewer: Viewer, device_id: UUID, name: str) -> Device:
    """Call a monitor otherwise."""
    device = monitor_named(viewer, device_id)
    device.name = name
    device.save(update_fields=["name"])
    return device


def try_out_monitor(viewer: Viewer, device_id: UUID, *, is_sandbox: bool) -> Device:
    """Begin or end the trying out of a monitor: what it sends meanwhile is never judged."""
    device = monitor_named(viewer, device_id)
    device.is_sandbox = is_sandbox
    device.save(update_fields=["is_sandbox"])
    return device


def renew_token(viewer: Viewer, device_id: UUID) -> str:
    """Return a new token for a device whose token is set by hand; the old ones end with its use."""
    device = monitor_named(viewer, device_id)
    if device.revoked_at is not None:
        raise DeviceGoneError
    return rotate_token(device, timezone.now())


def set_monitor(viewer: Viewer, device_id: UUID, asked: Mapping[str, Any]) -> DeviceSettings:
    """Ask something else of a monitor; it reads so with its next look. Commits."""
    device = monitor_named(viewer, device_id)
    by = None if viewer.user is None else viewer.user.id
    return change_settings(device, asked, by, timezone.now())


def sent_by(device: Device, **chosen: Any) -> QuerySet[Recording]:
    """Return what a device sent, the newest first."""
    rows = device.recordings.filter(**chosen).defer("gate_features", "room")
    return rows.order_by("-received_at", "-id")


def undecoded_of(device: Device) -> QuerySet[Recording]:
    """Return what a device sent and nobody could read, the newest first."""
    return sent_by(device, reason__in=UNDECODED)


def _open(infant: Infant) -> QuerySet[DeviceAssignment]:
    return DeviceAssignment.objects.filter(infant=infant, ends_at=None)
