"""The station: a running monitor, all its parts at work.

What comes in: a configuration and a source. What goes out: cries on the server, and a file that
tells how things stand. Guaranteed: hearing, uploading and heartbeats wait for each other nowhere;
told to stop, by SIGTERM or SIGINT, it ends within a few seconds and leaves everything in the spool;
killed, it goes on the next time where it was.
"""

import contextlib
import json
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from monitor import __version__
from monitor.config import Config
from monitor.credential import changed_at, read_credential
from monitor.errors import ConfigError, MonitorError, NotPairedError
from monitor.heart import Heart, battery_frac
from monitor.server import Server
from monitor.sources import Source
from monitor.spool import Spool
from monitor.uploader import Outside, Pace, Uploader
from monitor.wishes import Wishes

if TYPE_CHECKING:
    from monitor.recorder import Recorder

log = logging.getLogger(__name__)

TELLS_EVERY_S = 30.0
LOOKS_EVERY_S = 0.2
ENDS_WITHIN_S = 5.0
LEAVES_WITHIN_S = 3.0


class Door:
    """The way to the server, by the credential that lies there at present."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen_ns = changed_at(path)

    def connect(self) -> Server | None:
        """Return the server, or None where the device is not paired."""
        try:
            held = read_credential(self._path)
        except ConfigError as error:
            log.error("%s", error)  # noqa: TRY400  for people, without a stack
            return None
        return None if held is None else Server(held.server, held.token)

    def is_renewed(self) -> bool:
        """Tell whether the credential is another than when this was last asked."""
        before, self._seen_ns = self._seen_ns, changed_at(self._path)
        return self._seen_ns != before


class Station:
    """One running monitor; ends with `close`."""

    def __init__(self, config: Config) -> None:
        config.state.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.config = config
        self.stop = threading.Event()
        self.spool = Spool(config.spool_folder, config.spool.most_bytes)
        self.wishes = Wishes(config.wishes)
        asked = config.uploads
        pace = Pace(asked.first_wait_s, asked.longest_wait_s, asked.asks_again_s)
        door = Door(config.credential)
        outside = Outside(battery_frac, self.wishes.forbid_uploading, door.is_renewed)
        self.uploader = Uploader(self.spool, door.connect, pace, outside=outside)
        self.heart = Heart(
            door.connect, lambda: len(self.spool.waiting()), self.wishes, config.heartbeat.every_s
        )
        self.started_at_s = time.time()
        self.recorder: Recorder | None = None
        self.has_failed = False
        """Whether a part of it ended by a fault of ours."""
        self._ends_on_purpose = False

    def run(self, source: Source) -> None:
        """Hear a source to its end and upload what was heard, or until told to stop.

        Raises
        ------
        MonitorError
            A part of it failed.
        NotPairedError
            The source has ended, and what was heard cannot be uploaded before the device is paired.
        """
        with self._at_work(), _stopped_by_signals(self.stop):
            self._hear(source)
            while not self.stop.is_set() and self.spool.waiting():
                if self.uploader.must_pair:
                    count = len(self.spool.waiting())
                    raise NotPairedError(f"{count} recordings wait: {self.uploader.trouble}")
                self.stop.wait(LOOKS_EVERY_S)
            self._ends_on_purpose = True
        if self.has_failed:
            raise MonitorError("a part of the monitor failed; the spool is safe. Start it again.")

    def _hear(self, source: Source) -> None:
        from monitor.recorder import Recorder  # loads the maths, while uploads have begun already

        self.recorder = Recorder(self.spool, self.config.cries, self.wishes)
        for stretch in source.stretches(self.stop):
            self.recorder.record(stretch, self.stop)
            if self.stop.is_set():
                return

    @contextmanager
    def _at_work(self) -> Iterator[None]:
        """Let the other parts work for the length of the block."""
        parts: list[Callable[[threading.Event], None]] = [
            self.uploader.run,
            self.heart.run,
            self._tell,
        ]
        threads = [threading.Thread(target=self._guarded, args=(p,), daemon=True) for p in parts]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.stop.set()
            self.spool.arrived.set()
            for thread in threads:
                thread.join(ENDS_WITHIN_S)
            if self._ends_on_purpose and not self.has_failed:
                self._take_leave()
            self._write_status(is_running=False)
            self.spool.close()

    def _take_leave(self) -> None:
        """Say that it ends on purpose; whoever waits for its end waits for that only briefly."""
        leaving = threading.Thread(target=self.heart.leave, daemon=True)
        leaving.start()
        leaving.join(LEAVES_WITHIN_S)

    def _guarded(self, part: Callable[[threading.Event], None]) -> None:
        """Let a part work; where a fault of ours ends it, end the others too."""
        try:
            part(self.stop)
        finally:
            self.has_failed = self.has_failed or not self.stop.is_set()
            self.stop.set()

    # --- how things stand ----------------------------------------------------------------------

    def _tell(self, stop: threading.Event) -> None:
        while not stop.is_set():
            self._write_status(is_running=True)
            trouble, until = self.uploader.trouble, time.monotonic() + TELLS_EVERY_S
            while trouble == self.uploader.trouble and time.monotonic() < until:
                if stop.wait(1.0):
                    return

    def _write_status(self, *, is_running: bool) -> None:
        """Write how things stand; not synced, for the card's sake: the next will come."""
        draft = self.config.status.with_suffix(".new")
        with contextlib.suppress(OSError):
            draft.write_text(json.dumps(self.status() | {"is_running": is_running}))
            draft.replace(self.config.status)

    def status(self) -> dict[str, Any]:
        """Return how things stand."""
        heard = self.recorder.done if self.recorder else None
        return {
            "version": __version__,
            "pid": os.getpid(),
            "told_at_s": time.time(),
            "started_at_s": self.started_at_s,
            "source": self.config.source.kind,
            "trouble": self.uploader.trouble,
            "must_pair": self.uploader.must_pair,
            "waiting": len(self.spool.waiting()),
            "dropped": self.spool.dropped,
            "stored": self.uploader.done.stored,
            "refused": self.uploader.done.refused,
            "last_upload_at_s": self.uploader.done.last_at_s,
            "last_heartbeat_at_s": self.heart.last_at_s,
            "takes": heard.takes if heard else 0,
            "not_cries": heard.not_cries if heard else 0,
            "lost": heard.lost if heard else 0,
            "last_sound_at_s": heard.last_sound_at_s if heard else None,
            "last_cry_at_s": heard.last_cry_at_s if heard else None,
        }


@contextmanager
def _stopped_by_signals(stop: threading.Event) -> Iterator[None]:
    """Let SIGTERM and SIGINT ask for an end, for the length of the block."""

    def ask(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
