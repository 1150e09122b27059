"""Evaluation of segmentation: cry units found against intervals that a person marked.

In: a manifest and a list of intervals (``file``, ``onset_s``, ``offset_s``, ``label``; label
``cry``). Out: event-based F1 at an onset tolerance of 0.2 s and the intersection of the crying time
over its union, for the shipped finder, and F1 of two plain thresholds beside it. Guaranteed:
intervals come from a bootstrap over installations; recordings that no interval names do not count;
what the finder says of installations that it was fitted on never stands alone: beside it stand
those that training leaves out, and the figure that its training cross-validated.

Source of the protocol: Mesaros, Heittola and Virtanen, "Metrics for polyphonic sound event
detection", Applied Sciences 6 (2016).
"""

from __future__ import annotations

import argparse
import csv
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from pipelines.errors import ConfigError, ManifestError
from pipelines.evaluation.metrics import Absent, Estimate, frac_by_group, json_keys
from pipelines.finder import bundled_facts
from pipelines.manifest import BadRow, ManifestRow, read_manifest
from pipelines.segment import Unit, cry_band, find_units, frame_levels, units_by_level
from pipelines.sound import Sound, decode, peak_normalise, resample
from pipelines.training.split import is_held_out

ONSET_TOLERANCE_S = 0.2
TOLERANCES_S = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5)
STEP_S = 0.01
COLUMNS = ("file", "onset_s", "offset_s", "label")
ENERGY_MERGE_GAP_S = 0.15
ENERGY_MIN_UNIT_S = 0.3
TOUCHING_S = 1e-3

Flags = NDArray[np.bool_]
Figures = dict[str, Estimate | Absent]


@dataclass(frozen=True)
class Marked:
    """A recording whose crying a person has marked, and whether training leaves it out."""

    infant: str
    sound: Sound
    units: tuple[Unit, ...]
    is_held_out: bool


@dataclass(frozen=True)
class Found:
    """What each way of finding units gives, recording by recording."""

    marked: list[Marked]
    shipped: list[tuple[Unit, ...]]
    level: list[tuple[Unit, ...]]
    energy: list[tuple[Unit, ...]]


def energy_units(sound: Sound) -> tuple[Unit, ...]:
    """Find units by the level of the whole sound: the plain baseline, no band, longer units."""
    levels = frame_levels(sound.samples, sound.rate_hz)
    return units_by_level(levels, sound.duration_s, ENERGY_MERGE_GAP_S, ENERGY_MIN_UNIT_S)


def level_units(sound: Sound) -> tuple[Unit, ...]:
    """Find units by the level within the band of cries, with the shipped lengths and gaps."""
    return units_by_level(frame_levels(cry_band(sound), sound.rate_hz), sound.duration_s)


def matched_events(
    found: Sequence[Unit], marked: Sequence[Unit], tolerance_s: float = ONSET_TOLERANCE_S
) -> int:
    """Count pairs of units whose onsets lie within the tolerance, each used once.

    Parameters
    ----------
    found, marked
        Units in order of their onsets.
    tolerance_s
        How far apart the onsets of a pair may lie.
    """
    pairs, left, right = 0, 0, 0
    while left < len(found) and right < len(marked):
        apart_s = found[left].onset_s - marked[right].onset_s
        near = abs(apart_s) <= tolerance_s
        pairs += near
        left += near or apart_s < 0.0
        right += near or apart_s > 0.0
    return pairs


def event_flags(
    found: Sequence[Unit], marked: Sequence[Unit], tolerance_s: float = ONSET_TOLERANCE_S
) -> Flags:
    """Flag each event of either list as matched or not; the mean of the flags is the F1."""
    flags = np.zeros(len(found) + len(marked), dtype=bool)
    flags[: 2 * matched_events(found, marked, tolerance_s)] = True
    return flags


def overlap_flags(found: Sequence[Unit], marked: Sequence[Unit]) -> Flags:
    """Flag each 10 ms of the union as common or not; the mean of the flags is the IoU."""
    end_s = max((unit.offset_s for unit in (*found, *marked)), default=0.0)
    grid = np.zeros((2, int(np.ceil(end_s / STEP_S)) + 1), dtype=bool)
    for row, units in enumerate((found, marked)):
        for unit in units:
            grid[row, round(unit.onset_s / STEP_S) : round(unit.offset_s / STEP_S)] = True
    common, either = grid[0] & grid[1], grid[0] | grid[1]
    return np.asarray(common[either], dtype=np.bool_)


def run(manifest: Path, intervals: Path) -> dict[str, object]:
    """Compare the unit finder with marked intervals.

    Parameters
    ----------
    manifest
        Names each recording's installation (``infant``).
    intervals
        CSV with the columns ``file``, ``onset_s``, ``offset_s``, ``label``.

    Returns
    -------
    dict
        ``event_f1``, ``iou``, ``event_f1_level`` and ``event_f1_energy``, and the first three with
        ``_held_out`` for the installations that training leaves out, each with ``_lo`` and ``_hi``
        (95 %, by installation), ``_n`` and ``_groups``; ``event_f1_cross_validated``, as the
        finder's training found it; ``event_f1_by_tolerance``, a list; ``n``, the number of
        recordings, and ``n_held_out``; ``versions``.

    Raises
    ------
    ConfigError
        A column is missing, an interval holds no numbers, or no recording of the manifest is
        marked.
    DecodeError
        A marked recording holds no sound.
    """
    found = _found(read_marked(manifest, intervals))
    figures = _figures(found)
    keyed = [json_keys(name, figure) for name, figure in figures.items()]
    facts = bundled_facts()
    shown = {name: facts[name] for name in facts if name.startswith(_CROSS_VALIDATED)}
    return {key: value for part in keyed for key, value in part.items()} | {
        **shown,
        "event_f1_by_tolerance": _by_tolerance(found),
        "n": len(found.marked),
        "n_held_out": sum(marked.is_held_out for marked in found.marked),
        "versions": {name: version(name) for name in ("av", "numpy", "scipy", "soxr")},
    }


_CROSS_VALIDATED = "event_f1_cross_validated"


def _found(recordings: list[Marked]) -> Found:
    sounds = [marked.sound for marked in recordings]
    return Found(
        recordings,
        [find_units(sound) for sound in sounds],
        [level_units(sound) for sound in sounds],
        [energy_units(sound) for sound in sounds],
    )


def _figures(found: Found) -> Figures:
    whole = _judged(found.marked, found.shipped, found.level)
    chosen = [number for number, marked in enumerate(found.marked) if marked.is_held_out]
    parts = [[part[n] for n in chosen] for part in (found.shipped, found.level)]
    held_out = _judged([found.marked[n] for n in chosen], parts[0], parts[1])
    return {
        **whole,
        **{f"{name}_held_out": figure for name, figure in held_out.items()},
        "event_f1_energy": _f1(found.marked, found.energy),
    }


def _judged(
    marked: Sequence[Marked],
    shipped: Sequence[tuple[Unit, ...]],
    level: Sequence[tuple[Unit, ...]],
) -> Figures:
    truth, infants = [one.units for one in marked], [one.infant for one in marked]
    return {
        "event_f1": _f1(marked, shipped),
        "iou": _pooled(map(overlap_flags, shipped, truth), infants),
        "event_f1_level": _f1(marked, level),
    }


def _f1(marked: Sequence[Marked], found: Sequence[tuple[Unit, ...]]) -> Estimate | Absent:
    return _pooled(_flags(marked, found, ONSET_TOLERANCE_S), [one.infant for one in marked])


def _flags(
    marked: Sequence[Marked], found: Sequence[tuple[Unit, ...]], tolerance_s: float
) -> list[Flags]:
    pairs = zip(found, marked, strict=True)
    return [event_flags(units, one.units, tolerance_s) for units, one in pairs]


def _by_tolerance(found: Found) -> list[dict[str, float]]:
    """F1 of each way at several onset tolerances, over all recordings."""
    ways = {"shipped": found.shipped, "level": found.level, "energy": found.energy}
    return [
        {"tolerance_s": tolerance_s}
        | {
            name: float(np.mean(np.concatenate(_flags(found.marked, units, tolerance_s))))
            for name, units in ways.items()
        }
        for tolerance_s in TOLERANCES_S
    ]


def _pooled(flags: Iterable[Flags], infants: Sequence[str]) -> Estimate | Absent:
    parts = [np.empty(0, dtype=np.bool_), *flags]
    infants = ["", *infants]
    return frac_by_group(np.concatenate(parts), np.repeat(infants, [len(part) for part in parts]))


def read_marked(manifest: Path, intervals: Path) -> list[Marked]:
    """Read and decode the recordings of a manifest that intervals are given for.

    Raises
    ------
    ConfigError, DecodeError
        As for :func:`run`.
    """
    units = read_intervals(intervals)
    rows = [row for row in read_manifest(manifest) if not isinstance(row, BadRow)]
    folder = intervals.resolve().parent
    count = Counter(row.infant for row in rows)
    marked = [
        _marked(
            row,
            units[row.file.resolve()],
            is_held_out=is_held_out(row.infant, count[row.infant]),
        )
        for row in rows
        if row.file.resolve() in units
    ]
    if not marked:
        raise ConfigError(f"no recording of {manifest.name} is marked in {folder / intervals.name}")
    return marked


def _marked(row: ManifestRow, units: tuple[Unit, ...], *, is_held_out: bool) -> Marked:
    return Marked(row.infant, peak_normalise(resample(decode(row.file)[0])), units, is_held_out)


def read_intervals(path: Path) -> dict[Path, tuple[Unit, ...]]:
    """Read marked intervals.

    Parameters
    ----------
    path
        CSV with the columns ``file`` (relative to its folder), ``onset_s``, ``offset_s`` and
        ``label``.

    Returns
    -------
    dict
        For each file its cry units in order, those that touch made one; none where only other
        labels are given.

    Raises
    ------
    ConfigError
        A column is missing, or an interval holds no numbers.
    """
    folder = path.resolve().parent
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise ManifestError(missing, tuple(reader.fieldnames or ()))
        lines = list(reader)
    cries: dict[Path, list[Unit]] = {(folder / line["file"]).resolve(): [] for line in lines}
    for number, line in enumerate(lines, start=2):
        if line["label"] == "cry":
            cries[(folder / line["file"]).resolve()].append(_interval(line, number))
    return {file: _joined(units) for file, units in cries.items()}


def _interval(line: Mapping[str, str], number: int) -> Unit:
    try:
        return Unit(float(line["onset_s"]), float(line["offset_s"]))
    except (TypeError, ValueError) as error:
        raise ConfigError(f"line {number} of the intervals holds no times") from error


def _joined(units: Iterable[Unit]) -> tuple[Unit, ...]:
    joined: list[Unit] = []
    for unit in sorted(units, key=lambda unit: unit.onset_s):
        if joined and unit.onset_s - joined[-1].offset_s < TOUCHING_S:
            longest_s = max(unit.offset_s, joined[-1].offset_s)
            joined[-1] = Unit(joined[-1].onset_s, longest_s)
        else:
            joined.append(unit)
    return tuple(joined)


# --- command line -------------------------------------------------------------------------------


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("manifest", type=Path, help="CSV of recordings")
    parser.add_argument("intervals", type=Path, help="CSV of marked intervals")
    parser.add_argument("--png", type=Path, metavar="FILE", help="draw F1 over onset tolerance")


def main(args: argparse.Namespace) -> int:
    """Print the table, and write the same figures as JSON where asked."""
    figures = run(args.manifest, args.intervals)
    Console().print(_table(figures))
    if args.png is not None:
        draw(args.png, figures)
    if args.json is not None:
        args.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return 0


_LABELS = {
    "event_f1_held_out": "event F1, installations that training leaves out",
    "event_f1_level_held_out": "  plain threshold within the band of cries",
    "iou_held_out": "IoU of crying time, the same installations",
    _CROSS_VALIDATED: "event F1, cross-validated in training",
    "event_f1": "event F1, all: fitted on some of them",
    "event_f1_level": "  plain threshold within the band of cries",
    "event_f1_energy": "  plain energy threshold",
    "iou": "IoU of crying time, all",
}


def _table(figures: Mapping[str, object]) -> Table:
    table = Table(
        title=f"Cry units against marked intervals, onset within {ONSET_TOLERANCE_S} s; "
        f"{figures['n']} recordings, {figures['n_held_out']} left out of training"
    )
    for column in ("figure", "value", "95 % interval by installation"):
        table.add_column(column)
    for name, label in _LABELS.items():
        if name in figures:
            table.add_row(label, *_cells(figures, name))
    return table


def draw(path: Path, figures: Mapping[str, Any]) -> None:
    """Draw F1 over the onset tolerance as one PNG, without a display."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.0, 4.0), layout="constrained")
    FigureCanvasAgg(figure)
    axis = figure.add_subplot()
    lines = figures["event_f1_by_tolerance"]
    for name, label in _DRAWN.items():
        axis.plot([line["tolerance_s"] for line in lines], [line[name] for line in lines], "o-")
        axis.lines[-1].set_label(label)
    axis.axvline(ONSET_TOLERANCE_S, color="grey", linewidth=0.8)
    axis.set(xlabel="onset tolerance (s)", ylabel="event F1", ylim=(0.0, 1.0))
    axis.set_title(f"{figures['n']} marked recordings, the finder fitted on some", fontsize=10)
    axis.legend(fontsize=8, loc="lower right")
    figure.savefig(path, dpi=110)


_DRAWN = {
    "shipped": "shipped finder",
    "level": "threshold, band of cries",
    "energy": "plain energy threshold",
}


def _cells(figures: Mapping[str, object], name: str) -> tuple[str, str]:
    if figures[name] is None:
        return str(figures[f"{name}_reason"]), ""
    low, high = figures[f"{name}_lo"], figures[f"{name}_hi"]
    return f"{figures[name]:.3f}", "one only" if low is None else f"{low:.3f} to {high:.3f}"
