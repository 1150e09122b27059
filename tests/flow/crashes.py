"""Killing an installation's processes at random moments, and telling what they were at."""

import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from django.utils import timezone

from infants.models import Recording
from tests.installation import Installation

VICTIMS = ("worker", "pool", "web", "scheduler")
SOONEST_S, LATEST_S = 0.2, 5.0
WORKS_WITHIN_S = 10.0
STARTS_WITHIN_S = 60.0


@dataclass(frozen=True)
class Blow:
    """Who is killed next, how long after the last one, and whether while it has work in hand."""

    victim: str
    after_s: float
    at_work: bool


def blows(rng: random.Random, number: int) -> Iterator[Blow]:
    """Yield so many; every victim comes up as often as the others, in random order.

    Half of them wait until the victim is at work, and the others fall at any moment: processes
    that are killed every few seconds would mostly be killed while they start.
    """
    kinds = [(VICTIMS[i % len(VICTIMS)], i // len(VICTIMS) % 2 == 0) for i in range(number)]
    rng.shuffle(kinds)
    for victim, at_work in kinds:
        yield Blow(victim, rng.uniform(SOONEST_S, LATEST_S), at_work)


@dataclass
class Killer:
    """Who kills, and keeps the list."""

    installation: Installation
    is_uploading: Callable[[], bool]
    meanwhile: Callable[[Blow], None]
    killed: Counter[str] = field(default_factory=Counter)
    busy: Counter[str] = field(default_factory=Counter)

    def strike(self, blow: Blow) -> None:
        """Kill one process of this kind, waiting for one where all are dead already."""
        start = time.monotonic()
        patience_s = WORKS_WITHIN_S if blow.at_work else 0.0
        while not self._killed(blow.victim, at_work=time.monotonic() - start < patience_s):
            if time.monotonic() - start > STARTS_WITHIN_S:
                log = self.installation.log[-4000:]
                message = f"no {blow.victim} was started; the log ends:\n{log}"
                raise AssertionError(message)
            self.meanwhile(blow)

    def _killed(self, victim: str, *, at_work: bool) -> bool:
        with suppress(psutil.NoSuchProcess):
            for process in self.installation.processes(victim):
                busy = self._is_busy(victim, process)
                if at_work and not busy:
                    continue
                process.send_signal(signal.SIGKILL)
                self.killed[victim] += 1
                self.busy[victim] += busy
                return True
        return False

    def _is_busy(self, victim: str, process: psutil.Process) -> bool:
        """Tell whether it has something in hand: recordings, a request, or others' backlog."""
        match victim:
            case "web":
                return self.is_uploading()
            case "pool":
                return self._holds_recordings([process])
            case "worker":
                return self._holds_recordings(self.installation.processes("pool"))
            case _:
                return True

    def _holds_recordings(self, processes: list[psutil.Process]) -> bool:
        folder = self.installation.home / "holders"
        held = self.installation.rows(Recording).filter(lease_until__gt=timezone.now())
        owners = {owner.partition(".")[0] for owner in held.values_list("lease_owner", flat=True)}
        return any(_open_in(folder, process) & owners for process in processes)


def _open_in(folder: Path, process: psutil.Process) -> set[str]:
    """Return the names of a process' open files in a folder."""
    try:
        paths = [Path(file.path) for file in process.open_files()]
    except psutil.Error:
        return set()
    return {path.name for path in paths if path.parent == folder}
