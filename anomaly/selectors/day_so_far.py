"""Today's crying up to now beside what was usual by this time of day.

What comes in: the viewer, a visible infant and the moment. What goes out: today's counts, and those
of each day before on which anything was heard, counted up to the same time of day. Guaranteed: one
query; days are the infant's own; a day on which the monitor heard nothing at all is no day without
crying, and is left out.
"""

import datetime as dt
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from django.db.models import Count, F, Sum

from infants.access import Viewer, infants_for
from infants.models import Infant, Recording

DAYS_BACK = 14
FEWEST_DAYS = 5
"""With fewer days nothing is called usual."""


class Count3(NamedTuple):
    """What was heard of one day so far."""

    cries: int
    cry_s: float
    bouts: int


@dataclass(frozen=True)
class Usual:
    """The middle of the days: from `low` to `high` lie eight of ten of them."""

    low: float
    middle: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Usual":
        """Return what is usual among these values; there must be two at least."""
        tenths = statistics.quantiles(values, n=10, method="inclusive")
        return cls(tenths[0], tenths[4], tenths[8])


@dataclass(frozen=True)
class DaySoFar:
    """Today up to now, and the days before up to the same time of day."""

    today: Count3
    before: list[Count3]

    @property
    def has_usual(self) -> bool:
        """Whether enough days are known to call anything usual."""
        return len(self.before) >= FEWEST_DAYS

    def usual(self, name: str) -> Usual:
        """Return what is usual of one of the counts by this time of day."""
        return Usual.of([float(getattr(day, name)) for day in self.before])


class _Heard(NamedTuple):
    recorded_at: dt.datetime
    session_id: UUID | None
    is_cry: bool | None
    n_cries: int
    cry_s: float | None


def day_so_far(viewer: Viewer, infant: Infant, now: dt.datetime) -> DaySoFar:
    """Return today's crying up to now, and what it is compared with."""
    today = infant.local_day(now)
    first = today - dt.timedelta(days=DAYS_BACK)
    by_day: dict[dt.date, list[_Heard]] = {}
    for heard in _heard(viewer, infant, dt.datetime.combine(first, dt.time(), infant.zone), now):
        by_day.setdefault(infant.local_day(heard.recorded_at), []).append(heard)
    clock = now.astimezone(infant.zone).time()
    here = by_day.pop(today, [])
    return DaySoFar(
        today=_counted(here),
        before=[
            _counted(one for one in day if _clock(one, infant) <= clock) for day in by_day.values()
        ],
    )


def _heard(viewer: Viewer, infant: Infant, start: dt.datetime, now: dt.datetime) -> list[_Heard]:
    rows = Recording.objects.filter(
        infant=infant,
        infant__in=infants_for(viewer),
        recorded_at__gte=start,
        recorded_at__lte=now,
    ).annotate(n_cries=Count("cries"), cry_s=Sum(F("cries__offset_s") - F("cries__onset_s")))
    names = ("recorded_at", "session_id", "gate_decision__is_cry", "n_cries", "cry_s")
    return [_Heard(*row) for row in rows.order_by("recorded_at").values_list(*names)]


def _clock(heard: _Heard, infant: Infant) -> dt.time:
    return heard.recorded_at.astimezone(infant.zone).time()


def _counted(heard: Iterable[_Heard]) -> Count3:
    cries = [one for one in heard if one.is_cry]
    return Count3(
        cries=sum(one.n_cries for one in cries),
        cry_s=sum(one.cry_s or 0.0 for one in cries),
        bouts=len({one.session_id or one.recorded_at for one in cries}),
    )
