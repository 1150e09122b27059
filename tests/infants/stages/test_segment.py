"""Segment: units, quality, sessions; idempotent; a changed or lost file is named."""

from pathlib import Path

import pytest
from django.core.files.storage import default_storage

from infants.models import Cry, Recording, RecordingSession
from infants.stages.segment import segment_recordings
from infants.states import Reason, State
from pipelines.acoustics import CHANNELS, Measured, from_json
from tests import received, sounds

pytestmark = pytest.mark.django_db


def test_units_are_found_and_measured(tmp_path: Path) -> None:
    recording = received.a_received_recording(sounds.cry_bytes(tmp_path))
    segment_recordings([recording.id])
    recording.refresh_from_db()
    assert recording.state == State.SEGMENTED
    assert recording.duration_s == pytest.approx(5.0, abs=0.1)
    assert {"level_dbfs", "clipped_frac", "signal_to_background_db", "bandwidth_hz"} <= set(
        recording.quality
    )
    cries = list(recording.cries.all())
    assert [cry.index for cry in cries] == list(range(len(cries)))
    assert len(cries) >= 2
    for cry in cries:
        assert 150 < cry.measures["f0_median_hz"] < 1000
        assert cry.embedding is None


def test_the_recording_has_its_channels_or_the_reasons_why_not(tmp_path: Path) -> None:
    recording = received.a_received_recording(sounds.cry_bytes(tmp_path))
    assert recording.channels == {}
    segment_recordings([recording.id])
    recording.refresh_from_db()
    channels = from_json(recording.channels)
    assert list(channels) == [channel.name for channel in CHANNELS]
    pitch = channels["f0_log2_hz"]
    assert isinstance(pitch, Measured)
    assert 150 < 2.0**pitch.value < 1000


def test_the_recording_joins_a_session_of_its_own_length(tmp_path: Path) -> None:
    recording = received.a_received_recording(sounds.cry_bytes(tmp_path))
    segment_recordings([recording.id])
    session = RecordingSession.objects.get()
    assert (session.ended_at - session.started_at).total_seconds() == pytest.approx(5.0, abs=0.1)


def test_segmenting_again_gives_the_same_cries(tmp_path: Path) -> None:
    recording = received.a_received_recording(sounds.cry_bytes(tmp_path))
    segment_recordings([recording.id])
    before = list(Cry.objects.values("index", "onset_s", "offset_s", "measures"))
    Recording.objects.update(state=State.RECEIVED)
    segment_recordings([recording.id])
    assert list(Cry.objects.values("index", "onset_s", "offset_s", "measures")) == before


def test_lost_audio_is_a_failure_for_somebody_to_look_at(tmp_path: Path) -> None:
    recording = received.a_received_recording(sounds.cry_bytes(tmp_path))
    default_storage.delete(recording.audio)
    segment_recordings([recording.id])
    recording.refresh_from_db()
    assert (recording.state, recording.reason) == (State.FAILED, Reason.AUDIO_MISSING)


def test_changed_audio_is_noticed(tmp_path: Path) -> None:
    recording = received.a_received_recording(sounds.cry_bytes(tmp_path))
    path = Path(default_storage.path(recording.audio))
    path.write_bytes(path.read_bytes()[:-100])
    segment_recordings([recording.id])
    recording.refresh_from_db()
    assert (recording.state, recording.reason) == (State.FAILED, Reason.AUDIO_CORRUPT)


def test_what_stands_elsewhere_is_left_alone(tmp_path: Path) -> None:
    recording = received.a_received_recording(sounds.cry_bytes(tmp_path))
    Recording.objects.update(state=State.DONE)
    segment_recordings([recording.id])
    recording.refresh_from_db()
    assert recording.state == State.DONE
    assert not Cry.objects.exists()
