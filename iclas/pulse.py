"""A sign of life of workers and of the scheduler: a file that they keep touching.

What comes in: the file that `ICLAS_ALIVE_FILE` names, or none. What goes out: its time of change,
for whoever watches over the process (`docker/probe.py`). Guaranteed: the sign is given by the very
loop that takes in messages, or that sends what is due, so it ends when that loop hangs, and when a
worker has lost its broker.
"""

# mypy: allow-untyped-calls
# Celery is published without types.

from contextlib import suppress
from pathlib import Path
from typing import Any

from celery.beat import Scheduler
from celery.bootsteps import StartStopStep
from django.conf import settings

EVERY_S = 10.0


def give_sign() -> None:
    """Touch the file, where there is to be one; a disk that is full stops nobody."""
    if settings.ICLAS_ALIVE_FILE:
        with suppress(OSError):
            Path(settings.ICLAS_ALIVE_FILE).touch()


class Pulse(StartStopStep):  # type: ignore[misc]  # published without types
    """A part of a worker's consumer, begun anew with each connection to the broker."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, parent: Any, **given: Any) -> None:  # noqa: ANN401  Celery's own
        super().__init__(parent, **given)
        self._timer: Any = None

    def start(self, parent: Any) -> None:  # noqa: ANN401  as above
        """Give the first sign, and let the consumer's own loop give the others."""
        give_sign()
        self._timer = parent.timer.call_repeatedly(EVERY_S, give_sign)

    def stop(self, parent: Any) -> None:  # noqa: ANN401  as above
        """Give no more."""
        del parent
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class SchedulerWithPulse(Scheduler):  # type: ignore[misc]  # published without types
    """Celery's scheduler in memory, which gives a sign with each look at what is due."""

    def tick(self, *given: Any, **named: Any) -> float:
        """Send what is due; return in how many seconds to look again."""
        give_sign()
        next_s: float = super().tick(*given, **named)
        return min(next_s, EVERY_S)
