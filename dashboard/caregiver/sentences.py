"""What the caregiver's pages say, in whole sentences of the reader's language.

What comes in: rows, and numbers that the selectors found. What goes out: text, with times where the
infant lives. Guaranteed: no cause is named and nothing is a diagnosis; what is not known is said to
be unknown.
"""

import datetime as dt

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from dashboard import words
from dashboard.standing import USUAL, Look, is_unusual
from infants.models import DiaryEntry, Infant, Recording
from infants.states import ON_THE_WAY, State

MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400
LONG_AGO_S = 2 * DAY_S
FINEST = 1000


# --- numbers, times and lengths -------------------------------------------------------------------


def figure(value: float, places: int) -> str:
    """Return a number rounded to so many places (Django's own cuts them off)."""
    return number_format(round(value, places), places)


def clock(moment: dt.datetime) -> str:
    """Return hours and minutes of a local moment."""
    return date_format(moment, "H:i")


def day_name(day: dt.date, today: dt.date) -> str:
    """Return a day as people say it."""
    if day == today:
        return _("Today")
    if day == today - dt.timedelta(days=1):
        return _("Yesterday")
    if day.year == today.year:
        return date_format(day, pgettext("format of a date", "l, j F"))
    return date_format(day, pgettext("format of a date", "j F Y"))


def when(infant: Infant, moment: dt.datetime, now: dt.datetime) -> str:
    """Return day and time where the infant lives; of today the time alone."""
    local, today = moment.astimezone(infant.zone), infant.local_day(now)
    if local.date() == today:
        return clock(local)
    said = {"day": day_name(local.date(), today), "time": clock(local)}
    if local.date() == today - dt.timedelta(days=1):
        return _("yesterday, %(time)s") % said
    return _("%(day)s, %(time)s") % said


def lasting(seconds: float) -> str:
    """Return a length of time in one unit that says enough."""
    if seconds < 1:
        return _("none")
    if seconds < MINUTE_S:
        n = int(seconds)
        return ngettext("%(n)d second", "%(n)d seconds", n) % {"n": n}
    if seconds < HOUR_S:
        n = int(seconds // MINUTE_S)
        return ngettext("%(n)d minute", "%(n)d minutes", n) % {"n": n}
    if seconds < LONG_AGO_S:
        n = int(seconds // HOUR_S)
        return ngettext("%(n)d hour", "%(n)d hours", n) % {"n": n}
    n = int(seconds // DAY_S)
    return ngettext("%(n)d day", "%(n)d days", n) % {"n": n}


def ago(moment: dt.datetime, now: dt.datetime) -> str:
    """Return how long ago a moment was; a clock that runs ahead is taken as now."""
    return words.ago(moment, now)


def minutes(seconds: float) -> str:
    """Return minutes and seconds as people read them off a clock."""
    whole = round(seconds)
    return f"{whole // MINUTE_S}:{whole % MINUTE_S:02d}"


# --- the infant ----------------------------------------------------------------------------------


def state(sentence: str, look: Look, name: str) -> str:
    """Return the one sentence; what is as usual is said in full."""
    if look == USUAL:
        return _("%(name)s’s crying is as usual") % {"name": name}
    return sentence


def p_plainly(p_value: float | None, name: str) -> str:
    """Say what a p-value means: of how many usual recordings one is at least as unusual."""
    if p_value is None:
        return ""
    said = {"name": name, "p": p_is(p_value), "n": round(1 / max(p_value, 1 / FINEST))}
    if p_value > 0.5:
        form = _("ordinary: more than half of %(name)s’s usual cries are as unusual (%(p)s)")
    elif p_value < 1 / FINEST:
        form = _("of 1000 of %(name)s’s usual cries, not one is as unusual (%(p)s)")
    elif is_unusual(p_value):
        form = _("rare: about 1 in %(n)d of %(name)s’s usual cries is as unusual (%(p)s)")
    else:
        form = _("about 1 in %(n)d of %(name)s’s usual cries is as unusual (%(p)s)")
    return form % said


def p_is(p_value: float) -> str:
    """Return a p-value with its letter, in one piece that no line breaks."""
    if p_value < 1 / FINEST:
        return _("p below %(least)s") % {"least": figure(1 / FINEST, 3)}
    value = figure(p_value, 3 if p_value < 0.1 else 2)
    return f"p\u00a0=\u00a0{value}"


# --- recordings ----------------------------------------------------------------------------------


def fate(recording: Recording, look: Look) -> str:
    """Return where a recording stands, or what was found, as a phrase."""
    return words.capital(words.fate_words(recording, look))


def gate(recording: Recording, *, is_learnt: bool) -> str:
    """Return whether it is learnt from, and if not, why."""
    decision = getattr(recording, "gate_decision", None)
    if decision is None:
        is_coming = State(recording.state) in ON_THE_WAY
        return _("not decided yet whether it is learnt") if is_coming else ""
    if not decision.is_cry:
        return _("no crying was heard in it, so nothing was compared or learnt")
    if decision.review is False:
        return _("not learnt: a reviewer said so")
    if is_learnt:
        return _("learnt from")
    if decision.review is None and not decision.accepted:
        return _refused(recording)
    return _("accepted, not learnt (yet)")


def _refused(recording: Recording) -> str:
    decision = recording.gate_decision
    reason = words.gate_words(recording) if decision.answer else words.refusal_words(decision)
    return _("not learnt: %(reason)s") % {"reason": reason} if reason else _("not learnt")


# --- the diary -----------------------------------------------------------------------------------


def entry(entry_: DiaryEntry, *, is_identified: bool) -> str:
    """Return an entry in a few words; its text may name people, so it is not for everyone."""
    kind = str(DiaryEntry.Kind(entry_.kind).label)
    if entry_.temperature_c is not None:
        value = {"value": figure(entry_.temperature_c, 1)}
        kind = _("Temperature %(value)s °C") % value
    text = " ".join(entry_.text.split()) if is_identified else ""
    return _("%(kind)s: %(text)s") % {"kind": kind, "text": text} if text else kind


def entry_time(entry_: DiaryEntry, infant: Infant) -> str:
    """Return when it was, and how long it lasted where that is known."""
    start = entry_.starts_at.astimezone(infant.zone)
    if entry_.ends_at is None:
        return clock(start)
    end = entry_.ends_at.astimezone(infant.zone)
    said = {
        "start": clock(start),
        "end": clock(end),
        "length": lasting((end - start).total_seconds()),
    }
    if end.date() == start.date():
        return _("%(start)s to %(end)s, %(length)s") % said
    said["end"] = date_format(end, pgettext("format of a moment", "j M H:i"))
    return _("%(start)s to %(end)s, %(length)s") % said
