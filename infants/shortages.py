"""What a machine can be short of, told from the error that shows it.

What comes in: an error of the operating system, of a database or of the depot. What goes out: the
shortage, or None where the error is another's fault. It passes by itself or when an operator mends
it; no recording is to blame, and no device has sent anything wrong.
"""

import enum
import errno

from django.db import Error

from infants.depot.errors import DepotAwayError, KeyGoneError


class Shortage(enum.Enum):
    """What there is none of."""

    ROOM = "room"
    WRITING = "writing"
    OPEN_FILES = "open files"
    OPENING = "opening"
    TURN = "turn"
    SERVER = "server"
    TABLES = "tables"
    SOUND_DISK = "sound disk"
    DEPOT = "object store"
    KEY = "storage key"


BY_ERRNO = {
    errno.ENOSPC: Shortage.ROOM,
    errno.EDQUOT: Shortage.ROOM,
    errno.EROFS: Shortage.WRITING,
    errno.EMFILE: Shortage.OPEN_FILES,
    errno.ENFILE: Shortage.OPEN_FILES,
}
BY_SQLSTATE = {
    "53100": Shortage.ROOM,
    "25006": Shortage.WRITING,
    "42P01": Shortage.TABLES,
    "42703": Shortage.TABLES,
    "55P03": Shortage.TURN,
    "40P01": Shortage.TURN,
    "53300": Shortage.SERVER,
    "57P01": Shortage.SERVER,
    "57P02": Shortage.SERVER,
    "57P03": Shortage.SERVER,
}
# The file through which SQLite's processes meet cannot grow: it says no more than "disk I/O error".
BY_SQLITE_NAME = {"SQLITE_IOERR_SHMSIZE": Shortage.ROOM}
# SQLite's codes do not tell a missing table from any other mistake; its words, which have not
# changed in twenty years, do.
BY_WORDS = {
    "database or disk is full": Shortage.ROOM,
    "attempt to write a readonly database": Shortage.WRITING,
    "unable to open database file": Shortage.OPENING,
    "database is locked": Shortage.TURN,
    "database table is locked": Shortage.TURN,
    "disk i/o error": Shortage.SOUND_DISK,
    "no such table": Shortage.TABLES,
    "no such column": Shortage.TABLES,
    "has no column named": Shortage.TABLES,
    # psycopg has no code for a server that it cannot reach or has lost.
    "connection failed": Shortage.SERVER,
    "connection is bad": Shortage.SERVER,
    "connection refused": Shortage.SERVER,
    "failed to resolve host": Shortage.SERVER,
    "connection timeout expired": Shortage.SERVER,
    "server closed the connection": Shortage.SERVER,
    "the connection is closed": Shortage.SERVER,
    "the connection is lost": Shortage.SERVER,
}


def shortage(error: BaseException) -> Shortage | None:
    """Return what the machine was short of when this error, or the one that led to it, arose."""
    found = _own(error)
    if found is None and error.__cause__ is not None:
        return shortage(error.__cause__)
    return found


def _own(error: BaseException) -> Shortage | None:
    if isinstance(error, DepotAwayError):
        return Shortage.DEPOT
    if isinstance(error, KeyGoneError):
        return Shortage.KEY
    if isinstance(error, OSError):
        return BY_ERRNO.get(error.errno or 0)
    if not isinstance(error, Error):
        return None
    sqlstate = getattr(error.__cause__, "sqlstate", None)
    if sqlstate:
        return BY_SQLSTATE.get(sqlstate)
    name = getattr(error.__cause__, "sqlite_errorname", None)
    if name in BY_SQLITE_NAME:
        return BY_SQLITE_NAME[name]
    said = str(error).lower()
    return next((lack for words, lack in BY_WORDS.items() if words in said), None)
