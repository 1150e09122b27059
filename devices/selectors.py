"""Devices as others may read them."""

from devices.errors import RevokedDeviceError, UnknownTokenError
from devices.models import Device, DeviceCredential, token_digest


def device_of_token(token: str) -> Device:
    """Return the device that holds this token, or raise what is wrong with it."""
    credential = (
        DeviceCredential.objects.select_related("device").filter(digest=token_digest(token)).first()
    )
    if credential is None:
        raise UnknownTokenError
    if credential.revoked_at or credential.device.revoked_at:
        raise RevokedDeviceError
    return credential.device
