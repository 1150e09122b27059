"""Clocks: when something was recorded, on a machine that may learn the time only later.

What comes in: how long ago something was recorded. What goes out: its time. Guaranteed: what was
recorded before the machine's clock was set right (a Raspberry Pi has none of its own that runs
while it is off) is told with the right time, if it is uploaded before the machine is started again.
"""

import datetime as dt
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
CLOCK_WAS_SET_S = 2.0
"""A clock that jumped by less is left as it is."""


@dataclass(frozen=True)
class Moment:
    """A time on both clocks: the wall's, which may jump, and the machine's, which only runs on."""

    at: dt.datetime
    boot: str
    boot_s: float

    def earlier(self, by_s: float) -> "Moment":
        """Return the moment so long before."""
        return Moment(self.at - dt.timedelta(seconds=by_s), self.boot, self.boot_s - by_s)


@cache
def _boot() -> str:
    try:
        return BOOT_ID.read_text().strip()
    except OSError:
        return ""


def now() -> Moment:
    """Return the present."""
    running_s = time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
    return Moment(dt.datetime.now(dt.UTC), _boot(), running_s)


def uptime_s() -> float:
    """Return how long the machine has run."""
    return now().boot_s


def corrected(told: Mapping[str, Any], present: Moment) -> str:
    """Return when a recording was made, by the clock as it is now where the two disagree."""
    said = str(told.get("recorded_at", ""))
    boot, boot_s = told.get("boot"), told.get("boot_s")
    if not boot or boot != present.boot or not isinstance(boot_s, float):
        return said
    right = present.earlier(present.boot_s - boot_s).at
    try:
        off_s = abs((right - dt.datetime.fromisoformat(said)).total_seconds())
    except (ValueError, TypeError):
        return said
    return right.isoformat() if off_s > CLOCK_WAS_SET_S else said
