"""What the rows tell at a scrape, and who may hear it."""

import datetime as dt
from unittest import mock

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from devices.heartbeats import note_presence
from iclas.telemetry.rows import FromRows
from infants.states import State
from tests.builders import a_device, a_recording, an_infant
from tests.iclas.telemetry.conftest import TOKEN
from tests.notify.told import a_new_alert

pytestmark = pytest.mark.django_db
Found = dict[tuple[str, str], float]


def told() -> Found:
    registry = CollectorRegistry()
    registry.register(FromRows())
    families = text_string_to_metric_families(generate_latest(registry).decode())
    return {
        (sample.name, "".join(sample.labels.values())): sample.value
        for family in families
        for sample in family.samples
    }


def test_rows_are_told_by_state_and_age() -> None:
    infant, now = an_infant(), timezone.now()
    device = a_device(infant)
    for state in (State.RECEIVED, State.RECEIVED, State.GATED, State.DONE):
        when = now - dt.timedelta(minutes=5)
        a_recording(infant, device=device, state=state, state_changed_at=when)
    a_recording(infant, device=device, state=State.FAILED, reason="gave_up")
    note_presence(None, now - dt.timedelta(seconds=90))
    a_new_alert(infant)
    found = told()
    assert found["iclas_recordings", "received"] == 2
    assert found["iclas_recordings", "gated"] == 1
    assert found["iclas_recordings", "scored"] == 0
    assert ("iclas_recordings", "done") not in found
    assert found["iclas_recordings_oldest_seconds", "gated"] == pytest.approx(300, abs=10)
    assert found["iclas_dead_letters", "gave_up"] == 1
    assert found["iclas_worker_last_seen_seconds", ""] == pytest.approx(90, abs=10)
    assert found["iclas_alerts_open", "persistent_shift"] == 1
    assert found["iclas_bridge", "off"] == 1
    assert found["iclas_database_up", ""] == 1


def test_a_scrape_costs_as_many_queries_however_much_there_is() -> None:
    with CaptureQueriesContext(connection) as before:
        told()
    infant = an_infant()
    for _number in range(20):
        a_recording(infant, state=State.RECEIVED)
    a_new_alert(infant)
    with CaptureQueriesContext(connection) as after:
        told()
    assert len(after) == len(before) <= 12


def test_a_database_that_is_away_is_told() -> None:
    with mock.patch("iclas.telemetry.rows._recordings", side_effect=OperationalError):
        found = told()
    assert found["iclas_database_up", ""] == 0
    assert found["iclas_disk_free_bytes", ""] > 0
    assert ("iclas_infants", "") not in found


def test_without_a_token_there_are_no_metrics() -> None:
    assert Client().get("/metrics").status_code == 404


@pytest.mark.usefixtures("measures")
@pytest.mark.parametrize("given", ["", "Bearer ", "Bearer wrong", TOKEN, f"Basic {TOKEN}"])
def test_metrics_are_for_who_has_the_token(settings: Settings, given: str) -> None:
    answer = Client().get("/metrics", headers={"Authorization": given})
    assert answer.status_code == 401
    assert b"iclas_" not in answer.content
    assert answer["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.usefixtures("measures")
def test_the_token_is_needed_on_the_same_machine_too() -> None:
    assert Client(REMOTE_ADDR="127.0.0.1").get("/metrics").status_code == 401


@pytest.mark.usefixtures("measures")
def test_openmetrics_are_given_to_who_prefers_them() -> None:
    headers = {
        "Authorization": f"Bearer {TOKEN}",
        "Accept": "application/openmetrics-text; version=1.0.0",
    }
    answer = Client().get("/metrics", headers=headers)
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("application/openmetrics-text")
    assert answer.content.endswith(b"# EOF\n")
