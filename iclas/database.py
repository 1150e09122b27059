"""The database's version: never one that this code is too old for, and brought up to date alone.

What comes in: the database that the settings name. What goes out: the same one, with every
migration that this code has. Guaranteed: a database of a newer version is neither migrated nor
read nor written, whatever opens it: a command, a worker or the web process. Bringing it up to date
may be repeated and started twice at once; on SQLite it may also be killed at any moment.
"""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Tags, register
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, DatabaseError, OperationalError, connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.dispatch import receiver

MIGRATING = 0x1C1A5
"""The number of PostgreSQL's advisory lock; any would do that nobody else takes."""
MIGRATES_WITHIN_S = 900
"""For so long others wait on SQLite for whoever brings it up to date."""

Migration = tuple[str, str]
_found_fitting = threading.Event()
_found_up_to_date = threading.Event()


class NewerDatabaseError(OperationalError):
    """The database has migrations that this code does not know.

    It is an error of the database to whoever talks to it: the API answers that it is unavailable.
    """

    def __init__(self, newest: Migration) -> None:
        super().__init__(newest)
        self.newest = newest

    def __str__(self) -> str:
        """Say it for people."""
        app, name = self.newest
        return (
            f"The database is of a newer version of ICLAS (it has {app}.{name}): install that "
            "version again, or restore a backup that was made before it."
        )


# --- is it too new? ------------------------------------------------------------------------------


def refuse_newer(opened: BaseDatabaseWrapper | None = None) -> None:
    """Raise `NewerDatabaseError` where the database has migrations that are not known here."""
    strangers = _strangers(MigrationRecorder(opened or connection))
    if strangers:
        raise NewerDatabaseError(strangers[-1])


def _strangers(recorder: MigrationRecorder) -> list[Migration]:
    """Return what was applied and is not known here, oldest first.

    An app that is not installed is one that a newer version has brought. The migrations of the
    apps that are not ours, such as Django's, are theirs to compare.
    """
    if not recorder.has_table():
        return []
    applied = recorder.migration_qs.order_by("applied", "id").values_list("app", "name")
    theirs = {app.label for app in apps.get_app_configs() if not _is_ours(Path(app.path))}
    known = _known()
    return [row for row in applied if row[0] not in theirs and row not in known]


def _is_ours(app: Path) -> bool:
    return app.resolve().parent == settings.BASE_DIR


def _known() -> set[Migration]:
    """Return every migration on the disk, and those that one of them stands for."""
    on_disk = MigrationLoader(None, ignore_no_migrations=True).disk_migrations
    replaced = {old for migration in on_disk.values() for old in migration.replaces}
    return set(on_disk) | replaced


@receiver(connection_created, dispatch_uid="iclas.database")
def refuse_newer_once_open(connection: BaseDatabaseWrapper, **_signal: Any) -> None:
    """Let no process read or write a newer database, whatever it opens it for."""
    if connection.alias != DEFAULT_DB_ALIAS or _found_fitting.is_set():
        return
    try:
        refuse_newer(connection)
    except NewerDatabaseError:
        connection.close()  # or the next query would find it open
        raise
    _found_fitting.set()


@register(Tags.database, "iclas")
def check_version(
    app_configs: object = None, databases: Sequence[str] | None = None, **_given: Any
) -> list[CheckMessage]:
    """Raise `NewerDatabaseError` rather than list it: beside it nothing else matters.

    Every command that has itself checked asks. A database that cannot be asked is a matter for
    those that need it, unless the check is of the database.
    """
    del app_configs
    try:
        refuse_newer()
    except NewerDatabaseError:
        raise
    except DatabaseError:
        if databases is not None:
            raise
    return []


def refuse_to_start_on_newer() -> None:
    """End this process with one line where the database is of a newer version.

    For workers and the web process, before they take anything on. It asks in a thread of its own:
    Django opens no connection in a thread that runs an event loop, and a worker that forks must
    not share one. A database that is away for now is no reason not to start.
    """
    with ThreadPoolExecutor(1) as aside:
        reason = aside.submit(_reason_not_to_start).result()
    if reason:
        raise SystemExit(reason)


def _reason_not_to_start() -> str | None:
    try:
        refuse_newer()
    except NewerDatabaseError as error:
        return str(error)
    except DatabaseError:
        return None
    finally:
        connection.close()
    return None


# --- is it too old? ------------------------------------------------------------------------------


def is_up_to_date() -> bool:
    """Tell whether the database has every migration that is known here; it keeps what it has."""
    if not _found_up_to_date.is_set() and not _missing(MigrationRecorder(connection)):
        _found_up_to_date.set()
    return _found_up_to_date.is_set()


def _missing(recorder: MigrationRecorder) -> set[Migration]:
    on_disk = MigrationLoader(None, ignore_no_migrations=True).disk_migrations
    applied = set(recorder.applied_migrations())
    squashed = {
        name for name, one in on_disk.items() if one.replaces and {*one.replaces} <= applied
    }
    return set(on_disk) - applied - squashed


# --- bringing it up to date ----------------------------------------------------------------------


def ready_database() -> None:
    """Bring the database up to date, or raise `NewerDatabaseError`; idempotent."""
    refuse_newer()
    call_command("migrate", interactive=False, verbosity=0)


@contextmanager
def migrating_alone(of: BaseDatabaseWrapper) -> Iterator[None]:
    """Let one process migrate at a time; those that come meanwhile wait, and find nothing to do."""
    alone = {"sqlite": _in_one_transaction, "postgresql": _under_a_lock}
    with alone[of.vendor](of):
        yield


@contextmanager
def _in_one_transaction(of: BaseDatabaseWrapper) -> Iterator[None]:
    """Migrate wholly or not at all.

    Django makes a migration's tables in one transaction and notes in the next that it did: killed
    between the two, it would make the same tables again, and fail for ever.
    """
    # SQLite obeys this outside transactions only, and Django migrates nothing without it.
    with _patient(of), of.constraint_checks_disabled(), transaction.atomic(of.alias):
        yield


@contextmanager
def _patient(of: BaseDatabaseWrapper) -> Iterator[None]:
    """Wait longer for whoever migrates already than for whoever writes a row."""
    with of.cursor() as cursor:
        before_ms = cursor.execute("PRAGMA busy_timeout").fetchone()[0]
        cursor.execute(f"PRAGMA busy_timeout = {MIGRATES_WITHIN_S * 1000}")
    try:
        yield
    finally:
        with of.cursor() as cursor:
            cursor.execute(f"PRAGMA busy_timeout = {before_ms}")


@contextmanager
def _under_a_lock(of: BaseDatabaseWrapper) -> Iterator[None]:
    """Hold a lock that the server frees by itself when this process dies."""
    with of.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATING])
    try:
        yield
    finally:
        with of.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [MIGRATING])
