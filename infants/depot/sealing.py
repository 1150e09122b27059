"""Sealing: encryption of one file, and its way back, in bounded memory.

What comes in: a file, a key and the name under which it will lie. What goes out: a sealed file, and
from that the same bytes. Guaranteed: a byte that was changed, a file that was cut short, chunks in
another order and a file put under another name are all found when they are read, by
`BrokenSealError`; nothing that was not authenticated is ever returned.

A sealed file is a header and chunks. The header: eight fixed bytes, the format's version, the
key's id, and a salt. Each file has a key of its own, derived from key and salt by HKDF-SHA256. Each
chunk is 64 KiB (the last one less) under AES-256-GCM: its nonce is its number and whether it is the
last, its associated data are the header and the name. This is the STREAM construction (Hoang,
Reyhanitabar, Rogaway and Vizar, 2015), which age and Tink use too. Fernet would need a whole file
in memory, and a third more room.
"""

import io
import os
from collections.abc import Iterator
from typing import IO, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from infants.depot.errors import BrokenSealError
from infants.depot.keys import ID_BYTES, KEY_BYTES, Key, Keyring

MAGIC = b"\x8dICLAS\r\n"
VERSION = b"\x01"
SALT_BYTES = 32
HEADER_BYTES = len(MAGIC) + len(VERSION) + ID_BYTES + SALT_BYTES
CHUNK_BYTES = 2**16
TAG_BYTES = 16
SEALED_CHUNK_BYTES = CHUNK_BYTES + TAG_BYTES


class Readable(Protocol):
    """What can be read from any place on."""

    def read(self, size: int = -1, /) -> bytes:
        """Return so many bytes, or fewer at the end."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go to a place."""


def looks_sealed(content: Readable) -> bool:
    """Tell whether a file begins as sealed ones do."""
    content.seek(0)
    found = content.read(len(MAGIC)) == MAGIC
    content.seek(0)
    return found


def sealed_with(content: Readable) -> bytes | None:
    """Return the id of the key that a file was sealed with, or None where it was not sealed."""
    if not looks_sealed(content):
        return None
    header = _header(content)
    content.seek(0)
    return _key_id(header)


def seal(content: Readable, target: IO[bytes], key: Key, name: str) -> None:
    """Write a file's sealed form."""
    header = MAGIC + VERSION + key.id + os.urandom(SALT_BYTES)
    cipher, bound = _cipher(key, header), _bound(header, name)
    target.write(header)
    for number, chunk, is_last in _chunks(content):
        target.write(cipher.encrypt(_nonce(number, is_last=is_last), chunk, bound))


def _chunks(content: Readable) -> Iterator[tuple[int, bytes, bool]]:
    """Yield number, bytes and whether it is the last; of nothing at all there is one, empty."""
    content.seek(0)
    number, chunk = 0, _full(content)
    while len(chunk) == CHUNK_BYTES and (following := _full(content)):
        yield number, chunk, False
        number, chunk = number + 1, following
    yield number, chunk, True


def _full(content: Readable) -> bytes:
    """Read a whole chunk, from what may give less at a time."""
    parts, missing = [], CHUNK_BYTES
    while missing and (part := content.read(missing)):
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


def _header(content: Readable) -> bytes:
    content.seek(0)
    header = content.read(HEADER_BYTES)
    if len(header) < HEADER_BYTES or header[len(MAGIC) :][:1] != VERSION:
        raise BrokenSealError("its header is cut short, or of another version")
    return header


def _key_id(header: bytes) -> bytes:
    return header[len(MAGIC) + len(VERSION) :][:ID_BYTES]


def _cipher(key: Key, header: bytes) -> AESGCM:
    derived = HKDF(SHA256(), KEY_BYTES, salt=header[-SALT_BYTES:], info=b"iclas depot 1")
    return AESGCM(derived.derive(key.secret))


def _bound(header: bytes, name: str) -> bytes:
    return header + name.encode()


def _nonce(number: int, *, is_last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([is_last])


class Unsealed(io.RawIOBase):
    """The bytes that were sealed, from any place on; a chunk is opened when it is read."""

    def __init__(self, content: Readable, keyring: Keyring, name: str) -> None:
        super().__init__()
        self._content = content
        header = _header(content)
        self._cipher = _cipher(keyring.named(_key_id(header)), header)
        self._bound = _bound(header, name)
        body_bytes = content.seek(0, os.SEEK_END) - HEADER_BYTES
        self._n_chunks = max(1, -(-body_bytes // SEALED_CHUNK_BYTES))
        self._size = body_bytes - TAG_BYTES * self._n_chunks
        if self._size < 0:
            raise BrokenSealError("it is cut short")
        self._position = 0
        self._number, self._chunk = 0, self._opened(0)

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def seekable(self) -> bool:
        """Tell that it can be read from any place on."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Go to a place."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        """Read on, to the end of a chunk at most."""
        if self._position >= self._size:
            return 0
        number, start = divmod(self._position, CHUNK_BYTES)
        if number != self._number:
            self._number, self._chunk = number, self._opened(number)
        part = self._chunk[start : start + len(buffer)]
        buffer[: len(part)] = part
        self._position += len(part)
        return len(part)

    def close(self) -> None:
        """Close what is sealed too."""
        if not self.closed:
            getattr(self._content, "close", lambda: None)()
        super().close()

    def _opened(self, number: int) -> bytes:
        self._content.seek(HEADER_BYTES + number * SEALED_CHUNK_BYTES)
        sealed = self._content.read(SEALED_CHUNK_BYTES)
        nonce = _nonce(number, is_last=number == self._n_chunks - 1)
        try:
            return self._cipher.decrypt(nonce, sealed, self._bound)
        except (InvalidTag, ValueError) as error:
            raise BrokenSealError(f"chunk {number} is not the one that was sealed") from error
