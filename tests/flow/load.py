"""Monitors that upload without mercy and remember exactly what was acknowledged.

Each acts as one device: oldest recording first, one request at a time, with an idempotency key,
again and again until a 2xx. Some recordings come in bulk, some are replays of what was already
acknowledged, some hold no crying, some no sound at all. A few devices' recordings are given up
after a broken connection, as by a device whose battery ends: they may be stored or not.
"""

import datetime as dt
import functools
import hashlib
import json
import queue
import random
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from infants.models import Recording
from infants.states import ON_THE_WAY
from pipelines.sound import write_wav
from pipelines.synthesis import InfantVoice, synthesise_cry
from tests import sounds
from tests.installation import Installation

START = dt.datetime(2026, 3, 1, 9, 0, tzinfo=dt.UTC)
KINDS = {"cry": 0.82, "hum": 0.05, "silence": 0.06, "noise": 0.07}
CRY_S = 3.0
POISON = b"poison"  # behind the sound, where no decoder looks
ALIKE_EVERY = 7  # so often both devices heard the very same bytes
RETRY_AFTER_S = 0.2
TIMEOUT_S = 30.0
ANSWERED_WITHIN_S = 120.0  # or the installation is taken for dead
GIVES_UP, REPLAYS, IN_BULK = 0.15, 0.25, 0.3
HISTORY_DAYS = 8
DAYS_AFTER = 6


@dataclass(frozen=True)
class Item:
    """One recording as its device has it."""

    key: str
    kind: str
    recorded_at: dt.datetime
    seed: int

    @property
    def content(self) -> bytes:
        """Its bytes, of which no two seeds have the same."""
        return _rendered(self.kind, self.seed)

    @functools.cached_property
    def sha256(self) -> str:
        """The digest of its bytes."""
        return hashlib.sha256(self.content).hexdigest()


@functools.lru_cache(maxsize=64)
def _rendered(kind: str, seed: int) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sound.wav"
        match kind:
            case "cry":
                write_wav(path, synthesise_cry(InfantVoice(), seed=seed, duration_s=CRY_S).sound)
            case "poison":
                path.write_bytes(_rendered("cry", seed) + POISON)
            case "hum":
                sounds.a_hum(path, duration_s=CRY_S + 0.001 * seed)
            case "silence":
                path.write_bytes(sounds.silence_bytes(duration_s=1.0 + 0.001 * seed))
            case _:
                path.write_bytes(f"this is no sound, for the {seed}th time".encode())
        return path.read_bytes()


@dataclass
class Monitor:
    """One device, whose uploads run in a thread of their own."""

    url: str
    token: str
    number: int
    rng: random.Random
    waiting: "queue.Queue[list[Item] | None]" = field(default_factory=queue.Queue)
    acknowledged: dict[Item, str] = field(default_factory=dict)  # the recording's id
    given_up: list[Item] = field(default_factory=list)
    surprises: list[str] = field(default_factory=list)
    replays: int = 0
    broken: int = 0
    sending: bool = False
    dropped: bool = False

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self._run, name=f"monitor-{self.number}")
        self.thread.start()

    def _run(self) -> None:
        while (batch := self.waiting.get()) is not None:
            self._deliver(batch)
            if self.acknowledged and not self.dropped and self.rng.random() < REPLAYS:
                self._replay(self.rng.choice(list(self.acknowledged)))
            self.waiting.task_done()

    def end(self) -> None:
        """Deliver what waits, and end."""
        self.waiting.put(None)
        self.thread.join()

    def _deliver(self, batch: Sequence[Item]) -> None:
        """Send until everything is acknowledged; alone or all at once."""
        left = list(batch)
        deadline = time.monotonic() + ANSWERED_WITHIN_S
        while left and self._is_alive(deadline):
            answers = self._bulk(left) if len(left) > 1 else self._one(left[0])
            for item, answer in answers:
                self.acknowledged[item] = answer["id"]
                left.remove(item)
            if not answers:
                time.sleep(RETRY_AFTER_S)
                if len(left) == 1 and self.rng.random() < GIVES_UP:
                    self.given_up.append(left.pop())

    def _is_alive(self, deadline: float) -> bool:
        """Tell whether it is worth trying on; who is not answered for so long says so."""
        if not self.dropped and time.monotonic() > deadline:
            self.surprises.append(f"monitor {self.number} was not answered in time")
            self.dropped = True
        return not self.dropped

    def _one(self, item: Item) -> list[tuple[Item, dict[str, Any]]]:
        files = [("audio", (f"{item.key}.wav", item.content))]
        said = {"recorded_at": item.recorded_at.isoformat()}
        answer = self._post("", files, said, {"Idempotency-Key": item.key})
        return [] if answer is None else [(item, answer.json())]

    def _bulk(self, items: Sequence[Item]) -> list[tuple[Item, dict[str, Any]]]:
        files = [("audio", (f"{item.key}.wav", item.content)) for item in items]
        said = [
            {"recorded_at": item.recorded_at.isoformat(), "idempotency_key": item.key}
            for item in items
        ]
        answer = self._post("bulk/", files, {"items": json.dumps(said)}, {})
        results = [] if answer is None else answer.json()["results"]
        paired = zip(items, results, strict=bool(results))
        return [(item, result["recording"]) for item, result in paired if result["status"] < 300]

    def _replay(self, item: Item) -> None:
        """Send what was acknowledged once more, with its key or a new one, until it is answered."""
        key = item.key if self.rng.random() < 0.5 else f"{item.key}-again-{self.replays}"
        files = [("audio", ("again.wav", item.content))]
        said = {"recorded_at": item.recorded_at.isoformat()}
        answer, deadline = None, time.monotonic() + ANSWERED_WITHIN_S
        while answer is None and self._is_alive(deadline):
            answer = self._post("", files, said, {"Idempotency-Key": key})
            time.sleep(RETRY_AFTER_S if answer is None else 0.0)
        if answer is None:
            return
        self.replays += 1
        if (answer.status_code, answer.json()["id"]) != (200, self.acknowledged[item]):
            self.surprises.append(f"replay of {item.key}: {answer.status_code} {answer.text}")

    def _post(
        self, path: str, files: list[Any], said: dict[str, str], headers: dict[str, str]
    ) -> requests.Response | None:
        """Return the answer that says 2xx, or None where it has to be sent again."""
        self.sending = True
        try:
            answer = requests.post(
                f"{self.url}/api/v1/recordings/{path}",
                files=files,
                data=said,
                headers={"Authorization": f"Bearer {self.token}"} | headers,
                timeout=TIMEOUT_S,
            )
        except requests.RequestException:
            self.broken += 1
            return None
        finally:
            self.sending = False
        if answer.ok:
            return answer
        if answer.status_code < 500 and answer.status_code != 429:
            self.surprises.append(f"{answer.status_code}: {answer.text}")
        return None


@dataclass
class Load:
    """Two monitors kept busy: something is always on its way, and never much."""

    installation: Installation
    monitors: list[Monitor]
    rng: random.Random
    clocks: list[dt.datetime] = field(init=False)
    made: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self.clocks = [START for _ in self.monitors]
        self.made = [0 for _ in self.monitors]

    def history(self) -> None:
        """Let every monitor send a recording of each of the days before."""
        for index, monitor in enumerate(self.monitors):
            for _ in range(HISTORY_DAYS):
                monitor.waiting.put([self._item(index, "cry")])
                self.clocks[index] += dt.timedelta(days=1)

    def next_day(self) -> None:
        """Let a night pass for everybody."""
        for index, clock in enumerate(self.clocks):
            self.clocks[index] = clock.replace(hour=8, minute=0) + dt.timedelta(days=1)

    def backlog(self) -> int:
        """Return how many recordings are on their way."""
        return self.installation.rows(Recording).filter(state__in=ON_THE_WAY).count()

    def keep_up(self, busy: int) -> None:
        """Send more where fewer than this are on their way."""
        queued = self.unsent()
        if queued < len(self.monitors) and self.backlog() + queued < busy:
            for index, monitor in enumerate(self.monitors):
                monitor.waiting.put(self._batch(index))

    def afterwards(self) -> None:
        """Let everybody upload on some more days, so that versions have been learnt and judge."""
        for _ in range(DAYS_AFTER):
            self.next_day()
            self.send(["cry", "cry"])

    def send(self, kinds: Sequence[str], to: Sequence[Monitor] = ()) -> None:
        """Let every monitor, or these, send recordings of these kinds, all at once."""
        for monitor in to or self.monitors:
            index = monitor.number
            monitor.waiting.put([self._item(index, kind) for kind in kinds])

    def unsent(self) -> int:
        """Return how many deliveries are not acknowledged yet."""
        return sum(monitor.waiting.unfinished_tasks for monitor in self.monitors)

    def _batch(self, index: int) -> list[Item]:
        size = self.rng.randint(2, 5) if self.rng.random() < IN_BULK else 1
        kinds = self.rng.choices(list(KINDS), list(KINDS.values()), k=size)
        return [self._item(index, kind) for kind in kinds]

    def _item(self, index: int, kind: str) -> Item:
        """Return the next recording of a monitor: mostly in the same session as the last."""
        minutes = 5 if self.rng.random() < 0.65 else 95
        self.clocks[index] += dt.timedelta(minutes=minutes)
        self.made[index] += 1
        number = self.made[index]
        alike = kind != "cry" or number % ALIKE_EVERY == 0
        seed = number if alike else 10**6 * (index + 1) + number
        return Item(f"{index}-{number}", kind, self.clocks[index], seed)

    def drop(self) -> None:
        """Let the monitors leave everything as it is."""
        for monitor in self.monitors:
            monitor.dropped = True

    def end(self) -> None:
        """Let the monitors deliver what they have, and end."""
        for monitor in self.monitors:
            monitor.end()
