"""What can be wrong with what somebody asks of the infants' rooms.

InfantError
├── NoAudioError          the upload holds no audio
├── UploadTooLargeError   larger than one upload may be
├── LongBacklogError      more waits than can be worked off soon: later
├── BadFieldError         something said of the audio makes no sense
├── EnvelopeError         the request around the audio is faulty; the audio may be sound
│   ├── BulkMismatchError       items and audio parts of a bulk upload do not pair up
│   ├── TruncatedUploadError    the form ends before its last part does
│   ├── LengthMissingError      nobody can tell how long the form is
│   ├── SeveralAudioPartsError  more than one recording where one is expected
│   └── BadIdempotencyKeyError  the key is too long
├── AssignmentOrderError  a device cannot serve somebody before the one it serves now
├── UnknownInfantError    no such infant, or none that this viewer may see
├── UnknownDeviceError    no such device, or none that this viewer manages
├── DeviceGoneError       the device was revoked, and only pairs anew
├── PairingCodeError      no device can join with this code, whatever the cause
├── InvitationError       nobody can join by this link, whatever the cause
├── LastOwnerError        an infant's records always have an owner
├── ConsentMissingError   nobody with the right to say so has agreed to it
├── UnknownEntryError     no such diary entry, or none that this viewer may change
├── BadEntryError         something said in a diary entry makes no sense
├── AudioMissingError     the stored audio cannot be found
├── AudioCorruptError     the stored audio is not what was uploaded
└── LeaseLostError        another worker has taken the recording over
"""

import datetime as dt
from collections.abc import Mapping
from typing import ClassVar
from uuid import UUID


class InfantError(Exception):
    """Root of the family; `code` names the kind to programs."""

    code: ClassVar[str] = "infant_error"


class NoAudioError(InfantError):
    """The upload holds no audio part, or an empty one."""

    code = "no_audio"

    def __str__(self) -> str:
        """Say it for people."""
        return "The upload needs a non-empty part named 'audio'."


class UploadTooLargeError(InfantError):
    """The upload is larger than one may be."""

    code = "too_large"

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(limit_bytes)
        self.limit_bytes = limit_bytes

    def __str__(self) -> str:
        """Say it for people."""
        return f"A recording may have at most {self.limit_bytes} bytes."


class LongBacklogError(InfantError):
    """So much waits to be judged that nothing more is taken in for a while."""

    code = "long_backlog"

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.limit = limit

    def __str__(self) -> str:
        """Say it for people."""
        return f"{self.limit} recordings wait to be judged; keep yours and send it again later."


class BadFieldError(InfantError):
    """Something said of the audio makes no sense."""

    code = "bad_field"

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(field, problem)
        self.field = field
        self.problem = problem

    def __str__(self) -> str:
        """Say it for people."""
        return f"{self.field} {self.problem}."


class EnvelopeError(InfantError):
    """The request around the audio is faulty; the audio may be sound, so nobody discards it."""

    code = "bad_envelope"


class TruncatedUploadError(EnvelopeError):
    """The form ends before its closing boundary: a part of it was lost on the way."""

    code = "truncated_body"

    def __str__(self) -> str:
        """Say it for people."""
        return "The form ends before its closing boundary; send it again."


class LengthMissingError(EnvelopeError):
    """Neither the request nor the server can tell how long the form is."""

    code = "length_required"

    def __str__(self) -> str:
        """Say it for people."""
        return "The upload needs a Content-Length."


class SeveralAudioPartsError(EnvelopeError):
    """More than one recording came where one is expected: one of them would be lost."""

    code = "several_audio_parts"

    def __str__(self) -> str:
        """Say it for people."""
        return "An upload holds one part named 'audio'; several go to recordings/bulk/."


class BadIdempotencyKeyError(EnvelopeError):
    """The idempotency key is longer than one may be."""

    code = "bad_idempotency_key"

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.limit = limit

    def __str__(self) -> str:
        """Say it for people."""
        return f"An idempotency key has at most {self.limit} characters."


class BulkMismatchError(EnvelopeError):
    """The items of a bulk upload cannot be paired with its audio parts."""

    code = "bulk_mismatch"

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem

    def __str__(self) -> str:
        """Say it for people."""
        return self.problem


class AssignmentOrderError(InfantError):
    """A new assignment would begin before the present one: history is not rewritten."""

    code = "assignment_order"

    def __init__(self, present_since: dt.datetime) -> None:
        super().__init__(present_since)
        self.present_since = present_since

    def __str__(self) -> str:
        """Say it for people."""
        since = self.present_since.isoformat()
        return f"The device serves an infant since {since}; it can serve another from later on."


class UnknownInfantError(InfantError):
    """No such infant, or none that this viewer may see: the two are not told apart."""

    code = "unknown_infant"

    def __init__(self, asked_for: str) -> None:
        super().__init__(asked_for)
        self.asked_for = asked_for

    def __str__(self) -> str:
        """Say it for people."""
        return f"There is no infant {self.asked_for!r} that you may see."


class UnknownDeviceError(InfantError):
    """No such device, or none that this viewer manages: the two are not told apart."""

    code = "unknown_device"

    def __init__(self, device_id: UUID) -> None:
        super().__init__(device_id)
        self.device_id = device_id

    def __str__(self) -> str:
        """Say it for people."""
        return f"There is no device {self.device_id} that you manage."


class DeviceGoneError(InfantError):
    """A device that was revoked serves nobody any more; it may be paired anew."""

    code = "device_gone"

    def __str__(self) -> str:
        """Say it for people."""
        return "This device was revoked; pair it again."


class PairingCodeError(InfantError):
    """No device can join with this code: wrong, expired and used ones are not told apart."""

    code = "pairing_code"

    def __str__(self) -> str:
        """Say it for people."""
        return "This code is wrong, has expired or was used before; ask for a new one."


class InvitationError(InfantError):
    """Nobody can join by this link: wrong, expired, withdrawn and used ones are not told apart."""

    code = "invitation"

    def __str__(self) -> str:
        """Say it for people."""
        return "This invitation cannot be used; ask for a new one."


class LastOwnerError(InfantError):
    """The records would have no owner left."""

    code = "last_owner"

    def __str__(self) -> str:
        """Say it for people."""
        return "An infant’s records always have an owner."


class ConsentMissingError(InfantError):
    """Nobody with the right to say so has agreed to it."""

    code = "consent_missing"

    def __init__(self, purpose: str) -> None:
        super().__init__(purpose)
        self.purpose = purpose

    def __str__(self) -> str:
        """Say it for people."""
        return f"There is no consent to {self.purpose}."


class UnknownEntryError(InfantError):
    """No such diary entry, or none that this viewer may change: the two are not told apart."""

    code = "unknown_entry"

    def __init__(self, entry_id: UUID) -> None:
        super().__init__(entry_id)
        self.entry_id = entry_id

    def __str__(self) -> str:
        """Say it for people."""
        return f"There is no diary entry {self.entry_id} that you may change."


class BadEntryError(InfantError):
    """Something said in a diary entry makes no sense; `problems` are sentences by field."""

    code = "bad_entry"

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(problems)
        self.problems = dict(problems)

    def __str__(self) -> str:
        """Say it for people."""
        return " ".join(self.problems.values())


class AudioMissingError(InfantError):
    """The stored audio of a recording cannot be found."""

    code = "audio_missing"

    def __init__(self, recording_id: UUID) -> None:
        super().__init__(recording_id)
        self.recording_id = recording_id

    def __str__(self) -> str:
        """Say it for people."""
        return f"The audio of recording {self.recording_id} is not in the storage."


class AudioCorruptError(InfantError):
    """The stored audio of a recording is not what was uploaded."""

    code = "audio_corrupt"

    def __init__(self, recording_id: UUID) -> None:
        super().__init__(recording_id)
        self.recording_id = recording_id

    def __str__(self) -> str:
        """Say it for people."""
        return f"The stored audio of recording {self.recording_id} differs from what was uploaded."


class LeaseLostError(InfantError):
    """Another worker has taken the recording over; whatever was computed is dropped."""

    code = "lease_lost"

    def __init__(self, recording_id: UUID) -> None:
        super().__init__(recording_id)
        self.recording_id = recording_id

    def __str__(self) -> str:
        """Say it for people."""
        return f"Recording {self.recording_id} was taken over by another worker."


class NotReviewableError(InfantError):
    """There is nothing in it that a person could decide otherwise."""

    code = "not_reviewable"

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why

    def __str__(self) -> str:
        """Say it for people."""
        return f"This cannot be reviewed: {self.why}."
