"""Evaluation of segmentation: cry units found against intervals that a person marked.

In: a manifest and a list of intervals (``file``, ``onset_s``, ``offset_s``, ``label``; label
``cry``). Out: event-based F1 at an onset tolerance of 0.2 s and the intersection of the crying time
over its union, for the shipped finder, and F1 of a plain energy threshold beside it. Guaranteed:
intervals come from a bootstrap over installations; recordings that no interval names do not count.

Source of the protocol: Mesaros, Heittola and Virtanen, "Metrics for polyphonic sound event
detection", Applied Sciences 6 (2016).
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from pipelines.errors import ConfigError, ManifestError
from pipelines.evaluation.metrics import Absent, Estimate, frac_by_group, json_keys
from pipelines.manifest import BadRow, ManifestRow, read_manifest
from pipelines.segment import Unit, find_units, frame_levels, units_by_level
from pipelines.sound import Sound, decode, peak_normalise, resample

ONSET_TOLERANCE_S = 0.2
STEP_S = 0.01
COLUMNS = ("file", "onset_s", "offset_s", "label")
ENERGY_MERGE_GAP_S = 0.15
ENERGY_MIN_UNIT_S = 0.3
TOUCHING_S = 1e-3

Flags = NDArray[np.bool_]
Figures = dict[str, Estimate | Absent]


@dataclass(frozen=True)
class Marked:
    """A recording whose crying a person has marked."""

    infant: str
    sound: Sound
    units: tuple[Unit, ...]


def energy_units(sound: Sound) -> tuple[Unit, ...]:
    """Find units by the level of the whole sound: the plain baseline, no band, longer units."""
    levels = frame_levels(sound.samples, sound.rate_hz)
    return units_by_level(levels, sound.duration_s, ENERGY_MERGE_GAP_S, ENERGY_MIN_UNIT_S)


def matched_events(found: Sequence[Unit], marked: Sequence[Unit]) -> int:
    """Count pairs of units whose onsets lie within the tolerance, each used once.

    Parameters
    ----------
    found, marked
        Units in order of their onsets.
    """
    pairs, left, right = 0, 0, 0
    while left < len(found) and right < len(marked):
        apart_s = found[left].onset_s - marked[right].onset_s
        near = abs(apart_s) <= ONSET_TOLERANCE_S
        pairs += near
        left += near or apart_s < 0.0
        right += near or apart_s > 0.0
    return pairs


def event_flags(found: Sequence[Unit], marked: Sequence[Unit]) -> Flags:
    """Flag each event of either list as matched or not; the mean of the flags is the F1."""
    flags = np.zeros(len(found) + len(marked), dtype=bool)
    flags[: 2 * matched_events(found, marked)] = True
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
        ``event_f1``, ``iou`` and ``event_f1_energy``, each with ``_lo`` and ``_hi`` (95 %, by
        installation), ``_n`` and ``_groups``; ``n``, the number of recordings; ``versions``.

    Raises
    ------
    ConfigError
        A column is missing, an interval holds no numbers, or no recording of the manifest is
        marked.
    DecodeError
        A marked recording holds no sound.
    """
    recordings = read_marked(manifest, intervals)
    figures = _figures(recordings)
    keyed = [json_keys(name, figure) for name, figure in figures.items()]
    return {key: value for part in keyed for key, value in part.items()} | {
        "n": len(recordings),
        "versions": {name: version(name) for name in ("av", "numpy", "scipy", "soxr")},
    }


def _figures(recordings: Sequence[Marked]) -> Figures:
    shipped = [find_units(marked.sound) for marked in recordings]
    plain = [energy_units(marked.sound) for marked in recordings]
    truth = [marked.units for marked in recordings]
    infants = [marked.infant for marked in recordings]
    return {
        "event_f1": _pooled(map(event_flags, shipped, truth), infants),
        "iou": _pooled(map(overlap_flags, shipped, truth), infants),
        "event_f1_energy": _pooled(map(event_flags, plain, truth), infants),
    }


def _pooled(flags: Iterable[Flags], infants: Sequence[str]) -> Estimate | Absent:
    parts = list(flags)
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
    marked = [
        _marked(row, units[row.file.resolve()]) for row in rows if row.file.resolve() in units
    ]
    if not marked:
        raise ConfigError(f"no recording of {manifest.name} is marked in {folder / intervals.name}")
    return marked


def _marked(row: ManifestRow, units: tuple[Unit, ...]) -> Marked:
    return Marked(row.infant, peak_normalise(resample(decode(row.file)[0])), units)


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


def main(args: argparse.Namespace) -> int:
    """Print the table, and write the same figures as JSON where asked."""
    figures = run(args.manifest, args.intervals)
    Console().print(_table(figures))
    if args.json is not None:
        args.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return 0


_LABELS = {
    "event_f1": "event F1, onset within 0.2 s",
    "iou": "IoU of crying time",
    "event_f1_energy": "event F1, plain energy threshold",
}


def _table(figures: Mapping[str, object]) -> Table:
    table = Table(title=f"Cry units against marked intervals, {figures['n']} recordings")
    for column in ("figure", "value", "95 % interval by installation"):
        table.add_column(column)
    for name, label in _LABELS.items():
        table.add_row(label, *_cells(figures, name))
    return table


def _cells(figures: Mapping[str, object], name: str) -> tuple[str, str]:
    if figures[name] is None:
        return str(figures[f"{name}_reason"]), ""
    low, high = figures[f"{name}_lo"], figures[f"{name}_hi"]
    return f"{figures[name]:.3f}", "one only" if low is None else f"{low:.3f} to {high:.3f}"
