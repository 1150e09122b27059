"""What the list says, in whole sentences of the reader's language.

What comes in: concerns, numbers and moments. What goes out: words; times are the infant's own.
Guaranteed: nothing is a diagnosis or names a cause.
"""

import datetime as dt

from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from anomaly.concerns import Concern, Reason
from anomaly.evidence import change_words, movement_briefly, movement_words, severity_words
from anomaly.figures import decimal
from anomaly.models.episodes import MOSTLY_FRAC
from anomaly.selectors.crying import Crying
from anomaly.silence import GapKind
from dashboard import words
from infants.models import Infant, User

MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400
HOURS_UNTIL_DAYS = 48


def lasting(seconds: float) -> str:
    """Return a length of time in one unit that says enough."""
    if seconds < HOUR_S:
        n = int(seconds // MINUTE_S)
        return ngettext("%(n)d minute", "%(n)d minutes", n) % {"n": n}
    if seconds < HOURS_UNTIL_DAYS * HOUR_S:
        n = int(seconds // HOUR_S)
        return ngettext("%(n)d hour", "%(n)d hours", n) % {"n": n}
    n = int(seconds // DAY_S)
    return ngettext("%(n)d day", "%(n)d days", n) % {"n": n}


def ago(moment: dt.datetime, now: dt.datetime) -> str:
    """Return how long ago a moment was; a clock that runs ahead is taken as now."""
    return words.ago(moment, now)


def date_words(infant: Infant, moment: dt.datetime) -> str:
    """Return the day of a moment, where the infant lives."""
    return formats.date_format(moment.astimezone(infant.zone), "MONTH_DAY_FORMAT")


def moment_words(infant: Infant, moment: dt.datetime) -> str:
    """Return day and time, where the infant lives."""
    local = moment.astimezone(infant.zone)
    named = {
        "date": formats.date_format(local, "MONTH_DAY_FORMAT"),
        "time": formats.time_format(local, "TIME_FORMAT"),
    }
    return _("%(date)s, %(time)s") % named


def person(user: User | None) -> str:
    """Return how a person of the team is called; who is gone has no name left."""
    return _("somebody who has left") if user is None else user.get_full_name() or user.username


def since_words(infant: Infant, concern: Concern) -> str:
    """Return since when a concern is one."""
    day = date_words(infant, concern.since)
    return _("about %(day)s") % {"day": day} if concern.is_estimated else day


def sure_words(concern: Concern, crying: Crying) -> str:
    """Return how sure a concern is, by its evidence."""
    found = concern.evidence
    if concern.reason is Reason.SHIFT:
        return severity_words(found)
    if concern.reason is Reason.SUSPICION:
        return _("too little to be sure yet, and rising")
    if concern.reason is Reason.EXTREME:
        return _extreme_words(concern)
    if concern.reason is Reason.SUSTAINED:
        return _sustained_words(crying)
    if concern.reason is Reason.LEARNING:
        return _("%(days)d of %(needed)d days") % found
    return _gap_words(concern) if concern.reason is Reason.GAP else ""


def _extreme_words(concern: Concern) -> str:
    n = int(concern.evidence.get("n_sessions", 1))
    p_value = concern.evidence.get("smallest_p_value")
    if p_value is None:
        return ngettext("%(n)d session", "%(n)d sessions", n) % {"n": n}
    said = ngettext("%(n)d session, p = %(p)s", "%(n)d sessions, smallest p = %(p)s", n)
    return said % {"n": n, "p": decimal(p_value, 3)}


def _sustained_words(crying: Crying) -> str:
    if crying.usual is None:
        return ""
    named = {"here": lasting(crying.cry_s), "usual": lasting(crying.usual.cry_s)}
    return _("%(here)s of cries in 24 hours; usual is %(usual)s") % named


def _gap_words(concern: Concern) -> str:
    expected = lasting(float(concern.evidence["expected_s"]))
    if concern.evidence["kind"] == GapKind.MONITOR:
        said = _("The monitor has been silent for longer than %(expected)s.")
    else:
        said = _("Nothing has been recorded for longer than %(expected)s.")
    return said % {"expected": expected}


def moved_words(concern: Concern) -> str:
    """Return what moved, as it sounds; for new surroundings, what is new."""
    if concern.reason is Reason.SURROUNDINGS:
        return change_words(concern.evidence)
    if (concern.evidence.get("room_changed_frac") or 0.0) >= MOSTLY_FRAC:
        return _("The room or the monitor sounds different too.")
    return movement_words(concern.evidence)


def briefly_moved(concern: Concern) -> str:
    """Return what moved without its figures."""
    brief = movement_briefly(concern.evidence)
    return brief or moved_words(concern)


def cries_words(crying: Crying) -> str:
    """Return the cries of the last 24 hours."""
    return ngettext("%(n)d cry", "%(n)d cries", crying.n_cries) % {"n": crying.n_cries}


def usual_words(crying: Crying) -> str:
    """Return how many cries a usual day of this infant has."""
    if crying.usual is None:
        return _("usual not known yet")
    low, high = round(crying.usual.n_cries_low), round(crying.usual.n_cries_high)
    if low == high:
        return _("usual: %(n)d") % {"n": low}
    return _("usual: %(low)d to %(high)d") % {"low": low, "high": high}
