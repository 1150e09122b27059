"""Where audio lies: content-addressed files behind Django's storage interface.

What comes in: an upload's bytes. What goes out: their digest, size and storage name, and later the
same bytes again. Guaranteed: once `keep_audio` returns, the bytes survive a power cut, or the
object store has said that it has them; whatever is read back is what was uploaded, or is an error.
"""

import datetime as dt
import errno
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from django.conf import settings
from django.core.cache import cache
from django.core.files.base import File
from django.core.files.storage import default_storage

from infants.depot.errors import BrokenSealError
from infants.depot.sealed import DepotFile
from infants.errors import (
    AudioCorruptError,
    AudioMissingError,
    NoAudioError,
    UploadTooLargeError,
)
from infants.models import Recording

if TYPE_CHECKING:  # the object store's SDK is loaded only where there is one
    from infants.depot.disk import FolderDepot
    from infants.depot.objects import ObjectDepot


CHUNK_BYTES = 2**16
RESERVE_BYTES = 2**25
"""Kept free for rows: where audio takes the last byte, nothing can be written down or erased."""
WHOLE_FOR_S = 600
"""A file of which parts are asked for is read through again after so long, and when it changed."""


def depot() -> "FolderDepot | ObjectDepot":
    """Return where audio and models lie."""
    return cast("FolderDepot | ObjectDepot", default_storage)


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
        depot().sync(name)
    except (FileNotFoundError, NoAudioError, BrokenSealError):
        return False
    return found == sha256


# --- reading -------------------------------------------------------------------------------------


def read_audio(recording: Recording) -> bytes:
    """Return the bytes of a recording as they were uploaded.

    Raises
    ------
    AudioMissingError, AudioCorruptError
        Where they are gone, or are not those that were uploaded.

    """
    with _opened(recording) as stored:
        content: bytes = stored.read()
    if hashlib.sha256(content).hexdigest() != recording.sha256:
        raise AudioCorruptError(recording.id)
    return content


def audio_part(recording: Recording, start: int, length: int) -> bytes:
    """Return so many bytes of a recording from a place on, never more than those in memory.

    The whole file is read through and held against its digest when a part of it is first asked
    for, and again when it was written since, or some minutes have passed; errors as `read_audio`.
    """
    with _opened(recording) as stored:
        _refuse_changed(stored, recording)
        stored.seek(start)
        return cast(bytes, stored.read(length))


def _refuse_changed(stored: File, recording: Recording) -> None:
    """Make sure that this version of a file was read through, and has its recording's digest."""
    key = f"whole:{recording.sha256}"
    version = stored.version if isinstance(stored, DepotFile) else ""
    if version and cache.get(key) == version:
        return
    try:
        found, _ = digest(stored, stored.size)
    except NoAudioError as error:
        raise AudioCorruptError(recording.id) from error
    if found != recording.sha256:
        raise AudioCorruptError(recording.id)
    cache.set(key, version, WHOLE_FOR_S)


@contextmanager
def _opened(recording: Recording) -> Iterator[File]:
    """Open a recording's file; name what stands in the way."""
    if not recording.audio:
        raise AudioMissingError(recording.id)
    try:
        with default_storage.open(recording.audio) as stored:
            yield stored
    except (FileNotFoundError, IsADirectoryError) as error:
        raise AudioMissingError(recording.id) from error
    except BrokenSealError as error:
        raise AudioCorruptError(recording.id) from error


# --- erasing -------------------------------------------------------------------------------------


def erase_audio(recording: Recording, now: dt.datetime) -> None:
    """Erase a recording's audio, and note that it is erased; commits, and begun again it goes on.

    The file goes before its row says so, so that no row claims what did not happen; and once more
    after it, for who stores files anew (with another key, say) may have been at it in between.
    """
    _delete_unless_needed(recording)
    Recording.objects.filter(id=recording.id).update(audio_erased_at=now)
    _delete_unless_needed(recording)


def _delete_unless_needed(recording: Recording) -> None:
    """Delete a recording's bytes, unless another recording still needs the same ones."""
    name = recording.audio
    needed = Recording.objects.filter(audio=name, audio_erased_at=None).exclude(id=recording.id)
    if name and not needed.exists():
        default_storage.delete(name)
