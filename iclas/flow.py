"""The spine: the way of a recording, step by step, and who sends it on.

    received -> segment -> embed -> gate -> score -> learn -> timeline -> episode -> done

What comes in: the signal that a recording is safely ours, or the sweeper's find. What goes out:
one message a step on the step's queue. Guaranteed: the row's state says which step is next, so a
lost or doubled message loses nothing and doubles nothing.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction

from anomaly.stages.episode import follow_episodes
from anomaly.stages.gate import gate_cries
from anomaly.stages.learn import learn_baselines
from anomaly.stages.score import score_recordings
from anomaly.stages.timeline import write_timeline
from infants.models import Recording
from infants.stages.embed import embed_recordings
from infants.stages.segment import segment_recordings
from infants.states import ON_THE_WAY, State

Stage = Callable[[Sequence[UUID]], None]


@dataclass(frozen=True)
class Step:
    """One step of the way: which stage takes recordings in which state, on which queue."""

    name: str
    takes: State
    run: Stage
    queue: str


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
TAKES = {step.takes: step for step in STEPS}
QUEUES = tuple(dict.fromkeys(step.queue for step in STEPS))
HEARING = STEPS[:2]
JUDGING = STEPS[2:]


HEARD_AT_ONCE = 32

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
    """Enqueue the step that is next for each recording, by its row."""
    from iclas.tasks import run_step

    standing: dict[str, list[str]] = defaultdict(list)
    rows = Recording.objects.filter(id__in=list(ids), state__in=ON_THE_WAY)
    for recording_id, state in rows.order_by("recorded_at").values_list("id", "state"):
        standing[state].append(str(recording_id))
    for state, waiting in standing.items():
        step = TAKES[State(state)]
        run_step.apply_async((step.name, waiting), queue=step.queue)


def drive(ids: Sequence[UUID], told: Callable[[int], None] | None = None) -> None:
    """Take recordings the whole way in this process, oldest first; no queue is needed.

    Judging goes session by session, so that a recording is judged by what its infant's baseline
    was at that time, just as if it had come in live. `told` hears how many were heard, and then
    how many were judged, as it goes: twice the number of recordings in all.
    """
    told = told or _told_nobody
    for start in range(0, len(ids), HEARD_AT_ONCE):
        some = ids[start : start + HEARD_AT_ONCE]
        for step in HEARING:
            step.run(some)
        told(len(some))
    sessions = _by_session(ids)
    told(len(ids) - sum(len(session) for session in sessions))
    for session in sessions:
        for step in JUDGING:
            step.run(session)
        told(len(session))


def _told_nobody(_moved: int) -> None:
    """Stand in where nobody listens to the progress."""


def _by_session(ids: Sequence[UUID]) -> list[list[UUID]]:
    """Return the heard ones among the recordings, by session, oldest session first."""
    heard = Recording.objects.filter(id__in=ids, session__isnull=False)
    sessions: dict[UUID | None, list[UUID]] = defaultdict(list)
    for recording in heard.order_by("session__started_at", "recorded_at", "id"):
        sessions[recording.session_id].append(recording.id)
    return list(sessions.values())
