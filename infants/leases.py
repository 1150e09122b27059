"""Leases: how a stage takes recordings so that no two workers hold the same one.

A lease is an owner and an expiry on the row, taken by one UPDATE, so SQLite needs no row locks
and a killed worker's recordings come free by themselves. Moving a recording on succeeds only for
the lease's owner and only from the state it was taken in: work that comes too late is rolled back.
"""

import datetime as dt
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from infants.errors import LeaseLostError
from infants.models import Recording
from infants.states import NEXT, Reason, State


@dataclass(frozen=True)
class Lease:
    """Recordings that one stage holds, all in the state they were taken in."""

    owner: str
    state: State
    recordings: tuple[Recording, ...]

    def begin(self, recordings: Sequence[Recording]) -> None:
        """Count a try of these, before it is made: one that kills its worker is counted too."""
        begun = [recording.id for recording in recordings]
        held = Recording.objects.filter(id__in=begun, lease_owner=self.owner)
        held.update(attempts=F("attempts") + 1)

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
        fields |= {"state": to, "state_changed_at": timezone.now(), "attempts": 0}
        fields |= {"lease_owner": "", "lease_until": None}
        held = Recording.objects.filter(id=recording.id, lease_owner=self.owner, state=self.state)
        if not held.update(**fields):
            raise LeaseLostError(recording.id)
        for name, value in fields.items():
            setattr(recording, name, value)

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
    """
    lease = _take(ids, state)
    try:
        yield lease
    finally:
        _release(lease)


def _take(ids: Sequence[UUID], state: State) -> Lease:
    now = timezone.now()
    owner = uuid.uuid4().hex
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    Recording.objects.filter(free, id__in=ids, state=state).update(
        lease_owner=owner,
        lease_until=now + dt.timedelta(seconds=settings.ICLAS_LEASE_S),
    )
    taken = Recording.objects.filter(lease_owner=owner, state=state)
    lease = Lease(owner, state, tuple(taken.select_related("infant").order_by("recorded_at", "id")))
    return _without_hopeless(lease)


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
