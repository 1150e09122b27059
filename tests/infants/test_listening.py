"""Who may hear what, and what there is to hear."""

import datetime as dt
from pathlib import Path

import pytest
from django.core.files.storage import default_storage

from infants.access import Viewer
from infants.errors import AudioMissingError
from infants.listening import Hearing, audible_recording, hearing_of, may_listen
from infants.models import Membership, Recording
from infants.storage import audio_part
from tests.builders import START, a_member, a_recording, an_infant
from tests.received import a_received_recording
from tests.sounds import cry_bytes

Role = Membership.Role

pytestmark = pytest.mark.django_db


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    return a_received_recording(cry_bytes(tmp_path, seed=77))


@pytest.mark.parametrize(
    ("role", "may"),
    [(Role.OWNER, True), (Role.CAREGIVER, True), (Role.CLINICIAN, True), (Role.RESEARCHER, False)],
)
def test_who_may_listen(recording: Recording, role: str, may: bool) -> None:
    viewer = Viewer(user=a_member(recording.subject, role))
    assert may_listen(viewer, recording.subject) == may
    assert audible_recording(viewer, recording.id) == (recording if may else None)


def test_a_stranger_and_the_device_itself_hear_nothing(recording: Recording) -> None:
    stranger = Viewer(user=a_member(an_infant()))
    for viewer in (Viewer(), stranger, Viewer(device=recording.device)):
        assert audible_recording(viewer, recording.id) is None


def test_what_stands_in_the_way(recording: Recording) -> None:
    assert hearing_of(recording, may_listen=True) is Hearing.AUDIBLE
    assert hearing_of(recording, may_listen=False) is Hearing.NOT_ALLOWED
    assert hearing_of(a_recording(an_infant()), may_listen=True) is Hearing.MISSING
    recording.audio_erased_at = START + dt.timedelta(days=1)
    recording.save()
    assert hearing_of(recording, may_listen=True) is Hearing.ERASED
    assert audible_recording(Viewer.system(), recording.id) is None


def test_bytes_are_read_from_a_place_on_and_missing_ones_have_a_name(
    recording: Recording, tmp_path: Path
) -> None:
    whole = cry_bytes(tmp_path, seed=77)
    assert audio_part(recording, 8, 4) == whole[8:12] == b"WAVE"
    assert audio_part(recording, 0, len(whole) + 9) == whole
    default_storage.delete(recording.audio)
    with pytest.raises(AudioMissingError):
        audio_part(recording, 0, 4)
