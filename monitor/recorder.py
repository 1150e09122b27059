"""The recorder: hears stretches of sound and brings the crying in them into the spool.

What comes in: stretches. What goes out: recordings in the spool. Guaranteed: a take is in the spool
before the next block is heard, and a stretch counts as heard only when all its takes are; what can
be heard again has the same keys again, so that a run that was killed over it doubles nothing; while
suspended, nothing that is made as it comes is kept.
"""

import datetime as dt
import logging
import secrets
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from monitor import clock
from monitor.config import CutConfig
from monitor.errors import MonitorError
from monitor.listen import Listener, Take
from monitor.sources import Stretch
from monitor.spool import Recording, Spool
from monitor.wishes import Wishes
from pipelines.encode import Encoding, encode, suffix_of
from pipelines.sound import RATE_HZ, Sound

log = logging.getLogger(__name__)


@dataclass
class Heard:
    """What a recorder has done so far."""

    takes: int = 0
    not_cries: int = 0
    lost: int = 0
    last_sound_at_s: float | None = None
    last_cry_at_s: float | None = None


@dataclass
class Recorder:
    """Records into one spool."""

    spool: Spool
    cutting: CutConfig
    wishes: Wishes
    session: str = field(default_factory=lambda: secrets.token_hex(8))
    done: Heard = field(default_factory=Heard)

    def record(self, stretch: Stretch, stop: threading.Event) -> None:
        """Hear a stretch to its end, or until told to stop."""
        listener = Listener(self.cutting, self.wishes.hearing())
        for block in stretch.blocks:
            if stop.is_set() and stretch.identity:
                return  # it will be heard again, from its start
            self.done.last_sound_at_s = time.time()
            if not stretch.identity and self.wishes.are_suspended(dt.datetime.now(dt.UTC)):
                self._keep(listener.end(), stretch, listener)
                listener = Listener(self.cutting, self.wishes.hearing())
                continue
            listener.hearing = self.wishes.hearing()
            self._keep(listener.hear(block), stretch, listener)
        if not (stop.is_set() and stretch.identity):
            self._keep(listener.end(), stretch, listener)
            stretch.heard()

    def _keep(self, takes: Iterable[Take], stretch: Stretch, listener: Listener) -> None:
        self.done.not_cries += listener.forget_not_cries()
        for take in takes:
            try:
                is_new = self.spool.put(self._recording(take, stretch, listener.heard_to))
            except MonitorError:
                self.done.lost += 1
                if stretch.identity:
                    raise
                log.exception("a cry is lost")
                continue
            if is_new:
                self.done.takes += 1
                self.done.last_cry_at_s = time.time()
                log.info("heard crying: %.1f s from %s", take.duration_s, stretch.name)

    def _recording(self, take: Take, stretch: Stretch, heard_to: int) -> Recording:
        encoding = Encoding(self.cutting.encoding)
        sound = Sound(take.samples.astype(np.float32) / np.float32(32_767.0), RATE_HZ)
        content, suffix = encode(sound, encoding), suffix_of(encoding)
        if stretch.began_at is not None:
            at = stretch.began_at + dt.timedelta(seconds=take.first / RATE_HZ)
            key = f"{stretch.identity}-{take.first}"
            return Recording(key, at.isoformat(), content, suffix, take.duration_s, self.session)
        began = clock.now().earlier((heard_to - take.first) / RATE_HZ)
        return Recording(
            key=secrets.token_hex(16),
            recorded_at=began.at.isoformat(),
            content=content,
            suffix=suffix,
            duration_s=take.duration_s,
            session=self.session,
            boot=began.boot,
            boot_s=began.boot_s,
        )
