"""Which device serves which infant: assigning, and taking up what waited for it."""

import datetime as dt

from django.db import transaction
from django.utils import timezone

from devices.models import Device
from infants.errors import AssignmentOrderError
from infants.models import DeviceAssignment, Infant, Recording
from infants.selectors import infant_served
from infants.signals import recording_received
from infants.states import Reason, State

BEFORE_ALL = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def assign_device(
    device: Device, infant: Infant, since: dt.datetime | None = None
) -> DeviceAssignment:
    """Let a device serve an infant from now on, or since a given moment; history is kept.

    A device's first assignment reaches back without limit: what it recorded before it was paired,
    it recorded where it stands. Recordings that were held for want of an infant are taken up.

    Raises
    ------
    AssignmentOrderError
        When the present assignment begins no earlier than the new one.

    """
    with transaction.atomic():
        starts_at = since or (timezone.now() if device.assignments.exists() else BEFORE_ALL)
        check_order(device, starts_at)
        device.assignments.filter(ends_at=None).update(ends_at=starts_at)
        assignment = DeviceAssignment.objects.create(
            device=device, infant=infant, starts_at=starts_at
        )
        take_up_held(device)
    return assignment


def check_order(device: Device, starts_at: dt.datetime) -> None:
    """Raise `AssignmentOrderError` where the present assignment begins no earlier than this."""
    present = device.assignments.filter(ends_at=None).first()
    if present is not None and present.starts_at >= starts_at:
        raise AssignmentOrderError(present.starts_at)


def take_up_held(device: Device) -> int:
    """Send on every held recording of a device that an assignment covers now; return how many."""
    held = Recording.objects.filter(device=device, state=State.HELD, reason=Reason.NO_INFANT)
    return sum(_take_up(recording) for recording in held)


def _take_up(recording: Recording) -> bool:
    infant = infant_served(recording.device, recording.recorded_at)
    if infant is None:
        return False
    now = timezone.now()
    recording.infant, recording.state, recording.reason = infant, State.RECEIVED, Reason.NONE
    recording.state_changed_at = now
    recording.passed |= {State.RECEIVED: {"at": now.isoformat(), "try": 1}}
    recording.save(update_fields=["infant", "state", "reason", "state_changed_at", "passed"])
    recording_received.send(Recording, recording=recording)
    return True
