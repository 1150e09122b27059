"""Plot of verification: both errors at every threshold, on axes on which normal scores are lines.

In: error curves by name. Out: a picture. Guaranteed: the same scales for all curves; what lies
outside of them is cut off at their edge, never left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from pipelines.evaluation.pairs import ErrorCurve

TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98)
EDGES = (0.005, 0.99)

Panels = Mapping[str, Mapping[str, ErrorCurve]]


def probit(rates: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the places of rates on the axes, within their edges."""
    places: NDArray[np.float64] = ndtri(np.clip(rates, *EDGES))
    return places


def draw(path: Path, panels: Panels) -> None:
    """Draw a panel for each group of curves.

    Parameters
    ----------
    path
        Where; the ending tells the kind of picture.
    panels
        For each panel's title, curves by their labels.

    Raises
    ------
    OSError
        The picture cannot be written.

    References
    ----------
    Martin et al. (1997), The DET curve in assessment of detection task performance.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.5 * len(panels), 6.5), layout="constrained")
    columns = figure.subplots(1, len(panels), squeeze=False, sharex=True, sharey=True)[0]
    for axes, (title, curves) in zip(columns, panels.items(), strict=True):
        for label, curve in curves.items():
            axes.plot(probit(curve.passed), probit(curve.missed), label=label, linewidth=1.3)
        edges = probit(np.array(EDGES))
        axes.plot(edges, edges, color="0.8", linewidth=0.8, zorder=0)
        places = probit(np.array(TICKS))
        names = [f"{100 * tick:g}" for tick in TICKS]
        axes.set_xticks(places, names)
        axes.set_yticks(places, names)
        axes.set(title=title, xlim=tuple(edges), ylim=tuple(edges), aspect="equal")
        axes.grid(visible=True, color="0.93")
        axes.legend(loc="upper right", fontsize=8)
    figure.supxlabel("strangers taken for the same infant, percent")
    figure.supylabel("the same infant not recognised, percent")
    figure.savefig(path, dpi=90)
