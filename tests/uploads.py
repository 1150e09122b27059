"""Upload forms and what their answers must say, for the tests of uploads."""

import json
from collections.abc import Sequence
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse

from devices.models import Device
from tests.builders import START, as_device

UPLOAD = "/api/v1/recordings/"
BULK = "/api/v1/recordings/bulk/"
BOUNDARY = "frontier"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"


def audio(content: bytes = b"sound", name: str = "cry.wav") -> SimpleUploadedFile:
    """Return an audio part."""
    return SimpleUploadedFile(name, content, "audio/wav")


def send(
    device: Device, content: bytes = b"sound", key: str | None = None, **said: object
) -> HttpResponse:
    """Upload one recording."""
    headers = {} if key is None else {"Idempotency-Key": key}
    form = {"audio": audio(content), "recorded_at": START.isoformat()} | said
    return as_device(device).post(UPLOAD, form, format="multipart", headers=headers)


def send_bulk(device: Device, contents: Sequence[bytes], items: object = None) -> HttpResponse:
    """Upload many recordings; without items, each is described by nothing."""
    said = [{} for _ in contents] if items is None else items
    form = {"audio": [audio(content) for content in contents], "items": json.dumps(said)}
    return as_device(device).post(BULK, form, format="multipart")


def raw(device: Device, body: bytes, content_type: str = MULTIPART) -> HttpResponse:
    """Upload a body byte by byte as it is."""
    return as_device(device).generic("POST", UPLOAD, body, content_type)


def form(content: bytes, *, closed: bool = True) -> bytes:
    """Return a multipart body with this audio; without its closing boundary if not closed."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="audio"; filename="a.wav"\r\n\r\n'
    tail = f"\r\n--{BOUNDARY}--\r\n" if closed else ""
    return head.encode() + content + tail.encode()


def assert_problem(answer: HttpResponse, status: int, code: str, retry: str) -> dict[str, Any]:
    """Hold an answer against what a problem document must be; return the document."""
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    said: dict[str, Any] = json.loads(answer.content)
    assert (said["status"], said["code"], said["retry"]) == (status, code, retry)
    assert said["type"] == f"urn:iclas:problem:{code}"
    assert said["title"]
    assert said["detail"]
    return said
