"""The spine: the way of a recording, step by step, and who sends it on.

    received -> segment -> embed -> gate -> score -> learn -> timeline -> episode -> done
                                                                             |
                                                                             +-> alert

What comes in: the signal that a recording is safely ours, or the sweeper's find. What goes out:
messages: one for each step of hearing, and one for each infant that has something to be judged.
Guaranteed: the row's state says which step is next, so a lost or doubled message loses nothing and
doubles nothing; an infant's sessions are judged in the order in which they were recorded, however
their recordings come in, for a baseline is made of what was before.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import takewhile
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Min, QuerySet
from django.utils import timezone

from anomaly.stages.episode import follow_episodes
from anomaly.stages.gate import gate_cries
from anomaly.stages.learn import learn_baselines
from anomaly.stages.score import score_recordings
from anomaly.stages.timeline import write_timeline
from iclas.telemetry.work import Work, also_named, at
from infants.models import Recording
from infants.stages.embed import embed_recordings
from infants.stages.segment import segment_recordings
from infants.states import State
from notify.stages.alert import raise_alerts

Stage = Callable[[Sequence[UUID]], None]


@dataclass(frozen=True)
class Step:
    """One step of the way: which stage takes recordings in which state, on which queue."""

    name: str
    takes: State
    run: Stage
    queue: str

    def take(self, ids: Sequence[UUID]) -> None:
        """Run on these recordings, seen by whoever watches."""
        with at(Work("step", self.name)):
            self.run(ids)


STEPS = (
    Step("segment", State.RECEIVED, segment_recordings, "ingest"),
    Step("embed", State.SEGMENTED, embed_recordings, "embed"),
    Step("gate", State.EMBEDDED, gate_cries, "judge"),
    Step("score", State.GATED, score_recordings, "judge"),
    Step("learn", State.SCORED, learn_baselines, "judge"),
    Step("timeline", State.LEARNT, write_timeline, "judge"),
    Step("episode", State.ON_TIMELINE, follow_episodes, "judge"),
)
STEP = {step.name: step for step in STEPS}
SWEEPING_QUEUE = "sweep"
"""Its own (`iclas/celery.py`): behind a long backlog a sweep would come too late to be wanted."""
TELLING_QUEUE = "tell"
"""Its own too: who is to be told of something waits for no recording."""
QUEUES = (SWEEPING_QUEUE, TELLING_QUEUE, *dict.fromkeys(step.queue for step in STEPS))
HEARING = STEPS[:2]
JUDGING = STEPS[2:]
JUDGING_QUEUE = JUDGING[0].queue
TO_BE_HEARD = [step.takes for step in HEARING]

HEARD_AT_ONCE = 32
TOLD_EVERY_S = 1.0

_kept_back: ContextVar[list[UUID] | None] = ContextVar("_kept_back", default=None)


@contextmanager
def kept_back() -> Iterator[list[UUID]]:
    """Collect the recordings received inside instead of enqueuing them; their driver sends them."""
    collected: list[UUID] = []
    token = _kept_back.set(collected)
    try:
        yield collected
    finally:
        _kept_back.reset(token)


def on_received(recording: Recording, **_signal: Any) -> None:
    """Send a new recording on its way once its row is committed."""
    collected = _kept_back.get()
    if collected is None:
        transaction.on_commit(lambda: send_on([recording.id]), robust=True)
    else:
        collected.append(recording.id)


def send_on(ids: Iterable[UUID]) -> None:
    """Enqueue what is next for each recording and, since they may wait for it, for its infant."""
    from iclas.tasks import judge_infant, run_step

    rows = list(Recording.objects.filter(id__in=list(ids)).values_list("id", "state", "infant_id"))
    for step in HEARING:
        waiting = [str(recording_id) for recording_id, state, _ in rows if state == step.takes]
        if waiting:
            run_step.apply_async((step.name, waiting), queue=step.queue)
    infants = {infant_id for _, state, infant_id in rows if state not in TO_BE_HEARD}
    ready = to_be_judged().filter(infant__in=infants).values_list("infant_id", flat=True)
    for infant_id in set(ready):
        judge_infant.apply_async((str(infant_id),), queue=JUDGING_QUEUE)


def to_be_judged() -> QuerySet[Recording]:
    """Return the recordings that have been heard and are not judged to the end."""
    return Recording.objects.filter(state__in=[step.takes for step in JUDGING])


def judge(infant_id: UUID, until: float | None = None) -> bool:
    """Judge what an infant has ready, session by session in the order of recording.

    A recording waits while an earlier one of the infant is still to be heard, and while another
    worker is at an earlier one. What somebody must hear of becomes an alert. Tell whether the time,
    `until` by the monotonic clock, was up before all was done.
    """
    with also_named(infant=str(infant_id)):
        return _judge(infant_id, until)


def _judge(infant_id: UUID, until: float | None) -> bool:
    before: list[tuple[UUID, str]] = []
    while standing := _next_session(infant_id):
        if standing == before:  # another worker is at it, and goes on from there
            return False
        if until is not None and time.monotonic() > until:
            return True
        for step in JUDGING:
            step.take([recording_id for recording_id, _ in standing])
        raise_alerts(timezone.now(), infant_id)
        before = standing
    return False


def _next_session(infant_id: UUID) -> list[tuple[UUID, str]]:
    """Return the recordings of the earliest session to be judged, with where they stand.

    They are those up to the first that is still to be heard, or in another worker's hand: within a
    session, too, the gate reads what was recorded before. What is still to be heard is asked first:
    what is heard in the meantime is then found among what is to be judged, and never in neither.
    """
    to_be_heard = Recording.objects.filter(infant=infant_id, state__in=TO_BE_HEARD)
    unheard_from = to_be_heard.aggregate(at=Min("recorded_at"))["at"]
    own = to_be_judged().filter(infant=infant_id)
    first = own.order_by("session__started_at", "recorded_at", "id").first()
    if first is None:
        return []
    same = own.filter(session=first.session_id).order_by("recorded_at", "id")
    if unheard_from is not None:
        same = same.filter(recorded_at__lte=unheard_from)
    now = timezone.now()
    rows = same.values_list("id", "state", "lease_until")
    free = takewhile(lambda row: row[2] is None or row[2] < now, rows)
    return [(recording_id, state) for recording_id, state, _ in free]


def drive(ids: Sequence[UUID], told: Callable[[int], None] | None = None) -> None:
    """Take recordings the whole way in this process, oldest first; no queue is needed.

    `told` hears how many were heard, and then how many were judged, as it goes: twice the number
    of recordings in all.
    """
    told = told or _told_nobody
    for start in range(0, len(ids), HEARD_AT_ONCE):
        some = ids[start : start + HEARD_AT_ONCE]
        for step in HEARING:
            step.take(some)
        told(len(some))
    heard = to_be_judged().filter(id__in=ids)
    left = heard.count()
    told(len(ids) - left)
    for infant_id in list(heard.values_list("infant_id", flat=True).order_by().distinct()):
        unfinished = True
        while unfinished:
            unfinished = judge(infant_id, time.monotonic() + TOLD_EVERY_S)
            before, left = left, heard.count()
            told(before - left)


def _told_nobody(_moved: int) -> None:
    """Stand in where nobody listens to the progress."""
