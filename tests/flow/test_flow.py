"""The whole way on an embedded database with the real small encoder: file in, timeline out."""

import datetime as dt
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from django.core.files.base import ContentFile

from anomaly.models import ScorePoint
from devices.models import Device
from iclas import flow
from iclas.tasks import close_what_ended, run_step, sweep
from infants.arrays import from_bytes
from infants.assignments import assign_device
from infants.models import Household, Infant, Recording
from infants.stages.upload import Upload, store_upload
from infants.states import Reason, State
from pipelines.embed import EMBEDDING_DIM
from tests import sounds

pytestmark = pytest.mark.django_db
START = dt.datetime(2026, 3, 1, 9, 0, tzinfo=dt.UTC)


@pytest.fixture
def monitor() -> Device:
    """Return a device that serves an infant."""
    household = Household.objects.create(name="A household")
    infant = Infant.objects.create(household=household, name="Ada", time_zone="Europe/Zurich")
    device = Device.objects.create(name="A monitor")
    assign_device(device, infant)
    return device


def _upload(device: Device, content: bytes, when: dt.datetime) -> Recording:
    upload = Upload(audio=ContentFile(content, name="x.wav"), recorded_at=when.isoformat())
    return store_upload(device, upload).recording


def test_a_cry_goes_the_whole_way(monitor: Device, tmp_path: Path) -> None:
    with flow.kept_back() as ids:
        recording = _upload(monitor, sounds.cry_bytes(tmp_path), START)
    flow.drive(list(ids))
    recording.refresh_from_db()
    assert recording.state == State.DONE
    assert recording.session is not None
    cries = list(recording.cries.all())
    assert cries
    for cry in cries:
        embedding = from_bytes(cry.embedding)
        assert embedding.shape == (EMBEDDING_DIM,)
        assert np.linalg.norm(embedding) == pytest.approx(1.0, abs=1e-5)
    point = ScorePoint.objects.get(recording=recording)
    assert (point.outcome, point.baseline_days, point.baseline_days_needed) == ("learning", 0, 9)
    assert point.encoder == cries[0].encoder
    assert point.gate_version == recording.gate_decision.gate_version


def test_an_infant_becomes_known_and_its_recordings_get_numbers(
    monitor: Device, tmp_path: Path
) -> None:
    with flow.kept_back() as ids:
        for day in range(14):
            _upload(monitor, sounds.cry_bytes(tmp_path, seed=day), START + dt.timedelta(days=day))
    flow.drive(list(ids))
    assert set(Recording.objects.values_list("state", flat=True)) == {State.DONE}
    accepted = Recording.objects.filter(gate_decision__accepted=True).count()
    assert accepted >= 11  # crying itself passes the gate
    scored = ScorePoint.objects.filter(outcome="scored", scorer="combined")
    assert scored.exists()
    for point in scored:
        assert 0 < point.p_value <= 1


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"this is no sound", Reason.UNDECODABLE),
        (sounds.silence_bytes(), Reason.SILENT),
        (sounds.silence_bytes(duration_s=0.05), Reason.TOO_SHORT),
    ],
)
def test_bad_sound_ends_in_a_named_state_and_disturbs_nothing(
    monitor: Device, tmp_path: Path, content: bytes, reason: Reason
) -> None:
    with flow.kept_back() as ids:
        bad = _upload(monitor, content, START)
        good = _upload(monitor, sounds.cry_bytes(tmp_path), START + dt.timedelta(minutes=1))
    flow.drive(list(ids))
    bad.refresh_from_db()
    good.refresh_from_db()
    assert (bad.state, bad.reason) == (State.REJECTED, reason)
    assert good.state == State.DONE
    assert not ScorePoint.objects.filter(recording=bad).exists()


def test_what_is_not_a_cry_gets_no_score(monitor: Device, tmp_path: Path) -> None:
    with flow.kept_back() as ids:
        hum = _upload(monitor, sounds.a_hum(tmp_path / "hum.wav").read_bytes(), START)
    flow.drive(list(ids))
    hum.refresh_from_db()
    assert hum.state == State.REJECTED
    assert hum.reason in {Reason.NOT_A_CRY, Reason.NO_CRY_UNITS}
    assert not ScorePoint.objects.exists()


def test_driving_again_changes_nothing(monitor: Device, tmp_path: Path) -> None:
    with flow.kept_back() as ids:
        _upload(monitor, sounds.cry_bytes(tmp_path), START)
    flow.drive(list(ids))
    before = (list(Recording.objects.values()), list(ScorePoint.objects.values()))
    flow.drive(list(ids))
    assert (list(Recording.objects.values()), list(ScorePoint.objects.values())) == before


def test_messages_take_it_the_same_way(
    monitor: Device, tmp_path: Path, django_capture_on_commit_callbacks: object
) -> None:
    """Every message that the flow sends is delivered twice; the row still goes once."""
    sent: list[tuple[str, list[str]]] = []
    enqueue = mock.Mock(side_effect=lambda args, **_queue: sent.append(args))
    with mock.patch.object(run_step, "apply_async", enqueue):
        with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
            recording = _upload(monitor, sounds.cry_bytes(tmp_path), START)
        while sent:
            name, ids = sent.pop(0)
            run_step(name, ids)
            run_step(name, ids)
    recording.refresh_from_db()
    assert recording.state == State.DONE
    assert ScorePoint.objects.filter(recording=recording).count() == 1


def test_the_sweeper_takes_up_what_stands_still(monitor: Device, tmp_path: Path) -> None:
    with flow.kept_back():
        recording = _upload(monitor, sounds.cry_bytes(tmp_path), START)
    with mock.patch.object(run_step, "apply_async") as enqueue:
        sweep()
        assert not enqueue.called  # it has only just come in
        long_ago = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=5)
        Recording.objects.update(state_changed_at=long_ago)
        sweep()
    enqueue.assert_called_once_with(("segment", [str(recording.id)]), queue="ingest")


def test_time_closes_sessions(monitor: Device, tmp_path: Path) -> None:
    now = dt.datetime.now(dt.UTC)
    with flow.kept_back() as ids:
        recording = _upload(monitor, sounds.cry_bytes(tmp_path), now)
    flow.drive(list(ids))
    recording.refresh_from_db()
    session = recording.session
    assert session is not None
    assert session.closed_at is None
    type(session).objects.update(
        ended_at=now - dt.timedelta(hours=1), started_at=now - dt.timedelta(hours=2)
    )
    close_what_ended()
    session.refresh_from_db()
    assert session.closed_at is not None


def test_every_state_on_the_way_has_one_step() -> None:
    assert [step.takes for step in flow.STEPS] == list(flow.ON_THE_WAY)
