"""Drawing an infant's deviation timeline to a picture file.

What comes in: points with time, p-values and marks. What goes out: a PNG with the timeline over
continuous time and by recording number. Matplotlib is imported where it is used, so that the web
process does not load it.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from anomaly.notice import NOTICE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

UNUSUAL = 0.05
INK, MUTED, ACCENT, WARN = "#1f2933", "#8a94a0", "#1f6f8b", "#b4540a"
SCORER_STYLE = {"autoencoder": ":", "ocsvm": "--", "gmm": "-."}


@dataclass(frozen=True)
class ChartPoint:
    """One judged recording; `p_value` is absent while the baseline is being learnt."""

    time: dt.datetime
    accepted: bool
    model_number: int | None = None
    p_value: float | None = None
    p_values: dict[str, float] | None = None


@dataclass(frozen=True)
class ChartSpan:
    """A stretch of time to shade: an episode."""

    start: dt.datetime
    end: dt.datetime
    label: str
    hatch: str | None = None


def draw_timeline(
    points: Sequence[ChartPoint], spans: Sequence[ChartSpan], title: str, path: Path
) -> None:
    """Draw the timeline over continuous time (above) and by recording number (below)."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 7.5), layout="constrained", facecolor="white")
    over_time, by_number = figure.subplots(2, 1)
    figure.suptitle(title, color=INK, fontsize=13, x=0.01, ha="left")
    times: list[Any] = [point.time for point in points]
    _draw_panel(over_time, times, points)
    for span in spans:
        look: dict[str, Any] = {
            "facecolor": WARN,
            "edgecolor": WARN,
            "alpha": 0.15,
            "hatch": span.hatch,
        }
        place: list[Any] = [span.start, span.end]
        over_time.axvspan(*place, label=span.label, linewidth=0, **look)
    over_time.set_xlabel("time (where the infant lives)")
    over_time.tick_params(axis="x", rotation=20)
    _add_legend(over_time)
    numbers: list[Any] = list(range(1, len(points) + 1))
    _draw_panel(by_number, numbers, points)
    _draw_scorers(by_number, points)
    by_number.set_xlabel("recording number")
    by_number.xaxis.get_major_locator().set_params(integer=True)
    _add_legend(by_number)
    figure.text(0.01, -0.025, NOTICE, color=MUTED, fontsize=8)
    figure.savefig(path, dpi=130, bbox_inches="tight")


def _draw_panel(axes: "Axes", places: Sequence[Any], points: Sequence[ChartPoint]) -> None:
    """Draw every recording once: learning ones as ticks, scored ones by their p-value."""
    axes.set_yscale("log")
    axes.set_ylim(1.15, 0.01)
    axes.set_yticks([1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01])
    axes.set_yticklabels(["1", "0.5", "0.2", "0.1", "0.05", "0.02", "0.01"])
    axes.minorticks_off()
    axes.set_ylabel("p-value (up = more unusual)")
    axes.axhline(UNUSUAL, color=WARN, linewidth=0.8, linestyle=(0, (4, 3)), label="p = 0.05")
    pairs = list(zip(places, points, strict=True))
    learning = [place for place, point in pairs if point.p_value is None]
    if learning:
        ones = np.ones(len(learning))
        axes.plot(learning, ones, "|", color=MUTED, markersize=9, label="still learning")
    for accepted, face, label in (
        (True, ACCENT, "scored, accepted by the gate"),
        (False, "white", "scored, refused by the gate"),
    ):
        chosen = [
            (place, point.p_value)
            for place, point in pairs
            if point.p_value is not None and point.accepted is accepted
        ]
        if not chosen:
            continue
        axes.plot(
            [place for place, _ in chosen],
            [p_value for _, p_value in chosen],
            "o",
            color=ACCENT,
            markerfacecolor=face,
            markersize=6,
            label=label,
        )
    _mark_versions(axes, pairs)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#e5e8eb", linewidth=0.6)
    axes.margins(x=0.03)


def _mark_versions(axes: "Axes", pairs: Sequence[tuple[Any, ChartPoint]]) -> None:
    """Draw a line where another version of the personal model begins to judge."""
    judging: int | None = None
    for place, point in pairs:
        if point.model_number is not None and point.model_number != judging:
            judging = point.model_number
            axes.axvline(place, color=MUTED, linewidth=0.6, linestyle=":")
            axes.annotate(
                f"model {judging}",
                (place, 0.0105),
                color=MUTED,
                fontsize=7,
                rotation=90,
                va="top",
                ha="right",
            )


def _draw_scorers(axes: "Axes", points: Sequence[ChartPoint]) -> None:
    """Draw the three detectors' own p-values as thin lines over the scored recordings."""
    scored = [(i, p.p_values) for i, p in enumerate(points, start=1) if p.p_values]
    for scorer, style in SCORER_STYLE.items() if scored else ():
        axes.plot(
            [number for number, _ in scored],
            [p_values[scorer] for _, p_values in scored],
            linestyle=style,
            color=MUTED,
            linewidth=0.9,
            label=scorer,
        )


def _add_legend(axes: "Axes") -> None:
    """Put the legend above the panel, where it hides no point."""
    handles, labels = _once(axes)
    above: dict[str, Any] = {"loc": "lower left", "bbox_to_anchor": (0.0, 1.0), "ncols": 8}
    axes.legend(handles, labels, frameon=False, fontsize=8, borderaxespad=0.2, **above)


def _once(axes: "Axes") -> tuple[list[Any], list[str]]:
    """Return the legend's entries, each label once, in order of drawing."""
    handles, labels = axes.get_legend_handles_labels()
    first = dict(reversed(list(zip(labels, handles, strict=True))))
    kept = [label for label in dict.fromkeys(labels)]
    return [first[label] for label in kept], kept
