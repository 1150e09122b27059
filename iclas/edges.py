"""Known failures in one line, for the edge of a command.

What comes in: whatever ended a command. What goes out: a line that says what is wrong and what to
do, or None where nobody foresaw it and its traceback is what helps. Guaranteed: one line; nothing
is done here, and running the same command again when the cause is gone continues.
"""

from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.db import Error as DatabaseFault
from kombu.exceptions import KombuError

from iclas.database import NewerDatabaseError
from iclas.home import HomeError
from infants.shortages import Shortage, shortage

FORESEEN = (
    OSError,
    ModuleNotFoundError,
    DatabaseFault,
    KombuError,
    ImproperlyConfigured,
    HomeError,
)
"""What may be explained; anything else is a fault of ours."""
NO_BROKER = (
    "The broker does not answer: start the server that CELERY_BROKER_URL names, or correct the "
    "address, and run the same command again."
)
SAID = {
    Shortage.ROOM: (
        "The disk is full: make room on the disk of ICLAS_HOME and run the same command again; "
        "it continues where it stopped."
    ),
    Shortage.WRITING: (
        "Nothing can be written: what ICLAS_HOME or DATABASE_URL names is read-only; make it "
        "writable for the user who runs ICLAS, or name another."
    ),
    Shortage.OPEN_FILES: (
        "Too many files are open: raise the limit (ulimit -n) and run the same command again."
    ),
    Shortage.OPENING: (
        "The database cannot be opened: its folder is missing, read-only or another user's; see "
        "what ICLAS_HOME or DATABASE_URL names."
    ),
    Shortage.TURN: (
        "The database is locked: another command has been writing to it for long; let it end and "
        "run the same command again."
    ),
    Shortage.SERVER: (
        "The database does not answer: start the server that DATABASE_URL names, or correct the "
        "address, and run the same command again."
    ),
    Shortage.TABLES: (
        "The database is not set up for this version: run manage.py migrate, then the same "
        "command again."
    ),
    Shortage.SOUND_DISK: (
        "The disk of the database cannot be read or written: see whether it is full or failing "
        "(dmesg tells), then run the same command again."
    ),
    Shortage.DEPOT: (
        "The object store that ICLAS_STORAGE_URL names does not answer, or refuses: see whether it "
        "runs, and whether bucket and credentials are right, then run the same command again."
    ),
    Shortage.KEY: (
        "Something was sealed with a key that ICLAS_STORAGE_KEYS does not hold: add the key, then "
        "run the same command again."
    ),
}


def explained(error: BaseException) -> str | None:
    """Return what to do about an error, in one line, or None where that is not known."""
    line = _known(error)
    return None if line is None else " ".join(line.split())


def _known(error: BaseException) -> str | None:
    if isinstance(error, HomeError | NewerDatabaseError):
        return str(error)
    lack = shortage(error)
    if lack is not None:
        return _placed(SAID[lack], error)
    match error:
        case ImproperlyConfigured():
            return f"A setting is wrong: {error}"
        case PermissionError():
            return _placed("The user who runs ICLAS may not read or write this.", error)
        case KombuError():
            return NO_BROKER
        case ModuleNotFoundError() if not _is_ours(error.name or ""):
            return f"{error.name} is not installed: run make setup, then the same command again."
    return None


def _placed(line: str, error: BaseException) -> str:
    """Name the file first, where the error does."""
    place = getattr(error, "filename", None)
    return line if place is None else f"{place}: {line}"


def _is_ours(module: str) -> bool:
    """Tell whether a module would lie in this checkout; that it does not is a fault of ours."""
    package = module.partition(".")[0]
    return not package or (Path(__file__).parent.parent / package).exists()
