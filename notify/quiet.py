"""Quiet hours: may somebody be told now, and if not, when next; pure.

What comes in: when people want to hear nothing, and what time it is. What goes out: a moment.
Guaranteed: hours that cross midnight belong to the day on which they begin; the clock is the
infant's own, so that they begin and end by it on days on which it is changed too; what is held is
held for less than a day, and nothing is ever dropped.
"""

import datetime as dt
import zoneinfo
from collections.abc import Iterable
from dataclasses import dataclass

EVERY_DAY = frozenset(range(1, 8))
"""Monday 1 to Sunday 7."""
DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Quiet:
    """From which time of day to which, beginning on which days, by which clock."""

    starts: dt.time
    ends: dt.time
    days: frozenset[int]
    zone: zoneinfo.ZoneInfo

    def until(self, now: dt.datetime) -> dt.datetime | None:
        """Return when the hours end that last now; None where it is not quiet."""
        today = now.astimezone(self.zone).date()
        for day in (today - DAY, today):
            start, end = self._of(day)
            if day.isoweekday() in self.days and start <= now < end:
                return end
        return None

    def _of(self, day: dt.date) -> tuple[dt.datetime, dt.datetime]:
        """Return the hours that begin on a day, in UTC: two clock times of one zone may mislead."""
        last = day if self.ends > self.starts else day + DAY
        start = dt.datetime.combine(day, self.starts, self.zone)
        end = dt.datetime.combine(last, self.ends, self.zone)
        return start.astimezone(dt.UTC), end.astimezone(dt.UTC)


def may_be_told_at(people: Iterable[Quiet | None], now: dt.datetime) -> dt.datetime | None:
    """Return when the first of some people may be told: now, or later; None: there is nobody.

    A person is given by quiet hours, or by None where there are none.
    """
    moments = [now if one is None else one.until(now) or now for one in people]
    return min(moments, default=None)
