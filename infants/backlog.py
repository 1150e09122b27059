"""What waits, what is in hand, and what was set aside: the queues as the rows tell them.

What comes in: a viewer and a moment. What goes out: counts and ages by state, and the dead letters
(recordings that failed, with their reason); and a refusal where too much waits to take in more.
Guaranteed: no names, and a fixed number of queries.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, Max, Min, Q

from infants.access import Viewer
from infants.errors import LongBacklogError
from infants.models import Recording
from infants.selectors import visible_recordings
from infants.states import ENDS, ON_THE_WAY, Reason, State

DEAD_SHOWN = 50


@dataclass(frozen=True)
class Standing:
    """Recordings in one state: how many, how many in a worker's hand, how many tried before."""

    state: State
    waiting: int
    leased: int
    retried: int
    oldest_s: float | None


@dataclass(frozen=True)
class DeadLetter:
    """A recording that was set aside, and why."""

    recording_id: UUID
    reason: Reason
    detail: str
    failed_at: dt.datetime
    device: str


@dataclass(frozen=True)
class Backlog:
    """Everything that is not through, by state in the order of the way; newest dead letters."""

    steps: tuple[Standing, ...]
    held: int
    done: int
    rejected: int
    dead_by_reason: dict[Reason, int]
    dead: tuple[DeadLetter, ...]
    last_end_at: dt.datetime | None

    @property
    def n_waiting(self) -> int:
        """How many are on their way."""
        return sum(step.waiting for step in self.steps)

    @property
    def n_dead(self) -> int:
        """How many were set aside."""
        return sum(self.dead_by_reason.values())

    @property
    def oldest_s(self) -> float | None:
        """How long the one that has stood still longest has done so; None where nothing waits."""
        ages_s = [step.oldest_s for step in self.steps if step.oldest_s is not None]
        return max(ages_s, default=None)


def backlog(viewer: Viewer, now: dt.datetime) -> Backlog:
    """Return what is not through among the recordings that the viewer may see."""
    found = _by_state(viewer, now)
    ended = [found[state]["newest"] for state in (State.DONE, State.REJECTED) if state in found]
    return Backlog(
        steps=tuple(_standing(state, found.get(state), now) for state in ON_THE_WAY),
        held=_count(found, State.HELD),
        done=_count(found, State.DONE),
        rejected=_count(found, State.REJECTED),
        dead_by_reason=_dead_by_reason(viewer),
        dead=_dead(viewer),
        last_end_at=max(ended, default=None),
    )


def refuse_long_backlog(most_waiting: int | None) -> None:
    """Raise `LongBacklogError` where so many or more are on their way; `None` knows no limit.

    What waits for its device to be assigned is no work, and does not count.
    """
    if most_waiting is None:
        return
    waiting = Recording.objects.exclude(state__in=ENDS).exclude(state=State.HELD).order_by()
    if waiting.values("id")[most_waiting - 1 : most_waiting].exists():
        raise LongBacklogError(most_waiting)


def _by_state(viewer: Viewer, now: dt.datetime) -> dict[str, dict[str, Any]]:
    in_hand = Q(lease_until__isnull=False, lease_until__gt=now)  # its try is counted already
    counted = (
        visible_recordings(viewer)
        .order_by()
        .values("state")
        .annotate(
            n=Count("id"),
            leased=Count("id", filter=in_hand),
            retried=Count("id", filter=Q(attempts__gt=1) | Q(attempts=1) & ~in_hand),
            oldest=Min("state_changed_at"),
            newest=Max("state_changed_at"),
        )
    )
    return {row["state"]: dict(row) for row in counted}


def _count(found: dict[str, dict[str, Any]], state: State) -> int:
    return found[state]["n"] if state in found else 0


def _standing(state: State, row: dict[str, Any] | None, now: dt.datetime) -> Standing:
    if row is None:
        return Standing(state, 0, 0, 0, None)
    age_s = max(0.0, (now - row["oldest"]).total_seconds())
    return Standing(state, row["n"], row["leased"], row["retried"], age_s)


def _dead_by_reason(viewer: Viewer) -> dict[Reason, int]:
    dead = visible_recordings(viewer).filter(state=State.FAILED).order_by()
    counted = dead.values_list("reason").annotate(n=Count("id")).order_by("-n", "reason")
    return {Reason(reason): n for reason, n in counted}


def _dead(viewer: Viewer) -> tuple[DeadLetter, ...]:
    dead = visible_recordings(viewer).filter(state=State.FAILED).select_related("device")
    newest = dead.defer("gate_features", "room").order_by("-state_changed_at", "id")[:DEAD_SHOWN]
    return tuple(
        DeadLetter(r.id, Reason(r.reason), r.detail, r.state_changed_at, r.device.name)
        for r in newest
    )
