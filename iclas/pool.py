"""A worker's pool of processes: how it ends with its worker, and how a stuck one is noticed.

They are forked from a worker that has loaded what is slow to load and is the same for all.

The processes take turns at one queue, under a lock that dies with whoever is killed while it waits
there: those that are left wait for ever. So a worker that has taken on what none of its free
processes begins ends at once, the supervisor starts another, and that one's first sweep takes up
what was left.
"""

import ctypes
import importlib
import logging
import os
import signal
import sys
import threading
import time
from dataclasses import dataclass
from typing import Any

from celery.signals import worker_init, worker_process_init, worker_ready
from celery.worker import state

log = logging.getLogger(__name__)
PR_SET_PDEATHSIG = 1
STUCK_AFTER_S = 20.0
LOOKS_EVERY_S = 1.0


@dataclass
class Progress:
    """Since when something waits although a process is free; times in seconds of one clock."""

    processes: int
    waits_since: float | None = None

    def is_stuck(self, taken_on: int, begun: int, now: float) -> bool:
        """Tell whether what was taken on, begun or not, has waited too long for free processes."""
        if taken_on <= begun or begun >= self.processes:
            self.waits_since = None
            return False
        if self.waits_since is None:
            self.waits_since = now
        return now - self.waits_since > STUCK_AFTER_S


def install() -> None:
    """Let every worker of this process look after its pool."""
    worker_init.connect(load_what_all_need)
    worker_process_init.connect(end_with_the_worker)
    worker_ready.connect(watch_the_pool)


def load_what_all_need(**_signal: Any) -> None:
    """Load, before the pool's processes part, what each would else load when it is first needed."""
    for name in ("fft", "linalg", "ndimage", "signal", "special"):
        importlib.import_module(f"scipy.{name}")


def end_with_the_worker(**_signal: Any) -> None:
    """Let the kernel end a pool's process when its worker is killed, which could not tell it to.

    It would go on for ever beside the next worker's pool, waiting for messages that never come.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def watch_the_pool(sender: Any, **_signal: Any) -> None:  # noqa: ANN401  a consumer of Celery's
    """Look after the pool for as long as the worker lives."""
    progress = Progress(sender.controller.concurrency)
    threading.Thread(target=_watch, args=(progress,), daemon=True, name="pool-watch").start()


def _watch(progress: Progress) -> None:
    while True:
        time.sleep(LOOKS_EVERY_S)
        taken_on, begun = len(state.reserved_requests), len(state.active_requests)
        if progress.is_stuck(taken_on, begun, time.monotonic()):
            log.error("the worker's processes take nothing on any more: it starts again")
            os.kill(os.getpid(), signal.SIGKILL)
