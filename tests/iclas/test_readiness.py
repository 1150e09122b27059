"""Readiness: each part that is needed fails by its own name; liveness asks none of them."""

import datetime as dt
from unittest import mock

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerError
from pytest_django import DjangoAssertNumQueries, Settings

from devices.heartbeats import note_presence
from iclas import database, readiness
from iclas.tasks import sweep
from tests.builders import a_user, as_user

PATH = "/api/v1/health/ready/"
pytestmark = pytest.mark.django_db


def test_a_worker_that_has_swept_makes_it_ready() -> None:
    assert Client().get(PATH).json() == {"status": "not_ready", "failing": ["worker"]}
    sweep()
    answer = Client().get(PATH)
    assert answer.status_code == 200
    assert answer.json() == {"status": "ready", "failing": []}


def test_a_worker_that_was_not_heard_from_for_long_is_silent() -> None:
    note_presence(None, timezone.now() - dt.timedelta(minutes=10))
    answer = as_user(a_user(is_staff=True)).get(PATH)
    assert answer.status_code == 503
    said = answer.json()
    assert said["failing"] == ["worker"]
    assert said["parts"] == {
        "database": "ok",
        "storage": "ok",
        "broker": "ok",
        "worker": "silent",
    }


def test_strangers_hear_which_parts_fail_and_no_more(settings: Settings) -> None:
    sweep()
    settings.CELERY_BROKER_URL = "redis://user:password@broker:6379/0"
    refused = mock.Mock(side_effect=BrokerError("user:password@broker"))
    with (
        mock.patch("iclas.readiness.is_storage_writable", return_value=False),
        mock.patch("kombu.Connection.ensure_connection", refused),
    ):
        answer = Client().get(PATH)
        told = as_user(a_user(is_staff=True)).get(PATH).json()
    assert answer.status_code == 503
    assert answer.json() == {"status": "not_ready", "failing": ["storage", "broker"]}
    assert told["parts"]["storage"] == "read_only"
    assert told["parts"]["broker"] == "unreachable"
    assert "password" not in str(told)


def test_a_database_that_lacks_a_migration_is_not_ready() -> None:
    sweep()
    database._found_up_to_date.clear()
    recorder = database.MigrationRecorder
    applied = recorder(connection).applied_migrations()
    del applied["infants", "0001_initial"]
    with mock.patch.object(recorder, "applied_migrations", return_value=applied):
        assert Client().get(PATH).json()["failing"] == ["database", "worker"]
        assert readiness.standing(timezone.now())["database"] == "not_migrated"
    assert Client().get(PATH).status_code == 200


def test_a_database_that_is_away_is_told_and_asks_nobody_who_they_are() -> None:
    staff = as_user(a_user(is_staff=True))
    away = mock.Mock(side_effect=OperationalError("could not connect to server at 10.0.0.1"))
    with mock.patch("iclas.readiness.is_up_to_date", away):
        answer = staff.get(PATH)
    assert answer.status_code == 503
    assert answer.json() == {"status": "not_ready", "failing": ["database", "worker"]}


def test_being_alive_asks_nothing(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    client = as_user(a_user(is_staff=True))
    with (
        django_assert_num_queries(0),
        mock.patch("iclas.readiness.is_storage_writable", return_value=False),
    ):
        answer = client.get("/api/v1/health/alive/")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok"}


def test_asking_twice_costs_one_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    sweep()
    Client().get(PATH)
    with django_assert_num_queries(1):
        Client().get(PATH)
