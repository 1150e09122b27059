"""The pictures of a report as lines and areas on paper: black on white, and sharp at any size.

What comes in: the same charts that a page shows, and paper. What goes out: vector graphics on it.
Guaranteed: nothing is told by colour: hatches, shapes and weights tell things apart.
"""

import re
from collections.abc import Iterator, Sequence

from fpdf.enums import Align

from dashboard.report import phrases
from dashboard.report.contents import ProtocolPicture, TimelinePicture
from dashboard.report.paper import MARGIN, Paper
from dashboard.report.protocol_chart import Chart as ProtocolChart
from dashboard.report.protocol_chart import Row
from dashboard.report.protocol_page import KeyEntry
from dashboard.report.shapes import REACH, SHAPES
from dashboard.scales import Box
from dashboard.timeline_chart import Badge, Chart

POINT_MM = 0.3528
TEXT = 11.0
"""The size of words in a picture, in the picture's own units."""
STEP = re.compile(r"([MLv])([-\d.]+)(?:[ ,]([-\d.]+))?")
HATCHES = {"shift": 3.2, "odd": 2.2, "surroundings": 5.0}
"""How far apart the lines of an episode's hatch are, in millimetres: the kinds look different."""
KEY_HEIGHT, KEY_MARK, KEY_SIZE = 4.6, 8.0, 7.5


class Canvas:
    """A place on paper in a picture's own units."""

    def __init__(self, paper: Paper, width: float, top: float) -> None:
        """Lay a picture of this width over the width of the page."""
        self.paper, self.top = paper, top
        self.scale = paper.epw / width

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Return a place in millimetres."""
        return MARGIN + x * self.scale, self.top + y * self.scale

    def pen(self, width_mm: float, grey: int = 0) -> None:
        """Draw lines so from here on."""
        self.paper.set_line_width(width_mm)
        self.paper.set_draw_color(grey)

    def line(self, x: float, y: float, to_x: float, to_y: float) -> None:
        """Draw a line."""
        self.paper.line(*self.at(x, y), *self.at(to_x, to_y))

    def box(self, box: Box, style: str, grey: int = 0) -> None:
        """Draw a box: D outlines it, F fills it, DF does both."""
        self.paper.set_fill_color(grey)
        x, y = self.at(box.x, box.y)
        self.paper.rect(x, y, box.width * self.scale, box.height * self.scale, style=style)

    def words(self, text: str, x: float, y: float, size: float = TEXT, anchor: str = "") -> None:
        """Write words whose line stands on `y`, beginning, ending or centred at `x`."""
        paper = self.paper
        paper.ink(size * self.scale / POINT_MM)
        paper.shape_as(text)
        length = paper.get_string_width(text) + 0.5
        place, base = self.at(x, y)
        start = {"end": place - length, "middle": place - length / 2}.get(anchor, place)
        align = {"end": Align.R, "middle": Align.C}.get(anchor, Align.L)
        height = paper.line_mm()
        paper.set_xy(start, base - 0.74 * height)
        paper.cell(length, height, text, align=align)

    def hatch(self, box: Box, apart_mm: float, slope: int = 1) -> None:
        """Fill a box with slanting lines, or with level ones where the slope is 0."""
        x, y = self.at(box.x, box.y)
        width, height = box.width * self.scale, box.height * self.scale
        for start, end in slanting(width, height, apart_mm, slope):
            self.paper.line(x + start[0], y + start[1], x + end[0], y + end[1])

    def specks(self, box: Box, apart_mm: float = 1.3) -> None:
        """Fill a box with specks."""
        x, y = self.at(box.x, box.y)
        width, height = box.width * self.scale, box.height * self.scale
        self.pen(0.22, 110)
        with self.paper.local_context(line_width=0.22):
            self.paper.set_dash_pattern(0.22, 2 * apart_mm - 0.22)
            for n in range(int(height / apart_mm)):
                down = y + (n + 0.5) * apart_mm
                self.paper.line(x + (n % 2) * min(apart_mm, width), down, x + width, down)

    def shape(self, kind: str, x: float, y: float, reach_mm: float) -> None:
        """Draw a mark."""
        shape, scale = SHAPES[kind], reach_mm / REACH
        self.pen(0.25)
        self.paper.set_fill_color(0 if shape.is_filled else 255)
        middle_x, middle_y = self.at(x, y)
        for points in shape.lines:
            placed = [(middle_x + px * scale, middle_y + py * scale) for px, py in points]
            if shape.is_closed:
                self.paper.polygon(placed, style="DF")
            else:
                self.paper.polyline(placed)


def slanting(
    width: float, height: float, apart: float, slope: int
) -> Iterator[tuple[tuple[float, float], tuple[float, float]]]:
    """Yield the lines of a hatch, cut off at the edges of its box."""
    if slope == 0:
        for n in range(1, int(height / apart) + 1):
            yield (0.0, n * apart), (width, n * apart)
        return
    for n in range(1, int((width + height) / apart) + 1):
        foot = n * apart
        left, right = max(0.0, foot - height), min(foot, width)
        if left < right:
            yield (left, foot - left), (right, foot - right)


# --- the protocol --------------------------------------------------------------------------------


def draw_protocol(paper: Paper, picture: ProtocolPicture, words: str) -> None:
    """Draw some days, and below them what the marks stand for."""
    chart = picture.wide
    height = chart.height * paper.epw / chart.width
    paper.need(height + KEY_HEIGHT * (4 + len(picture.key) // 4))
    canvas = Canvas(paper, chart.width, paper.y)
    with paper.tagged("Figure", alt=words):
        _protocol_head(canvas, chart, picture.totals)
        for row in chart.rows:
            _strip(canvas, row)
            _day_words(canvas, chart, row)
    paper.set_xy(MARGIN, canvas.top + height + 1.0)
    draw_key(paper, picture.key)


def _protocol_head(canvas: Canvas, chart: ProtocolChart, totals: Sequence[tuple[str, str]]) -> None:
    for tick in chart.hours:
        canvas.words(tick.label, tick.at, chart.hours_y, anchor="middle")
    for x, (name, unit) in zip(chart.totals_x, totals, strict=True):
        canvas.words(name, x, chart.hours_y - (12 if unit else 0), 10.0, "end")
        if unit:
            canvas.words(unit, x, chart.hours_y, 10.0, "end")


def _strip(canvas: Canvas, row: Row) -> None:
    for box in row.unknown:
        canvas.specks(box)
    canvas.pen(0.1, 170)
    for tick in row.ticks:
        canvas.line(tick.at, row.strip.y, tick.at, row.strip.bottom)
    for bar in row.bars:
        draw_bar(canvas, bar.look, bar.box)
    for mark in row.marks:
        canvas.shape(mark.kind, mark.x, mark.y, 1.0)
    canvas.pen(0.15, 60)
    canvas.box(row.strip, "D")


def draw_bar(canvas: Canvas, look: str, box: Box) -> None:
    """Draw what lasted."""
    canvas.pen(0.18)
    if look == "sleep":
        canvas.box(box, "DF", 255)
        canvas.pen(0.12)
        canvas.hatch(box, 0.9)
    elif look == "cry":
        canvas.box(box, "F")
    elif look == "lasting":
        canvas.box(box, "F", 90)
    else:
        canvas.box(box, "DF", 255)


def _day_words(canvas: Canvas, chart: ProtocolChart, row: Row) -> None:
    canvas.words(row.name, 2.0, row.words_y)
    if row.note:
        canvas.words(row.note, 2.0, row.words_y + 12, 9.0)
        for tick in row.ticks:
            canvas.words(tick.label, tick.at, row.strip.bottom - 1, 8.0, "middle")
    for x, total in zip(chart.totals_x, row.totals, strict=True):
        canvas.words(total, x, row.words_y, anchor="end")


def draw_key(paper: Paper, key: Sequence[KeyEntry]) -> None:
    """Write what the shapes stand for, in as many columns as there is room for."""
    paper.ink(KEY_SIZE)
    x, y = 0.0, paper.y
    shapes = [(entry.kind, entry.words) for entry in key]
    for kind, words in [*phrases.bar_names().items(), *shapes]:
        paper.shape_as(words)
        width = paper.get_string_width(words) + 1.0
        if x + KEY_MARK + width > paper.epw:
            x, y = 0.0, y + KEY_HEIGHT
        with paper.decoration():
            _sample(Canvas(paper, paper.epw, y), kind, x)
        paper.ink(KEY_SIZE)
        with paper.tagged("P"):
            paper.write_line(words, MARGIN + x + KEY_MARK, y + 0.5, width, Align.L)
        x += KEY_MARK + width + 4.0
    paper.set_xy(MARGIN, y + KEY_HEIGHT + 2.0)


def _sample(canvas: Canvas, kind: str, x: float) -> None:
    """Draw a mark of the key, or a small strip of what lasts."""
    if kind in SHAPES:
        canvas.shape(kind, x + 4.0, KEY_HEIGHT / 2, 1.1)
        return
    box = Box(x, 1.0, 6.5, 2.6)
    if kind == "unknown":
        canvas.specks(box, 0.9)
        canvas.pen(0.15, 60)
        canvas.box(box, "D")
        return
    draw_bar(canvas, "bout" if kind == "uncompared" else kind, box)
    if kind != "sleep":
        draw_bar(canvas, "cry" if kind == "bout" else kind, Box(x + 1.0, 1.0, 2.2, 2.6))


# --- the timeline --------------------------------------------------------------------------------


def draw_timeline(paper: Paper, picture: TimelinePicture, words: str) -> None:
    """Draw the sessions' p-values with what else happened."""
    chart = picture.wide
    height = chart.height * paper.epw / chart.width
    paper.need(height + 2.0)
    canvas = Canvas(paper, chart.width, paper.y)
    with paper.tagged("Figure", alt=words):
        _ground(canvas, chart)
        _curve(canvas, chart)
        _lanes(canvas, chart)
        for badge in chart.episodes:
            _badge(canvas, badge)
    paper.set_xy(MARGIN, canvas.top + height + 2.0)


def _ground(canvas: Canvas, chart: Chart) -> None:
    plot = chart.plot
    for box in chart.gaps:
        canvas.specks(box, 1.6)
    for badge in chart.episodes:
        canvas.pen(0.1, 120)
        area = Box(badge.box.x, badge.box.y, badge.box.width, plot.height)
        canvas.hatch(area, HATCHES[badge.look], 0 if badge.look == "surroundings" else 1)
        canvas.pen(0.3)
        canvas.line(badge.box.x, badge.box.y, badge.box.x, chart.bottom)
    canvas.pen(0.1, 190)
    for tick in chart.dates:
        canvas.line(tick.at, plot.y, tick.at, chart.bottom)
        canvas.words(tick.label, tick.at, chart.dates_y, anchor="middle")
    for tick in chart.p_ticks:
        canvas.pen(0.1, 190)
        canvas.line(plot.x, tick.at, plot.right, tick.at)
        canvas.words(tick.label, plot.x - 8, tick.at + 4, anchor="end")
    canvas.pen(0.3)
    canvas.paper.set_dash_pattern(1.4, 1.0)
    canvas.line(plot.x, chart.unusual_y, plot.right, chart.unusual_y)
    canvas.paper.set_dash_pattern()


def _curve(canvas: Canvas, chart: Chart) -> None:
    canvas.pen(0.12, 110)
    strokes(canvas, chart.session_path)
    canvas.paper.set_fill_color(0)
    for dot in chart.accepted:
        canvas.paper.circle(*canvas.at(dot.x, dot.y), 0.75, style="F")


def _lanes(canvas: Canvas, chart: Chart) -> None:
    for lane in chart.lanes:
        canvas.pen(0.1, 150)
        canvas.line(lane.box.x, lane.box.bottom, lane.box.right, lane.box.bottom)
        canvas.words(lane.name, lane.box.x - 8, lane.box.y + 16, anchor="end")
    canvas.pen(0.25)
    canvas.line(chart.plot.x, chart.plot.bottom, chart.plot.right, chart.plot.bottom)
    strokes(canvas, chart.learning_path)
    strokes(canvas, chart.refit_path)
    for bar in chart.notes:
        canvas.pen(0.2)
        canvas.box(bar.box, "DF", 255)
        canvas.words(bar.text, bar.text_x, bar.box.y + 13, 10.0)
    for bar in chart.monitors:
        canvas.pen(0.25)
        canvas.paper.set_dash_pattern(0.5, 0.7)
        canvas.line(bar.box.x, bar.box.y, bar.box.x, bar.box.bottom)
        canvas.paper.set_dash_pattern()
        canvas.words(bar.text, bar.text_x, bar.box.bottom - 8, 10.0)


def strokes(canvas: Canvas, path: str) -> None:
    """Draw the lines of a chart's path: moves, lines to places, and lines down."""
    x, y = 0.0, 0.0
    for step, first, second in STEP.findall(path):
        if step == "v":
            canvas.line(x, y, x, y + float(first))
            continue
        to_x, to_y = float(first), float(second)
        if step == "L":
            canvas.line(x, y, to_x, to_y)
        x, y = to_x, to_y


def _badge(canvas: Canvas, badge: Badge) -> None:
    paper = canvas.paper
    canvas.pen(0.3)
    paper.set_fill_color(255)
    paper.circle(*canvas.at(badge.x, 15.0), 9.5 * canvas.scale, style="DF")
    canvas.words(str(badge.number), badge.x, 19.0, anchor="middle")
    if badge.text:
        anchor = "end" if badge.anchor == "end" else ""
        canvas.words(badge.text, badge.text_x, 19.0, anchor=anchor)
