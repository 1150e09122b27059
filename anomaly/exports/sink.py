"""A file that is only passed on: what a library writes into it is taken out in pieces."""

import io
from typing import IO, cast

from typing_extensions import Buffer, override


class Sink(io.RawIOBase):
    """Takes bytes, and forgets them once they are taken out; it cannot be gone back in."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []

    @override
    def writable(self) -> bool:
        """Say that it takes bytes."""
        return True

    @override
    def write(self, data: Buffer, /) -> int:
        """Keep a copy until it is taken out."""
        piece = bytes(data)
        self._pieces.append(piece)
        return len(piece)

    def taken(self) -> bytes:
        """Take out what was written since the last time."""
        piece = b"".join(self._pieces)
        self._pieces.clear()
        return piece

    def as_file(self) -> IO[bytes]:
        """Return it under the type by which libraries know a file."""
        return cast("IO[bytes]", self)
