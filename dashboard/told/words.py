"""Followers in plain sentences: by which way, when, how often, and how the last telling went.

What comes in: followers as the selectors give them. What goes out: rows that a template only
prints. Guaranteed: no address and no secret is in them beyond what the person may be reminded of.
"""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from dashboard.words import ago
from infants.access import Viewer
from infants.models import Infant
from notify.channels.letter import confirmed_address
from notify.models import Delivery, Follower
from notify.people import named
from notify.selectors import changeable_followers, newest_deliveries, visible_followers

Channel = Follower.Channel
WAYS = {
    Channel.EMAIL: gettext_lazy("E-mail"),
    Channel.PUSH: gettext_lazy("Notification on a device"),
    Channel.SERVICE: gettext_lazy("Messaging service"),
    Channel.WEBHOOK: gettext_lazy("Webhook"),
}
REASONS = {
    "no_confirmed_address": gettext_lazy("there is no confirmed e-mail address"),
    "forbidden_address": gettext_lazy("the address lies inside a network that may not be called"),
    "bad_address": gettext_lazy("the address makes no sense"),
    "no_answer": gettext_lazy("nobody answered there"),
    "refused": gettext_lazy("it was refused there"),
    "gone": gettext_lazy("the address is gone"),
    "mail_server": gettext_lazy("the mail server did not take it"),
    "broke_off": gettext_lazy("sending it broke off each time"),
    "no_access": gettext_lazy("this person has no access any more"),
}
SEVERITIES = {
    "slight": gettext_lazy("Of every alert"),
    "clear": gettext_lazy("Of alerts with clear or strong evidence"),
    "strong": gettext_lazy("Of alerts with strong evidence only"),
}


@dataclass(frozen=True)
class Row:
    """One follower; `fingerprint` lets a device find itself, where it is one's own."""

    id: UUID
    who: str
    is_own: bool
    may_change: bool
    is_on: bool
    way: str
    facts: list[str]
    last: str
    fingerprint: str


def rows_of(viewer: Viewer, infant: Infant, now: dt.datetime) -> list[Row]:
    """Return the followers of an infant in the order in which they are told."""
    followers = visible_followers(viewer, infant)
    newest = newest_deliveries(followers)
    changeable = set(changeable_followers(viewer).values_list("id", flat=True))
    return [_row(viewer, one, newest.get(one.id), now, one.id in changeable) for one in followers]


def _row(
    viewer: Viewer,
    follower: Follower,
    last: Delivery | None,
    now: dt.datetime,
    may_change: bool,  # noqa: FBT001  one call, above
) -> Row:
    is_own = viewer.user is not None and follower.user_id == viewer.user.id
    return Row(
        id=follower.id,
        who=named(follower.user) or "",
        is_own=is_own,
        may_change=may_change,
        is_on=follower.is_on,
        way=way_words(follower, is_own=is_own),
        facts=facts_of(follower) if follower.is_on else [_off_words(follower)],
        last="" if last is None else outcome_words(last, now),
        fingerprint=follower.fingerprint if is_own and follower.channel == Channel.PUSH else "",
    )


def way_words(follower: Follower, *, is_own: bool) -> str:
    """Say by which way; where, to the person alone."""
    way = str(WAYS[Channel(follower.channel)])
    shown = follower.label or (_where(follower) if is_own else "")
    return _("%(way)s: %(where)s") % {"way": way, "where": shown} if shown else way


def _where(follower: Follower) -> str:
    if follower.channel == Channel.EMAIL:
        return confirmed_address(follower.user) or _("no confirmed address")
    return follower.shown_target


def facts_of(follower: Follower) -> list[str]:
    """Say of what, when, how often, and whether at night too."""
    severity = str(SEVERITIES[follower.least_severity])
    if follower.is_machine:
        return [severity, _("At once, and of every change")]
    facts = [severity, delay_words(follower.delay_min), repeat_words(follower.repeat_min)]
    if follower.breaks_quiet:
        facts.append(_("Strong evidence breaks through quiet hours"))
    return facts


def delay_words(minutes: int) -> str:
    """Say how long after an alert begins to call."""
    if not minutes:
        return _("At once")
    said = ngettext(
        "After %(n)s minute, where nobody has acknowledged it",
        "After %(n)s minutes, where nobody has acknowledged it",
        minutes,
    )
    return said % {"n": minutes}


def repeat_words(minutes: int) -> str:
    """Say how often one is reminded."""
    if not minutes:
        return _("Once, without reminders")
    said = ngettext(
        "Again every %(n)s minute until somebody acknowledges it, five times at most",
        "Again every %(n)s minutes until somebody acknowledges it, five times at most",
        minutes,
    )
    return said % {"n": minutes}


def _off_words(follower: Follower) -> str:
    if follower.off_reason == Follower.OffReason.GONE:
        return _("Switched off: the address is gone")
    return _("Switched off")


def outcome_words(delivery: Delivery, now: dt.datetime) -> str:
    """Say how a telling ended."""
    said = {"ago": ago(delivery.ended_at or now, now)}
    if delivery.state == Delivery.State.SENT:
        return _("Last told %(ago)s") % said
    said["reason"] = str(REASONS.get(delivery.reason, delivery.reason))
    return _("The last message did not arrive (%(ago)s): %(reason)s") % said


def trial_words(trial: Delivery) -> str:
    """Say how a trial went."""
    if trial.state == Delivery.State.SENT:
        return _("The trial message is sent. Look whether it has arrived.")
    reason = str(REASONS.get(trial.reason, trial.reason))
    return _("The trial message did not arrive: %(reason)s.") % {"reason": reason}
