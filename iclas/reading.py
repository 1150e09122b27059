"""How the web process reads from its connections: in small pieces, into one place.

What comes in: bytes of however many clients. What goes out: the same to uvicorn's HTTP/1.1.
Guaranteed: a connection has little more than `PIECE_BYTES` in memory that nobody has taken yet.
asyncio itself would read 256 KiB from each that has them, before anything that was read is kept:
with a thousand monitors that upload at once, these alone were 0.4 GB.
"""

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

PIECE_BYTES = 2**15
_piece = memoryview(bytearray(PIECE_BYTES))
"""One for all: the event loop fills it and hands it over before it turns to another connection."""


class SmallPieces(H11Protocol, asyncio.BufferedProtocol):
    """uvicorn's protocol, which says how much is read at once."""

    def get_buffer(self, sizehint: int) -> memoryview:
        """Return where to read into."""
        del sizehint
        return _piece

    def buffer_updated(self, nbytes: int) -> None:
        """Take what was read."""
        self.data_received(bytes(_piece[:nbytes]))
