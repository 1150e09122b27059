"""The database's version: a newer one is refused by everything; an older one is brought up once."""

import asyncio
import datetime as dt
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations import Migration
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from iclas import database
from iclas.database import NewerDatabaseError, ready_database, refuse_newer
from tests.commands import MANAGE, ROOT, assert_one_line, called, environment, manage

LATER = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)
CELERY = (sys.executable, "-m", "celery", "--app", "iclas", "--quiet")
DIE_BETWEEN_TABLES_AND_NOTE = """
import os
from django.core.management import execute_from_command_line
from django.db.migrations.executor import MigrationExecutor

record = MigrationExecutor.record_migration

def die_in_between(self, migration):
    if migration.app_label == "devices":
        os._exit(9)
    record(self, migration)

MigrationExecutor.record_migration = die_in_between
os.environ["DJANGO_SETTINGS_MODULE"] = "iclas.settings"
execute_from_command_line(["manage.py", "migrate", "--verbosity", "0"])
"""


def _applied(app: str, name: str) -> None:
    recorder = MigrationRecorder(connection)
    recorder.record_applied(app, name)
    recorder.migration_qs.filter(app=app, name=name).update(applied=LATER)


# --- what is newer -------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_database_up_to_date_is_no_newer() -> None:
    refuse_newer()
    assert database.check_version(databases=["default"]) == []


@pytest.mark.django_db
@pytest.mark.parametrize("app", ["infants", "anomaly", "devices", "brought_by_the_next_version"])
def test_a_migration_that_is_not_known_here_makes_it_newer(app: str) -> None:
    _applied(app, "0099_future")
    with pytest.raises(NewerDatabaseError) as refused:
        refuse_newer()
    assert refused.value.newest == (app, "0099_future")
    assert f"{app}.0099_future" in str(refused.value)
    assert "restore a backup" in str(refused.value)
    for databases in (None, ["default"]):
        with pytest.raises(NewerDatabaseError):
            database.check_version(databases=databases)


@pytest.mark.django_db
def test_a_newer_django_is_not_our_concern() -> None:
    _applied("auth", "0099_future")
    refuse_newer()


def test_what_a_squashed_migration_stands_for_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    class Squashed(Migration):
        replaces = [("infants", "0098_replaced")]  # noqa: RUF012  as Django has it

    on_disk = {("infants", "0100_squashed"): Squashed("0100_squashed", "infants")}
    loaded = SimpleNamespace(disk_migrations=on_disk)
    monkeypatch.setattr(database, "MigrationLoader", lambda *_args, **_given: loaded)
    assert database._known() == {("infants", "0098_replaced"), ("infants", "0100_squashed")}


@pytest.mark.django_db
def test_the_api_answers_that_a_newer_database_is_unavailable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refused(*_args: object, **_kwargs: object) -> int:
        raise NewerDatabaseError(("infants", "0099_future"))

    monkeypatch.setattr("django.db.models.query.QuerySet.update", refused)
    answer = Client().get("/api/v1/health/")
    assert answer.status_code == 503
    assert b"0099" not in answer.content


# --- who refuses it ------------------------------------------------------------------------------


@pytest.fixture
def newer(up_to_date: Path, tmp_path: Path) -> Path:
    """Return a home whose database is of a newer version."""
    home = tmp_path / "home"
    shutil.copytree(up_to_date, home)
    with sqlite3.connect(home / "iclas.sqlite3") as opened:
        opened.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES (?, ?, ?)",
            ("anomaly", "0099_future", LATER.isoformat(sep=" ")),
        )
    opened.close()
    return home


@pytest.mark.embedded
@pytest.mark.parametrize(
    "words",
    [
        (*MANAGE, "check", "--database", "default"),
        (*MANAGE, "migrate"),
        (*MANAGE, "run", "--port", "0"),
        (*MANAGE, "create_infant", "Ada"),
        (*CELERY, "worker", "--queues", "ingest"),
        (sys.executable, "-m", "uvicorn", "iclas.asgi:application", "--lifespan", "off"),
    ],
    ids=lambda words: "-".join(words[-2:]),
)
def test_a_newer_database_is_refused_in_one_line_and_left_alone(
    newer: Path, words: tuple[str, ...]
) -> None:
    before = (newer / "iclas.sqlite3").read_bytes()
    assert_one_line(called(words, newer), "anomaly.0099_future")
    assert (newer / "iclas.sqlite3").read_bytes() == before


@pytest.mark.embedded
def test_what_opens_it_without_asking_is_refused_too(newer: Path) -> None:
    code = "from infants.models import User; User.objects.create_user('old')"
    assert_one_line(manage(newer, "shell", "--verbosity", "0", "-c", code), "anomaly.0099_future")


@pytest.mark.embedded
def test_it_is_refused_each_time_it_is_opened(newer: Path) -> None:
    code = (
        "import django; django.setup()\n"
        "from iclas.database import NewerDatabaseError\n"
        "from infants.models import User\n"
        "for _ in range(2):\n"
        "    try: User.objects.exists()\n"
        "    except NewerDatabaseError: print('refused')\n"
    )
    where = {"DJANGO_SETTINGS_MODULE": "iclas.settings"}
    assert called([sys.executable, "-c", code], newer, **where).stdout == "refused\n" * 2


@pytest.mark.embedded
def test_a_database_that_is_away_does_not_keep_the_web_process_from_starting(
    tmp_path: Path,
) -> None:
    code = "import iclas.asgi; print('started')"
    away = {"DATABASE_URL": "postgres://a:b@127.0.0.1:1/x"}
    done = called([sys.executable, "-c", code], tmp_path / "home", **away)
    assert done.stdout == "started\n", done.stderr


@pytest.mark.django_db
def test_it_may_be_asked_while_an_event_loop_runs() -> None:
    async def ask() -> None:
        database.refuse_to_start_on_newer()

    asyncio.run(ask())


# --- bringing it up to date ----------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_up_to_date_is_left_as_it_is() -> None:
    before = MigrationRecorder(connection).applied_migrations()
    ready_database()
    ready_database()
    assert MigrationRecorder(connection).applied_migrations().keys() == before.keys()


@pytest.mark.django_db(transaction=True)
def test_migrating_ends_with_the_connection_as_it_was_found() -> None:
    call_command("migrate", interactive=False, verbosity=0)
    assert connection.get_autocommit()
    assert not connection.in_atomic_block
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            assert cursor.execute("PRAGMA foreign_keys").fetchone() == (1,)


@pytest.mark.embedded
@pytest.mark.django_db(transaction=True)
def test_who_finds_another_migrating_waits_longer_than_for_a_row() -> None:
    def waits_ms() -> int:
        with connection.cursor() as cursor:
            found: int = cursor.execute("PRAGMA busy_timeout").fetchone()[0]
        return found

    before = waits_ms()
    with database.migrating_alone(connection):
        assert waits_ms() == 1000 * database.MIGRATES_WITHIN_S > before
    assert waits_ms() == before


@pytest.mark.embedded
def test_a_migration_that_is_killed_half_way_is_done_again(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert called([sys.executable, "-c", DIE_BETWEEN_TABLES_AND_NOTE], home).returncode == 9
    again = manage(home, "migrate", "--verbosity", "0")
    assert again.returncode == 0, again.stderr
    assert manage(home, "migrate", "--check").returncode == 0


@pytest.mark.embedded
def test_those_that_migrate_at_once_wait_for_each_other(tmp_path: Path) -> None:
    home = tmp_path / "home"
    words = [*MANAGE, "migrate", "--verbosity", "0"]
    at_once = [
        subprocess.Popen(words, cwd=ROOT, env=environment(home), text=True, stderr=subprocess.PIPE)
        for _ in range(3)
    ]
    said = [process.communicate()[1] for process in at_once]
    assert [process.returncode for process in at_once] == [0, 0, 0], said
