"""The monitors that serve an infant, as those who manage the infant see and end them."""

from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils import timezone

from devices.models import Device
from infants.access import Viewer
from infants.models import DeviceAssignment, Infant
from infants.selectors import managed_infant


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


def revoke_monitor(viewer: Viewer, infant_id: UUID, device_id: UUID) -> Device | None:
    """Let a monitor upload nothing more; what it has uploaded stays. None where there is none."""
    infant = managed_infant(viewer, infant_id)
    now = timezone.now()
    with transaction.atomic():
        serving = _open(infant).filter(device=device_id).select_related("device").first()
        if serving is None:
            return None
        Device.objects.filter(id=device_id, revoked_at=None).update(revoked_at=now)
        serving.ends_at = now
        serving.save(update_fields=["ends_at"])
    return serving.device


def _open(infant: Infant) -> QuerySet[DeviceAssignment]:
    return DeviceAssignment.objects.filter(infant=infant, ends_at=None)
