"""The keys of the depot, as `ICLAS_STORAGE_KEYS` gives them: newest first.

What comes in: keys of 32 bytes in URL-safe base64, with commas between them. What goes out: the
one that seals, and each by its id. Guaranteed: an id tells nothing of its key, and no key is in any
text or error.
"""

import base64
import binascii
import hashlib
import secrets
from dataclasses import dataclass, field

from infants.depot.errors import BadKeyError, KeyGoneError

KEY_BYTES = 32
ID_BYTES = 8


@dataclass(frozen=True)
class Key:
    """What seals and opens, and the id under which what is sealed names it."""

    secret: bytes = field(repr=False)

    @property
    def id(self) -> bytes:
        """Its name, from which nobody finds the key."""
        return hashlib.blake2b(self.secret, digest_size=ID_BYTES, person=b"iclas key id").digest()


NOBODYS = Key(bytes(KEY_BYTES))
"""Keeps no secret: it wraps what nobody asked to seal, and what looks sealed all the same."""


@dataclass(frozen=True)
class Keyring:
    """Keys, newest first; there may be none."""

    keys: tuple[Key, ...] = ()

    @property
    def newest(self) -> Key | None:
        """The one that seals, where anything is to be sealed."""
        return self.keys[0] if self.keys else None

    def named(self, key_id: bytes) -> Key:
        """Return the key of this id, or raise `KeyGoneError`."""
        for key in (*self.keys, NOBODYS):
            if key.id == key_id:
                return key
        raise KeyGoneError(key_id.hex())


def read_keys(text: str) -> Keyring:
    """Return the keys that a setting holds; BadKeyError where one of them is none."""
    words = [word.strip() for word in text.split(",")]
    return Keyring(tuple(_key(word, number) for number, word in enumerate(words, 1) if word))


def _key(word: str, number: int) -> Key:
    try:
        secret = base64.b64decode(word, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadKeyError(f"key {number} is not base64") from error
    if len(secret) != KEY_BYTES:
        raise BadKeyError(f"key {number} has {len(secret)} bytes instead of {KEY_BYTES}")
    if secret == NOBODYS.secret:
        raise BadKeyError(f"key {number} is made of zeros")
    return Key(secret)


def drawn_key() -> str:
    """Return a new key, as the setting takes it."""
    return base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).decode()
