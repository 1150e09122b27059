"""Promise, early: what is promised of an infant of whom only a few days are known.

In: simulated infants as they were heard for ``pipelines.evaluation.promise``. Out: by the number of
days known, how often the next day's usual sessions are called unusual, and how often planted
changes are. Guaranteed: a version judges only sessions after all it has heard. Simulated: no infant
is anybody.

An infant's usual days are cut at several places: what is learnt from the few days before a cut
judges the usual sessions of the day after it. What is learnt from the last usual days judges those
in which something was planted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pipelines.evaluation import metrics, report
from pipelines.evaluation.lived import (
    COMBINED,
    Lived,
    baseline_of,
    session_p_values,
    sessions_between,
)
from pipelines.score import EARLIEST_DAYS, MINIMUM_DAYS, Learning, PersonalModel

KNOWN_DAYS = tuple(range(EARLIEST_DAYS, MINIMUM_DAYS))
CUTS = (10, 20, 30, 40, 50, 60)
"""Days at which a life is cut; the first infants' first days would be few."""
ALPHAS = (0.10, 0.05)


def live_early(lived: Lived, encoder: str, planted_from: int) -> dict[str, list[float]]:
    """Judge an infant by what few days teach.

    Parameters
    ----------
    lived
        The infant.
    encoder
        Fingerprint of the encoder.
    planted_from
        The first day on which something is planted.

    Returns
    -------
    dict
        Combined p-values; under ``usual/3`` those of usual sessions after three known days, under
        ``planted/3`` those in which something was planted, and so on.
    """
    cuts = [cut for cut in CUTS if cut < planted_from]
    found: dict[str, list[float]] = {}
    for known in KNOWN_DAYS:
        usual = [p for cut in cuts for p in _after(lived, encoder, known, cut, cut + 1)]
        found[f"usual/{known}"] = usual
        last = int(lived.day.max()) + 1
        found[f"planted/{known}"] = _after(lived, encoder, known, planted_from, last)
    return found


def _after(lived: Lived, encoder: str, known: int, cut: int, last: int) -> list[float]:
    chosen = (lived.day >= cut - known) & (lived.day < cut)
    model = PersonalModel.fit(baseline_of(lived, chosen), encoder, seed=0)
    if isinstance(model, Learning):
        return []  # on one of the days nothing was heard
    later = sessions_between(lived, cut, last)
    return [session_p_values(model, lived, session)[COMBINED] for session in later]


def early_figures(judged: Sequence[Mapping[str, list[float]]]) -> list[dict[str, Any]]:
    """Compute what the table shows, a row for each number of known days."""
    return [
        {
            "known_days": known,
            "n_sessions": sum(len(one.get(f"usual/{known}", ())) for one in judged),
        }
        | _shares(judged, f"usual/{known}", "fpr")
        | _shares(judged, f"planted/{known}", "recall")
        for known in KNOWN_DAYS
    ]


def _shares(judged: Sequence[Mapping[str, list[float]]], key: str, name: str) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for alpha in ALPHAS:
        rates = [float(np.mean(np.array(one[key]) <= alpha)) for one in judged if one.get(key)]
        title = f"{name}_at_alpha{round(100 * alpha):02d}"
        said |= metrics.json_keys(title, metrics.mean_over_groups(rates))
    return said


def show_early(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print the figures for people."""
    keys = ("fpr_at_alpha10", "fpr_at_alpha05", "recall_at_alpha10")
    told = ("called unusual at 0.10", "at 0.05", "planted, at 0.10")
    shown = [
        (row["known_days"], row["n_sessions"], *(_told(row, key) for key in keys))
        for row in rows
        if row["n_sessions"]
    ]
    title = "Simulated: while an infant is learnt"
    report.console().print(report.table(title, ("known days", "sessions", *told), shown))


def _told(figures: Mapping[str, Any], key: str) -> str:
    return f"{figures[key]:.3f} [{figures[f'{key}_lo']:.3f}, {figures[f'{key}_hi']:.3f}]"
