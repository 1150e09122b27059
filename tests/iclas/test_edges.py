"""Known failures end in one line that says what to do; unknown ones keep their traceback."""

import errno
import sqlite3
import sys
from pathlib import Path

import psycopg
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import InternalError, OperationalError, ProgrammingError
from kombu.exceptions import OperationalError as BrokerError

from iclas.database import NewerDatabaseError
from iclas.edges import FORESEEN, SAID, explained
from iclas.home import HomeError
from infants.depot.errors import DepotAwayError, KeyGoneError
from infants.shortages import Shortage, shortage
from tests.commands import assert_one_line, called, manage

pytestmark = pytest.mark.embedded


def _caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


KNOWN: list[tuple[Exception, str]] = [
    (OSError(errno.ENOSPC, "No space left on device"), "make room"),
    (OSError(errno.EDQUOT, "Quota exceeded"), "make room"),
    (OSError(errno.EROFS, "Read-only file system"), "writable"),
    (OSError(errno.EMFILE, "Too many open files"), "ulimit"),
    (PermissionError(errno.EACCES, "Permission denied", "/srv/iclas"), "/srv/iclas: "),
    (HomeError(Path("/srv/iclas"), "Not a directory"), "set ICLAS_HOME"),
    (NewerDatabaseError(("infants", "0099_future")), "infants.0099_future"),
    (DepotAwayError("EndpointConnectionError"), "ICLAS_STORAGE_URL"),
    (KeyGoneError("1a2b"), "ICLAS_STORAGE_KEYS"),
    (ImproperlyConfigured("SECRET_KEY\nis empty"), "SECRET_KEY is empty"),
    (OperationalError("database or disk is full"), "make room"),
    (OperationalError("attempt to write a readonly database"), "writable"),
    (OperationalError("unable to open database file"), "cannot be opened"),
    (OperationalError("database is locked"), "locked"),
    (OperationalError("disk I/O error"), "dmesg"),
    (OperationalError("no such table: infants_infant"), "manage.py migrate"),
    (_caused(ProgrammingError("fehlt"), psycopg.errors.UndefinedTable()), "manage.py migrate"),
    (_caused(OperationalError("voll"), psycopg.errors.DiskFull()), "make room"),
    (_caused(InternalError("nur"), psycopg.errors.ReadOnlySqlTransaction()), "writable"),
    (OperationalError('connection failed: "127.0.0.1", port 1 failed: refused'), "DATABASE_URL"),
    (ModuleNotFoundError("No module named 'av'", name="av"), "make setup"),
    (BrokerError("Error 111 connecting to 127.0.0.1:6379"), "CELERY_BROKER_URL"),
    (_caused(BrokerError("cannot add file"), OSError(errno.ENOSPC, "No space")), "make room"),
]


@pytest.mark.parametrize(("error", "told"), KNOWN, ids=lambda value: str(value)[:40])
def test_a_known_failure_is_one_line_with_what_to_do(error: Exception, told: str) -> None:
    line = explained(error)
    assert line is not None
    assert told in line
    assert "\n" not in line
    assert isinstance(error, FORESEEN)


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.EIO, "Input/output error"),
        FileNotFoundError(errno.ENOENT, "No such file"),
        OSError("words alone"),
        OperationalError("too many SQL variables"),
        ProgrammingError("syntax error"),
        _caused(ProgrammingError("syntax"), psycopg.errors.SyntaxError()),
        ModuleNotFoundError("No module named 'iclas.gone'", name="iclas.gone"),
        ValueError("database is locked"),
        KeyError("x"),
    ],
    ids=repr,
)
def test_what_nobody_foresaw_is_not_explained(error: Exception) -> None:
    assert explained(error) is None


def test_every_shortage_has_its_line() -> None:
    assert set(SAID) == set(Shortage)


def test_sqlite_says_what_is_read_for_a_shortage(tmp_path: Path) -> None:
    """The words are SQLite's, so they are taken from SQLite itself."""
    said = {}
    with pytest.raises(sqlite3.OperationalError) as said["opening"]:
        sqlite3.connect(tmp_path / "missing" / "file").execute("SELECT 1")
    with sqlite3.connect(tmp_path / "file", timeout=0) as database:
        database.execute("CREATE TABLE known (x)")
        with pytest.raises(sqlite3.OperationalError) as said["table"]:
            database.execute("SELECT * FROM unknown")
        with pytest.raises(sqlite3.OperationalError) as said["column"]:
            database.execute("INSERT INTO known (y) VALUES (1)")
        database.execute("PRAGMA max_page_count = 3")
        with pytest.raises(sqlite3.OperationalError) as said["room"]:
            database.execute("INSERT INTO known VALUES (zeroblob(100000))")
    database.close()
    read_only = sqlite3.connect(f"file:{tmp_path / 'file'}?mode=ro", uri=True)
    with pytest.raises(sqlite3.OperationalError) as said["writing"]:
        read_only.execute("INSERT INTO known VALUES (1)")
    read_only.close()
    found = {name: shortage(OperationalError(str(error.value))) for name, error in said.items()}
    assert found == {
        "opening": Shortage.OPENING,
        "table": Shortage.TABLES,
        "column": Shortage.TABLES,
        "room": Shortage.ROOM,
        "writing": Shortage.WRITING,
    }


# --- at the edge itself --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"DATABASE_URL": "postgres://a:b@127.0.0.1:1/x"}, "does not answer"),
        ({"DATABASE_URL": "sqlite:////nonexistent/iclas.sqlite3"}, "cannot be opened"),
        ({"DATABASE_URL": "nothing://x"}, "A setting is wrong"),
        ({"ICLAS_HOME": "/dev/null/iclas"}, "ICLAS_HOME cannot be written to"),
        ({}, "run manage.py migrate"),
    ],
    ids=str,
)
def test_a_command_that_cannot_go_on_says_one_line(
    tmp_path: Path, variables: dict[str, str], told: str
) -> None:
    assert_one_line(manage(tmp_path / "home", "create_infant", "Ada", **variables), told)


def test_a_python_without_what_is_required_is_told_of_make_setup(tmp_path: Path) -> None:
    bare = [sys.executable, "-S", "manage.py", "check"]  # without site-packages
    assert_one_line(called(bare, tmp_path / "home"), "make setup")


def test_what_nobody_foresaw_keeps_its_traceback(tmp_path: Path) -> None:
    done = manage(tmp_path / "home", "shell", "-c", "raise ValueError('a fault of ours')")
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "a fault of ours" in done.stderr
