"""What operators see of the tellings: counts, and dead letters that can be sent again.

What comes in: the moment. What goes out: rows that a template only prints. Guaranteed: no names of
infants, no addresses; for staff only, which the view sees to.
"""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from dashboard import words
from dashboard.told.words import REASONS, WAYS
from infants.access import Viewer
from notify.models import Delivery, Follower
from notify.outbox import outbox


@dataclass(frozen=True)
class DeadTelling:
    """One that was given up."""

    id: UUID
    time: str
    way: str
    reason: str
    detail: str
    attempts: int


@dataclass(frozen=True)
class OutboxRows:
    """Everything to print."""

    facts: list[str]
    dead: list[DeadTelling]
    n_dead: int


def outbox_rows(now: dt.datetime) -> OutboxRows:
    """Return how the tellings are getting on."""
    found = outbox(Viewer.system(), now)
    facts = [
        ngettext("%(n)d message waits", "%(n)d messages wait", found.waiting)
        % {"n": found.waiting},
        ngettext(
            "%(n)d is held until quiet hours or a suspension end",
            "%(n)d are held until quiet hours or a suspension end",
            found.held,
        )
        % {"n": found.held},
        ngettext("%(n)d was sent in 24 hours", "%(n)d were sent in 24 hours", found.sent_in_a_day)
        % {"n": found.sent_in_a_day},
    ]
    if found.late_s > words.MINUTE_S * 10:
        late = {"length": words.lasting(found.late_s)}
        facts.append(_("The first of them should have gone out %(length)s ago") % late)
    return OutboxRows(facts, [_row(one, now) for one in found.dead], found.n_dead)


def _row(one: Delivery, now: dt.datetime) -> DeadTelling:
    """Return a dead letter; its time is in UTC, since operators have no infant's zone."""
    ended_at = one.ended_at or now
    form = pgettext("format of a moment", "Y-m-d H:i")
    return DeadTelling(
        id=one.id,
        time=_("%(moment)s (%(ago)s)")
        % {
            "moment": date_format(ended_at.astimezone(dt.UTC), form),
            "ago": words.ago(ended_at, now),
        },
        way=str(WAYS[Follower.Channel(one.channel)]),
        reason=str(REASONS.get(one.reason, one.reason)),
        detail=one.detail,
        attempts=one.attempts,
    )
