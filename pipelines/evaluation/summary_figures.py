"""Figures of the summary: points with their intervals, in rows, as SVG.

In: points by row and series, and what each axis is. Out: the bytes of one SVG. Guaranteed: the same
points give the same bytes; series differ in shape and in light and dark, so that grey print shows
them apart; what lies beyond an axis stands at its edge with its number, and is never left out.
"""

from __future__ import annotations

import io
import math
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SALT = "iclas"
"""Names inside the file come from it, and so are the same every time."""
STYLES = (("o", "black"), ("s", "white"), ("D", "0.65"), ("^", "white"), ("v", "black"))
"""Shape and filling of each series."""
WORST_MARKER = "x"
MARKER_SIZE = 5.5
LOG_TICKS = (0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)
LABELS_IN, PANEL_IN, MARGIN_IN = 2.1, 4.0, 1.6
ROW_IN, POINT_IN = 0.30, 0.19
LEGEND_ROW_IN = 0.22
IN_A_LEGEND_ROW = 3
TITLE_LETTERS_AN_INCH = 14


@dataclass(frozen=True)
class Point:
    """A figure, and its interval where it has one.

    Attributes
    ----------
    value, lo, hi
        The figure and its bounds.
    worst
        That of the infant with the largest; None where it is not told.
    """

    value: float
    lo: float | None = None
    hi: float | None = None
    worst: float | None = None


@dataclass(frozen=True)
class Panel:
    """One axis of figures.

    Attributes
    ----------
    label
        What the axis is, with its unit.
    series
        By label, a point for each row of the picture, or None.
    limits
        Both ends of the axis; None takes what the points need.
    line
        A value to draw a line at, with its label.
    is_log
        Whether the axis is logarithmic.
    """

    label: str
    series: Mapping[str, Sequence[Point | None]]
    limits: tuple[float, float] | None = None
    line: tuple[float, str] | None = None
    is_log: bool = False


@dataclass(frozen=True)
class Picture:
    """Panels beside each other that share their rows.

    Attributes
    ----------
    name
        Short, for the name of its file.
    title
        Set over the panels; says whether it is simulated.
    row_label, rows
        What the rows are, and their labels from the top.
    panels
        At least one.
    """

    name: str
    title: str
    row_label: str
    rows: Sequence[str]
    panels: Sequence[Panel]

    @property
    def points(self) -> Iterator[Point]:
        """All points that there are."""
        for panel in self.panels:
            for own in panel.series.values():
                yield from (one for one in own if one is not None)


def draw(picture: Picture) -> bytes:
    """Draw a picture, untouched by the settings of whoever draws.

    Parameters
    ----------
    picture
        With at least one row and panel.

    Returns
    -------
    bytes
        An SVG without a date.
    """
    import matplotlib as mpl

    drawn = io.BytesIO()
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update({"svg.hashsalt": SALT, "font.size": 9.0, "axes.titlesize": 9.0})
        metadata: dict[str, Any] = {"Date": None, "Title": picture.title}
        _figure(picture).savefig(drawn, format="svg", metadata=metadata)
    return drawn.getvalue()


def _figure(picture: Picture) -> Figure:
    from matplotlib.figure import Figure

    most = max(len(panel.series) for panel in picture.panels)
    labels = {label for panel in picture.panels for label in panel.series}
    height = len(picture.rows) * max(ROW_IN, POINT_IN * most + 0.12) + MARGIN_IN
    height += LEGEND_ROW_IN * ((len(labels) + 1) // IN_A_LEGEND_ROW)
    width = LABELS_IN + PANEL_IN * len(picture.panels)
    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    figure.suptitle(textwrap.fill(picture.title, int(width * TITLE_LETTERS_AN_INCH)), fontsize=10)
    panels = figure.subplots(1, len(picture.panels), squeeze=False, sharey=True)[0]
    for axes, panel in zip(panels, picture.panels, strict=True):
        _draw_panel(axes, panel, len(picture.rows))
    panels[0].set_yticks(range(len(picture.rows)), picture.rows)
    panels[0].set_ylim(len(picture.rows) - 0.5, -0.5)
    panels[0].set_ylabel(picture.row_label)
    found = [axes.get_legend_handles_labels() for axes in panels]
    handles = {label: one for own in found for one, label in zip(*own, strict=True)}
    figure.legend(
        handles.values(), handles, loc="outside lower center", ncols=IN_A_LEGEND_ROW, frameon=False
    )
    return figure


def _draw_panel(axes: Axes, panel: Panel, n_rows: int) -> None:
    for row in range(0, n_rows, 2):
        axes.axhspan(row - 0.5, row + 0.5, color="0.95", linewidth=0, zorder=0)
    if panel.is_log:
        axes.set_xscale("log")
    if panel.limits is not None:
        axes.set_xlim(*panel.limits)
    if panel.line is not None:
        at, label = panel.line
        axes.axvline(at, color="black", linestyle="--", linewidth=0.9, label=label, zorder=1)
    places = np.linspace(-0.5, 0.5, 2 * len(panel.series) + 1)[1::2] * 0.8
    for number, (label, own) in enumerate(panel.series.items()):
        shown = {row + places[number]: one for row, one in enumerate(own) if one is not None}
        _draw_series(axes, shown, label, STYLES[number % len(STYLES)])
    if panel.is_log:
        low, high = axes.get_xlim()
        ticks = [tick for tick in LOG_TICKS if low <= tick <= high]
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks], minor=False)
        axes.set_xticks([], minor=True)
    axes.set_xlabel(panel.label)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color="0.8", linewidth=0.5)
    axes.set_axisbelow(True)


def _draw_series(
    axes: Axes, points: Mapping[float, Point], label: str, style: tuple[str, str]
) -> None:
    """Draw one series; the places are its points' heights."""
    marker, filling = style
    look: dict[str, Any] = {"color": "black", "markersize": MARKER_SIZE, "linestyle": "none"}
    look["clip_on"] = False
    face: dict[str, Any] = {"marker": marker, "markerfacecolor": filling, "label": label}
    limit = math.inf if axes.get_autoscalex_on() else axes.get_xlim()[1]
    inside = {at: one.value for at, one in points.items() if one.value <= limit}
    axes.plot(list(inside.values()), list(inside), zorder=4, **face, **look)
    for at, one in points.items():
        if one.lo is not None and one.hi is not None:
            axes.plot([one.lo, one.hi], [at, at], color="black", linewidth=1.1, zorder=3)
        if told := _beyond(one, limit):
            _set_at_the_edge(axes, at, told)
    worst = {at: one.worst for at, one in points.items() if one.worst is not None}
    worst = {at: value for at, value in worst.items() if value <= limit}
    if worst:
        told = "the infant with the largest"
        axes.plot(list(worst.values()), list(worst), WORST_MARKER, label=told, zorder=2, **look)


def _beyond(point: Point, limit: float) -> str:
    """Tell what of a point lies beyond the end of an axis."""
    told = []
    if point.value > limit:
        told.append(f"{point.value:.2f}")
    elif point.hi is not None and point.hi > limit:
        told.append(f"up to {point.hi:.2f}")
    if point.worst is not None and point.worst > limit and point.worst != point.value:
        told.append(f"largest {point.worst:.2f}")
    return ", ".join(told)


def _set_at_the_edge(axes: Axes, at: float, told: str) -> None:
    axes.annotate(
        f"{told} \N{RIGHTWARDS ARROW}",
        (axes.get_xlim()[1], at),
        xytext=(-3, 0),
        textcoords="offset points",
        ha="right",
        va="center",
        fontsize=8,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0},
    )
