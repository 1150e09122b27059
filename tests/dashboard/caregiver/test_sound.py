"""A recording's sound over HTTP: who hears it, in which parts, and what a browser may keep."""

import io
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.test import Client
from django.utils import timezone
from PIL import Image

from infants.models import Membership, Recording
from pipelines.sound import decode
from tests.builders import a_member, an_infant, as_user
from tests.received import a_received_recording
from tests.sounds import cry_bytes

KINDS = ["audio/", "audio.wav", "waveform.json", "spectrogram.png"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def content(tmp_path: Path) -> bytes:
    return cry_bytes(tmp_path, seed=78)


@pytest.fixture
def recording(content: bytes) -> Recording:
    recording = a_received_recording(content)
    recording.source_format = {"container": "wav", "codec": "pcm_s16le"}
    recording.save()
    return recording


@pytest.fixture
def client(recording: Recording) -> Client:
    return as_user(a_member(recording.subject, Membership.Role.CAREGIVER))


def _path(recording: Recording, kind: str = "audio/") -> str:
    return f"/recordings/{recording.id}/{kind}"


# --- who -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_only_who_may_listen_gets_any_of_it(recording: Recording, kind: str) -> None:
    path = _path(recording, kind)
    for role in (Membership.Role.OWNER, Membership.Role.CAREGIVER, Membership.Role.CLINICIAN):
        assert as_user(a_member(recording.subject, role)).get(path).status_code == 200
    researcher = as_user(a_member(recording.subject, Membership.Role.RESEARCHER))
    stranger = as_user(a_member(an_infant()))
    unknown = f"/recordings/{uuid4()}/{kind}"
    assert [one.get(path).status_code for one in (researcher, stranger)] == [404, 404]
    assert stranger.get(unknown).status_code == 404
    signed_out = Client().get(path)
    assert signed_out.status_code == 302
    assert signed_out.headers["Location"].startswith("/sign-in/")
    assert as_user(a_member(recording.subject)).post(path).status_code == 405


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_erased_or_lost_answers_like_nothing(
    client: Client, recording: Recording, kind: str
) -> None:
    default_storage.delete(recording.audio)
    assert client.get(_path(recording, kind)).status_code == 404
    recording.audio_erased_at = timezone.now()
    recording.save()
    assert client.get(_path(recording, kind)).status_code == 404


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_changed_in_the_storage_is_never_sent(
    client: Client, recording: Recording, kind: str
) -> None:
    with default_storage.open(recording.audio, "r+b") as stored:
        stored.write(b"X")
    assert client.get(_path(recording, kind)).status_code == 404


# --- the file ------------------------------------------------------------------------------------


def test_the_file_comes_as_it_came_in(client: Client, recording: Recording, content: bytes) -> None:
    answer = client.get(_path(recording))
    assert answer.content == content
    assert answer.headers["Content-Type"] == "audio/wav"
    assert answer.headers["ETag"] == f'"{recording.sha256}"'
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert set(answer.headers["Cache-Control"].split(", ")) == {"private", "no-cache"}
    assert client.head(_path(recording)).content == b""


@pytest.mark.parametrize(
    ("container", "kind"),
    [
        ("mov,mp4,m4a,3gp,3g2,mj2", "audio/mp4"),
        ("matroska,webm", "audio/webm"),
        ("amrnb", "audio/amr"),
        ("", "application/octet-stream"),
        ("text/html", "application/octet-stream"),
    ],
)
def test_a_file_is_called_what_the_decoder_found(
    client: Client, recording: Recording, container: str, kind: str
) -> None:
    recording.source_format = {"container": container}
    recording.save()
    answer = client.get(_path(recording))
    assert answer.headers["Content-Type"] == kind
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("kind", ["audio/", "audio.wav"])
def test_parts_are_sent_as_players_ask_for_them(
    client: Client, recording: Recording, kind: str
) -> None:
    path = _path(recording, kind)
    whole = client.get(path).content
    size = len(whole)
    for asked, start, end in (
        ("bytes=0-1", 0, 2),
        ("bytes=100-", 100, size),
        ("bytes=-44", size - 44, size),
    ):
        answer = client.get(path, headers={"Range": asked})
        assert answer.status_code == 206
        assert answer.content == whole[start:end]
        assert answer.headers["Content-Range"] == f"bytes {start}-{end - 1}/{size}"
        assert answer.headers["Content-Length"] == str(end - start)
    beyond = client.get(path, headers={"Range": f"bytes={size}-"})
    assert (beyond.status_code, beyond.content) == (416, b"")
    assert beyond.headers["Content-Range"] == f"bytes */{size}"
    nonsense = client.get(path, headers={"Range": "seconds=1-2"})
    assert (nonsense.status_code, nonsense.content) == (200, whole)


def test_a_part_of_another_version_is_not_sent(client: Client, recording: Recording) -> None:
    asked = {"Range": "bytes=0-1", "If-Range": '"another"'}
    assert client.get(_path(recording), headers=asked).status_code == 200
    asked["If-Range"] = f'"{recording.sha256}"'
    assert client.get(_path(recording), headers=asked).status_code == 206


@pytest.mark.parametrize("kind", KINDS)
def test_what_did_not_change_is_not_sent_or_made_again(
    client: Client, recording: Recording, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tag = client.get(_path(recording, kind)).headers["ETag"]
    monkeypatch.setattr("dashboard.caregiver.sound_views.read_audio", None)
    monkeypatch.setattr("dashboard.caregiver.sound_views.audio_part", None)
    again = client.get(_path(recording, kind), headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    assert "private" in again.headers["Cache-Control"]


def test_each_rendering_has_a_tag_of_its_own(client: Client, recording: Recording) -> None:
    tags = {client.get(_path(recording, kind)).headers["ETag"] for kind in KINDS}
    assert len(tags) == len(KINDS)


# --- renderings ----------------------------------------------------------------------------------


def test_the_rendering_is_a_wav_of_the_same_sound(
    client: Client, recording: Recording, content: bytes
) -> None:
    answer = client.get(_path(recording, "audio.wav"))
    assert answer.headers["Content-Type"] == "audio/wav"
    rendered, source = decode(answer.content)
    original, _ = decode(content)
    assert source.codec == "pcm_s16le"
    assert np.allclose(rendered.samples, original.samples, atol=1e-4)


def test_the_outline_tells_length_and_shape(client: Client, recording: Recording) -> None:
    said = client.get(_path(recording, "waveform.json")).json()
    assert said["duration_s"] == pytest.approx(5.0, abs=1.5)
    assert len(said["peaks"]) == 600
    assert max(said["peaks"]) == 1.0
    assert min(said["peaks"]) >= 0.0


def test_the_picture_is_grey_and_has_the_mel_bands(client: Client, recording: Recording) -> None:
    answer = client.get(_path(recording, "spectrogram.png"))
    picture = Image.open(io.BytesIO(answer.content))
    assert (picture.mode, picture.height) == ("L", 80)
    assert answer.headers["Content-Type"] == "image/png"


def test_what_cannot_be_decoded_is_sent_as_it_is_and_has_no_rendering() -> None:
    recording = a_received_recording(b"<script>no sound</script>")
    client = as_user(a_member(recording.subject))
    answer = client.get(_path(recording))
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert [client.get(_path(recording, kind)).status_code for kind in KINDS[1:]] == [404] * 3
