"""An infant's days one by one, as rows of the protocol of 24 hours; pure.

What comes in: what was lived in a stretch of time, and the infant's zone. What goes out: a `Day`
for each of its dates, with what fell into it and its totals. Guaranteed: every day runs from
midnight to midnight where the infant lives, however many hours that is; what lasts over midnight is
divided; a day that is still to come, or not over, says how much of it there was.
"""

import datetime as dt
import zoneinfo
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from anomaly.selectors.protocol import Bout, CriedPart, Lived
from dashboard.standing import is_unusual
from infants.models import DiaryEntry
from infants.stretches import Span, inside, length_s, outside

Kind = DiaryEntry.Kind
DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)
USUAL_HOURS = 24


@dataclass(frozen=True)
class Day:
    """One date: `start` to `end` are its midnights, `over_at` is where what is known ends.

    `bouts` are those that began on it; `crying` are all parts of crying that fall into it, each
    with its bout. `sleeps` have an end; `dozed_off` are moments from which no end is known.
    """

    date: dt.date
    start: dt.datetime
    end: dt.datetime
    over_at: dt.datetime
    bouts: list[Bout]
    crying: list[tuple[CriedPart, Bout]]
    sleeps: list[Span]
    dozed_off: list[dt.datetime]
    diary: list[DiaryEntry]
    listened: list[Span]

    @property
    def hours(self) -> float:
        """How many hours the day has: 23 or 25 where the clocks change."""
        return (self.end - self.start) / HOUR

    @property
    def has_clock_change(self) -> bool:
        """Whether the day is longer or shorter than others."""
        return self.hours != USUAL_HOURS

    @property
    def cry_s(self) -> float:
        """How long was cried, the breaths between cries left out."""
        return sum(part.cry_s for part, _ in self.crying)

    @property
    def n_unusual(self) -> int:
        """How many bouts were unlike the infant's others."""
        return sum(is_unusual_bout(bout) for bout in self.bouts)

    @property
    def longest_s(self) -> float:
        """How long the longest bout was, its pauses included."""
        return max((bout.span.length_s for bout in self.bouts), default=0.0)

    @property
    def sleep_s(self) -> float:
        """How long was slept, by the diary."""
        return length_s(self.sleeps)

    @property
    def has_sleep(self) -> bool:
        """Whether the diary says anything of sleep."""
        return bool(self.sleeps or self.dozed_off)

    @property
    def n_feeds(self) -> int:
        """How many feeds the diary has that began on this day."""
        return sum(self.start <= entry.starts_at for entry in self._of(Kind.FEED))

    @property
    def heard_s(self) -> float:
        """How long a monitor listened, as far as can be known."""
        return length_s(self.listened)

    @property
    def unknown(self) -> list[Span]:
        """When nobody is known to have listened."""
        return outside(self.listened, self.start, self.over_at) if self.is_begun else []

    @property
    def is_begun(self) -> bool:
        """Whether any of it has been."""
        return self.over_at > self.start

    def _of(self, kind: str) -> list[DiaryEntry]:
        return [entry for entry in self.diary if entry.kind == kind]

    def frac(self, moment: dt.datetime) -> float:
        """Return how much of the day had passed, 0 to 1; outside it, its edge."""
        return min(max((moment - self.start) / (self.end - self.start), 0.0), 1.0)


def is_unusual_bout(bout: Bout) -> bool:
    """Tell whether a bout was unlike the infant's others."""
    return bout.p_value is not None and is_unusual(bout.p_value)


def midnight(day: dt.date, zone: zoneinfo.ZoneInfo) -> dt.datetime:
    """Return where a day begins, in UTC, in which lengths of time are true."""
    return dt.datetime.combine(day, dt.time(), zone).astimezone(dt.UTC)


def dates_between(first: dt.date, last: dt.date) -> Iterator[dt.date]:
    """Yield the dates from the first to the last."""
    while first <= last:
        yield first
        first += DAY


def days_of(lived: Lived, dates: Sequence[dt.date], zone: zoneinfo.ZoneInfo) -> list[Day]:
    """Return these dates, each with what fell into it."""
    return [_day(lived, date, zone) for date in dates]


def _day(lived: Lived, date: dt.date, zone: zoneinfo.ZoneInfo) -> Day:
    start, end = midnight(date, zone), midnight(date + DAY, zone)
    slept = [entry for entry in lived.diary if entry.kind == Kind.SLEEP]
    naps = [Span(entry.starts_at, entry.ends_at) for entry in slept if entry.ends_at]
    open_ended = [entry.starts_at for entry in slept if entry.ends_at is None]
    return Day(
        date=date,
        start=start,
        end=end,
        over_at=min(end, max(start, lived.end)),
        bouts=[bout for bout in lived.bouts if start <= bout.span.start < end],
        crying=[
            (part, bout)
            for bout in lived.bouts
            for part in bout.parts
            if start <= part.span.start < end
        ],
        sleeps=inside(naps, start, end),
        dozed_off=[at for at in open_ended if start <= at < end],
        diary=[entry for entry in lived.diary if _touches(entry, start, end)],
        listened=inside(lived.listened, start, end),
    )


def _touches(entry: DiaryEntry, start: dt.datetime, end: dt.datetime) -> bool:
    ends_at = entry.ends_at or entry.starts_at
    return entry.starts_at < end and (ends_at > start or entry.starts_at >= start)


def clock_change(day: Day, zone: zoneinfo.ZoneInfo) -> tuple[str, str] | None:
    """Return what the clocks showed before and after they were changed on a day."""
    at = day.start
    while at < day.end:
        here, after = (moment.astimezone(zone) for moment in (at, at + HOUR / 4))
        if here.utcoffset() != after.utcoffset():
            naive = here.replace(tzinfo=None) + HOUR / 4
            return f"{naive:%H:%M}", f"{after:%H:%M}"
        at += HOUR / 4
    return None
