"""Infants who have lived with a monitor for a while: every recording went the real whole way."""

import datetime as dt
from pathlib import Path

from devices.models import Device
from iclas import flow
from infants.models import Recording
from tests import received, sounds

KNOWN_AFTER_DAYS = 11
"""The tenth day's session is the one in which a model is learnt, and the next one is scored."""


def a_judged_recording(device: Device, folder: Path, day: float) -> Recording:
    """Let the infant of this device cry on this day, and return the judged recording."""
    when = received.START + dt.timedelta(days=day)
    content = sounds.cry_bytes(folder, seed=round(10 * day))
    return driven(received.a_received_recording(content, device, when))


def driven(recording: Recording) -> Recording:
    """Take a received recording as far as it goes, and return the row as it is then."""
    flow.drive([recording.id])
    return Recording.objects.get(id=recording.id)


def a_known_infant(folder: Path, days: int = KNOWN_AFTER_DAYS) -> tuple[Device, list[Recording]]:
    """Return a monitor and what it recorded, once a day: the last recordings are scored."""
    device = received.a_monitor()
    return device, [a_judged_recording(device, folder, day) for day in range(days)]
