"""Where audio lies: content-addressed, on the disk before anybody is told, gone when erased."""

import errno
import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.utils import timezone

from infants import storage
from infants.depot import disk
from infants.errors import AudioCorruptError, AudioMissingError, NoAudioError, UploadTooLargeError
from infants.models import Recording
from tests.builders import a_device, a_recording, an_infant


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _keep(content: bytes) -> storage.StoredAudio:
    return storage.keep_audio(ContentFile(content), _sha256(content), len(content))


def _path(kept: storage.StoredAudio) -> Path:
    return Path(default_storage.path(kept.name))


def _part_of(recording: Recording) -> bytes:
    return storage.audio_part(recording, 1, 3)


@pytest.fixture
def flushed(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Collect what is flushed to the disk, in order."""
    seen: list[Path] = []
    flush = disk._sync

    def recorded(path: Path) -> None:
        flush(path)
        seen.append(path)

    monkeypatch.setattr(disk, "_sync", recorded)
    return seen


def _stored_of(content: bytes) -> list[Path]:
    """Return every file that bears the digest, whole or not; others' files lie beside it."""
    return list(Path(default_storage.path("")).rglob(f"{_sha256(content)}*"))


def test_a_digest_is_read_in_chunks_and_refuses_by_size() -> None:
    content = b"x" * 200_000
    assert storage.digest(ContentFile(content), 200_000) == (_sha256(content), 200_000)
    with pytest.raises(NoAudioError):
        storage.digest(ContentFile(b""), 10)
    with pytest.raises(UploadTooLargeError) as refused:
        storage.digest(ContentFile(b"x" * 11), 10)
    assert refused.value.limit_bytes == 10


def test_bytes_lie_under_their_digest_once() -> None:
    first, again = _keep(b"once"), _keep(b"once")
    assert first == again
    assert _sha256(b"once") in first.name
    assert _path(first).read_bytes() == b"once"
    assert _stored_of(b"once") == [_path(first)]


def test_the_file_and_every_folder_above_are_flushed_before_it_is_told(flushed: list[Path]) -> None:
    kept = _keep(b"flushed")
    folders = list(_path(kept).parents)
    root = Path(default_storage.location)
    assert flushed[0].parent == _path(kept).parent
    assert flushed[1:] == folders[: folders.index(root) + 1]


def test_an_upload_on_its_way_is_moved_and_flushed_too(flushed: list[Path]) -> None:
    with TemporaryUploadedFile("cry.wav", "audio/wav", 7, None) as upload:
        upload.write(b"arrived")
        upload.seek(0)
        kept = storage.keep_audio(upload, _sha256(b"arrived"), 7)
    assert _path(kept).read_bytes() == b"arrived"
    assert flushed


@pytest.mark.parametrize("torn", [b"", b"to", b"\0\0\0\0"])
def test_a_file_torn_by_a_crash_is_replaced(torn: bytes) -> None:
    kept = _keep(b"whole")
    _path(kept).write_bytes(torn)
    assert _keep(b"whole") == kept
    assert _path(kept).read_bytes() == b"whole"


def test_a_file_that_is_there_already_is_flushed_before_it_is_relied_on(
    flushed: list[Path],
) -> None:
    kept = _keep(b"another's")
    flushed.clear()
    _keep(b"another's")
    assert flushed[0] == _path(kept)


def test_one_that_saves_at_the_same_time_harms_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    content = b"both"
    save = default_storage.save
    nested: list[storage.StoredAudio] = []

    def meanwhile(name: str, stored: File) -> str:
        if not nested:
            nested.append(storage.StoredAudio(name, "", 0))
            _keep(content)
        return str(save(name, stored))

    monkeypatch.setattr(default_storage, "save", meanwhile)
    kept = _keep(content)
    assert _path(kept).read_bytes() == content
    assert _stored_of(content) == [_path(kept)]


def test_a_disk_that_fills_up_leaves_no_file_under_the_digest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(_path: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(disk, "_sync", full)
    with pytest.raises(OSError, match="No space"):
        _keep(b"too much")
    assert _stored_of(b"too much") == []


def test_a_disk_that_fills_up_half_way_leaves_no_half(monkeypatch: pytest.MonkeyPatch) -> None:
    def chunks(_content: File, _size: int | None = None) -> Iterator[bytes]:
        yield b"half"
        raise OSError(errno.ENOSPC, "No space left on device")

    content = ContentFile(b"half of it")
    monkeypatch.setattr(ContentFile, "chunks", chunks)
    with pytest.raises(OSError, match="No space"):
        storage.keep_audio(content, _sha256(b"half of it"), 10)
    assert _stored_of(b"half of it") == []


def test_the_last_room_on_a_disk_is_kept_for_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    free = storage.RESERVE_BYTES
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: SimpleNamespace(free=free))
    _keep(b"the last that fits")
    free -= 1
    with pytest.raises(OSError, match="No space") as refused:
        _keep(b"the first that does not")
    assert refused.value.errno == errno.ENOSPC


# --- reading and erasing -------------------------------------------------------------------------


@pytest.mark.django_db
def test_audio_is_read_back_and_told_intact_from_changed() -> None:
    kept = _keep(b"sound")
    recording = a_recording(an_infant(), audio=kept.name, sha256=kept.sha256)
    assert storage.read_audio(recording) == b"sound"
    assert storage.audio_part(recording, 1, 3) == b"oun"
    _path(kept).write_bytes(b"soundx")
    for read in (storage.read_audio, _part_of):
        with pytest.raises(AudioCorruptError) as corrupt:
            read(recording)
        assert corrupt.value.recording_id == recording.id
    storage.erase_audio(recording, timezone.now())
    with pytest.raises(AudioMissingError) as missing:
        storage.read_audio(recording)
    assert missing.value.recording_id == recording.id
    storage.erase_audio(recording, timezone.now())


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["", "audio"])
def test_a_name_that_is_no_file_is_missing_audio(name: str) -> None:
    _keep(b"something")
    with pytest.raises(AudioMissingError):
        storage.read_audio(a_recording(an_infant(), audio=name))


@pytest.mark.django_db
def test_bytes_that_two_recordings_share_go_with_the_last_of_them() -> None:
    kept = _keep(b"shared")
    infant = an_infant()
    first, second = (
        a_recording(infant, device=a_device(infant), audio=kept.name, sha256=kept.sha256)
        for _ in range(2)
    )
    storage.erase_audio(first, timezone.now())
    assert _path(kept).exists()
    storage.erase_audio(second, timezone.now())
    assert not _path(kept).exists()
    second.refresh_from_db()
    assert second.audio_erased_at is not None
