"""Who holds leases: this process, known by a file that it keeps locked while it lives.

The kernel lets go of the lock when the process ends, however it ends, and whatever its number
within a container: so a lease of a process that was killed is found at once and not only when it
has run out. Where holders share no disk, nothing is found, and the expiry decides as before.
"""

import fcntl
import os
import secrets
import time
from contextlib import suppress
from pathlib import Path

from django.conf import settings

NAME_BYTES = 6
DRAFT = ".new"
DEAD = ".dead"
FORGOTTEN_AFTER_S = 600.0
_held: dict[int, tuple[str, int]] = {}  # by process, the name and the open file's number


def holder() -> str:
    """Return this process' name as a holder; its file is locked from the first call on."""
    pid = os.getpid()  # a forked process must not live under its parent's name
    if pid not in _held:
        _held.clear()
        _held[pid] = _lock_a_new_file()
    return _held[pid][0]


def died() -> set[str]:
    """Return the holders that have died, from now on known as such.

    To be asked before leases are read: a process that is dead by then takes no lease afterwards.
    """
    for path in _folder().iterdir():
        if path.suffix not in (DRAFT, DEAD) and _is_unlocked(path):
            with suppress(FileNotFoundError):  # another process has just found the same
                os.utime(path)
                path.rename(path.with_suffix(DEAD))
    return {path.stem for path in _folder().glob(f"*{DEAD}")}


def forget_the_long_dead() -> None:
    """Remove the files of holders that died a while ago.

    A database may finish what a process asked for after the process has died, so that its name can
    turn up once more: a name that is forgotten too early would be taken for another machine's.
    """
    for path in _folder().glob(f"*{DEAD}"):
        with suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > FORGOTTEN_AFTER_S:
                path.unlink()


def _folder() -> Path:
    folder: Path = settings.ICLAS_HOME.holders
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _lock_a_new_file() -> tuple[str, int]:
    """Lock it before it gets its name, lest somebody find it unlocked."""
    name = secrets.token_hex(NAME_BYTES)
    draft = _folder() / f"{name}{DRAFT}"
    number = os.open(draft, os.O_CREAT | os.O_WRONLY)
    fcntl.flock(number, fcntl.LOCK_EX)
    draft.rename(_folder() / name)
    return name, number


def _is_unlocked(path: Path) -> bool:
    """Tell by trying its lock."""
    try:
        with path.open() as stream:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (FileNotFoundError, BlockingIOError):
        return False
    return True
