"""Credentials: that one was used, a new one in place of the others, and the end of all.

What comes in: a credential that was shown, or a device. What goes out: rows; a new token, once.
Guaranteed: an answer that is lost on its way locks nobody out, for the old token holds until the
new one is first used, and the device may ask again; that a credential is in use is written once
a minute at most.
"""

import datetime as dt

from django.db import transaction

from devices.models import Device, DeviceCredential, issue_token

NOTED_EVERY = dt.timedelta(minutes=1)


def note_use(credential: DeviceCredential, now: dt.datetime) -> None:
    """Write down that a credential is in use; the first use may make void those before it."""
    last = credential.last_used_at
    if last is not None and now - last < NOTED_EVERY:
        return
    live = DeviceCredential.objects.filter(device=credential.device_id, revoked_at=None)
    with transaction.atomic():
        if last is None and credential.voids_older:
            live.filter(id__lt=credential.id).update(revoked_at=now)
        live.filter(id=credential.id).update(last_used_at=now)
    credential.last_used_at = now


def rotate_token(device: Device, now: dt.datetime) -> str:
    """Return a new token, once; those that hold now do so until the new one is first used.

    New ones that were asked for before and never used are void from now on. Commits.
    """
    unused = device.credentials.filter(voids_older=True, last_used_at=None, revoked_at=None)
    with transaction.atomic():
        unused.update(revoked_at=now)
        return issue_token(device, voids_older=True)


def revoke_device(device: Device, now: dt.datetime) -> None:
    """Let none of a device's tokens hold any more; what it has uploaded stays. Commits."""
    with transaction.atomic():
        Device.objects.filter(id=device.id, revoked_at=None).update(revoked_at=now)
        device.credentials.filter(revoked_at=None).update(revoked_at=now)
    device.refresh_from_db(fields=["revoked_at"])
