"""Leases: how a stage takes recordings so that no two workers hold the same one.

A lease is an owner and an expiry on the row, taken by one UPDATE, so SQLite needs no row locks
and a killed worker's recordings come free by themselves: when the lease runs out, or as soon as
the sweeper finds that its holder has died. Moving a recording on succeeds only for the lease's
owner and only from the state it was taken in: work that comes too late is rolled back.
"""

import datetime as dt
import secrets
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import Error, transaction
from django.db.models import F, Q
from django.utils import timezone

from infants.errors import LeaseLostError
from infants.holder import died, forget_the_long_dead, holder
from infants.in_hand import recordings_in_hand
from infants.models import Recording
from infants.shortages import shortage
from infants.signals import Move, recording_moved
from infants.states import NEXT, ON_THE_WAY, Reason, State
from infants.storage import refuse_full_disk

HEARD_IN_ANY_ORDER = {State.RECEIVED, State.SEGMENTED}
"""Beyond these a recording is judged by what was before, and so waits for what was before."""


@dataclass(frozen=True)
class Lease:
    """Recordings that one stage holds, all in the state they were taken in."""

    owner: str
    state: State
    recordings: tuple[Recording, ...]
    in_hand: list[Recording] = field(default_factory=list)
    began: dict[UUID, dt.datetime] = field(default_factory=dict)

    def begin(self, recordings: Sequence[Recording]) -> None:
        """Count a try of these, before it is made: one that kills its worker is counted too."""
        self._count(recordings, 1)
        self.in_hand[:] = recordings
        recordings_in_hand.set(tuple(recording.id for recording in recordings))
        self.began.update(dict.fromkeys(recordings_in_hand.get(), timezone.now()))

    def take_back(self) -> None:
        """Uncount the try in hand: it was not the recordings that it failed by."""
        self._count(self.in_hand, -1)

    def _count(self, recordings: Sequence[Recording], tries: int) -> None:
        counted = [recording.id for recording in recordings]
        held = Recording.objects.filter(id__in=counted, lease_owner=self.owner, state=self.state)
        held.update(attempts=F("attempts") + tries)
        for recording in recordings:
            recording.attempts += tries

    def begun(self) -> Iterator[Recording]:
        """Yield the recordings one by one, each begun; those not reached are not counted."""
        for recording in self.recordings:
            self.begin([recording])
            yield recording

    def advance(self, recording: Recording, to: State, **fields: Any) -> None:
        """Move a recording on and free it; call inside the transaction that writes its results.

        Raises
        ------
        LeaseLostError
            When the lease ran out and somebody else took the recording; the caller's transaction
            must roll back.

        """
        if to not in NEXT[self.state]:
            message = f"{self.state} does not lead to {to}"
            raise ValueError(message)
        now = timezone.now()
        passed = recording.passed | {to: {"at": now.isoformat(), "try": recording.attempts}}
        fields |= {"state": to, "state_changed_at": now, "attempts": 0, "passed": passed}
        fields |= {"lease_owner": "", "lease_until": None}
        held = Recording.objects.filter(id=recording.id, lease_owner=self.owner, state=self.state)
        if not held.update(**fields):
            raise LeaseLostError(recording.id)
        self._tell_of_move(recording, to, fields)
        for name, value in fields.items():
            setattr(recording, name, value)

    def _tell_of_move(self, recording: Recording, to: State, fields: dict[str, Any]) -> None:
        """Tell whoever watches that a recording has moved, once that is committed."""
        if not recording_moved.has_listeners(Recording):
            return
        moved_at = fields["state_changed_at"]
        move = Move(
            recording_id=recording.id,
            left=self.state,
            to=to,
            entered_at=recording.state_changed_at,
            began_at=self.began.get(recording.id, moved_at),
            moved_at=moved_at,
            reason=fields.get("reason", Reason.NONE),
        )
        transaction.on_commit(lambda: recording_moved.send_robust(Recording, move=move))

    def reject(self, recording: Recording, reason: Reason, detail: str = "") -> None:
        """End a recording in which there is nothing to judge, with its reason."""
        self.advance(recording, State.REJECTED, reason=reason, detail=detail[:300])

    def fail(self, recording: Recording, reason: Reason, detail: str = "") -> None:
        """Set a recording aside for somebody to look at."""
        self.advance(recording, State.FAILED, reason=reason, detail=detail[:300])


@contextmanager
def leased(ids: Sequence[UUID], state: State) -> Iterator[Lease]:
    """Take those of the recordings that stand in this state and are free; free the rest at the end.

    Recordings that were begun as often as is allowed without moving on are failed here, named.
    What the machine is short of, a full disk say, is not counted against them.
    """
    refuse_full_disk()
    lease = _take(ids, state)
    before = recordings_in_hand.set(())
    try:
        yield lease
    except (OSError, Error) as error:
        if shortage(error) is not None:
            lease.take_back()
        raise
    finally:
        recordings_in_hand.reset(before)
        _release(lease)


def free_orphans() -> list[UUID]:
    """Free what processes held that have died; return it. Others' leases run out by themselves."""
    dead = died()
    held = Recording.objects.filter(state__in=ON_THE_WAY, lease_until__gt=timezone.now())
    by_owner = defaultdict(list)
    for recording_id, owner in held.values_list("id", "lease_owner"):
        by_owner[owner].append(recording_id)
    orphaned = [owner for owner in by_owner if _holder_of(owner) in dead]
    for owner in orphaned:  # a lease at once: nobody shall take a later recording before an earlier
        Recording.objects.filter(lease_owner=owner).update(lease_owner="", lease_until=None)
    forget_the_long_dead()
    return [recording_id for owner in orphaned for recording_id in by_owner[owner]]


def _holder_of(owner: str) -> str:
    return owner.partition(".")[0]


def _take(ids: Sequence[UUID], state: State) -> Lease:
    now = timezone.now()
    owner = f"{holder()}.{secrets.token_hex(8)}"
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    Recording.objects.filter(free, id__in=ids, state=state).update(
        lease_owner=owner,
        lease_until=now + dt.timedelta(seconds=settings.ICLAS_LEASE_S),
    )
    taken = Recording.objects.filter(lease_owner=owner, state=state)
    order = ["recorded_at", "id"]
    if state in HEARD_IN_ANY_ORDER:  # what failed before comes last: it takes the least with it
        order.insert(0, "attempts")
    lease = Lease(owner, state, tuple(taken.select_related("infant").order_by(*order)))
    if state not in HEARD_IN_ANY_ORDER:
        lease = _without_overtaking(lease)
    return _without_hopeless(lease)


def _without_overtaking(lease: Lease) -> Lease:
    """Free what another recording of the same infant comes before, which is not in our hand.

    Another worker may have taken it, or heard of it, after these were chosen. Asked when they are
    taken, so that of two workers one at least sees the other's lease, and the earliest never waits.
    """
    up_to_here = ON_THE_WAY[: ON_THE_WAY.index(lease.state) + 1]
    others = Recording.objects.filter(state__in=up_to_here).exclude(lease_owner=lease.owner)
    others = others.order_by("recorded_at", "id")
    infants = {recording.infant_id for recording in lease.recordings}
    first = {infant: others.filter(infant=infant).first() for infant in infants}

    def is_in_turn(one: Recording) -> bool:
        other = first[one.infant_id]
        return other is None or (one.recorded_at, one.id) < (other.recorded_at, other.id)

    in_turn = tuple(recording for recording in lease.recordings if is_in_turn(recording))
    overtaking = [one.id for one in lease.recordings if one not in in_turn]
    if overtaking:
        ours = Recording.objects.filter(id__in=overtaking, lease_owner=lease.owner)
        ours.update(lease_owner="", lease_until=None)
    return Lease(lease.owner, lease.state, in_turn)


def _without_hopeless(lease: Lease) -> Lease:
    """Fail what was tried too often, so that a poisonous recording cannot circle for ever."""
    hopeful = []
    for recording in lease.recordings:
        if recording.attempts < settings.ICLAS_MAX_ATTEMPTS:
            hopeful.append(recording)
            continue
        with transaction.atomic():
            lease.fail(recording, Reason.GAVE_UP, f"{settings.ICLAS_MAX_ATTEMPTS} tries")
    return Lease(lease.owner, lease.state, tuple(hopeful))


def _release(lease: Lease) -> None:
    """Free what did not move on; its attempt stays counted."""
    Recording.objects.filter(lease_owner=lease.owner, state=lease.state).update(
        lease_owner="", lease_until=None
    )
