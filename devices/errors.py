"""What can be wrong with a device's claim to be itself.

DeviceError
├── UnknownTokenError    nobody was ever given this token
└── RevokedDeviceError   the device was revoked, or this token of it, or another took its place
"""

from typing import ClassVar


class DeviceError(Exception):
    """Root of the family; `code` names the kind to programs."""

    code: ClassVar[str] = "device_error"


class UnknownTokenError(DeviceError):
    """The token belongs to no device."""

    code = "unknown_token"

    def __str__(self) -> str:
        """Say it for people."""
        return "This token belongs to no device; pair the device again."


class RevokedDeviceError(DeviceError):
    """The device or its credential was revoked, or a newer credential is in use."""

    code = "device_revoked"

    def __str__(self) -> str:
        """Say it for people."""
        return "This device, or this token of it, was revoked; pair the device again."
