"""Alerts in plain sentences that name no gender and no cause.

What comes in: alerts as the selectors give them. What goes out: translated text, with times by the
infant's own clock. Guaranteed: nothing is a diagnosis; whoever may not know names reads none.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from anomaly.models import Episode, GateDecision
from dashboard.standing import ODD, SHIFT, SILENT, SURROUNDINGS, Look
from infants.models import Infant, User
from notify.models import Alert, AlertAction
from notify.people import named

Answer = GateDecision.Answer
State = Alert.State
Kind = AlertAction.Kind
LOOKS = {
    Episode.Kind.PERSISTENT_SHIFT: SHIFT,
    Episode.Kind.SINGLE_EXTREME: ODD,
    Episode.Kind.NEW_SURROUNDINGS: SURROUNDINGS,
    Episode.Kind.MONITOR_SILENT: SILENT,
}
ANSWERS = {
    Answer.EXPECTED.value: gettext_lazy("Expected"),
    Answer.NOT_MY_BABY.value: gettext_lazy("Not my baby"),
    Answer.NOT_A_CRY.value: gettext_lazy("Not a cry"),
}
ENDS = {
    "back_to_usual": gettext_lazy("the crying is back to usual"),
    "no_recent_sessions": gettext_lazy("nothing was heard for a week"),
    "lasted_too_long": gettext_lazy("it lasted a month and is taken for the new usual"),
    "surroundings": gettext_lazy("the room or the monitor changed on the same day"),
    "settled": gettext_lazy("the new room or monitor is known by now"),
    "reviewed": gettext_lazy("somebody called it expected"),
    "monitor_back": gettext_lazy("the monitor is back"),
    "monitor_gone": gettext_lazy("the monitor no longer serves the infant"),
}


@dataclass(frozen=True)
class Line:
    """What an alert is, since when, and where it stands; `is_calling`: nobody has taken it."""

    look: Look
    title: str
    since: str
    standing: str
    is_calling: bool


def line_of(alert: Alert, now: dt.datetime) -> Line:
    """Return an alert in a few words."""
    return Line(
        look=LOOKS[Episode.Kind(alert.kind)],
        title=title_words(alert),
        since=since_words(alert, now),
        standing=standing_words(alert, now),
        is_calling=alert.state(now) == State.CALLING,
    )


# --- times and people -----------------------------------------------------------------------------


def clock_words(infant: Infant, moment: dt.datetime) -> str:
    """Return the time of day where the infant lives."""
    return date_format(moment.astimezone(infant.zone), "H:i")


def moment_words(infant: Infant, moment: dt.datetime, now: dt.datetime) -> str:
    """Return day and time where the infant lives, as people say them."""
    day, today = infant.local_day(moment), infant.local_day(now)
    time = clock_words(infant, moment)
    if day == today:
        return _("today, %(time)s") % {"time": time}
    if day == today - dt.timedelta(days=1):
        return _("yesterday, %(time)s") % {"time": time}
    form = pgettext("format of a date", "j F Y")
    if day.year == today.year:
        form = pgettext("format of a date", "l j F")
    return _("%(day)s, %(time)s") % {"day": date_format(day, form), "time": time}


def at_words(infant: Infant, moment: dt.datetime, now: dt.datetime) -> str:
    """Return a time as short as it may be said today."""
    is_today = infant.local_day(moment) == infant.local_day(now)
    return clock_words(infant, moment) if is_today else moment_words(infant, moment, now)


def called(alert: Alert) -> str:
    """Return the infant's name, or the end of the id for those who may not know it."""
    if getattr(alert, "is_identified", False):
        return alert.infant.name
    return _("Infant %(number)s") % {"number": alert.infant_id.hex[-6:]}


def who(alert: Alert, user: User | None) -> str:
    """Return who did something, for this reader."""
    is_identified = getattr(alert, "is_identified", False)
    return (named(user) if is_identified else None) or _("somebody")


# --- the alert ------------------------------------------------------------------------------------


def title_words(alert: Alert) -> str:
    """Say what it is."""
    name = {"name": called(alert)}
    if alert.kind == Episode.Kind.PERSISTENT_SHIFT:
        if alert.closed_at is None:
            return _("%(name)s’s crying is different from usual") % name
        return _("%(name)s’s crying was different from usual") % name
    if alert.kind == Episode.Kind.MONITOR_SILENT:
        if alert.closed_at is None:
            return _("Nothing comes from %(name)s’s monitor") % name
        return _("Nothing came from %(name)s’s monitor") % name
    n_sessions = int(alert.episode.evidence.get("n_sessions", 1)) if alert.episode else 1
    said = ngettext(
        "One session was unlike %(name)s’s others",
        "%(n)s sessions were unlike %(name)s’s others",
        n_sessions,
    )
    return said % (name | {"n": n_sessions})


def since_words(alert: Alert, now: dt.datetime) -> str:
    """Say since when, or from when to when."""
    infant, episode = alert.infant, alert.episode
    began = alert.opened_at if episode is None else episode.began_at
    if alert.closed_at is not None:
        return _("From %(start)s to %(end)s") % {
            "start": moment_words(infant, began, now),
            "end": moment_words(infant, alert.closed_at, now),
        }
    if began < alert.opened_at:
        return _("Since about %(start)s; noticed %(noticed)s") % {
            "start": moment_words(infant, began, now),
            "noticed": moment_words(infant, alert.opened_at, now),
        }
    return _("Since %(start)s") % {"start": moment_words(infant, began, now)}


def interval_words(infant: Infant, evidence: Mapping[str, Any], now: dt.datetime) -> str:
    """Say between which days it began, where that is known; empty where it is one day."""
    if "since_earliest" not in evidence:
        return ""
    ends = (evidence["since_earliest"], evidence["since_latest"])
    first, last = (infant.local_day(dt.datetime.fromisoformat(end)) for end in ends)
    if first == last:
        return ""
    form = pgettext("format of a date", "j F Y")
    if first.year == last.year == infant.local_day(now).year:
        form = pgettext("format of a date", "j F")
    return _("It began between %(first)s and %(last)s (90 %% interval).") % {
        "first": date_format(first, form),
        "last": date_format(last, form),
    }


def standing_words(alert: Alert, now: dt.datetime) -> str:
    """Say who has taken it, who has put it off until when, or why it is over."""
    infant = alert.infant
    match alert.state(now):
        case State.ACKNOWLEDGED if alert.acknowledged_at is not None:
            return _("Acknowledged by %(who)s at %(time)s") % {
                "who": who(alert, alert.acknowledged_by),
                "time": at_words(infant, alert.acknowledged_at, now),
            }
        case State.SNOOZED if alert.snoozed_until is not None:
            return _("Put off by %(who)s; comes back at %(time)s") % {
                "who": who(alert, alert.snoozed_by),
                "time": at_words(infant, alert.snoozed_until, now),
            }
        case State.ENDED if alert.episode is not None:
            return _("Over: %(reason)s") % {"reason": ENDS[alert.episode.close_reason]}
        case State.WITHDRAWN:
            return _("Withdrawn: without what was corrected there is nothing unusual")
    return _("Nobody has acknowledged it yet")


# --- what was done with it ------------------------------------------------------------------------


def action_words(alert: Alert, action: AlertAction) -> str:
    """Say who did what."""
    given = {"who": who(alert, action.by)} | _given(action)
    said = {
        Kind.ACKNOWLEDGED: _("%(who)s acknowledged it"),
        Kind.ACKNOWLEDGEMENT_TAKEN_BACK: _("%(who)s took the acknowledgement back"),
        Kind.SNOOZED: _("%(who)s put it off for %(minutes)s minutes"),
        Kind.SNOOZE_ENDED: _("%(who)s let it come back"),
        Kind.ANSWER_TAKEN_BACK: _("%(who)s took back: %(answer)s"),
    }
    if action.kind == Kind.ANSWERED:
        return _answered_words(action) % given
    return said[Kind(action.kind)] % given


def _given(action: AlertAction) -> dict[str, Any]:
    facts = action.facts
    return {
        "minutes": facts.get("minutes", 0),
        "answer": ANSWERS.get(facts.get("answer", ""), ""),
        "n": facts.get("n_recordings", 0),
    }


def _answered_words(action: AlertAction) -> str:
    if not action.facts["answer"]:
        return _("%(who)s took back what was said of one recording")
    if action.facts["is_verdict"]:
        return _("%(who)s answered: %(answer)s")
    n_recordings = action.facts["n_recordings"]
    return ngettext(
        "%(who)s answered: %(answer)s, of %(n)s recording",
        "%(who)s answered: %(answer)s, of %(n)s recordings",
        n_recordings,
    )


def open_words(kind: str, facts: Mapping[str, Any]) -> str:
    """Say whether the alert's episode was open, before or after an answer."""
    return _("open") if kind in facts.get("open", []) else _("not open")
