"""An object store as the place of audio: the same promises as on a disk, over the real protocol."""

import hashlib
from collections.abc import Iterator
from http import HTTPStatus
from io import StringIO
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from anomaly.artefacts import keep_artefact
from anomaly.erasure import erase_infant, finish_erasures
from anomaly.models import ScorePoint
from iclas import flow
from iclas.health import failing_parts
from iclas.tasks import run_step
from infants import storage
from infants.access import Viewer
from infants.depot import objects
from infants.depot.errors import DepotAwayError
from infants.depot.keys import drawn_key
from infants.errors import AudioCorruptError, AudioMissingError
from infants.listening import Hearing, hearing_of
from infants.models import Erasure, Infant, Recording
from infants.outdated import erase_outdated_audio
from infants.stages.segment import segment_recordings
from infants.states import Reason, State
from tests.bucket import SECRET, Bucket, Store
from tests.builders import a_member, a_recording, an_infant
from tests.received import a_monitor, a_received_recording
from tests.sounds import cry_bytes
from tests.uploads import assert_problem, send

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    one = Store()
    yield one
    one.stop()


@pytest.fixture
def bucket(store: Store, settings: Settings) -> Iterator[Bucket]:
    """Return a bucket in which audio lies."""
    one = Bucket(store)
    use(settings, one.url)
    yield one
    store.refuses = store.garbles = False


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try once only: waiting between two tries is the SDK's business."""
    monkeypatch.setattr(objects, "TRIES", 1)


def use(settings: Settings, url: str, keys: str = "") -> None:
    """Let this be where audio lies."""
    default = settings.STORAGES["default"]
    options = default["OPTIONS"] | {"url": url, "keys": keys}
    settings.STORAGES = settings.STORAGES | {"default": default | {"OPTIONS": options}}


def _keep(content: bytes) -> storage.StoredAudio:
    sha256 = hashlib.sha256(content).hexdigest()
    return storage.keep_audio(ContentFile(content), sha256, len(content))


def _recording(content: bytes, **given: object) -> Recording:
    kept = _keep(content)
    return a_recording(an_infant(), audio=kept.name, sha256=kept.sha256, **given)


# --- the whole way -------------------------------------------------------------------------------


def test_a_cry_is_uploaded_judged_played_and_erased(
    bucket: Bucket, client: Client, tmp_path: Path
) -> None:
    bucket.keep_versions()
    content = cry_bytes(tmp_path)
    device = a_monitor()
    with flow.kept_back() as ids:
        assert send(device, content).status_code == HTTPStatus.CREATED
    recording = Recording.objects.get()
    assert bucket.read(recording.audio) == content
    flow.drive(list(ids))
    assert ScorePoint.objects.get(recording=recording).outcome == "learning"

    owner = a_member(Infant.objects.get())
    client.force_login(owner)
    heard = client.get(f"/recordings/{recording.id}/audio/", headers={"Range": "bytes=8-11"})
    assert (heard.status_code, heard.content) == (HTTPStatus.PARTIAL_CONTENT, b"WAVE")

    keep_artefact(_Fitted(), device.assignments.get().infant_id)
    bucket.write(recording.audio, content)
    assert bucket.versions() == 3
    proof = erase_infant(Viewer.of(owner), device.assignments.get().infant_id)
    assert bucket.versions() == 0
    assert (proof.place, proof.n_files, proof.files_left) == (Erasure.Place.BUCKET, 2, [])
    assert "every version" in client.get(f"/erasures/{proof.id}/").content.decode()


class _Fitted:
    def save(self, path: Path) -> str:
        path.write_bytes(b"arrays")
        return hashlib.sha256(b"arrays").hexdigest()


# --- durable, once, whole ------------------------------------------------------------------------


def test_the_same_bytes_are_sent_once_and_never_listed(bucket: Bucket) -> None:
    bucket.store.asked.clear()
    first = _keep(b"once")
    assert _keep(b"once") == first
    path = f"/{bucket.name}/{first.name}"
    assert bucket.store.asked == [f"GET {path}", f"PUT {path}", f"GET {path}"]
    assert bucket.keys() == [first.name]


@pytest.mark.parametrize("torn", [b"", b"who", b"other"])
def test_an_object_that_is_not_what_its_name_says_is_replaced(bucket: Bucket, torn: bytes) -> None:
    kept = _keep(b"whole")
    bucket.write(kept.name, torn)
    _keep(b"whole")
    assert bucket.read(kept.name) == b"whole"


def test_a_body_that_breaks_on_the_way_is_refused_and_nothing_is_there(
    hasty: None, bucket: Bucket
) -> None:
    bucket.store.garbles = True
    with pytest.raises(DepotAwayError, match="BadDigest"):
        _keep(b"what came")
    bucket.store.garbles = False
    assert bucket.keys() == []


def test_parts_are_fetched_without_the_whole_and_only_of_what_was_found_whole(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objects, "WINDOW_BYTES", 1000)
    content = bytes(range(256)) * 40
    recording = _recording(content)
    assert storage.read_audio(recording) == content
    bucket.store.asked.clear()
    assert storage.audio_part(recording, 5000, 70) == content[5000:5070]
    through = len(bucket.store.asked)
    assert through >= 11  # read through once
    assert storage.audio_part(recording, 9000, 9999) == content[9000:]
    assert len(bucket.store.asked) - through <= 3
    bucket.write(recording.audio, content[:-1] + b"x")
    with pytest.raises(AudioCorruptError):
        storage.audio_part(recording, 0, 4)


def test_an_object_that_is_replaced_while_it_is_read_is_not_mixed(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objects, "WINDOW_BYTES", 10)
    kept = _keep(b"a" * 100)
    with default_storage.open(kept.name) as stored:
        bucket.write(kept.name, b"b" * 100)
        with pytest.raises(DepotAwayError, match="replaced"):
            stored.read()


# --- gone, changed, away -------------------------------------------------------------------------


def test_what_is_gone_or_changed_has_a_name(bucket: Bucket) -> None:
    device = a_monitor()
    gone, changed = (a_received_recording(content, device) for content in (b"gone", b"changed"))
    default_storage.delete(gone.audio)
    bucket.write(changed.audio, b"else")
    segment_recordings([gone.id, changed.id])
    for recording, reason in ((gone, Reason.AUDIO_MISSING), (changed, Reason.AUDIO_CORRUPT)):
        recording.refresh_from_db()
        assert (recording.state, recording.reason) == (State.FAILED, reason)
    with pytest.raises(AudioMissingError):
        storage.read_audio(gone)
    assert hearing_of(gone, may_listen=True) is Hearing.MISSING


def test_a_store_that_is_away_holds_up_and_loses_nothing(
    hasty: None, bucket: Bucket, client: Client
) -> None:
    device = a_monitor()
    waiting = a_received_recording(b"waiting", device)
    client.force_login(a_member(Infant.objects.get()))
    bucket.store.stop()
    try:
        said = assert_problem(send(device, b"new"), 503, "storage_unavailable", "later")
        assert said["retry_after_s"] > 0
        assert Recording.objects.count() == 1
        run_step("segment", [str(waiting.id)])
        waiting.refresh_from_db()
        assert (waiting.state, waiting.attempts, waiting.lease_owner) == (State.RECEIVED, 0, "")
        assert hearing_of(waiting, may_listen=True) is Hearing.AWAY
        heard = client.get(f"/recordings/{waiting.id}/audio/")
        assert (heard.status_code, heard["Retry-After"]) == (503, "60")
        assert failing_parts() == ["storage"]
    finally:
        bucket.store.start()
    assert failing_parts() == []
    assert send(device, b"new").status_code == HTTPStatus.CREATED
    assert len(bucket.keys()) == 2


def test_a_store_that_refuses_or_lost_the_bucket_is_away_and_shows_no_secret(
    hasty: None, bucket: Bucket, caplog: pytest.LogCaptureFixture
) -> None:
    recording = _recording(b"there")
    bucket.store.refuses = True
    with pytest.raises(DepotAwayError, match="SlowDown") as refused:
        storage.read_audio(recording)
    bucket.store.refuses = False
    bucket.client.delete_object(Bucket=bucket.name, Key=recording.audio)
    bucket.client.delete_bucket(Bucket=bucket.name)
    for ask in (default_storage.exists, default_storage.open, default_storage.delete):
        with pytest.raises(DepotAwayError):
            ask(recording.audio)
    assert isinstance(refused.value.__cause__, ClientError)
    shown = f"{refused.value!r}{refused.value.__cause__!r}{caplog.text}"
    assert SECRET not in shown


# --- erasing -------------------------------------------------------------------------------------


def test_retention_erases_every_version_and_nothing_beside(bucket: Bucket) -> None:
    bucket.keep_versions()
    recording = _recording(b"old", state=State.DONE)
    bucket.write(f"{recording.audio}-longer", b"another's")
    Infant.objects.update(audio_policy=Infant.AudioPolicy.EMBEDDING_ONLY)
    assert erase_outdated_audio(timezone.now()) == 1
    assert bucket.keys() == [f"{recording.audio}-longer"]
    assert bucket.versions() == 1
    recording.refresh_from_db()
    assert recording.audio_erased_at is not None


def test_an_erasure_that_the_store_holds_up_is_finished_later(hasty: None, bucket: Bucket) -> None:
    recording = _recording(b"mine")
    owner = a_member(recording.subject)
    bucket.store.refuses = True
    proof = erase_infant(Viewer.of(owner), recording.subject.id)
    assert (proof.completed_at, Recording.objects.count()) == (None, 0)
    bucket.store.refuses = False
    assert finish_erasures() == 1
    assert (Erasure.objects.get().files_left, bucket.keys()) == ([], [])


# --- sealed, and moved ---------------------------------------------------------------------------


def test_everything_moves_from_a_folder_into_a_bucket_sealed_and_back(
    bucket: Bucket, settings: Settings, tmp_path: Path
) -> None:
    key = drawn_key()
    use(settings, f"file://{tmp_path}/first", key)
    (tmp_path / "first").mkdir()
    recording = _recording(b"moved" * 30_000)
    storage.erase_audio(_recording(b"erased"), timezone.now())
    assert _moved(bucket.url)[0] == "1 done"
    assert _moved(bucket.url)[:2] == ["0 done", "1 already as it should be"]
    assert b"moved" not in bucket.read(recording.audio)
    use(settings, bucket.url, key)
    assert storage.read_audio(recording) == b"moved" * 30_000
    assert storage.audio_part(recording, 70_000, 5) == b"moved"
    (tmp_path / "second").mkdir()
    assert _moved(f"file://{tmp_path}/second")[0] == "1 done"


def _moved(url: str) -> list[str]:
    said = StringIO()
    call_command("move_storage", "--to", url, "--per-second", "0", stdout=said)
    return said.getvalue().splitlines()
