"""The ASGI application that the web process serves.

Guaranteed: it does not start on a database of a newer version; a body for which the disk has no
room is answered with a problem document, like everything else that goes wrong under `/api/`.
"""

import io
import os
from collections.abc import Awaitable, Callable, Mapping
from typing import IO, Any

import django
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "iclas.settings")
django.setup(set_prefix=False)

from iclas.database import refuse_to_start_on_newer  # noqa: E402  Django is set up before

Receive = Callable[[], Awaitable[Mapping[str, Any]]]


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
    """Django's, which writes a body to the disk before there is a view to answer for it."""

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
