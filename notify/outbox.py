"""How the tellings are getting on: what waits, what is held, what was given up.

What comes in: a viewer who sees everything, and the moment. What goes out: counts and the newest
dead letters. Guaranteed: names nobody and shows no address.
"""

import datetime as dt
from dataclasses import dataclass

from django.db.models import Count, Min, Q

from infants.access import Viewer
from notify.models import Delivery
from notify.selectors import deliveries_where

DEAD_SHOWN = 20
State = Delivery.State


@dataclass(frozen=True)
class Outbox:
    """What waits, what was held back by quiet hours, what was sent in a day, and dead letters."""

    waiting: int
    held: int
    late_s: float
    sent_in_a_day: int
    n_dead: int
    dead: list[Delivery]


def outbox(viewer: Viewer, now: dt.datetime) -> Outbox:
    """Return how the tellings are getting on; `late_s`: how long the first that is due waits."""
    seen = deliveries_where(viewer).order_by()
    waits = Q(state=State.WAITING)
    a_day_ago = now - dt.timedelta(days=1)
    found = seen.aggregate(
        waiting=Count("id", filter=waits & Q(is_held=False)),
        held=Count("id", filter=waits & Q(is_held=True)),
        due=Min("due_at", filter=waits),
        sent=Count("id", filter=Q(state=State.SENT, ended_at__gt=a_day_ago)),
        n_dead=Count("id", filter=Q(state=State.DEAD)),
    )
    dead = deliveries_where(viewer, state=State.DEAD).order_by("-ended_at", "-id")
    due = found["due"] or now
    return Outbox(
        waiting=found["waiting"],
        held=found["held"],
        late_s=max(0.0, (now - due).total_seconds()),
        sent_in_a_day=found["sent"],
        n_dead=found["n_dead"],
        dead=list(dead[:DEAD_SHOWN]),
    )
