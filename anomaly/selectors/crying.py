"""How much an infant cried in the last 24 hours, beside its own usual days.

What comes in: infants, their days and the moment. What goes out: a `Crying` for each. Guaranteed:
one query, however many infants there are; a day is compared only where the usual ones are known.
"""

import datetime as dt
import statistics
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, F, Min, Sum

from anomaly.models import DailyRollup
from infants.models import Cry

OVER = dt.timedelta(hours=24)
LEAST_CRYING_S = 30 * 60.0
"""The cries alone. Their pauses take about as long again, so that this is an hour of crying or more
by the clock, which is what diaries give as usual at about three months, and half of what they give
in the first six weeks (Wolke, Bilgin and Samara, J Pediatr 2017)."""
TIMES_USUAL = 2.0
USUAL_DAYS = dt.timedelta(days=28)
ENOUGH_DAYS = 7


@dataclass(frozen=True)
class UsualDay:
    """The middle of an infant's days on which it was heard to cry, and the middle half of them."""

    n_days: int
    cry_s: float
    n_cries: float
    n_cries_low: float
    n_cries_high: float


@dataclass(frozen=True)
class Crying:
    """The last 24 hours; `usual` is absent while too few days are known."""

    n_cries: int
    cry_s: float
    first_at: dt.datetime | None
    usual: UsualDay | None

    @property
    def is_sustained(self) -> bool:
        """Whether this is crying for long, by both measures.

        The rule: the cries of the last 24 hours last for 30 minutes or more in all, pauses not
        counted; and they last at least twice as long as on the middle one of the infant's own days
        of the four weeks before yesterday, of which at least seven with crying must be known. The
        first alone would call every young infant's evening long, the second alone a quiet infant's
        three minutes.
        """
        if self.usual is None or self.first_at is None:
            return False
        return self.cry_s >= max(LEAST_CRYING_S, TIMES_USUAL * self.usual.cry_s)


def crying_of_late(infants: Collection[UUID], now: dt.datetime) -> dict[UUID, Crying]:
    """Return what was heard of infants in the last 24 hours; who was not heard is left out."""
    judged = Cry.objects.filter(
        recording__infant__in=infants,
        recording__recorded_at__gt=now - OVER,
        recording__recorded_at__lte=now,
        recording__judgement__isnull=False,
    )
    rows = judged.order_by().values_list("recording__infant")
    sums = rows.annotate(
        n_cries=Count("id"),
        cry_s=Sum(F("offset_s") - F("onset_s")),
        first_at=Min("recording__recorded_at"),
    )
    return {infant: Crying(n, cry_s, first, None) for infant, n, cry_s, first in sums}


def usual_day(days: Sequence[DailyRollup], today: dt.date) -> UsualDay | None:
    """Return the usual day by the four weeks before yesterday, or None: too few are known."""
    yesterday = today - dt.timedelta(days=1)
    known = [day for day in days if today - USUAL_DAYS <= day.day < yesterday and day.n_cries]
    if len(known) < ENOUGH_DAYS:
        return None
    n_cries = [day.n_cries for day in known]
    low, middle, high = statistics.quantiles(n_cries, n=4, method="inclusive")
    return UsualDay(len(known), statistics.median(d.cry_s for d in known), middle, low, high)
