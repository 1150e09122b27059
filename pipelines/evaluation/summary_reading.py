"""Reading: figures of other commands as the cells, tables and names of a report.

Serves ``summary``. In: figures by key. Out: cells, points and tables. Guaranteed: nothing is
computed; what a file lacks is a dash, or is said to be left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.evaluation.summary_figures import Picture, Point

DASH = "-"
SIMULATED, SEMI_SIMULATED, RECORDED = "Simulated", "Semi-simulated", "Of recordings"
OVER_INFANTS = "95 %, by drawing infants again"
OVER_SESSIONS = "95 %, by drawing sessions again (recall: infants)"
NO_INTERVAL = "none in the file"
ALPHAS = {"10": 0.10, "05": 0.05}
Figures = Mapping[str, Any]


@dataclass(frozen=True)
class Table:
    """A table, and what has to be known of it.

    Attributes
    ----------
    title
        What it shows.
    kind
        Whether it is simulated, semi-simulated or of recordings.
    n, interval
        How many it rests on, and what its intervals are.
    headings, rows
        Cells.
    labels
        How many of the first columns hold no figures.
    """

    title: str
    kind: str
    n: str
    interval: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    labels: int = 1

    @property
    def is_empty(self) -> bool:
        """Whether the file had none of its figures."""
        return all(cell == DASH for row in self.rows for cell in row[self.labels :])


Block = str | Table | Picture


# --- reading ------------------------------------------------------------------------------------


def number(figures: Figures, key: str) -> float | None:
    """Return a finite number, or None where there is none under a key."""
    value = figures.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def point(figures: Figures, key: str, tail: str = "") -> Point | None:
    """Return a figure with its interval; ``tail`` ends all of its keys."""
    value, lo, hi = (number(figures, f"{key}{end}{tail}") for end in ("", "_lo", "_hi"))
    return None if value is None else Point(value, lo, hi)


def cell(figures: Figures, key: str, digits: int = 2, tail: str = "") -> str:
    """Write a figure with its interval and n; without one, why, or a dash."""
    found, n = point(figures, key, tail), number(figures, f"{key}_n{tail}")
    if found is None:
        reason = figures.get(f"{key}_reason{tail}")
        return reason.partition(":")[0] if isinstance(reason, str) else DASH
    beside = []
    if found.lo is not None and found.hi is not None:
        beside.append(f"{found.lo:z.{digits}f} to {found.hi:z.{digits}f}")
    if n is not None:
        beside.append(f"n {int(n)}")
    return f"{found.value:z.{digits}f}" + (f" ({'; '.join(beside)})" if beside else "")


def count(figures: Figures, key: str) -> str:
    """Write a number of things."""
    value = figures.get(key)
    return str(value) if isinstance(value, int) else "an untold number of"


def part_of(figures: Figures, key: str) -> Figures:
    """Return the figures under a key; none where there are none."""
    found = figures.get(key)
    return found if isinstance(found, dict) else {}


def lines_of(figures: Figures, key: str) -> list[Figures]:
    """Return the lines of a list under a key."""
    found = figures.get(key)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def shown(table: Table) -> Block:
    """Return a table, or what is said in its place where the file has none of its figures."""
    return left_out(f"the table \u201c{table.title}\u201d") if table.is_empty else table


def drawn(picture: Picture) -> Block:
    """Return a picture, or what is said in its place where there is no point in it."""
    return picture if any(picture.points) else left_out(f"the figure \u201c{picture.title}\u201d")


def simulated(figures: Figures, key: str, kind: str) -> str:
    """Return the kind of figures that the file itself says to be so."""
    return kind if figures.get(key) is True else f"not told by the file, expected: {kind.lower()}"


def left_out(what: str) -> str:
    """Say that the file does not have something."""
    return f"**Left out: {what}.** The file has no such figures."


# --- scorers ------------------------------------------------------------------------------------

SCORER, SHIPS, RULE, PEER = "scorer", "scorer, ships", "other rule", "PyOD"
CONTROL, DUMMY, OTHER = "control", "dummy", "other"
NAMES = {
    "autoencoder": ("autoencoder", SCORER),
    "ocsvm": ("one-class SVM", SCORER),
    "gmm": ("Gaussian mixture", SCORER),
    "likelihood": ("likelihood", SCORER),
    "acoustics": ("acoustics", SCORER),
    "combined": ("combined", SHIPS),
    "cauchy": ("Cauchy rule", RULE),
    "harmonic": ("harmonic mean", RULE),
    "e_values": ("mean of e-values", RULE),
    "pyod_autoencoder": ("AutoEncoder", PEER),
    "pyod_ocsvm": ("OCSVM", PEER),
    "pyod_gmm": ("GMM", PEER),
    "room": ("background, nearest known", CONTROL),
    "background": ("background", CONTROL),
    "background_likelihood": ("background, likelihood", CONTROL),
    "background_autoencoder": ("background, autoencoder", CONTROL),
    "background_ocsvm": ("background, one-class SVM", CONTROL),
    "background_gmm": ("background, mixture", CONTROL),
    "background_combined": ("background, combined", CONTROL),
    "always_fire": ("always fire", DUMMY),
    "never_fire": ("never fire", DUMMY),
    "level_meter": ("level meter", DUMMY),
}
"""Words for scorers, and what they are, in the order of tables."""
IN_INFANTS = (
    *("autoencoder", "ocsvm", "gmm", "combined", "background"),
    *("always_fire", "never_fire", "level_meter"),
)
"""The detectors of the method's authors, what ships, the control and the dummies."""


def in_order(names: Iterable[str]) -> list[str]:
    """Put scorers in the order of tables, those without a name of their own last."""
    there = list(names)
    return [name for name in NAMES if name in there] + [n for n in there if n not in NAMES]


def words(name: str) -> tuple[str, str]:
    """Return what a scorer is called, and what it is."""
    return NAMES.get(name, (name, OTHER))


def row_label(name: str) -> str:
    """Return a scorer's label in figures."""
    called, what = words(name)
    return called if what in (SCORER, SHIPS) else f"{called} ({what})"


def beside(names: Iterable[str]) -> Iterator[str]:
    """Say so where results stand without what they must be read beside."""
    there = {words(name)[1] for name in names}
    for what in (CONTROL, DUMMY):
        if what not in there:
            yield left_out(f"every {what}, beside which these results have to be read")
