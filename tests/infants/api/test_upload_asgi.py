"""Uploads as the web server hands them over, without a declared length."""

import asyncio
import errno
import io
import tempfile
from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.core import signals
from django.db import close_old_connections, reset_queries
from pytest_django import Settings

from devices.models import Device, issue_token
from infants.api.forms import FORM_ALLOWANCE_BYTES
from infants.models import Recording
from tests.builders import a_device, an_infant
from tests.uploads import MULTIPART, UPLOAD, form

pytestmark = pytest.mark.django_db


@pytest.fixture
def device() -> Device:
    return a_device(an_infant())


# --- ASGI, as it is served -----------------------------------------------------------------------


def _asgi(
    device: Device, chunks: list[bytes], headers: list[tuple[bytes, bytes]]
) -> tuple[int, bytes]:
    """Send a request as the web server hands it over; return status and body."""
    from iclas.asgi import application  # it asks the database as soon as it is imported

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "path": UPLOAD,
        "raw_path": UPLOAD.encode(),
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "server": ("localhost", 80),
        "client": ("127.0.0.1", 1),
        "headers": [
            (b"host", b"localhost"),
            (b"content-type", MULTIPART.encode()),
            (b"authorization", f"Bearer {issue_token(device)}".encode()),
            *headers,
        ],
    }

    async def call() -> tuple[int, bytes]:

        waiting = [
            {"type": "http.request", "body": chunk, "more_body": index < len(chunks) - 1}
            for index, chunk in enumerate(chunks)
        ]
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            if waiting:
                return waiting.pop(0)
            await asyncio.sleep(3600)
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await application(scope, receive, send)  # type: ignore[arg-type]
        body = b"".join(message.get("body", b"") for message in sent)
        return sent[0]["status"], body

    return async_to_sync(call)()


@pytest.fixture
def _quiet() -> Iterator[None]:
    """Let ASGI's request signals leave the test's transaction alone."""
    for receiver in (close_old_connections, reset_queries):
        signals.request_started.disconnect(receiver)
    signals.request_finished.disconnect(close_old_connections)
    yield
    for receiver in (close_old_connections, reset_queries):
        signals.request_started.connect(receiver)
    signals.request_finished.connect(close_old_connections)


@pytest.mark.usefixtures("_quiet")
def test_a_chunked_upload_is_stored_whole(device: Device) -> None:
    body = form(b"s" * 5000)
    status, _ = _asgi(device, [body[:100], body[100:]], [(b"transfer-encoding", b"chunked")])
    assert status == 201
    assert Recording.objects.get().byte_size == 5000


@pytest.mark.usefixtures("_quiet")
def test_a_chunked_upload_that_is_too_large_answers_413(device: Device, settings: Settings) -> None:
    settings.ICLAS_MAX_UPLOAD_BYTES = 10
    body = form(b"s" * (FORM_ALLOWANCE_BYTES + 20))
    status, said = _asgi(device, [body], [(b"transfer-encoding", b"chunked")])
    assert status == 413
    assert b'"retry":"never"' in said


@pytest.mark.usefixtures("_quiet")
def test_a_body_for_which_there_is_no_room_is_told_like_any_other_problem(
    device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(io.BytesIO):
        def write(self, _chunk: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "SpooledTemporaryFile", lambda **_given: Full())
    body = form(b"s" * 5000)
    length = (b"content-length", str(len(body)).encode())
    status, said = _asgi(device, [body[:100], body[100:200], body[200:]], [length])
    assert status == 503
    assert b'"code":"storage_full"' in said
    assert not Recording.objects.exists()
