"""`manage.py flow`: what an operator reads of the queues, and dead letters sent on again."""

import io
import json
from typing import Any
from unittest import mock

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from iclas.tasks import run_step
from infants.models import Recording
from infants.states import Reason, State
from tests.builders import a_device, a_recording, an_infant

pytestmark = pytest.mark.django_db
DEAD = {"state": State.FAILED, "reason": Reason.GAVE_UP, "detail": "5 tries"}


def _said(*arguments: str) -> tuple[str, str]:
    out, error = io.StringIO(), io.StringIO()
    call_command("flow", *arguments, stdout=out, stderr=error)
    return out.getvalue(), error.getvalue()


def _waiting(**given: Any) -> Recording:
    return a_recording(an_infant(), state=State.RECEIVED, state_changed_at=timezone.now(), **given)


def test_an_empty_installation_says_so() -> None:
    out, _ = _said()
    assert "0 on their way" in out
    assert "Dead letters: 0" in out


def test_what_waits_and_what_died_is_listed_with_its_reason() -> None:
    _waiting(attempts=2)
    dead = a_recording(an_infant(), device=a_device(name="Nursery"), **DEAD)
    out, _ = _said()
    line = next(line for line in out.splitlines() if "received" in line)
    assert line.split()[:6] == ["received", "segment", "ingest", "1", "0", "1"]
    assert "1 on their way, the oldest for 0 min" in out
    assert "Dead letters: 1 (1 gave_up)" in out
    assert str(dead.id) in out
    assert "it failed as often as is allowed (5 tries); from Nursery" in out


def test_programs_get_the_same() -> None:
    _waiting()
    dead = a_recording(an_infant(), **DEAD)
    said = json.loads(_said("--json")[0])
    assert said["backlog"]["received"] == 1
    assert (said["failed"], said["failed_by_reason"]) == (1, {"gave_up": 1})
    assert said["dead_letters"][0]["recording"] == str(dead.id)
    assert said["oldest_waiting_s"] >= 0


def test_dead_letters_are_sent_on_again(django_capture_on_commit_callbacks: Any) -> None:
    first, second = (a_recording(an_infant(), **DEAD) for _ in range(2))
    done = a_recording(an_infant())
    with (
        mock.patch.object(run_step, "apply_async") as enqueue,
        django_capture_on_commit_callbacks(execute=True),
    ):
        _, error = _said("--retry", str(first.id), str(done.id))
        assert "1 sent on their way again" in error
        assert f"{done.id}: not a failed recording" in error
    enqueue.assert_called_once_with(("segment", [str(first.id)]), queue="ingest")
    with (
        mock.patch.object(run_step, "apply_async") as enqueue,
        django_capture_on_commit_callbacks(execute=True),
    ):
        _said("--retry-all")
    enqueue.assert_called_once_with(("segment", [str(second.id)]), queue="ingest")


def test_what_is_no_id_is_refused_in_a_line() -> None:
    with pytest.raises(CommandError, match="full id"):
        _said("--retry", "that one")
