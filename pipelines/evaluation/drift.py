"""Evaluation of the monitor: how late it sees a shift, how far ahead of illness, what misleads it.

In: a manifest of real recordings, or none. Out: tables, and the same figures as JSON. Guaranteed:
what is simulated is called simulated and what only draws on real recordings semi-simulated; the
same seed gives the same figures.

``drift_delays`` measures delays and false alarms, ``drift_lead`` the lead on planted illness,
``drift_moves`` what another room, another device and growth raise. With a manifest, deviations are
those of its training infants that have several recordings, put together again with day effects.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from pipelines.errors import ConfigError
from pipelines.evaluation.drift_cohort import CRIES_A_DAY, read_residuals
from pipelines.evaluation.drift_delays import Figures, score_figures, view_figures
from pipelines.evaluation.drift_lead import lead_figures
from pipelines.evaluation.drift_moves import moves_figures
from pipelines.evaluation.drift_tables import tables
from pipelines.evaluation.report import console, versions, write_json

INFANTS = 1000
LEAST_INFANTS = 20
SIMULATED = 24
SEED = 1
LEAD_SEED = 1000
"""Added to the seed of the cohorts on which delays are measured."""


def run(
    manifest: Path | None,
    n: int = INFANTS,
    simulated: int = SIMULATED,
    seed: int = SEED,
    cache: Path | None = None,
    workers: int = 1,
) -> Figures:
    """Run the benchmark.

    Parameters
    ----------
    manifest
        Real recordings to take deviations from; None draws them from a t distribution.
    n
        Semi-simulated infants.
    simulated
        Simulated infants whose recordings are made and heard; 0 leaves that part out.
    seed
        Draws everything.
    cache
        Where simulated recordings are kept once they were heard; None forgets them.
    workers
        How many processes hear.

    Returns
    -------
    dict
        The figures of all parts, ``n``, ``n_simulated``, ``seed``, ``versions``.

    Raises
    ------
    ConfigError
        Too few infants are asked for, or the manifest has too few.
    """
    if n < LEAST_INFANTS or simulated < 0:
        raise ConfigError(f"no monitor is measured on fewer than {LEAST_INFANTS} infants")
    residuals = None if manifest is None else read_residuals(manifest)
    told = "t, 6 degrees of freedom"
    if residuals is not None:
        told = f"deviations of {residuals.n_infants} real infants' recordings"
    figures: Figures = {"semi_simulated": True, "residuals": told, "n": n, "seed": seed}
    figures |= {"cries_a_day": CRIES_A_DAY, "n_simulated": simulated}
    figures |= score_figures(n, seed, residuals)
    of_views, monitor = view_figures(n, seed, residuals)
    figures |= of_views
    figures |= lead_figures(n, seed + LEAD_SEED, monitor.threshold, residuals)
    if simulated:
        figures |= _moves(simulated, seed, cache, workers)
    return figures | {"versions": versions()}


def _moves(simulated: int, seed: int, cache: Path | None, workers: int) -> Figures:
    if cache is not None:
        return moves_figures(simulated, seed, cache, workers)
    with tempfile.TemporaryDirectory() as folder:
        return moves_figures(simulated, seed, Path(folder), workers)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("manifest", type=Path, nargs="?", help="CSV of real recordings")
    parser.add_argument("--infants", type=int, default=INFANTS, help="semi-simulated infants")
    parser.add_argument(
        "--simulated", type=int, default=SIMULATED, help="infants whose recordings are made"
    )
    parser.add_argument("--cache", type=Path, metavar="FOLDER", help="keeps what was heard")
    parser.add_argument("--workers", type=int, default=1, help="processes that hear (default: 1)")
    parser.add_argument("--seed", type=int, default=SEED)


def main(args: argparse.Namespace) -> int:
    """Print the tables, and write the same figures as JSON where asked."""
    figures = run(args.manifest, args.infants, args.simulated, args.seed, args.cache, args.workers)
    shown = console()
    for made in tables(figures):
        shown.print(made)
    if args.json is not None:
        write_json(args.json, figures)
    return 0
