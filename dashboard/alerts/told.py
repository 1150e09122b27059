"""Who was told of an alert, who is told next, and whom no message reached.

What comes in: the viewer, a visible alert and the moment. What goes out: rows that a template only
prints, the newest first. Guaranteed: only of followers whom the viewer may see; no address is in
them but one's own; one query.
"""

import datetime as dt
from dataclasses import dataclass

from django.utils.translation import gettext as _

from dashboard.alerts.words import moment_words
from dashboard.told.words import REASONS, way_words
from infants.access import Viewer
from notify.models import Alert, Delivery, News
from notify.people import named
from notify.selectors import tellings_of

MOST_SHOWN = 12
State = Delivery.State


@dataclass(frozen=True)
class Told:
    """One telling; `is_missed`: it did not arrive."""

    time: str
    text: str
    is_missed: bool


def told_of(viewer: Viewer, alert: Alert, now: dt.datetime) -> list[Told]:
    """Return the newest tellings of an alert, and those that are due as it stands now."""
    is_calling = alert.state(now) == Alert.State.CALLING
    shown = [one for one in tellings_of(viewer, alert) if _is_shown(one, is_calling=is_calling)]
    return [_told(viewer, alert, one, now) for one in shown[:MOST_SHOWN]]


def _is_shown(delivery: Delivery, *, is_calling: bool) -> bool:
    """Tell whether it was told or will be: what calls is dropped as soon as somebody has it."""
    if delivery.state != State.WAITING:
        return delivery.state != State.DROPPED
    calls = delivery.news is not None and delivery.news.kind in News.CALLING
    return delivery.is_held or (calls and is_calling)


def _told(viewer: Viewer, alert: Alert, delivery: Delivery, now: dt.datetime) -> Told:
    follower = delivery.follower
    is_own = viewer.user is not None and follower.user_id == viewer.user.id
    reason = str(REASONS.get(delivery.reason, delivery.reason))
    who, way = named(follower.user) or "", way_words(follower, is_own=is_own)
    return Told(
        time=moment_words(alert.infant, delivery.ended_at or delivery.due_at, now),
        text=_text_of(delivery) % {"who": who, "way": way, "reason": reason},
        is_missed=delivery.state == State.DEAD,
    )


def _text_of(delivery: Delivery) -> str:
    if delivery.state == State.SENT:
        return _("%(who)s was told (%(way)s)")
    if delivery.state == State.DEAD:
        return _("%(who)s was not reached (%(way)s): %(reason)s")
    if delivery.is_held and delivery.held_for == Delivery.HeldFor.SUSPENSION:
        return _("%(who)s is told when messages are suspended no longer (%(way)s)")
    if delivery.is_held:
        return _("%(who)s is told when it is quiet no longer (%(way)s)")
    if delivery.attempts:
        return _("%(who)s was not reached yet; it is tried again (%(way)s)")
    return _("%(who)s is told next, where nobody has acknowledged it (%(way)s)")
