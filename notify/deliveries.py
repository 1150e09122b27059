"""What can be done with deliveries; this list is all of it.

What comes in: a viewer, or the operator. What goes out: deliveries as they are then. Guaranteed: a
trial is sent at once and once, and not too often; a dead letter that is replayed goes out under the
id that it had.
"""

import datetime as dt
import secrets
from collections.abc import Sequence
from uuid import UUID

from django.utils import timezone

from infants.access import Viewer
from infants.models import Infant, User
from notify.errors import TooManyTrialsError
from notify.followers import changeable
from notify.models import Delivery, Follower
from notify.stages.send import LEASE_S, send

State = Delivery.State
MOST_TRIALS, TRIALS_WITHIN = 10, dt.timedelta(hours=1)


def send_trial(viewer: Viewer, follower_id: UUID) -> Delivery:
    """Send a trial message to a follower, now; tell how it went.

    Raises
    ------
    TooManyTrialsError
        When there were many of them within the hour: an address may be somebody else's.

    """
    return fire(changeable(viewer, follower_id))


def fire(follower: Follower) -> Delivery:
    """Do so for a follower that was found."""
    now = timezone.now()
    before = Delivery.objects.filter(follower__user=follower.user_id, news=None)
    if before.filter(due_at__gt=now - TRIALS_WITHIN).count() >= MOST_TRIALS:
        raise TooManyTrialsError
    trial = Delivery.objects.create(
        follower=follower,
        channel=follower.channel,
        due_at=now,
        lease_owner=secrets.token_hex(8),
        lease_until=now + dt.timedelta(seconds=LEASE_S),
    )
    send(follower, [trial])
    trial.refresh_from_db()
    return trial


def replay(ids: Sequence[UUID] | None = None) -> list[UUID]:
    """Send dead letters again, these or all; return which."""
    dead = Delivery.objects.filter(state=State.DEAD)
    chosen = dead if ids is None else dead.filter(id__in=ids)
    found = list(chosen.values_list("id", flat=True))
    dead.filter(id__in=found).update(
        state=State.WAITING,
        is_replayed=True,
        is_held=False,
        held_for="",
        attempts=0,
        first_tried_at=None,
        ended_at=None,
        due_at=timezone.now(),
        reason="",
        detail="",
        lease_owner="",
        lease_until=None,
    )
    return found


def look_again_at_held(infant: Infant, user: User | None = None) -> None:
    """Have what is held of an infant's alerts, of all or of a person, looked at again now."""
    held = Delivery.objects.filter(is_held=True, state=State.WAITING, follower__infant=infant.id)
    own = held if user is None else held.filter(follower__user=user)
    own.update(due_at=timezone.now())
