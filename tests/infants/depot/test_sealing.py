"""Sealing: any bytes come back, anything that was touched does not, and keys can be changed."""

import hashlib
import io
import re
from io import StringIO
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage, storages
from django.core.management import CommandError, call_command
from hypothesis import example, given
from hypothesis import settings as tried
from hypothesis import strategies as st
from pytest_django import Settings

from anomaly import holdings
from anomaly.artefacts import keep_artefact
from anomaly.provenance import _model_obstacle
from infants import storage
from infants.depot import sealing
from infants.depot.errors import BadKeyError, BrokenSealError, KeyGoneError
from infants.depot.keys import NOBODYS, Keyring, drawn_key, read_keys
from infants.depot.sealing import CHUNK_BYTES, HEADER_BYTES, MAGIC, TAG_BYTES, Unsealed, seal
from infants.errors import AudioCorruptError
from infants.models import Recording
from infants.shortages import Shortage, shortage
from infants.stages.segment import segment_recordings
from infants.states import Reason, State
from tests.builders import a_model, a_recording, an_infant
from tests.received import a_monitor, a_received_recording

pytestmark = pytest.mark.embedded

OLD, NEW = drawn_key(), drawn_key()
RING = read_keys(NEW)
NAME = "audio/ab/cd/abcd"


def _sealed(content: bytes, name: str = NAME) -> bytes:
    target = io.BytesIO()
    assert RING.newest is not None
    seal(io.BytesIO(content), target, RING.newest, name)
    return target.getvalue()


def _unsealed(content: bytes, ring: Keyring = RING, name: str = NAME) -> bytes:
    return io.BufferedReader(Unsealed(io.BytesIO(content), ring, name)).read()


# --- one file ------------------------------------------------------------------------------------

LENGTHS = st.one_of(
    st.integers(0, 40), *(st.integers(n * CHUNK_BYTES - 1, n * CHUNK_BYTES + 1) for n in (1, 2))
)


@tried(max_examples=15)
@given(length=LENGTHS, start=st.integers(0, 2 * CHUNK_BYTES), asked=st.integers(0, 70_000))
@example(length=0, start=0, asked=1)
def test_any_bytes_come_back_whole_and_in_parts(length: int, start: int, asked: int) -> None:
    content = (b"0123456789abcdef" * (length // 16 + 1))[:length]
    sealed = _sealed(content)
    assert _unsealed(sealed) == content
    stored = io.BufferedReader(Unsealed(io.BytesIO(sealed), RING, NAME))
    stored.seek(start)
    assert stored.read(asked) == content[start : start + asked]
    n_chunks = max(1, -(-length // CHUNK_BYTES))
    assert len(sealed) == HEADER_BYTES + length + TAG_BYTES * n_chunks
    assert length < 16 or content[:16] not in sealed


def test_the_same_bytes_never_look_the_same_twice() -> None:
    assert _sealed(b"the same") != _sealed(b"the same")


CONTENT = bytes(range(256)) * 1024  # four chunks
BODY = CHUNK_BYTES + TAG_BYTES


@pytest.mark.parametrize(
    "touch",
    [
        lambda sealed: sealed[:-1],
        lambda sealed: sealed[: HEADER_BYTES + BODY],  # whole chunks are missing
        lambda sealed: sealed[:HEADER_BYTES],
        lambda sealed: sealed[: HEADER_BYTES - 3],
        lambda sealed: sealed + b"x",
        lambda sealed: sealed[:-1] + bytes([sealed[-1] ^ 1]),
        lambda sealed: sealed[: HEADER_BYTES - 1] + b"x" + sealed[HEADER_BYTES:],
        lambda sealed: (  # two chunks in the other order
            sealed[:HEADER_BYTES]
            + sealed[HEADER_BYTES + BODY : HEADER_BYTES + 2 * BODY]
            + sealed[HEADER_BYTES : HEADER_BYTES + BODY]
            + sealed[HEADER_BYTES + 2 * BODY :]
        ),
    ],
    ids=["cut", "chunks gone", "body gone", "head cut", "longer", "bit", "salt", "order"],
)
def test_what_was_touched_is_never_read(touch: object) -> None:
    with pytest.raises(BrokenSealError):
        _unsealed(touch(_sealed(CONTENT)))  # type: ignore[operator]


def test_a_file_put_under_another_name_is_not_read() -> None:
    with pytest.raises(BrokenSealError):
        _unsealed(_sealed(b"mine"), name="audio/of/another")


def test_a_key_that_is_not_there_is_named_and_one_that_lies_is_found_out() -> None:
    sealed = _sealed(b"secret")
    other = read_keys(OLD)
    newest = RING.newest
    assert newest is not None
    with pytest.raises(KeyGoneError) as gone:
        _unsealed(sealed, other)
    assert gone.value.key_id == newest.id.hex()
    assert shortage(gone.value) is Shortage.KEY
    assert other.newest is not None
    relabelled = sealed.replace(newest.id, other.newest.id)
    with pytest.raises(BrokenSealError):
        _unsealed(relabelled, other)


def test_keys_are_read_newest_first_and_shown_to_nobody() -> None:
    ring = read_keys(f" {NEW} , {OLD},")
    assert ring.newest == read_keys(NEW).newest
    assert ring.named(read_keys(OLD).keys[0].id) == read_keys(OLD).keys[0]
    assert read_keys("").newest is None
    assert not re.search(r"secret|[0-9a-f]{16}", repr(ring))
    for nonsense in ("short", "?" * 44, drawn_key()[:-4], "A" * 43 + "="):
        with pytest.raises(BadKeyError) as refused:
            read_keys(f"{NEW},{nonsense}")
        assert nonsense not in str(refused.value)
        assert "key 2" in str(refused.value)


# --- beneath the storage -------------------------------------------------------------------------


def _use(settings: Settings, *keys: str) -> None:
    default = settings.STORAGES["default"]
    options = default["OPTIONS"] | {"keys": ",".join(keys)}
    settings.STORAGES = settings.STORAGES | {"default": default | {"OPTIONS": options}}


def _lies(name: str) -> bytes:
    return Path(default_storage.path(name)).read_bytes()


def _recording(content: bytes) -> Recording:
    sha256 = hashlib.sha256(content).hexdigest()
    kept = storage.keep_audio(ContentFile(content), sha256, len(content))
    return a_recording(an_infant(), audio=kept.name, sha256=sha256)


@pytest.mark.django_db
def test_what_was_stored_before_there_was_a_key_stays_readable(settings: Settings) -> None:
    plain = _recording(b"from before")
    _use(settings, NEW)
    sealed = _recording(b"from now on")
    assert (storage.read_audio(plain), storage.read_audio(sealed)) == (
        b"from before",
        b"from now on",
    )
    assert storage.audio_part(sealed, 5, 3) == b"now"
    assert default_storage.size(sealed.audio) == 11
    assert _lies(sealed.audio).startswith(MAGIC)
    assert b"from now" not in _lies(sealed.audio)
    _recording(b"from before")  # uploaded again: what is there is whole
    assert _lies(plain.audio) == b"from before"


@pytest.mark.django_db
def test_an_upload_that_looks_sealed_comes_back_as_it_came() -> None:
    hostile = MAGIC + b"\x01" + bytes(100)
    recording = _recording(hostile)
    assert storage.read_audio(recording) == hostile
    assert default_storage.key_of(recording.audio) == NOBODYS.id  # type: ignore[attr-defined]


@pytest.mark.django_db
def test_damage_has_its_name_and_a_missing_key_waits_for_it(settings: Settings) -> None:
    _use(settings, OLD)
    damaged, waiting = (a_received_recording(c, a_monitor()) for c in (b"damaged", b"waiting"))
    path = Path(default_storage.path(damaged.audio))
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(AudioCorruptError):
        storage.read_audio(damaged)
    segment_recordings([damaged.id])
    damaged.refresh_from_db()
    assert (damaged.state, damaged.reason) == (State.FAILED, Reason.AUDIO_CORRUPT)
    _use(settings, NEW)
    with pytest.raises(KeyGoneError):
        segment_recordings([waiting.id])
    waiting.refresh_from_db()
    assert (waiting.state, waiting.attempts) == (State.RECEIVED, 0)
    _use(settings, NEW, OLD)
    assert storage.read_audio(waiting) == b"waiting"


@pytest.mark.django_db
def test_models_are_sealed_too(settings: Settings) -> None:
    _use(settings, NEW)

    class Fitted:
        def save(self, path: Path) -> str:
            path.write_bytes(b"arrays")
            return hashlib.sha256(b"arrays").hexdigest()

    infant = an_infant()
    name, sha256 = keep_artefact(Fitted(), infant.id)  # type: ignore[arg-type]
    assert b"arrays" not in _lies(name)
    model = a_model(infant, artefact=name, sha256=sha256)
    assert not _model_obstacle(model).startswith(("missing", "corrupt"))
    Path(default_storage.path(name)).write_bytes(_lies(name)[:-1])
    assert _model_obstacle(model).startswith("corrupt")


# --- another key ---------------------------------------------------------------------------------


def _rotated() -> list[str]:
    said = StringIO()
    call_command("rotate_storage_key", "--per-second", "0", stdout=said)
    return said.getvalue().splitlines()


@pytest.mark.django_db
def test_a_rotation_that_is_killed_goes_on_and_the_old_key_may_go(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = _recording(b"plain")
    _use(settings, OLD)
    sealed = [_recording(b"sealed %d" % number) for number in range(3)]
    _use(settings, NEW, OLD)
    written = holdings._written
    treated: list[str] = []

    def killed(holding: holdings.Holding, *rest: object) -> holdings.Outcome:
        treated.append(holding.name)
        if len(treated) == 3:
            raise KeyboardInterrupt
        return written(holding, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(holdings, "_written", killed)
    with pytest.raises(KeyboardInterrupt):
        _rotated()
    monkeypatch.setattr(holdings, "_written", written)
    assert all(storage.read_audio(recording) for recording in (plain, *sealed))
    assert _rotated()[:2] == ["2 done", "2 already as it should be"]
    _use(settings, NEW)
    assert storage.read_audio(plain) == b"plain"
    assert [storage.read_audio(one) for one in sealed] == [b"sealed 0", b"sealed 1", b"sealed 2"]


@pytest.mark.django_db
def test_a_rotation_names_what_it_cannot_seal_and_leaves_it(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    _use(settings, OLD)
    lost, gone, changed = (_recording(content) for content in (b"lost key", b"gone", b"changed"))
    default_storage.delete(gone.audio)
    Path(default_storage.path(changed.audio)).write_bytes(b"something else")
    before = _lies(lost.audio)
    _use(settings, NEW)
    with pytest.raises(CommandError, match="3 files"):
        _rotated()
    said = capsys.readouterr().err
    for recording, word in ((lost, "key"), (gone, "missing"), (changed, "not what was stored")):
        assert re.search(rf"{recording.id}: .*{word}", said)
    assert _lies(lost.audio) == before


@pytest.mark.django_db
def test_what_is_erased_while_it_is_sealed_anew_is_not_brought_back(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = _recording(b"to be erased")
    _use(settings, NEW)
    save = storages["default"].save

    def erased_first(name: str, content: object) -> str:
        Recording.objects.filter(id=recording.id).delete()
        default_storage.delete(name)
        return str(save(name, content))  # type: ignore[arg-type]

    monkeypatch.setattr(storages["default"], "save", erased_first)
    assert "1 erased in the meantime" in _rotated()
    assert not default_storage.exists(recording.audio)


def test_without_a_key_there_is_nothing_to_rotate_to() -> None:
    with pytest.raises(CommandError, match="--draw"):
        call_command("rotate_storage_key")
    said = StringIO()
    call_command("rotate_storage_key", "--draw", stdout=said)
    assert read_keys(said.getvalue().strip()).newest is not None


def test_a_file_is_never_in_memory_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    most = 0

    class Source(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            nonlocal most
            content = super().read(size)
            most = max(most, len(content))
            return content

    target = Source()
    assert RING.newest is not None
    seal(Source(CONTENT), target, RING.newest, NAME)
    stored = io.BufferedReader(Unsealed(target, RING, NAME))
    while stored.read(1000):
        pass
    assert most <= sealing.SEALED_CHUNK_BYTES
