"""What is told of alerts, in plain sentences that name no gender and no cause.

What comes in: alerts, each with `is_identified` where its reader may know names, and the language
that is active. What goes out: translated text, with times by the infant's own clock. Guaranteed:
nothing is a diagnosis; whoever may not know names reads none.
"""

import datetime as dt

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from anomaly.evidence import movement_briefly, severity_words
from anomaly.figures import clauses
from anomaly.models import Episode
from infants.models import Infant, User
from notify.models import Alert, News
from notify.people import named

State = Alert.State
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


def unusual_words(alert: Alert) -> str:
    """Say how unusual it is, in a line; empty where its episode is gone."""
    found = {} if alert.episode is None else alert.episode.evidence
    if "views" in found:
        return _("How unusual: %(how)s.") % {
            "how": clauses([movement_briefly(found), severity_words(found)])
        }
    p_value = found.get("smallest_p_value")
    if not p_value:
        return ""
    said = _("How unusual: about one in %(n)s usual sessions sounds so unusual.")
    return said % {"n": number_format(round(1.0 / p_value))}


def news_words(kind: str, nth: int) -> str:
    """Say why somebody is told of an alert now, where it is not its beginning."""
    if kind == News.Kind.WORSENED:
        return _("It has become more severe since you were told of it.")
    if kind == News.Kind.BACK or nth:
        return _("You were told of it before.")
    return ""


def digest_title(name: str, n_alerts: int) -> str:
    """Say how much was held back during somebody's quiet hours."""
    said = ngettext(
        "%(name)s: %(n)s alert during your quiet hours",
        "%(name)s: %(n)s alerts during your quiet hours",
        n_alerts,
    )
    return said % {"name": name, "n": n_alerts}


def suspended_title(name: str, n_alerts: int) -> str:
    """Say how much was held back while messages about an infant were suspended."""
    said = ngettext(
        "%(name)s: %(n)s alert while messages were suspended",
        "%(name)s: %(n)s alerts while messages were suspended",
        n_alerts,
    )
    return said % {"name": name, "n": n_alerts}
