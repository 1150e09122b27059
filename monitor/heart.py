"""The heart: says at its own times that the device is there, and asks what is wished of it.

What comes in: how the device is. What goes out: heartbeats; the wishes that hold. Guaranteed: it
has its own clock, so that neither a long upload nor a long cry delays it; a heartbeat that cannot
be sent is not kept; a server that knows no heartbeats is left in peace for a day; whoever switches
the device off is not told that it fell silent.
"""

import logging
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

from monitor import __version__, clock
from monitor.server import Answer, Server, Verdict
from monitor.wishes import Wishes

log = logging.getLogger(__name__)

POWER = Path("/sys/class/power_supply")
NOT_KNOWN_FOR_S = 86_400.0
JITTER_FRAC = 0.1


def battery_frac(power: Path = POWER) -> float | None:
    """Return how full the battery is, or None where there is none."""
    for capacity in sorted(power.glob("*/capacity")):
        try:
            return min(max(float(capacity.read_text()) / 100.0, 0.0), 1.0)
        except (OSError, ValueError):
            continue
    return None


@dataclass
class Heart:
    """Beats for one device; `connect` gives a server with the present credential, or None."""

    connect: Callable[[], Server | None]
    queue_length: Callable[[], int]
    wishes: Wishes
    every_s: float = 300.0
    rng: random.Random = field(default_factory=random.SystemRandom)

    def __post_init__(self) -> None:
        """Begin without a beat."""
        self._round_trip_s: float | None = None
        self._has_asked = False
        self.last_at_s: float | None = None
        """When the server last heard of it."""

    def run(self, stop: threading.Event) -> None:
        """Beat until told to stop."""
        while not stop.is_set():
            stop.wait(self.beat())

    def beat(self) -> float:
        """Send one heartbeat; return the seconds until the next."""
        server = self.connect()
        if server is None:
            return self._next_s()
        try:
            return self._exchange(server)
        finally:
            server.close()

    def leave(self) -> None:
        """Say that it is switched off on purpose; tried once, where the last beat arrived."""
        server = self.connect() if self._round_trip_s is not None else None
        if server is not None:
            server.heartbeat(self._said() | {"is_leaving": True})
            server.close()

    def _exchange(self, server: Server) -> float:
        began_s = time.monotonic()
        answer = server.heartbeat(self._said())
        if answer.verdict is not Verdict.STORED:
            self._round_trip_s = None
            is_unknown = answer.status in (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED)
            return NOT_KNOWN_FOR_S if is_unknown else self._next_s()
        self._round_trip_s = time.monotonic() - began_s
        self.last_at_s = time.time()
        self._ask(server, answer)
        return self._next_s()

    def _said(self) -> dict[str, object]:
        present = clock.now()
        said = {
            "battery_frac": battery_frac(),
            "firmware": f"iclas-monitor {__version__}",
            "clock": present.at.isoformat(),
            "uptime_s": round(present.boot_s, 3),
            "round_trip_s": self._round_trip_s,
            "queue_length": self.queue_length(),
        }
        return {name: value for name, value in said.items() if value is not None}

    def _ask(self, server: Server, beat: Answer) -> None:
        """Ask for the settings, at first and where they are said to have changed."""
        version = beat.document.get("settings_version")
        if self._has_asked and version is not None and version == self.wishes.version:
            return
        answer = server.settings(self.wishes.etag)
        if answer.status == HTTPStatus.OK and answer.document:
            self.wishes.take(answer.document, answer.etag)
            log.info("settings changed from afar: version %s", self.wishes.version)
        self._has_asked = answer.status in (HTTPStatus.OK, HTTPStatus.NOT_MODIFIED)

    def _next_s(self) -> float:
        every_s = self.wishes.beat_every_s(self.every_s)
        return every_s * (1.0 + self.rng.uniform(-JITTER_FRAC, JITTER_FRAC))
