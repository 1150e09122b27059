"""Files on the local disk that are on the disk, with their folders, before `save` returns.

A name is made of its bytes' digest, so saving a name again writes the same bytes: a file is
written in full beside its place and renamed, and two that save at once cannot harm each other.
"""

import os
import secrets
import tempfile
from pathlib import Path

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage

from infants.depot.sealed import DepotFile, SealedStorage


class DurableFileSystemStorage(FileSystemStorage):
    """Django's own, which flushes what it writes before it says that it is written."""

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        """Return the name as it is: it belongs to its bytes."""
        del max_length
        return name

    def sync(self, name: str) -> None:
        """Put a file that is there already on the disk, with its folders."""
        path = Path(self.path(name))
        _sync(path)
        self._sync_folders(path)

    def probe(self) -> None:
        """Write a small file, or raise what stands in the way."""
        with tempfile.TemporaryFile(dir=self.location) as probe:
            probe.write(b"written")
            probe.flush()

    def _open(self, name: str, mode: str = "rb") -> File:
        stored = Path(self.path(name)).open(mode)  # noqa: SIM115  whoever asked closes it
        state = os.fstat(stored.fileno())
        return DepotFile(stored, name, f"{state.st_ino}-{state.st_size}-{state.st_mtime_ns}")

    def _save(self, name: str, content: File) -> str:
        part = f"{name}.{secrets.token_hex(8)}.part"
        draft = Path(self.path(part))
        try:
            super()._save(part, content)  # type: ignore[misc]
            _sync(draft)
            path = draft.replace(self.path(name))
        except OSError:
            draft.unlink(missing_ok=True)
            raise
        self._sync_folders(path)
        return name

    def _sync_folders(self, path: Path) -> None:
        for folder in path.parents:
            _sync(folder)
            if folder == Path(self.location):
                break


class FolderDepot(SealedStorage, DurableFileSystemStorage):
    """A folder whose files are sealed where there is a key."""

    kind = "folder"


def _sync(path: Path) -> None:
    """Flush one file or folder to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
