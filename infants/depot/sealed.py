"""Sealing beneath Django's storage interface, whatever lies beneath it.

What comes in: the files that the project saves and opens. What goes out: the same, sealed where a
key is given. Guaranteed: what was stored before there was a key stays readable; what looks sealed
and was uploaded so comes back as it was uploaded; a key that is missing is an error that names it,
and never garbage.
"""

import io
import tempfile
from typing import IO, Any

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import Storage

from infants.depot.keys import NOBODYS, Key, Keyring
from infants.depot.sealing import Unsealed, looks_sealed, seal, sealed_with


class DepotFile(File):
    """An open file, with a word that changes whenever what is stored is written again."""

    def __init__(self, stored: IO[Any], name: str, version: str) -> None:
        super().__init__(stored, name)
        self.version = version


class SealedStorage(Storage):
    """To be put before a storage: seals what is saved, unseals what is opened."""

    keyring: Keyring

    def __init__(self, *, keyring: Keyring, **options: Any) -> None:
        self.keyring = keyring
        super().__init__(**options)

    def key_of(self, name: str) -> bytes | None:
        """Return the id of the key that a file lies sealed with, or None where it is not sealed."""
        with self._stored(name) as stored:
            return sealed_with(stored)

    def size(self, name: str) -> int:
        """Return how many bytes a file has that is opened."""
        with self.open(name) as stored:
            return stored.size

    def _stored(self, name: str) -> DepotFile:
        """Return a file as it lies there."""
        return super()._open(name, "rb")  # type: ignore[misc]

    def _open(self, name: str, mode: str = "rb") -> File:
        if mode != "rb":
            return super()._open(name, mode)  # type: ignore[misc]
        stored = self._stored(name)
        try:
            if not looks_sealed(stored):
                return stored
            unsealed = io.BufferedReader(Unsealed(stored, self.keyring, name))
        except BaseException:
            stored.close()
            raise
        return DepotFile(unsealed, name, stored.version)

    def _save(self, name: str, content: File) -> str:
        key = self._key_for(content)
        if key is None:
            return super()._save(name, content)  # type: ignore[misc]
        with tempfile.TemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR) as draft:
            seal(content, draft, key, name)
            draft.seek(0)
            return super()._save(name, File(draft, name))  # type: ignore[misc]

    def _key_for(self, content: File) -> Key | None:
        """Return what seals this; what looks sealed is wrapped in any case."""
        return self.keyring.newest or (NOBODYS if looks_sealed(content) else None)
