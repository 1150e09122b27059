"""The uploader: brings what waits in the spool to the server, oldest first, and never gives up.

What comes in: a spool, and how to reach a server. What goes out: requests. Guaranteed: a recording
leaves the spool only on the server's word; one that fails by itself is put behind the others and
disturbs none; after failures it waits a random time up to a limit that doubles (exponential backoff
with full jitter), and never less than the server asked for; while the server does not know the
device nothing is sent and everything is kept, until the device is paired again.
"""

import logging
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from monitor.errors import DamagedItemError
from monitor.server import Answer, Server, Verdict
from monitor.spool import Item, Spool

log = logging.getLogger(__name__)

FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 300.0
LONGEST_ITEM_WAIT_S = 3_600.0
ASKS_AGAIN_S = 600.0
"""How long after a refusal the same credential is tried again: it may have been a proxy's word."""
LOOKS_EVERY_S = 1.0
BULK_FROM = 4
BULK_MOST = 100
BULK_BYTES = 8_000_000
ALONE_FOR = 20
"""So many recordings are sent one by one after a server refused a bulk request as a whole."""


@dataclass
class Backoff:
    """How long to wait after a failure, and after the next."""

    rng: random.Random
    first_s: float = FIRST_WAIT_S
    longest_s: float = LONGEST_WAIT_S
    failures: int = 0

    def failed(self, at_least_s: float | None = None) -> float:
        """Count a failure; return the seconds to wait, no less than the server asked for."""
        limit_s = min(self.longest_s, self.first_s * 2.0 ** min(self.failures, 40))
        self.failures += 1
        return (at_least_s or 0.0) + self.rng.uniform(0.0, limit_s)

    def worked(self) -> None:
        """Forget the failures."""
        self.failures = 0


@dataclass
class Pace:
    """How impatient an uploader is; tests are more so than monitors."""

    first_wait_s: float = FIRST_WAIT_S
    longest_wait_s: float = LONGEST_WAIT_S
    asks_again_s: float = ASKS_AGAIN_S
    now_s: Callable[[], float] = time.monotonic


@dataclass
class Outside:
    """What an uploader asks of its surroundings before it sends."""

    battery_frac: Callable[[], float | None] = lambda: None
    is_forbidden: Callable[[], bool] = lambda: False
    """Whether to wait, on a network that costs."""
    is_renewed: Callable[[], bool] = lambda: False
    """Whether there is another credential than when this was last asked."""


@dataclass
class Delivered:
    """What an uploader has done so far."""

    stored: int = 0
    refused: int = 0
    last_at_s: float | None = None


@dataclass
class _Trouble:
    """What went wrong with one recording by itself."""

    backoff: Backoff
    not_before_s: float = 0.0


@dataclass
class Uploader:
    """Uploads from one spool; `connect` gives a server with the present credential, or None."""

    spool: Spool
    connect: Callable[[], Server | None]
    pace: Pace = field(default_factory=Pace)
    rng: random.Random = field(default_factory=random.SystemRandom)
    outside: Outside = field(default_factory=Outside)
    done: Delivered = field(default_factory=Delivered)

    def __post_init__(self) -> None:
        """Begin with no failures, and in good hope."""
        pace = self.pace
        self._backoff = Backoff(self.rng, pace.first_wait_s, pace.longest_wait_s)
        self._server: Server | None = None
        self._not_before_s = 0.0
        self._refused_until_s: float | None = None
        self._alone = 0
        self._troubles: dict[str, _Trouble] = {}
        self.trouble = ""
        """What keeps it from uploading at present, for people; empty where nothing does."""

    @property
    def must_pair(self) -> bool:
        """Whether the server does not know this device."""
        return self._refused_until_s is not None

    def run(self, stop: threading.Event) -> None:
        """Upload until told to stop."""
        while not stop.is_set():
            wait_s = self._step_or_wait()
            if wait_s > 0.0:
                self.spool.arrived.wait(min(wait_s, LOOKS_EVERY_S))
                self.spool.arrived.clear()
        if self._server is not None:
            self._server.close()

    def _step_or_wait(self) -> float:
        """Take a step; where the disk fails, wait, since it may come back."""
        try:
            return self.step()
        except OSError as error:
            self.trouble = f"the spool cannot be read or changed: {error}"
            log.error("%s", self.trouble)  # noqa: TRY400  no stack for people
            return self._backoff.failed()

    def paired_again(self) -> None:
        """Take up the new credential and go on at once."""
        if self._server is not None:
            self._server.close()
        self._server, self._refused_until_s, self._not_before_s = None, None, 0.0
        self._backoff.worked()
        self.trouble = ""

    def step(self) -> float:
        """Send what is due, once; return the seconds until something may be due again."""
        now_s = self.pace.now_s()
        if self.outside.is_renewed():
            self.paired_again()
        if self._refused_until_s is not None and now_s >= self._refused_until_s:
            self.paired_again()
        wait_s = max(self._not_before_s, self._refused_until_s or 0.0) - now_s
        if wait_s > 0.0:
            return wait_s
        due = self._due(now_s)
        if not due or self.outside.is_forbidden():
            return self._idle_s(now_s)
        self._server = self._server or self.connect()
        if self._server is None:
            self._pause("this device is not paired: monitor pair CODE --server URL")
            return self.pace.asks_again_s
        self._send(self._server, due)
        return 0.0

    def _idle_s(self, now_s: float) -> float:
        """Return how long until what was put behind may be sent again."""
        behind = [trouble.not_before_s - now_s for trouble in self._troubles.values()]
        return max(0.0, min(behind, default=LOOKS_EVERY_S))

    def _due(self, now_s: float) -> list[Item]:
        """Return what may be sent now, oldest first."""
        waiting = self.spool.waiting()
        keys = {item.key for item in waiting}
        self._troubles = {key: said for key, said in self._troubles.items() if key in keys}
        return [item for item in waiting if self._not_before(item) <= now_s]

    def _not_before(self, item: Item) -> float:
        trouble = self._troubles.get(item.key)
        return trouble.not_before_s if trouble else 0.0

    def _send(self, server: Server, due: Sequence[Item]) -> None:
        many = len(due) >= BULK_FROM and self._alone == 0
        batch = self._readable(due[:BULK_MOST] if many else due[:1])
        if len(batch) > 1:
            self._take_all(batch, server.upload_many(batch, self.outside.battery_frac()))
        elif batch:
            [(item, content)] = batch
            self._alone = max(0, self._alone - 1)
            self._take([(item, server.upload(item, content, self.outside.battery_frac()))])

    def _readable(self, items: Sequence[Item]) -> list[tuple[Item, bytes]]:
        """Read as many as one request may hold, one at least; what is damaged is set aside."""
        batch: list[tuple[Item, bytes]] = []
        size = 0
        for item in items:
            size += item.size
            if batch and size > BULK_BYTES:
                break
            try:
                batch.append((item, item.content()))
            except DamagedItemError as error:
                log.error("%s; it cannot be sent", error)  # noqa: TRY400  no stack for people
                self.spool.set_aside(item, {"status": 0, "code": "damaged", "detail": str(error)})
            except FileNotFoundError:  # given up for want of room meanwhile
                continue
        return batch

    def _take_all(
        self, batch: Sequence[tuple[Item, bytes]], answers: list[Answer] | Answer
    ) -> None:
        """Do what each answer asks for; where the whole was refused, go on one by one.

        A refusal of the whole says nothing of any recording: a proxy may find only the sum too
        large.
        """
        if isinstance(answers, list):
            self._take([(item, one) for (item, _), one in zip(batch, answers, strict=True)])
            return
        if answers.verdict is Verdict.AFTER_PAIRING:
            self._refuse(answers)
            return
        if 400 <= answers.status < 500 and answers.status != 429:
            self._alone = ALONE_FOR
        self._fail(answers)

    def _take(self, answered: Sequence[tuple[Item, Answer]]) -> None:
        """Do what the answers of one request ask for."""
        later = []
        for item, answer in answered:
            match answer.verdict:
                case Verdict.STORED:
                    self._stored(item)
                case Verdict.NEVER:
                    self._never(item, answer)
                case Verdict.AFTER_PAIRING:
                    self._refuse(answer)
                case _:
                    self._put_behind(item, answer)
                    later.append(answer)
        if later:
            self._fail(max(later, key=lambda answer: answer.retry_after_s or 0.0))

    def _stored(self, item: Item) -> None:
        self.spool.remove(item)
        self.done.stored += 1
        self.done.last_at_s = time.time()
        self._recover()

    def _never(self, item: Item, answer: Answer) -> None:
        log.warning("refused for good: the recording of %s: %s", item.recorded_at, answer)
        self.spool.set_aside(item, answer.kept())
        self.done.refused += 1
        self._recover()

    def _recover(self) -> None:
        self._backoff.worked()
        self.trouble = ""

    def _put_behind(self, item: Item, answer: Answer) -> None:
        """Let the others go first, where the failure may be this recording's own."""
        if answer.status in (0, 429, 503):
            return
        pace = self.pace
        trouble = self._troubles.setdefault(
            item.key, _Trouble(Backoff(self.rng, pace.first_wait_s, LONGEST_ITEM_WAIT_S))
        )
        trouble.not_before_s = pace.now_s() + trouble.backoff.failed(pace.first_wait_s)

    def _fail(self, answer: Answer) -> None:
        wait_s = self._backoff.failed(answer.retry_after_s)
        self._not_before_s = max(self._not_before_s, self.pace.now_s() + wait_s)
        if not self.trouble:
            log.warning("cannot upload for now: %s", answer)
        self.trouble = f"the server cannot be reached: {answer}"

    def _refuse(self, answer: Answer) -> None:
        self._pause(f"the server does not know this device; pair it again ({answer})")

    def _pause(self, why: str) -> None:
        if not self.must_pair:
            log.error("%s; recordings are kept meanwhile", why)
        self.trouble = why
        self._refused_until_s = self.pace.now_s() + self.pace.asks_again_s
