"""Wishes: what people ask of this device from afar, as the server tells it.

What comes in: the server's settings document. What goes out: what follows from it for listening and
uploading. Guaranteed: what is not known or makes no sense is left alone; what was asked last holds
over a restart without a network.
"""

import contextlib
import datetime as dt
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monitor.disk import Disk

SENSITIVITY_DB = {"low": 6.0, "normal": 0.0, "high": -6.0}
ROUTES = Path("/proc/net/route")
MOBILE = ("wwan", "ppp", "rmnet", "wwp")
BEAT_S = (10.0, 3_600.0)


@dataclass(frozen=True)
class Hearing:
    """How the device shall listen, beside its own configuration."""

    louder_by_db: float = 0.0
    sends_everything: bool = False


class Wishes:
    """The settings that hold; threads may share them."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._said: dict[str, Any] = {}
        self.etag = ""
        if path is not None:
            with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
                kept = json.loads(path.read_text())
                self._said, self.etag = dict(kept["settings"]), str(kept["etag"])

    def take(self, said: Mapping[str, Any], etag: str) -> None:
        """Let other settings hold from now on."""
        with self._lock:
            self._said, self.etag = dict(said), etag
        if self._path is not None:
            kept = json.dumps({"settings": self._said, "etag": etag}).encode()
            with contextlib.suppress(OSError):
                Disk().write_whole(self._path, kept)

    @property
    def version(self) -> object:
        """The settings' version."""
        return self._said.get("version")

    def hearing(self) -> Hearing:
        """Return how to listen."""
        louder_by_db = SENSITIVITY_DB.get(str(self._said.get("sensitivity")), 0.0)
        return Hearing(louder_by_db, self._said.get("upload") == "everything")

    def are_suspended(self, at: dt.datetime) -> bool:
        """Tell whether nothing may be recorded."""
        try:
            until = dt.datetime.fromisoformat(str(self._said.get("suspended_until")))
        except ValueError:
            return False
        return until.tzinfo is not None and at < until

    def beat_every_s(self, otherwise_s: float) -> float:
        """Return how often to send a heartbeat."""
        said = self._said.get("heartbeat_every_s")
        if isinstance(said, bool) or not isinstance(said, int | float):
            return otherwise_s
        return min(max(float(said), BEAT_S[0]), BEAT_S[1])

    def forbid_uploading(self, routes: Path = ROUTES) -> bool:
        """Tell whether to wait with uploads, as on a mobile network where they cost."""
        return self._said.get("is_wifi_only") is True and is_mobile(routes)


def is_mobile(routes: Path = ROUTES) -> bool:
    """Tell whether the way out leads over a mobile network, by the name of its interface."""
    try:
        lines = [line.split() for line in routes.read_text().splitlines()[1:]]
    except OSError:
        return False
    ways_out = [line for line in lines if len(line) > 6 and line[1] == "00000000"]
    best = min(ways_out, key=lambda line: int(line[6]), default=None)
    return best is not None and best[0].startswith(MOBILE)
