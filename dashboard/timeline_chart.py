"""An infant's timeline as shapes that a template only prints; pure.

What comes in: a `Story`, what happened to one infant in a stretch of time, and a width. What goes
out: a `Chart` of circles, paths and boxes with their places and their words. Guaranteed: the same
story gives the same chart; everything lies inside it; no kind of thing is told by colour alone.

From top to bottom: numbered badges of episodes, the p-values (unusual above), and, where there are
any, a lane each for what is being learnt, the diary, the model's refits and the monitor's changes.
"""

import datetime as dt
import itertools
import zoneinfo
from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.utils.translation import pgettext_lazy

from anomaly.charts import UNUSUAL
from dashboard.scales import SILENCE, Box, PScale, Tick, TimeScale, silences

BADGES_HEIGHT, LANE_HEIGHT, DATES_HEIGHT = 30.0, 24.0, 24.0
PLOT_HEIGHT, MARGIN, RIGHT_MARGIN = 230.0, 70.0, 24.0
BADGE, NARROWEST, CHARACTER = 22.0, 4.0, 6.6
NOTE_ROWS = 3
MOST_SAID = 150
"""So many recordings say what they are when pointed at; more lie too close together for that."""
DISC, DIAMOND = "a3.8 3.8 0 1 0 7.6 0a3.8 3.8 0 1 0-7.6 0", "l5.4 5.4-5.4 5.4-5.4-5.4Z"
# Translators: the words of these rows stand in a narrow margin; ten letters have room.
LANES = {
    "learning": pgettext_lazy("a row of the chart", "learning"),
    "diary": pgettext_lazy("a row of the chart", "diary"),
    "model": pgettext_lazy("a row of the chart", "model"),
    "monitor": pgettext_lazy("a row of the chart", "monitor"),
}


@dataclass(frozen=True)
class Mark:
    """One judged recording; `p_value` is absent while the baseline is being learnt."""

    time: dt.datetime
    accepted: bool
    p_value: float | None
    label: str


@dataclass(frozen=True)
class Moment:
    """Something that happened at once: a refit, another monitor."""

    time: dt.datetime
    label: str


@dataclass(frozen=True)
class SessionMark:
    """One session's p-value."""

    time: dt.datetime
    p_value: float


@dataclass(frozen=True)
class Span:
    """Something that lasted: an episode (by look), or an entry of the diary."""

    start: dt.datetime
    end: dt.datetime
    look: str
    label: str


@dataclass(frozen=True)
class Story:
    """What happened to one infant in a stretch of time."""

    start: dt.datetime
    end: dt.datetime
    zone: zoneinfo.ZoneInfo
    marks: Sequence[Mark] = ()
    sessions: Sequence[SessionMark] = ()
    episodes: Sequence[Span] = ()
    notes: Sequence[Span] = ()
    refits: Sequence[Moment] = ()
    monitors: Sequence[Moment] = ()


@dataclass(frozen=True)
class Dot:
    """A recording's place, and what it says when pointed at."""

    x: float
    y: float
    label: str


@dataclass(frozen=True)
class Bar:
    """A box with its look, its words, and where those stand; `text` is what there is room for."""

    box: Box
    look: str
    label: str
    text: str
    text_x: float


@dataclass(frozen=True)
class Badge:
    """An episode: its box, its number above it, and its words on the side that has room."""

    box: Box
    look: str
    label: str
    number: int
    x: float
    text: str
    text_x: float
    anchor: str


@dataclass(frozen=True)
class Lane:
    """A strip below the plot with its name."""

    name: str
    box: Box

    @property
    def words(self) -> str:
        """What stands beside it."""
        return str(LANES[self.name])


@dataclass(frozen=True)
class Chart:
    """Everything to print."""

    width: float
    height: float
    plot: Box
    p_ticks: list[Tick]
    dates: list[Tick]
    dates_y: float
    unusual_y: float
    accepted: list[Dot]
    refused: list[Dot]
    session_path: str
    gaps: list[Box]
    episodes: list[Badge]
    lanes: list[Lane]
    learning_path: str
    refit_path: str
    notes: list[Bar]
    monitors: list[Bar]
    bottom: float

    @property
    def is_crowded(self) -> bool:
        """Whether the recordings are drawn as one shape of each kind, without words."""
        return len(self.accepted) + len(self.refused) > MOST_SAID

    @property
    def accepted_path(self) -> str:
        """Return the discs of all accepted recordings."""
        return "".join(f"M{round(dot.x - 3.8, 1)} {dot.y}{DISC}" for dot in self.accepted)

    @property
    def refused_path(self) -> str:
        """Return the diamonds of all refused recordings."""
        return "".join(f"M{dot.x} {round(dot.y - 5.4, 1)}{DIAMOND}" for dot in self.refused)


def draw(story: Story, width: float) -> Chart:
    """Return the chart of a story in this width."""
    plot = Box(MARGIN, BADGES_HEIGHT, width - MARGIN - RIGHT_MARGIN, PLOT_HEIGHT)
    time = TimeScale(story.start, story.end, plot)
    scored = [(mark, mark.p_value) for mark in story.marks if mark.p_value is not None]
    scale = PScale.over([p for _, p in scored] + [s.p_value for s in story.sessions], plot)
    dots = [(m.accepted, Dot(time.x(m.time), scale.y(p), m.label)) for m, p in scored]
    notes = _notes(story.notes, time)
    lanes = _lanes(story, notes, plot)
    bottom = lanes[-1].box.bottom if lanes else plot.bottom
    by_name = {lane.name: lane.box for lane in lanes}
    return Chart(
        width=width,
        height=bottom + DATES_HEIGHT,
        plot=plot,
        p_ticks=scale.ticks(),
        dates=time.dates(story.zone),
        dates_y=bottom + DATES_HEIGHT - 7,
        unusual_y=scale.y(UNUSUAL),
        accepted=[dot for accepted, dot in dots if accepted],
        refused=[dot for accepted, dot in dots if not accepted],
        session_path=_session_path(story.sessions, time, scale),
        gaps=_gaps(story, time, bottom),
        episodes=_episodes(story.episodes, time, bottom),
        lanes=lanes,
        learning_path=_strokes(
            [m.time for m in story.marks if m.p_value is None], time, by_name.get("learning")
        ),
        refit_path=_strokes([m.time for m in story.refits], time, by_name.get("model")),
        notes=_in_lane(notes, by_name.get("diary")),
        monitors=_monitors(story.monitors, time, by_name.get("monitor")),
        bottom=bottom,
    )


# --- lines and strokes ---------------------------------------------------------------------------


def _session_path(sessions: Sequence[SessionMark], time: TimeScale, scale: PScale) -> str:
    """Return a line from session to session, broken where nothing was heard for long."""
    ordered = sorted(sessions, key=lambda session: session.time)
    parts = []
    for before, here in zip([None, *ordered], ordered, strict=False):
        goes_on = before is not None and here.time - before.time <= SILENCE
        parts.append(f"{'L' if goes_on else 'M'}{time.x(here.time)} {scale.y(here.p_value)}")
    return "".join(parts)


def _strokes(times: Sequence[dt.datetime], time: TimeScale, lane: Box | None) -> str:
    """Return one upright stroke for each moment; what falls on the same place is drawn once."""
    if lane is None:
        return ""
    places = sorted({time.x(moment) for moment in times})
    return "".join(f"M{x} {lane.y + 6}v{lane.height - 12}" for x in places)


def _gaps(story: Story, time: TimeScale, bottom: float) -> list[Box]:
    found = silences([mark.time for mark in story.marks], story.start, story.end)
    spans = [time.span(start, end) for start, end in found]
    return [Box(x, time.box.y, width, bottom - time.box.y) for x, width in spans]


# --- episodes ------------------------------------------------------------------------------------


def _episodes(spans: Sequence[Span], time: TimeScale, bottom: float) -> list[Badge]:
    """Return shaded spans with numbered badges above them, which never hide each other."""
    places = [time.span(span.start, span.end, NARROWEST) for span in spans]
    centres = spread([x + BADGE / 2 for x, _ in places], BADGE, time.box.right)
    badges: list[Badge] = []
    taken = time.box.x
    for number, (span, (x, width), centre) in enumerate(
        zip(spans, places, centres, strict=True), start=1
    ):
        box = Box(x, time.box.y, width, bottom - time.box.y)
        end = centres[number] - BADGE / 2 if number < len(centres) else time.box.right
        text, text_x, anchor = _words_beside(span.label, taken, centre, end)
        badges.append(Badge(box, span.look, span.label, number, centre, text, text_x, anchor))
        taken = centre + BADGE + (len(text) * CHARACTER if anchor == "start" else 0.0)
    return badges


def _words_beside(label: str, before: float, centre: float, after: float) -> tuple[str, float, str]:
    """Return the words, where they begin or end, and which of both; none where nothing fits."""
    if _fits(label, after - centre - BADGE):
        return label, round(centre + BADGE / 2 + 3, 1), "start"
    if _fits(label, centre - BADGE - before):
        return label, round(centre - BADGE / 2 - 3, 1), "end"
    return "", centre, "start"


def spread(places: Sequence[float], apart: float, limit: float) -> list[float]:
    """Return ascending places moved as little as needed to lie apart, the last within the limit."""
    moved: list[float] = []
    for place in places:
        moved.append(max(place, moved[-1] + apart) if moved else place)
    limit -= apart / 2
    for index in range(len(moved) - 1, -1, -1):
        moved[index] = round(min(moved[index], limit), 1)
        limit = moved[index] - apart
    return moved


def _fits(text: str, width: float) -> bool:
    return len(text) * CHARACTER <= width


# --- lanes ---------------------------------------------------------------------------------------


def _lanes(story: Story, notes: Sequence[tuple[int, Bar]], plot: Box) -> list[Lane]:
    """Return a strip for everything that there is, one below the other."""
    note_rows = 1 + max((row for row, _ in notes), default=-1)
    wanted = {
        "learning": int(any(mark.p_value is None for mark in story.marks)),
        "diary": note_rows,
        "model": int(bool(story.refits)),
        "monitor": int(bool(story.monitors)),
    }
    y, lanes = plot.bottom, []
    for name, rows in wanted.items():
        if rows:
            lanes.append(Lane(name, Box(plot.x, y, plot.width, rows * LANE_HEIGHT)))
            y += rows * LANE_HEIGHT
    return lanes


def _notes(notes: Sequence[Span], time: TimeScale) -> list[tuple[int, Bar]]:
    """Return each entry with the row in which it hides no other; the last row takes the rest."""
    ends = [float("-inf")] * NOTE_ROWS
    placed = []
    for note in sorted(notes, key=lambda note: (note.start, note.end)):
        x, width = time.span(note.start, note.end, NARROWEST * 2)
        row = next((row for row, end in enumerate(ends) if end <= x), NOTE_ROWS - 1)
        bar = _note_bar(note, x, width, time.box.right, has_room=ends[row] <= x)
        needed = len(bar.text) * CHARACTER + 10 if bar.text else 0.0
        ends[row] = max(ends[row], x + width, bar.text_x + needed if needed else 0.0) + 2
        placed.append((row, bar))
    return [(row, _quiet_where_covered(row, bar, placed)) for row, bar in placed]


def _quiet_where_covered(row: int, bar: Bar, placed: Sequence[tuple[int, Bar]]) -> Bar:
    """Return an entry without its words where a later one of the row lies on them."""
    end = bar.text_x + len(bar.text) * CHARACTER
    others = (other.box.x for other_row, other in placed if other_row == row)
    return replace(bar, text="") if any(bar.box.x < x < end for x in others) else bar


def _note_bar(note: Span, x: float, width: float, limit: float, *, has_room: bool) -> Bar:
    """Return an entry with its words inside it, or behind it where there is room."""
    box = Box(x, 0.0, width, LANE_HEIGHT - 6)
    is_inside = _fits(note.label, width - 8)
    text_x = round(x + 4 if is_inside else x + width + 4, 1)
    is_shown = is_inside or _fits(note.label, limit - text_x)
    text = note.label if has_room and is_shown else ""
    return Bar(box, note.look, note.label, text, text_x)


def _in_lane(notes: Sequence[tuple[int, Bar]], lane: Box | None) -> list[Bar]:
    if lane is None:
        return []
    tops = itertools.count(lane.y + 3, LANE_HEIGHT)
    row_top = dict(zip(range(NOTE_ROWS), tops, strict=False))
    return [replace(bar, box=replace(bar.box, y=row_top[row])) for row, bar in notes]


def _monitors(moments: Sequence[Moment], time: TimeScale, lane: Box | None) -> list[Bar]:
    """Return a line through the chart for each change of the monitor, with its name below."""
    if lane is None:
        return []
    bars = []
    places = [time.x(moment.time) for moment in moments]
    for x, end, moment in zip(places, [*places[1:], time.box.right], moments, strict=True):
        box = Box(x, time.box.y, 0.0, lane.bottom - time.box.y)
        text = moment.label if _fits(moment.label, end - x - 8) else ""
        bars.append(Bar(box, "monitor", moment.label, text, x + 5))
    return bars
