"""From times and p-values to places in a drawing; pure.

What comes in: the stretch of time, the p-values and the box to draw in. What goes out: x and y in
the drawing's units, rounded to a tenth. Guaranteed: nothing lies outside the box; the more unusual,
the higher, on a log scale.
"""

import datetime as dt
import math
import zoneinfo
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.utils.formats import date_format, number_format
from django.utils.translation import pgettext

from anomaly.charts import UNUSUAL

HOUR_S = 3600
DAY = dt.timedelta(days=1)
SILENCE = dt.timedelta(hours=36)
"""A longer time without a recording is a gap: an infant is heard on most days."""
TICKS = (1.0, 0.5, 0.2, 0.1, UNUSUAL, 0.02, 0.01, 0.005, 0.002, 0.001)
STEPS_DAYS = (1, 2, 7, 14, 30, 61, 91, 182, 365)
NEEDED_FOR_A_DATE = 58.0
LEAST_SHOWN = 0.01


@dataclass(frozen=True)
class Box:
    """A rectangle."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Where it ends on the right."""
        return round(self.x + self.width, 1)

    @property
    def bottom(self) -> float:
        """Where it ends below."""
        return round(self.y + self.height, 1)

    @property
    def middle(self) -> float:
        """Half its height."""
        return round(self.y + self.height / 2, 1)


@dataclass(frozen=True)
class Tick:
    """A place on an axis, and what stands there."""

    at: float
    label: str


@dataclass(frozen=True)
class TimeScale:
    """From a stretch of time to x, linearly."""

    start: dt.datetime
    end: dt.datetime
    box: Box

    def x(self, moment: dt.datetime) -> float:
        """Return the place of a moment; what lies outside is put on the edge."""
        frac = (moment - self.start) / (self.end - self.start)
        return round(self.box.x + min(max(frac, 0.0), 1.0) * self.box.width, 1)

    def span(self, start: dt.datetime, end: dt.datetime, least: float = 0.0) -> tuple[float, float]:
        """Return the left edge and the width of a span, at least so wide, inside the box."""
        left, right = self.x(start), self.x(end)
        width = max(right - left, least)
        return round(min(left, self.box.right - width), 1), round(width, 1)

    def dates(self, zone: zoneinfo.ZoneInfo) -> list[Tick]:
        """Return midnights of the zone, as many as have room for their date, the last included."""
        days = (self.end - self.start) / DAY
        room = max(self.box.width / NEEDED_FOR_A_DATE, 1.0)
        step = next((step for step in STEPS_DAYS if days / step <= room), STEPS_DAYS[-1])
        return [Tick(self.x(at), _day(at)) for at in self._midnights(zone, step)][::-1]

    def _midnights(self, zone: zoneinfo.ZoneInfo, step: int) -> Iterator[dt.datetime]:
        day = self.end.astimezone(zone).date()
        while (at := dt.datetime.combine(day, dt.time(), zone)) >= self.start:
            yield at
            day -= step * DAY


@dataclass(frozen=True)
class PScale:
    """From a p-value to y, logarithmically: 1 at the bottom, the least shown at the top."""

    least: float
    box: Box

    @classmethod
    def over(cls, p_values: Iterable[float], box: Box) -> "PScale":
        """Return a scale that shows these p-values down to one in a thousand."""
        least = min(p_values, default=1.0)
        return cls(LEAST_SHOWN if least >= LEAST_SHOWN else TICKS[-1], box)

    def y(self, p_value: float) -> float:
        """Return the place of a p-value; a smaller one than is shown is put on the edge."""
        frac = math.log(min(max(p_value, self.least), 1.0)) / math.log(self.least)
        return round(self.box.y + self.box.height * (1.0 - frac), 1)

    def ticks(self) -> list[Tick]:
        """Return the p-values that stand at the axis."""
        return [Tick(self.y(p), str(number_format(f"{p:g}"))) for p in TICKS if p >= self.least]


def _day(moment: dt.datetime) -> str:
    return date_format(moment, pgettext("format of a date", "j M"))


def silences(
    times: Iterable[dt.datetime], start: dt.datetime, end: dt.datetime
) -> Iterator[tuple[dt.datetime, dt.datetime]]:
    """Yield the gaps between moments, and to the ends of the stretch; moments in any order."""
    before = start
    for moment in [*sorted(times), end]:
        if moment - before > SILENCE:
            yield before, moment
        before = max(before, moment)
