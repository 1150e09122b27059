"""The application as the web server calls it: few at a time, and bodies on the disk."""

import asyncio
import threading
import time
from typing import Any

import pytest
from django.core import signals
from django.http import HttpRequest, HttpResponse

from iclas.turns import Message

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]
AT_ONCE, REQUESTS = 2, 7
SCOPE = {
    "type": "http",
    "method": "POST",
    "path": "/",
    "query_string": b"",
    "headers": [(b"host", b"localhost")],
}


class Counted:
    """A view that counts how many threads are in it at most."""

    def __init__(self) -> None:
        self.now = self.most = 0
        self._lock = threading.Lock()

    def __call__(self, _request: HttpRequest) -> HttpResponse:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        time.sleep(0.02)
        with self._lock:
            self.now -= 1
        return HttpResponse(b"well")


async def _receive_from(waiting: list[Message]) -> Message:
    if not waiting:
        await asyncio.Event().wait()
    return waiting.pop(0)


@pytest.fixture
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the signals of requests leave the test's transaction alone."""
    for signal in (signals.request_started, signals.request_finished):
        monkeypatch.setattr(signal, "receivers", [])


@pytest.mark.usefixtures("_quiet")
def test_few_requests_are_answered_at_once_and_all_of_them_in_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from iclas.asgi import application  # it asks the database as soon as it is imported

    view, sent = Counted(), list[Any]()
    monkeypatch.setattr(application, "get_response", view)

    async def one() -> None:
        waiting: list[Message] = [{"type": "http.request", "body": b"x", "more_body": False}]

        async def send(message: Message) -> None:
            sent.append(message.get("body"))

        await application(dict(SCOPE), lambda: _receive_from(waiting), send)  # type: ignore[arg-type]

    async def play() -> None:
        monkeypatch.setattr(application, "_turns", asyncio.Semaphore(AT_ONCE))
        await asyncio.gather(*(one() for _ in range(REQUESTS)))

    asyncio.run(play())
    assert view.most == AT_ONCE
    assert sent.count(b"well") == REQUESTS


@pytest.mark.parametrize(("size", "is_on_the_disk"), [(1_000, False), (100_000, True)])
def test_bodies_wait_on_the_disk(size: int, is_on_the_disk: bool) -> None:
    from iclas.asgi import application

    waiting: list[Message] = [{"type": "http.request", "body": bytes(size), "more_body": False}]
    body: Any = asyncio.run(application.read_body(lambda: _receive_from(waiting)))
    with body:
        assert body._rolled == is_on_the_disk
        assert len(body.read()) == size
