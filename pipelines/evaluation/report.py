"""Reports: how an evaluation's figures reach people and programs.

In: figures. Out: tables on the terminal, and one JSON file with the same figures. Guaranteed: a
JSON file appears whole, holds no NaN, and names the versions behind the figures.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from pipelines.evaluation.metrics import Absent, Estimate

LIBRARIES = ("numpy", "scipy", "scikit-learn", "torch")
WIDE = 132


def console() -> Console:
    """Return a console on standard output, wide enough for the tables when it is no terminal."""
    found = Console()
    return found if found.is_terminal else Console(width=WIDE)


def progress() -> Progress:
    """Return a progress display on standard error, which leaves the tables clean."""
    columns = (SpinnerColumn(), TextColumn("{task.description} {task.completed}/{task.total}"))
    return Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True)


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """Build a table; every column but the first is set to the right."""
    made = Table(title=title, title_justify="left", title_style="bold")
    for index, column in enumerate(columns):
        made.add_column(column, justify="left" if index == 0 else "right", overflow="fold")
    for row in rows:
        made.add_row(*(spell(cell) for cell in row))
    return made


def spell(cell: object) -> str:
    """Write a cell: fractions with two decimals, what is absent as a dash."""
    if cell is None or isinstance(cell, Absent):
        return "-"
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return f"{cell:.2f}" if isinstance(cell, float) else str(cell)


def percent(figure: Estimate | Absent) -> str:
    """Write a fraction as a percentage with its interval and n."""
    if isinstance(figure, Absent):
        return f"- ({figure.reason})"
    interval = ""
    if figure.lo is not None and figure.hi is not None:
        interval = f" [{100 * figure.lo:.0f}, {100 * figure.hi:.0f}]"
    return f"{100 * figure.value:.0f} %{interval}, n {figure.n}"


def versions() -> dict[str, str]:
    """Return the versions of Python and the libraries that figures depend on."""
    return {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}}


def write_json(path: Path, figures: Mapping[str, Any]) -> None:
    """Write figures as one JSON file, whole or not at all.

    Raises
    ------
    ValueError
        A figure is not finite.
    OSError
        The file cannot be written.
    """
    text = json.dumps(figures, indent=1, allow_nan=False) + "\n"
    draft = path.with_name(f".{path.name}.tmp")
    draft.write_text(text)
    draft.replace(path)
