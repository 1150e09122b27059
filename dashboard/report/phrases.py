"""What the protocol and the report say in words and figures, in the reader's language.

What comes in: days, bouts and entries of the diary. What goes out: text, with times in the infant's
own zone. Guaranteed: nothing here is a diagnosis or a cause; a dash stands where nothing is known,
and never a nought.
"""

import datetime as dt
import zoneinfo
from dataclasses import dataclass

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from anomaly.selectors.protocol import Bout
from dashboard import words
from dashboard.report.days import Day, clock_change, is_unusual_bout
from dashboard.report.protocol_chart import Labels
from dashboard.report.shapes import SHAPES
from devices.models import Device
from infants.models import DiaryEntry, Infant

NONE = "–"
MINUTE_S, HOUR_S = 60, 3600
EXACT_BELOW = 10
DAYS_OF_A_MONTH = 30.44


# --- figures -------------------------------------------------------------------------------------


def decimal(number: float, places: int) -> str:
    """Return a number rounded to so many places: formatting alone would cut them off."""
    return number_format(round(number, places), places)


def whole(number: float) -> str:
    """Return a count."""
    return decimal(number, 0)


def minutes(seconds: float) -> str:
    """Return a length in minutes, with a tenth where there are few."""
    rounded = round(seconds / MINUTE_S, 1)
    return decimal(seconds / MINUTE_S, 1 if 0 < rounded < EXACT_BELOW else 0)


def hours(seconds: float) -> str:
    """Return a length in hours, to a tenth."""
    return decimal(seconds / HOUR_S, 1)


def p_value(value: float | None) -> str:
    """Return a p-value, or a dash where there is none."""
    if value is None:
        return NONE
    return words.p_words(value)


# --- dates and times -----------------------------------------------------------------------------


def short_date(date: dt.date) -> str:
    """Return a date as short as a row of the protocol has room for."""
    return date_format(date, pgettext("format of a date", "D j M"))


def full_date(date: dt.date) -> str:
    """Return a date with its year."""
    return date_format(date, pgettext("format of a date", "j F Y"))


def period(first: dt.date, last: dt.date) -> str:
    """Return a stretch of days."""
    if first == last:
        return full_date(first)
    names = {"first": full_date(first), "last": full_date(last)}
    return _("%(first)s to %(last)s") % names


def clock(moment: dt.datetime, zone: zoneinfo.ZoneInfo) -> str:
    """Return the time of day where the infant lives."""
    return date_format(moment.astimezone(zone), "H:i")


def day_and_clock(moment: dt.datetime, zone: zoneinfo.ZoneInfo) -> str:
    """Return date and time where the infant lives."""
    return date_format(moment.astimezone(zone), pgettext("format of a moment", "j M Y, H:i"))


# --- the protocol --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Phrases:
    """What a viewer reads of one infant; free text is for those who may know who it is."""

    zone: zoneinfo.ZoneInfo
    is_identified: bool

    @property
    def labels(self) -> Labels:
        """The words in the drawing."""
        return Labels(
            name=lambda day: short_date(day.date),
            note=hours_of_day,
            totals=totals,
            line=in_a_line,
            bout=self.bout,
            entry=self.entry,
        )

    def span(self, start: dt.datetime, end: dt.datetime | None) -> str:
        """Return from when to when."""
        if end is None:
            return clock(start, self.zone)
        return f"{clock(start, self.zone)}–{clock(end, self.zone)}"

    def bout(self, bout: Bout) -> str:
        """Return a bout of crying in a line."""
        facts = {"when": self.span(*bout.span), "p_value": p_value(bout.p_value)}
        if bout.p_value is None:
            return _("%(when)s: crying, compared with nothing yet") % facts
        if is_unusual_bout(bout):
            return _("%(when)s: crying, unusual for this infant (p = %(p_value)s)") % facts
        return _("%(when)s: crying, within the usual range (p = %(p_value)s)") % facts

    def entry(self, entry: DiaryEntry) -> str:
        """Return an entry of the diary in a line."""
        what = words.diary_words(entry, is_identified=self.is_identified)
        when = self.span(entry.starts_at, entry.ends_at)
        kind = words.kind_words(entry)
        said = {"when": when, "kind": kind, "what": what}
        if what == kind:
            return _("%(when)s: %(kind)s") % said
        return _("%(when)s: %(kind)s, %(what)s") % said

    def clocks(self, day: Day) -> str:
        """Say how long a day was on which the clocks were changed, and that it is to scale."""
        changed = clock_change(day, self.zone)
        before, after = changed or ("", "")
        facts = {
            "day": short_date(day.date),
            "hours": _exact(day.hours),
            "before": before,
            "after": after,
        }
        return (
            _(
                "%(day)s had %(hours)s hours: at %(before)s the clocks were set to %(after)s. "
                "Its strip is drawn to a scale of its own, with its own hours marked."
            )
            % facts
        )


def hours_of_day(day: Day) -> str:
    """Return how many hours a day had, where that is unlike others."""
    if not day.has_clock_change:
        return ""
    return _("%(hours)s hours") % {"hours": _exact(day.hours)}


def _exact(number: float) -> str:
    return decimal(number, 0 if number.is_integer() else 1)


def totals(day: Day) -> list[str]:
    """Return a day's minutes of crying, bouts, hours of sleep and feeds."""
    is_known = bool(day.bouts or day.crying or day.heard_s)
    return [
        minutes(day.cry_s) if is_known else NONE,
        whole(len(day.bouts)) if is_known else NONE,
        hours(day.sleep_s) if day.has_sleep else NONE,
        whole(day.n_feeds) if day.n_feeds else NONE,
    ]


def totals_names() -> list[tuple[str, str]]:
    """Return what the totals are and their units."""
    return [
        (_("Crying"), _("min")),
        (_("Bouts"), ""),
        (_("Sleep"), _("h")),
        (_("Feeds"), ""),
    ]


def in_a_line(day: Day) -> str:
    """Return the totals of a day where there is no room for columns."""
    cried, n_bouts, slept, n_feeds = totals(day)
    said = [NONE if cried == NONE else _("%(minutes)s min crying") % {"minutes": cried}]
    if n_bouts != NONE:
        said.append(
            ngettext("%(n)s bout", "%(n)s bouts", len(day.bouts)) % {"n": n_bouts},
        )
    if slept != NONE:
        said.append(_("%(hours)s h sleep") % {"hours": slept})
    if n_feeds != NONE:
        said.append(ngettext("%(n)s feed", "%(n)s feeds", day.n_feeds) % {"n": n_feeds})
    return " · ".join(said)


def bar_names() -> dict[str, str]:
    """Return what each box of the protocol stands for."""
    return {
        "bout": _("a bout of crying, the recorded cries filled"),
        "uncompared": _("crying that was compared with nothing yet"),
        "sleep": _("sleep, by the diary"),
        "unknown": _("nobody is known to have listened: not hearing is not quiet"),
    }


def shape_names() -> dict[str, str]:
    """Return what each shape of the protocol stands for."""
    kinds = {kind.value: str(kind.label) for kind in DiaryEntry.Kind if kind in SHAPES}
    return {
        "unusual": _("a bout that was unusual for this infant"),
        "dozed_off": _("fell asleep; when sleep ended is not written down"),
        **kinds,
    }


# --- who -----------------------------------------------------------------------------------------


def device_called(device: Device, *, is_identified: bool) -> str:
    """Return a monitor's name, or the end of its id: families put their names on monitors."""
    if is_identified:
        return device.name
    return _("monitor %(end_of_id)s") % {"end_of_id": device.id.hex[-6:]}


def age(infant: Infant, day: dt.date, *, is_identified: bool) -> str:
    """Return how old the infant was on a day, chronologically and corrected.

    Who may not know the date of birth reads whole months, from which it does not follow.
    """
    noon = dt.datetime.combine(day, dt.time(12), infant.zone)
    days, corrected = infant.age_days(noon), infant.corrected_age_days(noon)
    if days is None or corrected is None:
        return _("not known: no date of birth is given")
    in_words = _weeks if is_identified else _months
    if days == corrected:
        return in_words(days)
    facts = {"age": in_words(days), "corrected": in_words(corrected)}
    return _("%(age)s; corrected for being born early: %(corrected)s") % facts


def _weeks(days: int) -> str:
    n_weeks, rest = divmod(abs(days), 7)
    weeks = ngettext("%(n)s week", "%(n)s weeks", n_weeks) % {"n": whole(n_weeks)}
    more = ngettext("%(n)s day", "%(n)s days", rest) % {"n": whole(rest)}
    said = _("%(weeks)s and %(days)s") % {"weeks": weeks, "days": more} if rest else weeks
    return said if days >= 0 else _("%(length)s before term") % {"length": said}


def _months(days: int) -> str:
    n_months = int(max(days, 0) // DAYS_OF_A_MONTH)
    if n_months == 0:
        return _("less than a month")
    return ngettext("about %(n)s month", "about %(n)s months", n_months) % {"n": whole(n_months)}
