"""What Home Assistant is told, word for word, so that an update breaks no automation."""

import datetime as dt
import json
import uuid
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation
from pytest_django import DjangoAssertNumQueries, Settings

from anomaly.models import SessionJudgement
from bridge.publishing import wanted_of
from bridge.topics import Topics
from devices.models import Device
from infants.models import Infant
from notify.models import Suspension
from tests.bridge.home import a_publication
from tests.builders import (
    a_decision,
    a_device,
    a_judgement,
    a_model,
    a_point,
    a_recording,
    a_session,
    an_infant,
    some_cries,
)
from tests.notify.told import a_new_alert

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]
FROZEN = Path(__file__).with_name("home_assistant.json")
NOON = dt.datetime(2026, 3, 13, 12, 0, tzinfo=dt.UTC)
MINUTE, HOUR = dt.timedelta(minutes=1), dt.timedelta(hours=1)
INFANT = uuid.UUID("00000000-0000-7000-8000-00000000000b")
MONITOR = uuid.UUID("00000000-0000-7000-8000-00000000000c")
STATE = "iclas/3f2a00000001/state"


@pytest.fixture(autouse=True)
def _as_one_installation(settings: Settings) -> None:
    settings.SECRET_KEY = "of the installation that is frozen"
    settings.ICLAS_VERSION = "0.0.0"


@pytest.fixture
def infant() -> Infant:
    one = an_infant(id=INFANT, name="Zenobia")
    a_publication(one, "3f2a00000001")
    return one


@pytest.fixture
def monitor(infant: Infant) -> Device:
    return a_device(
        infant,
        id=MONITOR,
        name="Zenobia's monitor",
        battery_frac=0.4,
        queue_length=0,
        last_seen_at=NOON - MINUTE,
        last_heartbeat_at=NOON - MINUTE,
    )


def _a_life(infant: Infant, monitor: Device) -> None:
    """Let the infant be known, cry a minute ago, and have an alert while messages are suspended."""
    model = a_model(infant)
    session = a_session(infant, NOON - 6 * MINUTE)
    recording = a_recording(infant, NOON - 2 * MINUTE, monitor, session=session)
    some_cries(recording, 90)
    a_decision(recording)
    a_judgement(recording, model)
    a_point(recording, model, 0.03)
    SessionJudgement.objects.create(
        session=session,
        infant=infant,
        started_at=session.started_at,
        model=model,
        statistic=0.9,
        p_value=0.03,
        n_recordings=1,
    )
    a_new_alert(infant)
    Suspension.objects.create(
        infant=infant,
        origin=Suspension.Origin.HOME_ASSISTANT,
        began_at=NOON - MINUTE,
        until=NOON + 29 * MINUTE,
    )


def _said() -> dict[str, Any]:
    """Return all that stands at the broker, by topic."""
    wanted = wanted_of(Topics.of_settings(), timezone.now())
    return {
        topic: json.loads(text) for topic, text in (wanted.descriptions | wanted.states).items()
    }


def test_descriptions_and_state_are_frozen_and_name_nobody(infant: Infant, monitor: Device) -> None:
    with time_machine.travel(NOON, tick=False), translation.override("de"):
        _a_life(infant, monitor)
        said = _said()
    assert said == json.loads(FROZEN.read_text())
    text = json.dumps(said)
    assert not [word for word in ("Zenobia", INFANT.hex, str(INFANT), str(MONITOR)) if word in text]


def test_what_may_be_out_of_date_is_null(infant: Infant, monitor: Device) -> None:
    with time_machine.travel(NOON, tick=False):
        _a_life(infant, monitor)
    with time_machine.travel(NOON + 13 * HOUR, tick=False):
        state = _said()[STATE]
    assert (state["state"], state["is_current"]) == ("no recent data", False)
    gone = ("deviation_percent", "p_value", "session_began_at", "is_crying", "crying_24h_min")
    assert [state[name] for name in gone] == [None] * len(gone)
    assert state["last_cry_at"] == "2026-03-13T11:58:00+00:00"
    [told] = state["monitors"].values()
    assert not told["is_connected"]
    assert state["suspended_min"] == 0


def test_an_infant_of_whom_nothing_is_known(infant: Infant) -> None:
    state = _said()[STATE]
    assert state["state"] == "nothing yet"
    assert (state["learnt_percent"], state["learnt_days"]) == (0, 0)
    assert (state["deviation_percent"], state["last_cry_at"]) == (None, None)
    assert (state["is_crying"], state["is_alert_open"], state["monitors"]) == (False, False, {})


@pytest.mark.parametrize(
    ("ago", "given", "is_connected"),
    [
        (29 * MINUTE, {"last_heartbeat_at": NOON}, True),
        (31 * MINUTE, {"last_heartbeat_at": NOON}, False),
        (11 * HOUR, {}, True),
        (13 * HOUR, {}, False),
        (MINUTE, {"last_heartbeat_at": NOON, "left_at": NOON - MINUTE}, False),
    ],
)
def test_a_monitor_is_connected_for_as_long_as_it_counts_as_there(
    infant: Infant, ago: dt.timedelta, given: dict[str, dt.datetime], is_connected: bool
) -> None:
    a_device(infant, last_seen_at=NOON - ago, **given)
    with time_machine.travel(NOON, tick=False):
        [told] = _said()[STATE]["monitors"].values()
    assert told["is_connected"] is is_connected


def test_what_is_known_costs_the_same_however_long_the_history(
    infant: Infant, monitor: Device, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with time_machine.travel(NOON, tick=False):
        _a_life(infant, monitor)
        with CaptureQueriesContext(connection) as before:
            _said()
        for day in range(1, 12):
            recording = a_recording(infant, NOON - day * 24 * HOUR, monitor)
            a_decision(recording)
            a_point(recording, None)
        with django_assert_num_queries(len(before)):
            _said()
    assert len(before) <= 14


def test_a_model_that_is_still_learning_has_no_deviation(infant: Infant, monitor: Device) -> None:
    with time_machine.travel(NOON, tick=False):
        recording = a_recording(infant, NOON - HOUR, monitor)
        a_decision(recording)
        a_judgement(recording)
        a_point(recording)
        state = _said()[STATE]
    assert (state["state"], state["deviation_percent"]) == ("learning", None)
    assert state["learnt_percent"] < 100


def test_every_unique_id_and_topic_is_used_once(infant: Infant, monitor: Device) -> None:
    twin = an_infant(name="Other", household=infant.household)
    a_publication(twin, "3f2a00000002")
    a_device(twin)
    described = [one for one in _said().values() if "unique_id" in one]
    ids = [one["unique_id"] for one in described]
    assert len(ids) == len(set(ids)) == 1 + 2 * (13 + 4)
    assert {one["origin"]["name"] for one in described} == {"ICLAS"}
