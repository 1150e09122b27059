"""The ASGI application that the web process serves.

Guaranteed: it does not start on a database of a newer version; a body for which the disk has no
room is answered with a problem document, like everything else that goes wrong under `/api/`; however
many requests come in at once, their bodies wait on the disk, and `ICLAS_REQUESTS_AT_ONCE` of them
at most have a thread and a connection to the database, streams that have begun not counted.
"""

import asyncio
import io
import os
from collections.abc import Awaitable, Callable, Mapping
from typing import IO, Any

import django
from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "iclas.settings")
django.setup(set_prefix=False)

from iclas.database import refuse_to_start_on_newer  # noqa: E402  Django is set up before

Scope = dict[str, Any]
Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
END_OF_BODY = {"type": "http.request", "body": b"", "more_body": False}


class LostBody(io.BytesIO):
    """A body that could not be kept: who reads it, and nobody else, meets the reason."""

    def __init__(self, reason: OSError) -> None:
        super().__init__()
        # Its traceback would hold on to the file, and with it to the room on the disk.
        self._reason = reason.with_traceback(None)

    def read(self, size: int | None = -1) -> bytes:
        """Raise the reason."""
        del size
        raise self._reason


class Turn:
    """A request's turn: taken when its body is kept, given back at its end or as a stream begins.

    A body that comes in slowly keeps nobody waiting, nor does a page that stays open for its news.
    """

    def __init__(self, turns: asyncio.Semaphore, receive: Receive, send: Send) -> None:
        self._turns, self._receive, self._send = turns, receive, send
        self._is_whole = self._is_mine = False

    async def receive(self) -> Message:
        """Hand on what comes in, and the end of a body when it is this request's turn.

        The last piece goes before, for whoever takes it to keep it on the disk meanwhile.
        """
        if self._is_whole:
            await self._take()
            return END_OF_BODY
        message = await self._receive()
        if message["type"] != "http.request" or message.get("more_body", False):
            return message
        self._is_whole = True
        return {**message, "more_body": True}

    async def _take(self) -> None:
        await self._turns.acquire()
        self._is_whole, self._is_mine = False, True

    async def send(self, message: Message) -> None:
        """Hand on what goes out; what goes out piece by piece needs no turn any more."""
        if message.get("more_body", False):
            self.give_back()
        await self._send(message)

    def give_back(self) -> None:
        """Let the next one begin; twice is as good as once."""
        if self._is_mine:
            self._is_mine = False
            self._turns.release()


class Application(ASGIHandler):
    """Django's, which takes in a body before there is a view to answer for it.

    Everything between is as synchronous as the views: in Django's own chain each middleware would
    send a request to its thread and back.
    """

    def __init__(self) -> None:
        super().__init__()
        self._turns = asyncio.Semaphore(settings.ICLAS_REQUESTS_AT_ONCE)

    def load_middleware(self, is_async: bool = False) -> None:  # noqa: FBT001, FBT002  Django's
        """Load the chain that runs in a thread."""
        del is_async
        super().load_middleware(is_async=False)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        """Run the chain in the request's own thread."""
        return await sync_to_async(self.get_response)(request)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request when it is its turn."""
        turn = Turn(self._turns, receive, send)
        try:
            await super().handle(scope, turn.receive, turn.send)
        finally:
            turn.give_back()

    async def read_body(self, receive: Receive) -> IO[bytes]:
        """Return the body; where it cannot be kept, let the view say so."""
        try:
            return await super().read_body(receive)
        except OSError as error:
            await _let_it_end(receive)
            return LostBody(error)


async def _let_it_end(receive: Receive) -> None:
    """Take in the rest of a body: a client that still sends would not hear the answer."""
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise RequestAborted
        more = bool(message.get("more_body", False))


refuse_to_start_on_newer()
application = Application()
