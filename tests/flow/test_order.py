"""What comes first: within a session what was recorded before, in a worker the sweep."""

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from iclas import flow
from iclas.celery import app
from infants.leases import leased
from infants.models import Recording
from infants.states import State
from tests import sounds
from tests.received import START, a_monitor, a_received_recording

pytestmark = pytest.mark.django_db


@pytest.fixture
def three(tmp_path: Path) -> list[Recording]:
    """Return three recordings of one session, just received, oldest first."""
    device = a_monitor()
    minutes = [START + dt.timedelta(minutes=5 * number) for number in range(3)]
    return [
        a_received_recording(sounds.cry_bytes(tmp_path, seed), device, when)
        for seed, when in enumerate(minutes)
    ]


def _hear(*recordings: Recording) -> None:
    for step in flow.HEARING:
        step.run([recording.id for recording in recordings])


def _judge(recording: Recording) -> None:
    flow.judge(recording.subject.id)


def _states(recordings: list[Recording]) -> list[str]:
    by_id = dict(Recording.objects.values_list("id", "state"))
    return [by_id[recording.id] for recording in recordings]


def _known(recording: Recording) -> int:
    """Return how many recordings the gate knew as usual when it decided on this one."""
    recording.refresh_from_db()
    number: int = recording.gate_decision.given["usual"]["n"]
    return number


def test_one_waits_until_an_earlier_one_of_its_session_is_heard(three: list[Recording]) -> None:
    _hear(three[0], three[2])
    _judge(three[0])
    assert _states(three) == [State.DONE, State.RECEIVED, State.EMBEDDED]
    _hear(three[1])
    _judge(three[0])
    assert [_known(recording) for recording in three] == [0, 1, 2]


def test_one_waits_while_an_earlier_one_of_its_session_is_in_anothers_hand(
    three: list[Recording],
) -> None:
    _hear(three[0])
    _judge(three[0])
    _hear(*three[1:])
    with leased([three[1].id], State.EMBEDDED):
        _judge(three[0])
        assert _states(three) == [State.DONE, State.EMBEDDED, State.EMBEDDED]
    _judge(three[0])
    assert [_known(recording) for recording in three] == [0, 1, 2]


def test_what_was_tried_before_is_still_judged_in_its_place(three: list[Recording]) -> None:
    _hear(*three)
    Recording.objects.filter(id=three[1].id).update(attempts=1)
    _judge(three[0])
    assert [_known(recording) for recording in three] == [0, 1, 2]


@contextmanager
def _after_question(number: int, happens: Callable[[], Any]) -> Iterator[None]:
    """Let something happen after so many questions to the database, as in another process."""
    asked = 0

    def wrapper(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal asked
        answer = execute(sql, params, many, context)
        asked += 1
        if asked == number:
            happens()
        return answer

    with connection.execute_wrapper(wrapper):
        yield


@pytest.mark.parametrize("question", [1, 2, 3])
def test_nothing_overtakes_what_is_heard_between_two_questions(
    tmp_path: Path, question: int
) -> None:
    device = a_monitor()
    days = [
        a_received_recording(sounds.cry_bytes(tmp_path, day), device, START + dt.timedelta(day))
        for day in range(2)
    ]
    _hear(days[1])
    with _after_question(question, lambda: _hear(days[0])):
        _judge(days[0])
    _judge(days[0])
    assert [_known(recording) for recording in days] == [0, 1]


@pytest.mark.parametrize("question", [1, 2, 3])
def test_nothing_overtakes_what_another_worker_takes_between_two_questions(
    three: list[Recording], question: int
) -> None:
    _hear(*three)
    with ExitStack() as another:
        taken = leased([three[0].id], State.EMBEDDED)
        with _after_question(question, lambda: another.enter_context(taken)):
            _judge(three[0])
        assert _states(three) == [State.EMBEDDED] * 3
    _judge(three[0])
    assert [_known(recording) for recording in three] == [0, 1, 2]


@pytest.mark.parametrize("task", ["sweep", "close_what_ended"])
def test_what_the_scheduler_sends_waits_behind_no_backlog(task: str) -> None:
    queue = app.amqp.router.route({}, f"iclas.tasks.{task}")["queue"].name
    assert queue == flow.SWEEPING_QUEUE
    assert queue in flow.QUEUES
    assert queue not in {step.queue for step in flow.STEPS}
