"""Compare recipes of the backbone: ``python -m pipelines compare-recipes DATA OUT``.

In: the cells of :mod:`pipelines.training.recipes`. Out: for each recipe how well infants that it
did not hear are told apart, what rooms do to its embeddings, and how much of a voice's traits can
be read from them, with the differences that the two-by-two of adults and swapped rooms makes.
Guaranteed: intervals draw infants, the same ones for all recipes, so that differences are paired;
whitenings and readouts are fitted on infants that the fold's network heard, and judged on others.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from sklearn.linear_model import RidgeCV

from pipelines.evaluation.pairs import Pairs, cosine_scores, equal_error_rate, whitened_scores
from pipelines.frontend import FrontEnd
from pipelines.training.backbone import keep_freed_memory
from pipelines.training.batches import HOUR_S
from pipelines.training.corpus import cry_rows
from pipelines.training.device import chosen_device
from pipelines.training.learner import Recipe
from pipelines.training.probes import (
    RESAMPLES,
    RIDGES,
    Curve,
    Vectors,
    figure_of,
    read_off,
    read_probes,
)
from pipelines.training.recipes import (
    RECIPES,
    Material,
    cells,
    fill_cells,
    read_items,
)
from pipelines.training.simulated import TARGETS
from pipelines.training.whitening import fit_whitening, whitened

SHRINKAGE = 0.5
BACKGROUND, MFCC = "background only (control)", "MFCC statistics (whitened)"


@dataclass(frozen=True)
class Judges:
    """The recordings that a fold judges: their pairs, and how often each draw takes an infant."""

    rows: NDArray[np.intp]
    pairs: Pairs
    times: NDArray[np.float64]

    def eer(self, scores: NDArray[np.float64], *, hour_apart: bool) -> Curve:
        """Equal error rate in percent, over all of them and over every draw."""
        same, infant = self.pairs.same, self.pairs.infant
        kept = ~same | self.pairs.hour_apart if hour_apart else np.ones(len(same), dtype=bool)
        order = np.flatnonzero(kept)[np.argsort(scores[kept], kind="stable")]
        first, second = infant[self.pairs.first[order]], infant[self.pairs.second[order]]
        return np.array(
            [_rate(scores[order], same[order], t[first], t[second]) for t in self.times]
        )

    def mean(self, values: NDArray[np.float64], owners: NDArray[np.intp]) -> Curve:
        """Mean over recordings, over all of them and over every draw."""
        weights = self.times[:, owners]
        total = weights.sum(axis=1)
        result: Curve = (weights @ values) / np.where(total > 0.0, total, np.nan)
        return result


def _rate(
    scores: NDArray[np.float64],
    same: NDArray[np.bool_],
    first: NDArray[np.float64],
    second: NDArray[np.float64],
) -> float:
    """Equal error rate of one draw; NaN where it has drawn no infant with pairs, or only one."""
    weights = np.where(same, first, first * second)
    if not weights[same].any() or not weights[~same].any():
        return float("nan")
    return equal_error_rate(scores, same, weights)


def judges(material: Material, fold: int) -> Judges:
    """Give the judges of a fold; draws are the same whatever is judged."""
    rows = np.flatnonzero(material.fold() == fold)
    items = [material.items[row] for row in rows]
    infant = np.unique([item.infant for item in items], return_inverse=True)[1]
    device = np.array([item.device for item in items])
    when_s = np.array([item.recorded_at_s for item in items])
    first, second = np.triu_indices(len(items), k=1)
    alike = device[first] == device[second]
    first, second = first[alike], second[alike]
    apart = np.abs(when_s[first] - when_s[second]) > HOUR_S
    pairs = Pairs(first, second, infant[first] == infant[second], apart, infant)
    count = int(infant.max()) + 1
    rng = np.random.default_rng(fold)
    draws = [np.bincount(rng.integers(0, count, count), minlength=count) for _ in range(RESAMPLES)]
    return Judges(rows, pairs, np.stack([np.ones(count), *draws]).astype(np.float64))


def compare(material: Material, names: Sequence[str], seeds: int) -> dict[str, Any]:
    """Tell what the cells show.

    Returns
    -------
    dict
        ``recipes``: for each recipe and control its figures with ``value``, ``lo`` and ``hi``;
        ``differences``: between recipes, paired; ``columns``, ``title``, ``caption``.
    """
    by_fold = [judges(material, fold) for fold in range(material.folds)]
    curves = {name: _recipe(material, by_fold, name, seeds) for name in names}
    curves |= _controls(material, by_fold)
    recipes = {name: {k: figure_of(c) for k, c in own.items()} for name, own in curves.items()}
    n_hour = sum(int((j.pairs.same & j.pairs.hour_apart).sum()) for j in by_fold)
    return {
        "recipes": recipes,
        "differences": _differences(curves),
        "columns": list(COLUMNS),
        "title": f"Recipes of the backbone at {material.crops} crops, {seeds} seeds, "
        f"{material.folds} folds over {len({i.infant for i in material.items})} infants, "
        f"front end of {material.floor_db:g} dB",
        "caption": f"mean [95 %, paired bootstrap over infants]; EER in percent, same kind of "
        f"device; {n_hour} pairs more than an hour apart; drift: 1 - cosine after 10 dB of another "
        "background over that of strangers; R2: read off by ridge regression",
        "crops": material.crops,
        "floor_db": material.floor_db,
        "seeds": seeds,
        "folds": material.folds,
        "n_recordings": len(material.items),
        "n_hour_apart_pairs": n_hour,
    }


COLUMNS = (
    "EER any",
    "EER > 1 h",
    "whitened any",
    "whitened > 1 h",
    "cosine, two rooms",
    "drift",
    "infant over room",
    "R2 F0, real",
    *(f"R2 {name}, simulated" for name in TARGETS),
)


def _mean_curves(parts: Sequence[Mapping[str, Curve]]) -> dict[str, Curve]:
    return {key: np.mean([part[key] for part in parts], axis=0) for key in parts[0]}


def _recipe(
    material: Material, by_fold: Sequence[Judges], name: str, seeds: int
) -> dict[str, Curve]:
    parts = [
        _identity(material, by_fold[fold], arrays)
        | _rooms(by_fold[fold], arrays)
        | _traits(material, by_fold[fold], arrays)
        for _, fold, arrays in cells(material, name, seeds)
    ]
    return _mean_curves(parts)


def _identity(
    material: Material, judged: Judges, arrays: Mapping[str, Vectors]
) -> dict[str, Curve]:
    heard = np.ones(len(material.items), dtype=bool)
    heard[judged.rows] = False
    owners = np.array([item.infant for item in material.items])[heard]
    # Copies in another room belong to the same owner: what rooms move is shrunk as well.
    known = np.concatenate([arrays["plain"][heard], arrays["here"][heard]])
    whitening = fit_whitening(known, np.tile(owners, 2), SHRINKAGE)
    own = arrays["plain"][judged.rows]
    plain = cosine_scores(own, judged.pairs)
    white = cosine_scores(whitened(own, whitening), judged.pairs)
    return {
        "EER any": judged.eer(plain, hour_apart=False),
        "EER > 1 h": judged.eer(plain, hour_apart=True),
        "whitened any": judged.eer(white, hour_apart=False),
        "whitened > 1 h": judged.eer(white, hour_apart=True),
    }


def _rooms(judged: Judges, arrays: Mapping[str, Vectors]) -> dict[str, Curve]:
    plain, here, there = (arrays[name][judged.rows] for name in ("plain", "here", "there"))
    infant = judged.pairs.infant
    pairs = judged.pairs
    strangers = ~pairs.same
    apart = 1.0 - float(cosine_scores(plain, pairs)[strangers].mean())
    moved = (1.0 - np.einsum("ij,ij->i", plain, here)) / apart
    same = np.einsum("ij,ij->i", here, there)
    wins, owners = _trials(judged, here, there)
    return {
        "cosine, two rooms": judged.mean(same.astype(np.float64), infant),
        "drift": judged.mean(moved.astype(np.float64), infant),
        "infant over room": judged.mean(wins, owners),
    }


def _trials(
    judged: Judges, here: Vectors, there: Vectors
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Share of strangers in the same room that lie further off than one's own in another room."""
    pairs = judged.pairs
    size = len(judged.rows)
    comparable = np.zeros((size, size), dtype=bool)
    comparable[pairs.first, pairs.second] = comparable[pairs.second, pairs.first] = True
    own = pairs.infant[:, None] == pairs.infant
    to_own, to_others = here @ there.T, here @ here.T
    wins, owners = [], []
    for row in range(size):
        mine, others = comparable[row] & own[row], comparable[row] & ~own[row]
        if mine.any() and others.any():
            wins.append(float((to_own[row, mine][:, None] > to_others[row, others]).mean()))
            owners.append(pairs.infant[row])
    return np.asarray(wins), np.asarray(owners)


def _traits(material: Material, judged: Judges, arrays: Mapping[str, Vectors]) -> dict[str, Curve]:
    measured = np.array([item.f0 for item in material.items])
    heard = np.isfinite(measured)
    heard[judged.rows] = False
    own = judged.rows[np.isfinite(measured[judged.rows])]
    infant = judged.pairs.infant[np.isfinite(measured[judged.rows])]
    read = RidgeCV(RIDGES).fit(arrays["plain"][heard], measured[heard])
    left = np.square(measured[own] - read.predict(arrays["plain"][own]))
    spread = np.square(measured[own] - measured[heard].mean())
    result = {"R2 F0, real": 1.0 - judged.mean(left, infant) / judged.mean(spread, infant)}
    readings = read_off(arrays["probes"], material.probes)
    return result | {f"R2 {name}, simulated": curve for name, curve in readings.items()}


def _controls(material: Material, by_fold: Sequence[Judges]) -> dict[str, dict[str, Curve]]:
    looks: dict[str, Callable[[int], Vectors]] = {
        BACKGROUND: lambda row: material.items[row].background,
        MFCC: lambda row: material.items[row].mfcc,
    }
    result = {}
    for name, look in looks.items():
        parts = []
        for judged in by_fold:
            vectors = np.stack([look(int(row)) for row in judged.rows])
            scores = whitened_scores(vectors, judged.pairs)
            parts.append(
                {
                    "EER any": judged.eer(scores, hour_apart=False),
                    "EER > 1 h": judged.eer(scores, hour_apart=True),
                }
            )
        result[name] = _mean_curves(parts)
    return result


def _differences(curves: Mapping[str, Mapping[str, Curve]]) -> dict[str, dict[str, float]]:
    """Paired differences of the hour-apart rate: the two-by-two's effects, and to the controls."""
    rate = {name: own["EER > 1 h"] for name, own in curves.items()}
    result = {}
    two_by_two = ("cries", "cries, swap", "adults, cries", "adults, cries, swap")
    if all(name in rate for name in two_by_two):
        neither, swap, adults, both = (rate[name] for name in two_by_two)
        result["effect of adults"] = figure_of(0.5 * ((adults - neither) + (both - swap)))
        result["effect of swapped rooms"] = figure_of(0.5 * ((swap - neither) + (both - adults)))
    for control in ("untrained", MFCC, BACKGROUND):
        for name in RECIPES:
            if control in rate and name in rate and name != control:
                result[f"{name} minus {control}"] = figure_of(rate[name] - rate[control])
    return result


# --- command line -------------------------------------------------------------------------------


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("data", type=Path, help="folder of real recordings")
    parser.add_argument("out", type=Path, help="folder for the cells, to go on from")
    parser.add_argument("--crops", type=int, default=20_000, help="crops each network learns from")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument(
        "--floor-db", type=float, default=Recipe.floor_db, help="dynamic range of the front end"
    )
    parser.add_argument("--only", nargs="*", choices=list(RECIPES), help="recipes (default: all)")
    parser.add_argument("--threads", type=int, default=1, help="threads of torch (default 1)")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")


def main(args: argparse.Namespace) -> int:
    """Fill the cells, then print and write what they show."""
    torch.set_num_threads(args.threads)
    keep_freed_memory()
    args.out.mkdir(parents=True, exist_ok=True)
    front_end = FrontEnd(floor_below_p99_db=args.floor_db)
    material = Material(
        args.data,
        args.out,
        read_items(cry_rows(args.data), front_end),
        read_probes(front_end),
        args.crops,
        args.folds,
        chosen_device(args.device),
        args.floor_db,
    )
    names = list(args.only or RECIPES)
    fill_cells(material, args.seeds, names)
    figures = compare(material, names, args.seeds)
    console = Console(file=sys.stdout, width=200)
    for table in _tables(figures):
        console.print(table)
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return 0


def _tables(figures: Mapping[str, Any]) -> tuple[Table, Table]:
    columns = figures["columns"]
    table = Table("recipe", *columns, title=figures["title"], caption=figures["caption"])
    for name, row in figures["recipes"].items():
        table.add_row(name, *(_cell(row.get(column)) for column in columns))
    paired = Table("EER > 1 h, paired", "difference", title="Differences")
    for name, figure in figures["differences"].items():
        paired.add_row(name, _cell(figure))
    return table, paired


def _cell(figure: Mapping[str, float] | None) -> str:
    if figure is None:
        return "-"
    return f"{figure['value']:.2f} [{figure['lo']:.2f}, {figure['hi']:.2f}]"
