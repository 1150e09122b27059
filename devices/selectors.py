"""Devices as others may read them."""

import datetime as dt
from collections.abc import Iterable
from uuid import UUID

from django.db.models import Min

from devices.errors import RevokedDeviceError, UnknownTokenError
from devices.models import Device, DeviceCredential, DeviceSettings, Presence, token_digest


def credential_of_token(token: str) -> DeviceCredential:
    """Return the credential that this token is, or raise what is wrong with it."""
    credential = (
        DeviceCredential.objects.select_related("device").filter(digest=token_digest(token)).first()
    )
    if credential is None:
        raise UnknownTokenError
    if credential.revoked_at or credential.device.revoked_at:
        raise RevokedDeviceError
    return credential


def device_of_token(token: str) -> Device:
    """Return the device that holds this token, or raise what is wrong with it."""
    return credential_of_token(token).device


def settings_of(device: Device) -> DeviceSettings:
    """Return what is asked of a device now; version 0, not stored, where nobody asked anything."""
    newest = device.settings.order_by("-version").first()
    return newest or DeviceSettings(device=device, version=0)


def presences_of(
    devices: Iterable[UUID], start: dt.datetime, end: dt.datetime
) -> dict[UUID, list[Presence]]:
    """Return when devices were there, in order, as far as it touches a stretch of time."""
    found: dict[UUID, list[Presence]] = {one: [] for one in devices}
    rows = Presence.objects.filter(device__in=found, starts_at__lt=end, ends_at__gte=start)
    for row in rows.order_by("starts_at"):
        if row.device_id is not None:
            found[row.device_id].append(row)
    return found


def first_presences(devices: Iterable[UUID]) -> dict[UUID, dt.datetime]:
    """Return since when it is known of devices whether they were there."""
    rows = Presence.objects.filter(device__in=list(devices)).order_by()
    return dict(rows.values_list("device_id").annotate(first=Min("starts_at")))


def hearing_since(now: dt.datetime, within: dt.timedelta) -> dt.datetime | None:
    """Return since when ICLAS itself has been there to hear; None where it was not just now."""
    own = Presence.objects.filter(device=None, ends_at__gt=now - within)
    return own.order_by("-ends_at").values_list("starts_at", flat=True).first()
