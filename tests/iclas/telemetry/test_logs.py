"""Log lines as JSON: they parse, hold ids, and hold no names."""

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from celery.signals import setup_logging
from django.contrib.auth.models import AnonymousUser
from django.test import Client
from pytest_django import Settings

from iclas import flow, tasks
from iclas.telemetry import logs, traced
from iclas.telemetry.requests import HEADER
from iclas.telemetry.work import also_named
from infants.leases import leased
from infants.states import State
from tests.builders import a_recording, an_infant
from tests.commands import MANAGE, called

log = logging.getLogger("tests.lines")


class Written:
    """The lines that were written, parsed."""

    def __init__(self, stream: io.StringIO) -> None:
        self._stream = stream

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._stream.getvalue().splitlines()]


@pytest.fixture
def written() -> Iterator[Written]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.Lines())
    root, before = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield Written(stream)
    root.removeHandler(handler)
    root.setLevel(before)


def test_a_line_says_when_who_and_what(written: Written) -> None:
    with also_named(infant="an-id"):
        log.warning("put off for want of %s", "room", extra={"user": AnonymousUser(), "token": "x"})
    [line] = written.lines
    assert line.pop("at").endswith("+00:00")
    assert line.pop("process") > 0
    assert line == {
        "level": "warning",
        "logger": "tests.lines",
        "message": "put off for want of room",
        "infant": "an-id",
    }


def test_of_an_error_its_type_and_place_are_told_and_not_its_words(written: Written) -> None:
    try:
        try:
            int("Zebedee")
        except ValueError as error:
            raise LookupError("Zebedee") from error
    except LookupError:
        log.exception("it failed")
    [line] = written.lines
    assert [one["type"].rpartition(".")[2] for one in line["errors"]] == [
        "LookupError",
        "ValueError",
    ]
    assert line["errors"][0]["frames"][-1].endswith(
        "test_of_an_error_its_type_and_place_are_told_and_not_its_words"
    )
    assert "Zebedee" not in json.dumps(line)


@pytest.mark.django_db
def test_a_request_is_known_by_its_id_and_route_and_not_by_its_path(written: Written) -> None:
    given = "from-a-proxy.1234"
    answer = Client().get("/no/such/Zebedee/", headers={HEADER: given})
    assert answer[HEADER] == given
    [line] = [line for line in written.lines if line["logger"] == "django.request"]
    assert line["request"] == given
    assert line["message"] == "GET no route 404"
    assert "Zebedee" not in json.dumps(line)


@pytest.mark.django_db
@pytest.mark.parametrize("given", ["", "short", "x" * 65, "a name with spaces", "ümlaut-und-mehr"])
def test_an_id_that_makes_no_sense_is_replaced(given: str) -> None:
    headers = {HEADER: given} if given else {}
    first, second = (Client().get("/api/v1/health/alive/", headers=headers) for _ in range(2))
    assert first[HEADER] not in ("", given)
    assert first[HEADER] != second[HEADER]


@pytest.mark.django_db
def test_a_line_from_inside_a_step_names_the_task_step_and_recording(
    written: Written, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    recording = a_recording(an_infant(name="Zebedee"), state=State.RECEIVED)

    def at_work(ids: Any) -> None:
        with leased(ids, State.RECEIVED) as lease:
            for _one in lease.begun():
                log.info("at it")

    step = flow.Step("segment", State.RECEIVED, at_work, "ingest")
    monkeypatch.setitem(flow.STEP, "segment", step)
    with monkeypatch.context() as patched:
        patched.setattr(flow, "send_on", lambda ids: list(ids))
        tasks.run_step("segment", [str(recording.id)])
    log.info("afterwards")
    inside, after = (line for line in written.lines if line["logger"] == "tests.lines")
    assert inside["task"] == "run_step"
    assert inside["step"] == "segment"
    assert inside["recording"] == str(recording.id)
    assert not {"task", "step", "recording"} & set(after)


@pytest.mark.django_db
def test_a_line_of_a_judgement_names_the_infant(
    written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    infant = an_infant()
    a_recording(infant, state=State.EMBEDDED)
    step = flow.Step("gate", State.EMBEDDED, lambda _ids: log.info("at it"), "judge")
    monkeypatch.setattr(flow, "JUDGING", [step])
    flow.judge(infant.id)
    [line] = (line for line in written.lines if line["logger"] == "tests.lines")
    assert (line["infant"], line["step"]) == (str(infant.id), "gate")


def test_a_line_names_the_trace_at_hand(written: Written) -> None:
    def current() -> str:
        return "0af7651916cd43dd8448eb211c80319c"

    traced.ask(current)
    log.info("traced")
    traced.ask_no_more(current)
    log.info("untraced")
    assert [line.get("trace") for line in written.lines] == [current(), None]


@pytest.mark.embedded
def test_every_program_writes_json_where_it_is_asked_for(tmp_path: Path) -> None:
    code = (
        "import django, logging; django.setup(); logging.getLogger('x').warning('told');"
        "from celery.signals import setup_logging; assert setup_logging.receivers;"
        "from iclas import celery_app; celery_app.log.setup('WARNING');"
        "logging.getLogger('celery').warning('told too')"
    )
    done = called(
        [MANAGE[0], "-c", code],
        tmp_path / "home",
        LOG_FORMAT="json",
        DJANGO_SETTINGS_MODULE="iclas.settings",
    )
    assert done.returncode == 0, done.stderr
    said = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["message"] for line in said] == ["told", "told too"]


def test_plain_lines_leave_the_workers_log_to_celery() -> None:
    assert not setup_logging.receivers
