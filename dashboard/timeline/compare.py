"""Two stretches of one infant's time beside each other: a table and a picture, and in words.

What comes in: the viewer, a visible infant and two stretches. What goes out: a `Comparison` that a
template prints. Guaranteed: a difference is said to be one only where its interval of 95 % leaves
no doubt; no cause is named; the picture measures in spreads between sessions, the table in people's
units, and both say the same.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from anomaly.selectors.periods import MEASURES, P_VALUE, SHARE_UNUSUAL, period_of
from dashboard import words
from dashboard.scales import Box
from dashboard.timeline.asked import moment_in
from dashboard.timeline.channels import SHOWN, level_in_units, moved_words, movement_in_units
from infants.access import Viewer
from infants.models import Infant
from pipelines.periods import LEAST_DAYS, Difference, compare_periods

DAY = dt.timedelta(days=1)
RECENT, BEFORE = 6 * DAY, 28 * DAY
NAMES_WIDTH, PLOT_WIDTH, ROW_HEIGHT, EDGE = 190.0, 430.0, 26.0, 26.0
FURTHEST = 3.0
LONGEST = 400 * DAY
MOST_SAID = 5


@dataclass(frozen=True)
class Ends:
    """The two stretches."""

    first: tuple[dt.datetime, dt.datetime]
    second: tuple[dt.datetime, dt.datetime]

    @property
    def first_last(self) -> dt.datetime:
        """A moment of the first stretch's last day."""
        return self.first[1] - dt.timedelta.resolution

    @property
    def second_last(self) -> dt.datetime:
        """A moment of the second stretch's last day."""
        return self.second[1] - dt.timedelta.resolution


@dataclass(frozen=True)
class Line:
    """One measure: a row of the table, and of the picture where there is an interval."""

    label: str
    before: str
    after: str
    by: str
    interval: str
    said: str
    is_clear: bool


@dataclass(frozen=True)
class Bar:
    """A row of the picture: the middle, both ends, and whether the ends go on outside."""

    y: float
    label: str
    x: float
    left: float
    right: float
    is_clear: bool
    goes_left: bool
    goes_right: bool


@dataclass(frozen=True)
class Forest:
    """The picture."""

    width: float
    height: float
    plot: Box
    nothing_x: float
    ticks: list[tuple[float, str]]
    bars: list[Bar]


@dataclass(frozen=True)
class Comparison:
    """Everything to print."""

    ends: Ends
    first_words: str
    second_words: str
    lines: list[Line]
    forest: Forest
    summary: str
    too_few: str


def ends_in(query: Mapping[str, str], infant: Infant, latest: dt.datetime) -> Ends:
    """Return the stretches that are asked for, or the last week beside the four before it."""
    days = {
        name: moment_in(query.get(name, ""), infant)
        for name in ("first_from", "first_to", "second_from", "second_to")
    }
    recent = _whole(latest - RECENT, latest, infant) or (latest - RECENT, latest)
    usual = (_midnight(infant, recent[0] - BEFORE), recent[0])
    return Ends(
        _whole(days["first_from"], days["first_to"], infant) or usual,
        _whole(days["second_from"], days["second_to"], infant) or recent,
    )


def _whole(
    start: dt.datetime | None, last: dt.datetime | None, infant: Infant
) -> tuple[dt.datetime, dt.datetime] | None:
    """Return a stretch of whole days, the last one included; None where it is none."""
    if start is None or last is None:
        return None
    begins, ends = (_midnight(infant, one) for one in (start, last + DAY))
    return (begins, min(ends, begins + LONGEST)) if begins < ends else None


def _midnight(infant: Infant, moment: dt.datetime) -> dt.datetime:
    """Return when the infant's day of a moment begins."""
    return dt.datetime.combine(infant.local_day(moment), dt.time(), infant.zone)


def comparison_of(viewer: Viewer, infant: Infant, ends: Ends) -> Comparison:
    """Return what differs between two stretches."""
    first, second = (period_of(viewer, infant, *stretch) for stretch in (ends.first, ends.second))
    found = dict(zip(MEASURES, compare_periods(first, second), strict=True))
    lines = [_line(name, one) for name, one in found.items()]
    return Comparison(
        ends=ends,
        first_words=_period_words(infant, ends.first, len(first.values)),
        second_words=_period_words(infant, ends.second, len(second.values)),
        lines=lines,
        forest=_forest(found),
        summary=_summary(found),
        too_few=_too_few(list(found.values())),
    )


def _period_words(infant: Infant, stretch: tuple[dt.datetime, dt.datetime], n: int) -> str:
    first = infant.local_day(stretch[0])
    last = infant.local_day(stretch[1] - dt.timedelta.resolution)
    said = ngettext("%(n)d session", "%(n)d sessions", n) % {"n": n}
    return _("%(first)s to %(last)s, %(sessions)s") % {
        "first": first.isoformat(),
        "last": last.isoformat(),
        "sessions": said,
    }


# --- the table -----------------------------------------------------------------------------------


def _line(name: str, one: Difference) -> Line:
    by, interval = _moved(name, one)
    return Line(
        label=label_of(name),
        before=_level(name, one.means[0]),
        after=_level(name, one.means[1]),
        by=by,
        interval=interval,
        said=said_of(name, one),
        is_clear=one.is_clear,
    )


def label_of(name: str) -> str:
    """Return what a measure is called."""
    if name == P_VALUE:
        return _("p-value (geometric mean)")
    return _("Unusual sessions") if name == SHARE_UNUSUAL else str(SHOWN[name].label)


def _level(name: str, level: float | None) -> str:
    if level is None:
        return "–"
    if name == P_VALUE:
        return words.p_words(2.0**level)
    return f"{100 * level:.0f} %" if name == SHARE_UNUSUAL else level_in_units(name, level)


def _moved(name: str, one: Difference) -> tuple[str, str]:
    """Return by how much, and the interval, in people's units."""
    if one.by is None:
        return "–", ""
    known = [one.by] if one.low is None or one.high is None else [one.by, one.low, one.high]
    unit, values, signed = _in_units(name, known)
    texts = [f"{value:{'+' if signed else ''}.{_places(name, signed=signed)}f}" for value in values]
    interval = f"[{texts[1]}, {texts[2]}]" if len(texts) == 3 else ""
    return f"{texts[0]}\N{NO-BREAK SPACE}{unit}", interval


def _in_units(name: str, values: Sequence[float]) -> tuple[str, list[float], bool]:
    if name == P_VALUE:
        return _("times"), [2.0**value for value in values], False
    if name == SHARE_UNUSUAL:
        return _("points"), [100.0 * value for value in values], True
    unit, moved = movement_in_units(name, values)
    return unit, moved, True


def _places(name: str, *, signed: bool) -> int:
    if not signed:
        return 2
    return 0 if name == SHARE_UNUSUAL else 1


def said_of(name: str, one: Difference) -> str:
    """Return what people call it, where the interval leaves no doubt."""
    if not one.is_clear or one.by is None:
        return _("no clear difference") if one.low is not None else _("not known")
    if name == P_VALUE:
        return _("more unusual") if one.by < 0 else _("less unusual")
    if name == SHARE_UNUSUAL:
        return _("more sessions unusual") if one.by > 0 else _("fewer sessions unusual")
    return moved_words(name, one.by)


def _summary(found: Mapping[str, Difference]) -> str:
    """Name the clearest differences, measured in spreads between sessions, the greatest first."""
    clear = [(name, one) for name, one in found.items() if one.is_clear]
    clear.sort(key=lambda pair: -abs((pair[1].by or 0.0) / (pair[1].spread or 1.0)))
    if not clear:
        return _("Nothing differs clearly between the two.")
    said = [f"{said_of(*pair)} ({' '.join(_moved(*pair))})" for pair in clear[:MOST_SAID]]
    left = len(clear) - len(said)
    if left:
        said.append(ngettext("%(n)d more below", "%(n)d more below", left) % {"n": left})
    return _("In the second: %(differences)s.") % {"differences": "; ".join(said)}


def _too_few(found: Sequence[Difference]) -> str:
    if min(min(one.n_days) for one in found[2:3] or found) >= LEAST_DAYS:
        return ""
    return _(
        "A period with crying on fewer than %(n)d days says too little of how days differ, so that "
        "no interval is given."
    ) % {"n": LEAST_DAYS}


# --- the picture ---------------------------------------------------------------------------------


def _forest(found: Mapping[str, Difference]) -> Forest:
    """Return differences in spreads between sessions, a row each, most unusual to the right."""
    shown = [(name, one) for name, one in found.items() if one.low is not None and one.spread]
    plot = Box(NAMES_WIDTH, 6.0, PLOT_WIDTH, ROW_HEIGHT * len(shown))
    return Forest(
        width=NAMES_WIDTH + PLOT_WIDTH + 20.0,
        height=plot.height + EDGE + 6.0,
        plot=plot,
        nothing_x=_x(0.0, plot),
        ticks=[(_x(float(at), plot), f"{at:+d}" if at else "0") for at in range(-3, 4)],
        bars=[_bar(name, one, at, plot) for at, (name, one) in enumerate(shown)],
    )


def _bar(name: str, one: Difference, at: int, plot: Box) -> Bar:
    spread = one.spread or 1.0
    low, by, high = ((value or 0.0) / spread for value in (one.low, one.by, one.high))
    return Bar(
        y=round(plot.y + (at + 0.5) * ROW_HEIGHT, 1),
        label=label_of(name),
        x=_x(by, plot),
        left=_x(low, plot),
        right=_x(high, plot),
        is_clear=one.is_clear,
        goes_left=low < -FURTHEST,
        goes_right=high > FURTHEST,
    )


def _x(spreads: float, plot: Box) -> float:
    bounded = min(max(spreads, -FURTHEST), FURTHEST)
    return round(plot.x + (bounded + FURTHEST) / (2 * FURTHEST) * plot.width, 1)
