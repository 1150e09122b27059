"""The ASGI application that the web process serves.

Guaranteed: it does not start on a database of a newer version; a body for which the disk has no
room is answered with a problem document, like everything else that goes wrong under `/api/`; of
however many requests come in at once, the bodies wait on the disk, and `ICLAS_REQUESTS_AT_ONCE` at
most have a thread and a connection to the database, answers that have begun not counted.
"""

import asyncio
import io
import os
from typing import IO

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
from iclas.telemetry.asked import let_be_measured  # noqa: E402  as above
from iclas.turns import Receive, Scope, Send, Turn  # noqa: E402  as above


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
let_be_measured()
application = Application()
