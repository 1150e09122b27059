"""Reading upload forms: whole or not at all, without ever holding a recording in memory.

What comes in: a multipart request. What goes out: `Upload`s for the upload stage. Guaranteed: a
form that was cut off on its way is refused as such, never taken for a shorter one; whatever is
wrong with the request around the audio keeps the audio on the device.
"""

import json
import math
import os
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from django.core.files.base import File
from django.utils.datastructures import MultiValueDict
from django.utils.http import parse_header_parameters
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.parsers import DataAndFiles, MultiPartParser
from rest_framework.request import Request

from infants.clock import usable_age_s
from infants.errors import (
    BadFieldError,
    BadIdempotencyKeyError,
    BulkMismatchError,
    LengthMissingError,
    NoAudioError,
    SeveralAudioPartsError,
    TruncatedUploadError,
    UploadTooLargeError,
)
from infants.stages.upload import Upload

AUDIO = "audio"
ITEMS = "items"
FORM_ALLOWANCE_BYTES = 2**16
"""How much a form may hold around its audio."""
TAIL_BYTES = 2**12
MAX_KEY_CHARACTERS = 200


class _Watched:
    """A stream that remembers its last bytes."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.tail = b""

    def read(self, size: int = -1) -> bytes:
        """Read on."""
        chunk = self._stream.read(size)
        self.tail = (self.tail + chunk[-TAIL_BYTES:])[-TAIL_BYTES:]
        return chunk


class WholeFormParser(MultiPartParser):
    """A multipart parser that insists on the closing boundary.

    Django's own drops the part that was being read when the form ended; a device would be told
    that its upload held no audio, and would delete it.
    """

    def parse(
        self,
        stream: Any,  # noqa: ANN401  the framework's
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> "DataAndFiles[Any, Any]":
        """Parse the form, or raise `TruncatedUploadError`."""
        watched: Any = _Watched(stream)
        parsed = super().parse(watched, media_type, parser_context)
        boundary = parse_header_parameters(media_type or "")[1]["boundary"]
        if f"--{boundary}--".encode() not in watched.tail:
            for _, files in parsed.files.lists():
                for file in files:
                    file.close()
            raise TruncatedUploadError
        return parsed


def read_form(request: Request, limit_bytes: int | None = None) -> MultiValueDict[str, Any]:
    """Return the form's fields and files by name; refuse by its length before reading it."""
    if not (request.content_type or "").lower().startswith("multipart/form-data"):
        raise UnsupportedMediaType(request.content_type or "nothing")
    length = _body_length(request)
    if limit_bytes is not None and length > limit_bytes + FORM_ALLOWANCE_BYTES:
        raise UploadTooLargeError(limit_bytes)
    form: MultiValueDict[str, Any] = MultiValueDict()
    form.update(request.POST)
    for name, files in request.FILES.lists():
        form.setlist(name, files)
    return form


def _body_length(request: Request) -> int:
    """Return the body's length; where chunks carry it, measure it and write it into the request.

    Django takes a body without a declared length for an empty one.
    """
    said = request.META.get("CONTENT_LENGTH")
    if said:
        return _declared(said)
    if "chunked" not in request.META.get("HTTP_TRANSFER_ENCODING", "").lower():
        return 0
    stream = getattr(request._request, "_stream", None)
    if stream is None or not getattr(stream, "seekable", lambda: False)():
        raise LengthMissingError
    length = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    request.META["CONTENT_LENGTH"] = str(length)
    return int(length)


def _declared(said: str) -> int:
    if not said.isdecimal():
        raise LengthMissingError
    return int(said)


def one_upload(form: MultiValueDict[str, Any], idempotency_key: str | None) -> Upload:
    """Return the one recording that a form holds."""
    parts = [part for part in form.getlist(AUDIO) if isinstance(part, File)]
    if not parts:
        raise NoAudioError
    if len(parts) > 1:
        raise SeveralAudioPartsError
    return described(parts[0], form.dict() | {"idempotency_key": idempotency_key})


PRESENT = ("clock", "uptime_s")
"""What a device says of the moment at which it sends, once for all of a form."""


def bulk_parts(form: MultiValueDict[str, Any]) -> list[tuple[File, object]]:
    """Return the audio parts of a bulk upload, each with what its item says."""
    parts = [part for part in form.getlist(AUDIO) if isinstance(part, File)]
    try:
        items = json.loads(form.get(ITEMS) or "null")
    except (ValueError, RecursionError) as error:
        raise BulkMismatchError("'items' must be a JSON array.") from error
    if not isinstance(items, list):
        raise BulkMismatchError("'items' must be a JSON array.")
    if len(items) != len(parts):
        problem = f"{len(items)} items were sent with {len(parts)} parts named 'audio'."
        raise BulkMismatchError(problem)
    if not 0 < len(parts) <= settings.ICLAS_MAX_BULK_ITEMS:
        problem = f"A bulk upload has 1 to {settings.ICLAS_MAX_BULK_ITEMS} recordings."
        raise BulkMismatchError(problem)
    present = {name: form[name] for name in PRESENT if name in form}
    told = [present | item if isinstance(item, dict) else item for item in items]
    return list(zip(parts, told, strict=True))


def described(audio: File, said: object) -> Upload:
    """Return a recording with what was said of it; a clock may be wrong, a battery may not.

    In a bulk upload `clock` and `uptime_s`, the device's present times, may stand in any item or
    beside the items; they are of the one moment at which the whole form was sent.
    """
    if not isinstance(said, Mapping):
        raise BulkMismatchError("An item must be a JSON object.")
    key = _text(said.get("idempotency_key"))
    if len(key) > MAX_KEY_CHARACTERS:
        raise BadIdempotencyKeyError(MAX_KEY_CHARACTERS)
    return Upload(
        audio=audio,
        recorded_at=_text(said.get("recorded_at")),
        idempotency_key=key or None,
        device_session=_text(said.get("session")),
        battery_frac=_battery_frac(said.get("battery_frac")),
        clock=_text(said.get("clock"))[:64],
        age_s=_age_s(said),
    )


def _age_s(said: Mapping[str, Any]) -> float | None:
    """Return how long ago it was recorded, by a device that has no clock; else None.

    What makes no sense is taken for not said, as with a clock: the recording counts for more.
    """
    if (age_s := _number(said.get("age_s"))) is not None:
        return usable_age_s(age_s)
    now_s, then_s = (_number(said.get(name)) for name in ("uptime_s", "recorded_uptime_s"))
    return None if now_s is None or then_s is None else usable_age_s(now_s - then_s)


def _number(said: object) -> float | None:
    try:
        number = float(str(said))
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _text(said: object) -> str:
    """Return what was said as text that every database can hold."""
    if said is None:
        return ""
    return str(said).encode("utf-8", "replace").decode().replace("\0", "").strip()


def _battery_frac(said: object) -> float | None:
    if said is None or said == "":
        return None
    try:
        frac = math.nan if isinstance(said, bool) else float(str(said))
    except ValueError:
        frac = math.nan
    if not 0 <= frac <= 1:
        raise BadFieldError("battery_frac", "must be a number from 0 to 1")
    return frac
