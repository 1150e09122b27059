"""A report made: everything read for it, at a fixed price, and put into its parts.

What comes in: the viewer, a visible infant, the moment, the days and what to include. What goes
out: a `Report`. Guaranteed: a fixed number of queries, however long the stretch; the same rows and
the same moment give the same report.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils import translation
from django.utils.translation import gettext as _

from anomaly.notice import SHOWN_NOTICE
from anomaly.selectors.period import period_of
from anomaly.selectors.quality import quality_of, versions_of
from anomaly.selectors.standing import baseline_standing
from dashboard.report import phrases
from dashboard.report.contents import Report
from dashboard.report.days import dates_between, days_of, midnight
from dashboard.report.protocol_page import key_of, lived_in
from dashboard.report.sections import OPTIONAL, Read, sections_of
from infants.access import Viewer
from infants.models import Infant

ONE_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Wanted:
    """The first and the last day, and the keys of the sections to include."""

    first: dt.date
    last: dt.date
    include: Sequence[str] = tuple(OPTIONAL)


def report_of(viewer: Viewer, infant: Infant, now: dt.datetime, wanted: Wanted) -> Report:
    """Return the report on these days in the language that is in force."""
    read = _read(viewer, infant, now, wanted)
    language = translation.get_language() or "en"
    return Report(
        title=_("Report on the crying of %(name)s") % {"name": read.name},
        subject=read.dates,
        notice=str(SHOWN_NOTICE),
        facts=_facts(viewer, read),
        sections=sections_of(read, wanted.include),
        key=key_of(read.days),
        made_at=now,
        made_by=_author(viewer),
        language=language,
        is_rtl=translation.get_language_bidi(),
    )


def _read(viewer: Viewer, infant: Infant, now: dt.datetime, wanted: Wanted) -> Read:
    length = wanted.last - wanted.first + ONE_DAY
    lived = lived_in(viewer, infant, now, wanted.first - length, wanted.last)
    dates = list(dates_between(wanted.first - length, wanted.last))
    days = days_of(lived, dates, infant.zone)
    start, end = midnight(wanted.first, infant.zone), lived.end
    return Read(
        infant=infant,
        is_identified=bool(getattr(infant, "is_identified", False)),
        now=now,
        standing=baseline_standing(viewer, infant),
        period=period_of(viewer, infant, start, end),
        quality=quality_of(viewer, infant, start, end),
        versions=versions_of(viewer, infant, start, end),
        days=days[length.days :],
        before=days[: length.days],
        diary=[one for one in lived.diary if (one.ends_at or one.starts_at) >= start],
    )


def _facts(viewer: Viewer, read: Read) -> list[tuple[str, str]]:
    """Return the head of the report."""
    infant, last = read.infant, read.days[-1].date
    facts = [(_("Infant"), read.name)]
    if read.is_identified and infant.birth_date is not None:
        facts.append((_("Born"), phrases.full_date(infant.birth_date)))
        weeks = infant.gestational_age_weeks
        if weeks is not None:
            said = _("%(weeks)s weeks") % {
                "weeks": phrases.decimal(weeks, 0 if weeks % 1 == 0 else 1)
            }
            facts.append((_("Born after"), said))
    age = phrases.age(infant, last, is_identified=read.is_identified)
    facts.append((_("Age on the last day"), age))
    facts.append((_("Days"), f"{read.dates} ({infant.time_zone})"))
    made = {"when": phrases.day_and_clock(read.now, infant.zone), "who": _author(viewer)}
    facts.append((_("Made"), _("%(when)s by %(who)s") % made))
    if not read.is_identified:
        facts.append(
            (_("Left out"), _("name, date of birth, free text, names of people and monitors"))
        )
    return facts


def _author(viewer: Viewer) -> str:
    if viewer.user is None:
        return _("the system")
    return viewer.user.get_full_name() or viewer.user.get_username()
