"""Byte ranges of HTTP (RFC 9110), as players ask for them; pure.

What comes in: a `Range` header and a size. What goes out: where to begin and how much. Guaranteed:
a header that cannot be read, or asks for several parts, is taken for none, as the standard allows.
"""

import re
from typing import NamedTuple

ONE_RANGE = re.compile(r"bytes=(\d*)-(\d*)", re.ASCII)
MOST_DIGITS = 15


class Part(NamedTuple):
    """Which bytes are asked for; of none at all there is no `length`."""

    start: int
    length: int

    def told(self, size: int) -> str:
        """Return the `Content-Range` of an answer."""
        if not self.length:
            return f"bytes */{size}"
        return f"bytes {self.start}-{self.start + self.length - 1}/{size}"


def part_asked(header: str, size: int) -> Part | None:
    """Return the part that is asked for; None where it is all of it."""
    found = ONE_RANGE.fullmatch(header.strip())
    if found is None or max(map(len, found.groups())) > MOST_DIGITS:
        return None
    first, last = found.groups()
    if not first:
        return _tail(last, size)
    start = int(first)
    end = min(int(last), size - 1) if last else size - 1
    if last and int(last) < start:
        return None
    return Part(start, end - start + 1) if start < size else Part(0, 0)


def _tail(last: str, size: int) -> Part | None:
    if not last:
        return None
    length = min(int(last), size)
    return Part(size - length, length)
