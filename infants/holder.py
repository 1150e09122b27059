"""Who holds leases: this process, known by a file that it keeps locked while it lives.

The kernel lets go of the lock when the process ends, however it ends, and whatever its number
within a container: so a lease of a process that was killed is found at once and not only when it
has run out. Where holders share no disk, nothing is found, and the expiry decides as before.
"""

import fcntl
import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings

NAME_BYTES = 6
DRAFT = ".new"
_held: dict[int, tuple[str, int]] = {}  # by process, the name and the open file's number


def holder() -> str:
    """Return this process' name as a holder; its file is locked from the first call on."""
    pid = os.getpid()  # a forked process must not live under its parent's name
    if pid not in _held:
        _held.clear()
        _held[pid] = _lock_a_new_file()
    return _held[pid][0]


def gone(names: Iterable[str]) -> set[str]:
    """Return those of the holders that have died, and forget their files."""
    return {name for name in names if name and _is_gone(name)}


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


def _is_gone(name: str) -> bool:
    """Tell by trying its lock; a holder without a file lives elsewhere, or is forgotten already."""
    path = _folder() / name
    try:
        with path.open() as stream:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (FileNotFoundError, BlockingIOError):
        return False
    return True


def forget_the_gone() -> None:
    """Remove the files of holders that have died; call once nothing carries their names."""
    for path in _folder().iterdir():
        if path.suffix != DRAFT and _is_gone(path.name):
            path.unlink(missing_ok=True)
