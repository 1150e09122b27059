"""The whole way on an embedded database with the real small encoder: file in, timeline out."""

import datetime as dt
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock
from uuid import UUID

import numpy as np
import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from pytest_django import Settings

from anomaly.models import ScorePoint
from anomaly.selectors.overview import overviews
from anomaly.selectors.standing import baseline_standing
from dashboard import words
from dashboard.standing import LEARNING, look_of_infant
from devices.models import Device
from iclas import flow
from iclas.tasks import close_what_ended, judge_infant, run_step, sweep
from infants.access import Viewer
from infants.arrays import from_bytes
from infants.assignments import assign_device
from infants.holder import holder
from infants.leases import leased
from infants.models import Household, Infant, Recording
from infants.stages.upload import Upload, store_upload
from infants.states import ON_THE_WAY, Reason, State
from pipelines.embed import EMBEDDING_DIM
from pipelines.score import EARLY_SCORERS, Learning
from tests import sounds

pytestmark = pytest.mark.django_db
START = dt.datetime(2026, 3, 1, 9, 0, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def monitor() -> Device:
    """Return a device that serves an infant."""
    household = Household.objects.create(name="A household")
    infant = Infant.objects.create(household=household, name="Ada", time_zone="Europe/Zurich")
    device = Device.objects.create(name="A monitor")
    assign_device(device, infant)
    return device


Message = tuple[Callable[..., None], tuple[Any, ...]]


@contextmanager
def all_messages() -> Iterator[list[Message]]:
    """Collect the messages that the flow sends, instead of sending them."""
    sent: list[Message] = []
    with ExitStack() as patched:
        for task in (run_step, judge_infant):
            keep = mock.Mock(
                side_effect=lambda args, task=task, **_queue: sent.append((task, args))
            )
            patched.enter_context(mock.patch.object(task, "apply_async", keep))
        yield sent


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


def test_an_infant_of_few_days_is_compared_with_what_others_teach(
    monitor: Device, tmp_path: Path
) -> None:
    with flow.kept_back() as ids:
        last = [
            _upload(monitor, sounds.cry_bytes(tmp_path, seed=day), START + dt.timedelta(days=day))
            for day in range(6)
        ][-1]
    flow.drive(list(ids))
    last.refresh_from_db()
    points = ScorePoint.objects.filter(scorer="combined").order_by("time")
    assert [point.outcome for point in points] == ["learning"] * 4 + ["scored"] * 2
    assert set(last.judgement.p_values) == set(EARLY_SCORERS)
    assert last.judgement.model.is_early
    seen = Viewer.system()
    assert baseline_standing(seen, last.subject) == Learning(6, 9, has_numbers=True)
    (one,) = overviews(seen, START + dt.timedelta(days=6))
    assert look_of_infant(one) == LEARNING
    assert "6 of 9 days; compared so far with what other infants teach" in words.state_sentence(
        one, LEARNING, START + dt.timedelta(days=6)
    )


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
    with all_messages() as sent:
        with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
            recording = _upload(monitor, sounds.cry_bytes(tmp_path), START)
        while sent:
            task, arguments = sent.pop(0)
            task(*arguments)
            task(*arguments)
    recording.refresh_from_db()
    assert recording.state == State.DONE
    assert ScorePoint.objects.filter(recording=recording).count() == 1


def test_the_sweeper_takes_up_what_stands_still(monitor: Device, tmp_path: Path) -> None:
    with flow.kept_back():
        recording = _upload(monitor, sounds.cry_bytes(tmp_path), START)
    with all_messages() as sent:
        sweep()
        assert sent == []  # it has only just come in
        long_ago = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=5)
        Recording.objects.update(state_changed_at=long_ago)
        sweep()
    assert sent == [(run_step, ("segment", [str(recording.id)]))]


def test_the_sweeper_frees_at_once_what_a_dead_process_held(
    monitor: Device, tmp_path: Path
) -> None:
    with flow.kept_back():
        mine, theirs = (
            _upload(monitor, sounds.cry_bytes(tmp_path, seed=n), START + n * HOUR) for n in (1, 2)
        )
    soon = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=5)
    for recording, name in ((mine, holder()), (theirs, "a-dead-one")):
        owned = Recording.objects.filter(id=recording.id)
        owned.update(lease_owner=f"{name}.1", lease_until=soon)
    (settings.ICLAS_HOME.holders / "a-dead-one").touch()  # nobody holds its lock
    with all_messages() as sent:
        sweep()
    assert sent == [(run_step, ("segment", [str(theirs.id)]))]
    mine.refresh_from_db()
    theirs.refresh_from_db()
    assert mine.lease_until == soon
    assert (theirs.lease_owner, theirs.lease_until) == ("", None)


# --- the order of judging --------------------------------------------------------------------


def _hear(recordings: Sequence[Recording]) -> None:
    for step in flow.HEARING:
        step.run([recording.id for recording in recordings])


def _states(*recordings: Recording) -> list[str]:
    by_id = dict(Recording.objects.values_list("id", "state"))
    return [by_id[recording.id] for recording in recordings]


@pytest.fixture
def three(monitor: Device, tmp_path: Path) -> list[Recording]:
    """Return three sessions of one infant, just received, oldest first."""
    with flow.kept_back():
        return [
            _upload(monitor, sounds.cry_bytes(tmp_path, seed=n), START + n * HOUR) for n in range(3)
        ]


def test_a_session_waits_until_what_was_recorded_before_is_heard(three: list[Recording]) -> None:
    first, second, third = three
    _hear([second, third])
    assert flow.judge(first.subject.id) is False
    assert _states(*three) == [State.RECEIVED, State.EMBEDDED, State.EMBEDDED]
    _hear([first])
    with all_messages() as sent:
        flow.send_on([first.id])  # its move is what the others wait for
    assert sent == [(judge_infant, (str(first.subject.id),))]
    judge_infant(str(first.subject.id))
    assert _states(*three) == [State.DONE] * 3


def test_sessions_are_judged_in_the_order_of_recording(three: list[Recording]) -> None:
    _hear(three[::-1])
    judged: list[list[UUID]] = []
    steps = [
        replace(step, run=lambda ids, run=step.run: (judged.append(list(ids)), run(ids)))
        for step in flow.JUDGING
    ]
    with mock.patch.object(flow, "JUDGING", steps):
        flow.judge(three[0].subject.id)
    assert judged[:: len(steps)] == [[recording.id] for recording in three]


def test_a_dead_letter_holds_up_nobody(three: list[Recording]) -> None:
    first, *others = three
    _hear(others)
    Recording.objects.filter(id=first.id).update(state=State.FAILED, reason=Reason.GAVE_UP)
    flow.judge(first.subject.id)
    assert _states(*three) == [State.FAILED, State.DONE, State.DONE]


def test_where_another_worker_is_at_it_this_one_leaves_it(three: list[Recording]) -> None:
    _hear(three)
    with leased([three[0].id], State.EMBEDDED):
        assert flow.judge(three[0].subject.id, until=time.monotonic() + 60) is False
        assert set(_states(*three)) == {State.EMBEDDED}
    flow.judge(three[0].subject.id)
    assert set(_states(*three)) == {State.DONE}


def test_a_long_backlog_is_judged_in_turns(three: list[Recording]) -> None:
    _hear(three)
    with all_messages() as sent, mock.patch("iclas.tasks.JUDGED_AT_ONCE_S", -1.0):
        judge_infant(str(three[0].subject.id))
    assert sent == [(judge_infant, (str(three[0].subject.id),))]


# --- poison ------------------------------------------------------------------------------------


@pytest.mark.parametrize("poisoned", flow.STEPS, ids=[step.name for step in flow.STEPS])
def test_poison_ends_in_a_named_state_at_every_step_and_takes_nothing_with_it(
    three: list[Recording], poisoned: flow.Step, settings: Settings
) -> None:
    """One recording breaks its worker at a step, every time; only messages and the sweeper act."""
    settings.ICLAS_STANDS_STILL_S = -1.0
    poison = three[1]
    broken = [replace(step, run=_breaking_at(step, poison, poisoned)) for step in flow.STEPS]
    by_name = {step.name: step for step in broken}
    turns = 0
    with (
        mock.patch.multiple(flow, STEP=by_name, HEARING=broken[:2], JUDGING=broken[2:]),
        all_messages() as sent,
    ):
        while set(_states(*three)) & set(ON_THE_WAY):
            sweep()
            _deliver(sent)
            turns += 1
            assert turns <= 2 * settings.ICLAS_MAX_ATTEMPTS
    poison.refresh_from_db()
    assert (poison.state, poison.reason) == (State.FAILED, Reason.GAVE_UP)
    assert _states(three[0], three[2]) == [State.DONE, State.DONE]


class _PoisonError(Exception):
    """What nobody foresaw."""


def _breaking_at(step: flow.Step, poison: Recording, poisoned: flow.Step) -> flow.Stage:
    """Return the step's work, which breaks once this recording's turn has come."""

    def run(ids: Sequence[UUID]) -> None:
        if step.name != poisoned.name:
            step.run(ids)
            return
        others = [recording_id for recording_id in ids if recording_id != poison.id]
        step.run(others)
        with leased([poison.id] if poison.id in ids else [], step.takes) as lease:
            for _ in lease.begun():
                raise _PoisonError

    return run


def _deliver(sent: list[Message]) -> None:
    while sent:
        task, arguments = sent.pop(0)
        with suppress(_PoisonError):
            task(*arguments)


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
    assert [step.takes for step in flow.STEPS] == list(ON_THE_WAY)
