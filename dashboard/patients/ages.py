"""An infant's age in words: since birth, and corrected for a birth before term; pure.

What comes in: an infant and the moment. What goes out: words. Guaranteed: an infant born before 37
weeks is told by postmenstrual age until the date at which it was due, and by corrected age after
that until the second birthday (American Academy of Pediatrics, Age terminology, 2004).
"""

import datetime as dt

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from infants.models import Infant
from infants.models.people import MATURE_AFTER_DAYS

WEEK = 7
PRETERM_WEEKS = 37
DAYS_UNTIL_WEEKS = 14
WEEKS_UNTIL_MONTHS = 26
DAYS_PER_MONTH = 30.4375


def age_words(infant: Infant, now: dt.datetime) -> str:
    """Return the age since birth; nothing where the date of birth is not known."""
    days = infant.age_days(now)
    return "" if days is None or days < 0 else _length(days)


def maturity_words(infant: Infant, now: dt.datetime) -> str:
    """Return the age that counts for a preterm infant; nothing for one born at term."""
    days, weeks = infant.age_days(now), infant.gestational_age_weeks
    if days is None or weeks is None or weeks >= PRETERM_WEEKS or days > MATURE_AFTER_DAYS:
        return ""
    corrected = infant.corrected_age_days(now)
    if corrected is not None and corrected >= 0:
        return _("%(age)s corrected") % {"age": _length(corrected)}
    whole, rest = divmod(round(WEEK * weeks) + days, WEEK)
    return _("%(weeks)d+%(days)d weeks postmenstrual") % {"weeks": whole, "days": rest}


def _length(days: int) -> str:
    if days < DAYS_UNTIL_WEEKS:
        return ngettext("%(n)d day", "%(n)d days", days) % {"n": days}
    weeks = days // WEEK
    if weeks < WEEKS_UNTIL_MONTHS:
        return ngettext("%(n)d week", "%(n)d weeks", weeks) % {"n": weeks}
    months = int(days / DAYS_PER_MONTH)
    return ngettext("%(n)d month", "%(n)d months", months) % {"n": months}
