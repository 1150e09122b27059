"""Upload: a recording becomes safely ours.

What comes in: a device, its audio and what it says of it. What goes out: a row in state
`received` (or `held`, where the device serves no infant at that time, or is being tried out).
Guaranteed when `store_upload` returns: bytes and row are on the disk, the device may delete its
copy; the same bytes or the same idempotency key from the same device gave the same row.
"""

import datetime as dt
from dataclasses import dataclass
from pathlib import PurePath

from django.conf import settings
from django.core.files.base import File
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from devices.heartbeats import Said, note_sign
from devices.models import Device
from infants.backlog import refuse_long_backlog
from infants.clock import Saying, read_clock
from infants.models import Infant, Recording
from infants.selectors import infant_served
from infants.signals import recording_received
from infants.states import Reason, State
from infants.storage import StoredAudio, digest, keep_audio


@dataclass(frozen=True)
class Upload:
    """One recording as a device hands it over; everything but the audio may be missing."""

    audio: File
    recorded_at: str = ""
    idempotency_key: str | None = None
    device_session: str = ""
    battery_frac: float | None = None
    reported_age_days: float | None = None
    clock: str = ""
    age_s: float | None = None
    arrived_at: dt.datetime | None = None

    @property
    def saying(self) -> Saying:
        """What is said of when it was recorded."""
        return Saying(self.recorded_at, self.age_s, self.clock)


@dataclass(frozen=True)
class Stored:
    """A recording that is safely ours, and whether it already was."""

    recording: Recording
    replayed: bool


def store_upload(device: Device, upload: Upload, most_waiting: int | None = None) -> Stored:
    """Store one upload durably and idempotently; commits. The device may delete its copy.

    Where `most_waiting` or more are on their way already, nothing new is stored.

    Raises
    ------
    NoAudioError, UploadTooLargeError
        Which will be refused however often it is sent.
    LongBacklogError
        Which will be taken later.

    """
    now = upload.arrived_at or timezone.now()
    note_sign(device, Said(upload.battery_frac, upload.clock), now)
    sha256, size = digest(upload.audio, settings.ICLAS_MAX_UPLOAD_BYTES)
    known = _known(device, sha256, upload.idempotency_key)
    if known is not None:
        return Stored(known, replayed=True)
    refuse_long_backlog(most_waiting)
    audio = keep_audio(upload.audio, sha256, size)
    try:
        with transaction.atomic():
            return Stored(_insert(device, upload, audio, now), replayed=False)
    except IntegrityError:  # the same upload came twice at the same moment, and the other won
        known = _known(device, sha256, upload.idempotency_key)
        if known is None:
            raise
        return Stored(known, replayed=True)


def _known(device: Device, sha256: str, key: str | None) -> Recording | None:
    same = Q(sha256=sha256) if key is None else Q(sha256=sha256) | Q(idempotency_key=key)
    return Recording.objects.filter(same, device=device).first()


def _insert(device: Device, upload: Upload, audio: StoredAudio, now: dt.datetime) -> Recording:
    read = read_clock(upload.saying, now, device)
    infant = None if device.is_sandbox else infant_served(device, read.at)
    recording = Recording.objects.create(
        device=device,
        infant=infant,
        sha256=audio.sha256,
        byte_size=audio.byte_size,
        audio=audio.name,
        source_name=PurePath(upload.audio.name or "").name[-200:],
        idempotency_key=upload.idempotency_key,
        received_at=now,
        recorded_at=read.at,
        recorded_at_raw=upload.recorded_at[:64],
        clock=read.clock,
        clock_skew_s=read.skew_s,
        said_age_s=upload.age_s,
        device_session=upload.device_session[:120],
        battery_frac=upload.battery_frac,
        reported_age_days=upload.reported_age_days,
        state=State.RECEIVED if infant else State.HELD,
        reason=_reason(device, infant),
        state_changed_at=now,
        passed={State.RECEIVED if infant else State.HELD: {"at": now.isoformat(), "try": 1}},
    )
    if infant is not None:
        recording_received.send(Recording, recording=recording)
    return recording


def _reason(device: Device, infant: Infant | None) -> Reason:
    if device.is_sandbox:
        return Reason.SANDBOX
    return Reason.NO_INFANT if infant is None else Reason.NONE
