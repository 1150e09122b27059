"""What people ask of a device from afar: each change is a version, and the newest holds.

What comes in: a device and what is to change. What goes out: the settings as the device reads
them. Guaranteed: to ask for what holds already makes no version; versions count from 1 on, and
their order is that of the changes.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from devices.models import Device, DeviceSettings
from devices.selectors import settings_of

CHANGEABLE = ("sensitivity", "upload", "is_wifi_only", "suspended_until")


def change_settings(
    device: Device, asked: Mapping[str, Any], by: UUID | None, now: dt.datetime
) -> DeviceSettings:
    """Ask something else of a device; what is not named stays as it is. Commits."""
    with transaction.atomic():
        Device.objects.select_for_update().get(id=device.id)
        present = settings_of(device)
        held = {name: getattr(present, name) for name in CHANGEABLE}
        wanted = held | {name: asked[name] for name in CHANGEABLE if name in asked}
        if wanted == held:
            return present
        return DeviceSettings.objects.create(
            device=device, version=present.version + 1, changed_at=now, changed_by=by, **wanted
        )


def settings_document(held: DeviceSettings) -> dict[str, Any]:
    """Return settings as a device reads them."""
    until = held.suspended_until
    return {
        "version": held.version,
        "sensitivity": str(held.sensitivity),
        "upload": str(held.upload),
        "is_wifi_only": held.is_wifi_only,
        "suspended_until": None if until is None else until.isoformat().replace("+00:00", "Z"),
        "heartbeat_every_s": settings.ICLAS_HEARTBEAT_EVERY_S,
    }


def tag_of(document: Mapping[str, Any]) -> str:
    """Return the entity tag of a document: another one as soon as anything in it differs."""
    said = json.dumps(document, sort_keys=True).encode()
    return f'"{hashlib.sha256(said).hexdigest()[:16]}"'
