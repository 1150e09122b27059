"""What a request asks of the timeline: which stretch, how wide, on which axis, and what beside it.

What comes in: a query string. What goes out: an `Asked`. Guaranteed: whatever cannot be understood
is taken as not said, so that a link that was cut short still opens; no stretch is empty or endless.

`at` is the middle of the view and `span` its length (`90m`, `36h`, `7d`, `4w`, `1y`), which is what
links to a moment hold; `from` and `to` say the ends. A time without a zone is the infant's own.
"""

import datetime as dt
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from django.utils.dateparse import parse_date, parse_datetime

from anomaly.models import ScorePoint
from anomaly.selectors.focus import Wanted
from infants.models import Infant
from pipelines.acoustics import CHANNELS

UNITS_S = {"m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400, "y": 365 * 86_400}
SPAN = re.compile(r"(\d{1,6})([mhdwy])")
DEFAULT_SPAN = dt.timedelta(days=30)
AROUND_A_MOMENT = dt.timedelta(days=7)
SHORTEST, LONGEST = dt.timedelta(minutes=10), dt.timedelta(days=20 * 365)
NARROWEST, USUAL_WIDTH, WIDEST = 200, 1200, 4000
YEARS = range(1990, 2190)
TIME, NUMBER = "time", "number"
CHANNEL_NAMES = tuple(channel.name for channel in CHANNELS)
DEFAULT_CHANNELS = (
    *("f0_log2_hz", "harmonics_to_noise_db", "intensity_over_background_db", "duration_s"),
)
SCORERS = tuple(one.value for one in ScorePoint.Scorer if one is not ScorePoint.Scorer.COMBINED)


@dataclass(frozen=True)
class Asked:
    """A stretch and how to show it."""

    start: dt.datetime
    end: dt.datetime
    width: int = USUAL_WIDTH
    by: str = TIME
    channels: tuple[str, ...] = DEFAULT_CHANNELS
    scorers: tuple[str, ...] = ()

    @property
    def wanted(self) -> Wanted:
        """What to read for it."""
        return Wanted(self.start, self.end, self.width, self.channels, self.scorers)

    @property
    def query(self) -> str:
        """The query string that asks for just this."""
        ends = {"from": self.start.isoformat(), "to": self.end.isoformat()}
        shown = {"channels": ",".join(self.channels), "scorers": ",".join(self.scorers)}
        return urlencode(ends | {"width": str(self.width), "by": self.by} | shown)


def asked_of(query: Mapping[str, str], infant: Infant, latest: dt.datetime) -> Asked:
    """Return what a query string asks for; without a word on it, what ended last."""
    start, end = _ends(query, infant, latest)
    return Asked(
        start=start,
        end=end,
        width=_width(query.get("width", "")),
        by=NUMBER if query.get("by") == NUMBER else TIME,
        channels=_chosen(query, "channels", CHANNEL_NAMES, DEFAULT_CHANNELS),
        scorers=_chosen(query, "scorers", SCORERS, ()),
    )


def moment_in(text: str, infant: Infant) -> dt.datetime | None:
    """Return the moment that a text names, or None."""
    mended = text.strip().replace(" ", "+") if "T" in text else text.strip()
    try:
        found = parse_datetime(mended)
        day = None if found else parse_date(mended)
    except ValueError:
        return None
    if found is None and day is not None:
        found = dt.datetime.combine(day, dt.time())
    if found is None or found.year not in YEARS:
        return None
    return found if found.tzinfo else found.replace(tzinfo=infant.zone)


def span_in(text: str) -> dt.timedelta | None:
    """Return the length that a text such as `7d` names, or None."""
    match = SPAN.fullmatch(text)
    if match is None:
        return None
    length = dt.timedelta(seconds=int(match[1]) * UNITS_S[match[2]])
    return min(max(length, SHORTEST), LONGEST)


def span_words(span: dt.timedelta) -> str:
    """Return a length as a link holds it, in the largest unit that is whole."""
    seconds = max(round(span.total_seconds()), 60)
    unit = next((u for u in "dh" if seconds % UNITS_S[u] == 0), "m")
    return f"{seconds // UNITS_S[unit]}{unit}"


def _ends(
    query: Mapping[str, str], infant: Infant, latest: dt.datetime
) -> tuple[dt.datetime, dt.datetime]:
    said = {name: moment_in(query.get(name, ""), infant) for name in ("from", "to", "at")}
    span = span_in(query.get("span", ""))
    start, end, at = said["from"], said["to"], said["at"]
    if start is not None and end is not None and start < end:
        return start, min(max(end, start + SHORTEST), start + LONGEST)
    if at is not None:
        half = (span or AROUND_A_MOMENT) / 2
        return at - half, at + half
    return latest - (span or DEFAULT_SPAN), latest


def _width(text: str) -> int:
    if not re.fullmatch(r"\d{1,6}", text):
        return USUAL_WIDTH
    return min(max(int(text), NARROWEST), WIDEST)


def _chosen(
    query: Mapping[str, str], name: str, known: Collection[str], usual: tuple[str, ...]
) -> tuple[str, ...]:
    """Return those of the known names that are chosen, in their order; nothing said: the usual."""
    if name not in query:
        return usual
    getlist = getattr(query, "getlist", None)
    texts = getlist(name) if getlist else [query[name]]
    said = {one for text in texts for one in text.split(",")}
    return tuple(one for one in known if one in said)
