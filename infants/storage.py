"""Where audio lies: content-addressed files behind Django's storage interface.

What comes in: an upload's bytes. What goes out: their digest, size and storage name. Guaranteed:
once `keep_audio` returns, the bytes survive a power cut, and a name holds the bytes of its digest
or does not exist.
"""

import errno
import hashlib
import os
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import FileSystemStorage, default_storage

from infants.errors import AudioMissingError, NoAudioError, UploadTooLargeError
from infants.models import Recording

CHUNK_BYTES = 2**16
RESERVE_BYTES = 2**25
"""Kept free for rows: where audio takes the last byte, nothing can be written down or erased."""


class DurableFileSystemStorage(FileSystemStorage):
    """Files on the local disk that are on the disk, with their folders, before `save` returns.

    A name is made of its bytes' digest, so saving a name again writes the same bytes: a file is
    written in full beside its place and renamed, and two that save at once cannot harm each other.
    """

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        """Return the name as it is: it belongs to its bytes."""
        del max_length
        return name

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

    def sync(self, name: str) -> None:
        """Put a file that is there already on the disk, with its folders."""
        path = Path(self.path(name))
        _sync(path)
        self._sync_folders(path)

    def _sync_folders(self, path: Path) -> None:
        for folder in path.parents:
            _sync(folder)
            if folder == Path(self.location):
                break


def _sync(path: Path) -> None:
    """Flush one file or folder to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@dataclass(frozen=True)
class StoredAudio:
    """Bytes that are safely ours."""

    name: str
    sha256: str
    byte_size: int


def digest(content: File, limit_bytes: int) -> tuple[str, int]:
    """Return SHA-256 and size of an upload, read in chunks; refuse empty and oversized ones."""
    if content.size is not None and content.size > limit_bytes:
        raise UploadTooLargeError(limit_bytes)
    sha256, size = hashlib.sha256(), 0
    for chunk in content.chunks(CHUNK_BYTES):
        sha256.update(chunk)
        size += len(chunk)
    if size == 0:
        raise NoAudioError
    return sha256.hexdigest(), size


def keep_audio(content: File, sha256: str, size: int) -> StoredAudio:
    """Store bytes under their digest, once; a torn file of an earlier crash is replaced."""
    refuse_full_disk()
    name = f"audio/{sha256[:2]}/{sha256[2:4]}/{sha256}"
    if not _holds(name, sha256):
        content.seek(0)
        default_storage.save(name, content)
    return StoredAudio(name, sha256, size)


def refuse_full_disk() -> None:
    """Raise the operating system's own error while there is still room to cope with it."""
    for folder in (settings.ICLAS_HOME.root, settings.ICLAS_HOME.storage):
        if shutil.disk_usage(folder).free < RESERVE_BYTES:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))


def _holds(name: str, sha256: str) -> bool:
    """Tell whether a file holds these bytes, and make sure that they are on the disk.

    Whoever wrote it may not have got so far yet, or may have been cut off by a power cut.
    """
    try:
        with default_storage.open(name) as stored:
            found, _ = digest(stored, stored.size)
        if isinstance(default_storage, DurableFileSystemStorage):
            default_storage.sync(name)
    except (FileNotFoundError, NoAudioError):
        return False
    return found == sha256


def read_audio(recording: Recording) -> bytes:
    """Return the bytes of a recording, or raise `AudioMissingError`."""
    try:
        with default_storage.open(recording.audio) as stored:
            return stored.read()
    except (FileNotFoundError, IsADirectoryError) as error:
        raise AudioMissingError(recording.id) from error


def is_intact(recording: Recording, content: bytes) -> bool:
    """Tell whether bytes read back are those that were uploaded."""
    return hashlib.sha256(content).hexdigest() == recording.sha256


def erase_audio(recording: Recording) -> None:
    """Delete a recording's bytes, unless another recording still needs the same ones."""
    name = recording.audio
    needed = Recording.objects.filter(audio=name, audio_erased_at=None).exclude(id=recording.id)
    if name and not needed.exists():
        default_storage.delete(name)
