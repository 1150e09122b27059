"""The spool: recordings that wait on the disk until the server has them.

What comes in: recordings as the recorder cut them. What goes out: the oldest ones, for uploading.
Guaranteed: once `put` has returned, a recording survives a power cut, under an idempotency key that
never changes; it goes only when `remove` was told that the server has it, when `set_aside` was told
that the server never will, or when there is no room, which is counted and said. A power cut may
bring back what was removed last: the server knows its key.

Room is limited by `most_bytes`. What does not fit makes others go: first what was set aside, oldest
first, then the oldest recordings that wait; of days without a server the latest cries remain. One
file holds one recording: a line of JSON that tells of it, then its bytes.
"""

import contextlib
import errno
import fcntl
import hashlib
import itertools
import json
import logging
import re
import threading
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

from monitor.disk import Disk
from monitor.errors import DamagedItemError, MonitorError, SpoolBusyError

log = logging.getLogger(__name__)

FORMAT = 1
SUFFIX = ".rec"
NAME = re.compile(r"(\d{12})-([A-Za-z0-9_.-]{1,120})\.rec")
KEY = re.compile(r"[A-Za-z0-9_.-]{1,120}")
LONGEST_HEADER = 65_536
FULL = (errno.ENOSPC, errno.EDQUOT)
ASIDE_FRAC = 0.1
"""Share of the room that may hold what was set aside."""


@dataclass(frozen=True)
class Recording:
    """One recording as the recorder cut it; `recorded_at` is ISO 8601 with its offset."""

    key: str
    recorded_at: str
    content: bytes = field(repr=False)
    suffix: str = "wav"
    duration_s: float = 0.0
    session: str = ""
    boot: str = ""
    boot_s: float | None = None
    """On which run of the machine it was recorded and when in it, where its clock may be wrong."""


@dataclass(frozen=True)
class Item:
    """One recording that waits, or was set aside with the server's last word on it."""

    path: Path
    number: int
    key: str
    size: int
    """Bytes of its file."""
    told: dict[str, Any] = field(repr=False)

    @property
    def recorded_at(self) -> str:
        """When it was recorded, as was said."""
        return str(self.told.get("recorded_at", ""))

    @property
    def answer(self) -> dict[str, Any]:
        """Why it was set aside."""
        return dict(self.told.get("answer", {}))

    def content(self) -> bytes:
        """Read the recording's bytes.

        Raises
        ------
        DamagedItemError
            They are not those that were written.
        """
        with self.path.open("rb") as file:
            file.readline(LONGEST_HEADER)
            content = file.read()
        if hashlib.sha256(content).hexdigest() != self.told["sha256"]:
            raise DamagedItemError(f"{self.path.name} is damaged")
        return content


def _encoded(told: dict[str, Any], content: bytes) -> bytes:
    return json.dumps(told).encode() + b"\n" + content


def _read_item(path: Path) -> Item | None:
    """Return what a file holds, or None where it is none of the spool's, or cut short."""
    named = NAME.fullmatch(path.name)
    try:
        with path.open("rb") as file:
            line = file.readline(LONGEST_HEADER)
        told = json.loads(line)
        size = path.stat().st_size
        whole = told["format"] == FORMAT and size == len(line) + told["bytes"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if named is None or not whole:
        return None
    return Item(path, int(named[1]), named[2], size, told)


def _items(folder: Path) -> Iterator[Item]:
    """Yield the whole items of a folder, oldest first."""
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        item = _read_item(path)
        if item is not None:
            yield item


@dataclass(frozen=True)
class Contents:
    """What lies in a spool, seen from outside."""

    waiting: tuple[Item, ...]
    aside: tuple[Item, ...]
    dropped: int
    is_in_use: bool


def look_into(folder: Path) -> Contents:
    """Return what a spool holds, without disturbing whoever works on it."""
    waiting, aside = (tuple(_items(folder / name)) for name in ("waiting", "aside"))
    return Contents(waiting, aside, _dropped(folder / "dropped.json"), _is_locked(folder / "lock"))


def _dropped(path: Path) -> int:
    try:
        return int(json.loads(path.read_text())["dropped"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0


def _is_locked(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return not _locked(file)
    except OSError:
        return False


def _locked(file: IO[bytes]) -> bool:
    """Take the lock on a file, which the kernel frees when the process ends, however it ends."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class Spool:
    """The spool of one running monitor; threads may share it.

    Raises
    ------
    SpoolBusyError
        Another process works on it.
    """

    def __init__(self, folder: Path, most_bytes: int, disk: Disk | None = None) -> None:
        self.folder = folder
        self.most_bytes = most_bytes
        self.arrived = threading.Event()
        self._disk = disk or Disk()
        self._changing = threading.RLock()
        for place in (self._waiting_at, self._aside_at):
            place.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = (folder / "lock").open("ab")
        if not _locked(self._lock):
            self._lock.close()
            raise SpoolBusyError(f"another monitor runs on {folder}: stop it, or name another")
        self.dropped = _dropped(folder / "dropped.json")
        self._recover()

    @property
    def _waiting_at(self) -> Path:
        return self.folder / "waiting"

    @property
    def _aside_at(self) -> Path:
        return self.folder / "aside"

    def close(self) -> None:
        """Let another process work on it."""
        self._lock.close()

    def _recover(self) -> None:
        """Delete half-made files and complete what a power cut interrupted."""
        self._disk.sync(self.folder)
        for place in (self._waiting_at, self._aside_at, self.folder):
            if halves := self._disk.sweep(place):
                log.info("deleted %d half-written files of an interrupted run", halves)
        self._aside = {item.key: item for item in _items(self._aside_at)}
        self._waiting: dict[str, Item] = {}
        for item in _items(self._waiting_at):
            if item.key in self._aside or item.key in self._waiting:
                self._disk.unlink(item.path)
            else:
                self._waiting[item.key] = item
        self._bury_damaged()
        held = [*self._waiting.values(), *self._aside.values()]
        self._numbers = itertools.count(max((item.number for item in held), default=0) + 1)

    def _bury_damaged(self) -> None:
        """Take out what is no whole item, which a sound disk never holds."""
        known = {item.path for item in (*self._waiting.values(), *self._aside.values())}
        for path in [*self._waiting_at.glob(f"*{SUFFIX}"), *self._aside_at.glob(f"*{SUFFIX}")]:
            if path not in known:
                log.error("%s is damaged and cannot be sent", path.name)
                self._disk.rename(path, path.with_suffix(".damaged"))

    # --- what the recorder does --------------------------------------------------------------

    def put(self, recording: Recording) -> bool:
        """Keep a recording, durably; False where one with its key waits or was set aside already.

        Raises
        ------
        MonitorError
            The key cannot be one, or nothing can be written even with the whole room given up.
        """
        if not KEY.fullmatch(recording.key):
            raise MonitorError(f"{recording.key!r} is no idempotency key")
        told = asdict(recording) | {
            "format": FORMAT,
            "bytes": len(recording.content),
            "sha256": hashlib.sha256(recording.content).hexdigest(),
        }
        del told["content"]
        content = _encoded(told, recording.content)
        with self._changing:
            if recording.key in self._waiting or recording.key in self._aside:
                return False
            number = next(self._numbers)
            path = self._waiting_at / f"{number:012d}-{recording.key}{SUFFIX}"
            self._make_room(len(content))
            self._write(path, content)
            self._waiting[recording.key] = Item(path, number, recording.key, len(content), told)
        self.arrived.set()
        return True

    def _write(self, path: Path, content: bytes) -> None:
        """Write a file; where the disk is full before the spool is, others go all the same."""
        while True:
            try:
                self._disk.write_whole(path, content)
            except OSError as error:
                if error.errno not in FULL or not self._room_made(path.parent):
                    raise MonitorError(
                        f"nothing can be written to {path.parent}: {error}"
                    ) from None
            else:
                return

    def _room_made(self, folder: Path) -> bool:
        self._disk.sweep(folder)
        return self._give_up_one()

    def _make_room(self, size: int) -> None:
        while self.held_bytes + size > self.most_bytes and self._give_up_one():
            pass

    def _give_up_one(self) -> bool:
        """Delete what is missed least; False where nothing is left."""
        if self._aside:
            self._forget_aside(next(iter(self._aside)))
            return True
        if not self._waiting:
            return False
        self._drop(min(self._waiting.values(), key=lambda item: item.number))
        return True

    def _drop(self, item: Item) -> None:
        log.error("the spool is full: the recording of %s is lost", item.recorded_at)
        del self._waiting[item.key]
        self._disk.unlink(item.path)
        self.dropped += 1
        said = json.dumps({"dropped": self.dropped}).encode()
        with contextlib.suppress(OSError):  # the disk may be full to the last byte
            self._disk.write_whole(self.folder / "dropped.json", said)

    # --- what the uploader does --------------------------------------------------------------

    def waiting(self) -> list[Item]:
        """Return what waits, oldest first."""
        with self._changing:
            return sorted(self._waiting.values(), key=lambda item: item.number)

    def aside(self) -> list[Item]:
        """Return what was set aside, oldest first."""
        with self._changing:
            return list(self._aside.values())

    @property
    def held_bytes(self) -> int:
        """Bytes of all that lies here."""
        with self._changing:
            return sum(item.size for item in (*self._waiting.values(), *self._aside.values()))

    def remove(self, item: Item) -> None:
        """Delete what the server has; not synced, since it may well come back once."""
        with self._changing:
            if self._waiting.pop(item.key, None) is not None:
                self._disk.unlink(item.path)

    def set_aside(self, item: Item, answer: dict[str, Any]) -> None:
        """Keep what the server will never take, with its answer, as long as there is room."""
        with self._changing:
            if item.key not in self._waiting:
                return
            told = item.told | {"answer": answer}
            path = self._aside_at / item.path.name
            try:
                self._keep_aside(item, path, told)
            except OSError as error:
                log.warning("what was refused could not be kept: %s", error)
            del self._waiting[item.key]
            self._disk.unlink(item.path)

    def _keep_aside(self, item: Item, path: Path, told: dict[str, Any]) -> None:
        try:
            content = item.content()
        except DamagedItemError:
            content = b""
            told |= {"bytes": 0, "sha256": hashlib.sha256(b"").hexdigest()}
        whole = _encoded(told, content)
        self._disk.write_whole(path, whole)
        self._aside[item.key] = Item(path, item.number, item.key, len(whole), told)
        while self._bytes_of(self._aside.values()) > ASIDE_FRAC * self.most_bytes:
            self._forget_aside(next(iter(self._aside)))

    def _bytes_of(self, items: Iterable[Item]) -> int:
        return sum(item.size for item in items)

    def _forget_aside(self, key: str) -> None:
        item = self._aside.pop(key)
        log.warning("forgot the refused recording of %s, for want of room", item.recorded_at)
        self._disk.unlink(item.path)

    def retry_aside(self) -> int:
        """Let what was set aside wait again, under its key; return how many."""
        with self._changing:
            again = [item for item in self._aside.values() if item.told["bytes"]]
            for item in again:
                told = {name: said for name, said in item.told.items() if name != "answer"}
                path = self._waiting_at / item.path.name
                whole = _encoded(told, item.content())
                self._disk.write_whole(path, whole)
                self._disk.unlink(item.path)
                del self._aside[item.key]
                self._waiting[item.key] = Item(path, item.number, item.key, len(whole), told)
        self.arrived.set()
        return len(again)
