"""Recipes of the backbone, and networks trained by each with some infants left out.

In: the folder of real recordings. Out: files of embeddings, one for every recipe, seed and fold;
what they show is told by :mod:`pipelines.training.compare`. Guaranteed: every infant is judged by
networks that never heard it, nor the backgrounds of its recordings; each recipe hears the same
number of crops; a cell (recipe, seed, fold) is stored when it is finished, and an interrupted
comparison goes on there.

The two-by-two of adults and swapped rooms comes first, since it decides whether more of either is
worth its hours; then what is added to the better of them.
"""

from __future__ import annotations

import functools
import hashlib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pipelines.artefacts import read_artefact, write_artefact
from pipelines.channel import add_noise
from pipelines.encoders.checkpoint import network_with
from pipelines.encoders.ecapa import build_ecapa
from pipelines.errors import DecodeError
from pipelines.evaluation.room_swap import background_of
from pipelines.frontend import (
    FrontEnd,
    background_statistics,
    mfcc_statistics,
)
from pipelines.manifest import ManifestRow
from pipelines.segment import Segmentation, segment
from pipelines.sound import Sound, peak_normalise
from pipelines.training.backbone import Run, RunSettings
from pipelines.training.corpus import (
    every_source,
    load_corpus,
    tracked_f0,
)
from pipelines.training.learner import Recipe
from pipelines.training.probes import (
    Levels,
    Probe,
    Vectors,
    raw_vectors,
    recording_vectors,
    unit_levels,
)
from pipelines.training.simulated import f0_target

CELL_KIND = "recipe_cell"
CELL_FORMAT = 1
ROOM_SNR_DB = 10.0
NETWORK = Path("compared")

PLAIN = Recipe(simulated_frac=0.0, same_take_frac=0.0, trait_weight=0.0, room_weight=0.0)
RECIPES: Mapping[str, Recipe | None] = {
    "untrained": None,
    "cries": replace(PLAIN, adults_frac=0.0, swap=False),
    "cries, swap": replace(PLAIN, adults_frac=0.0),
    "adults, cries": replace(PLAIN, adults_frac=0.4, swap=False),
    "adults, cries, swap": replace(PLAIN, adults_frac=0.4),
    "all, traits, two rooms": Recipe(),
    "the same, orthogonal": Recipe(orthogonality_weight=3.0),
}
"""What is compared; None is a network before any training."""


@dataclass(frozen=True)
class Item:
    """A recording as it is compared: whose, when, and its units' frames in dB, in three versions.

    The versions are: as recorded, and with the background of either of two others 10 dB under it.
    """

    infant: str
    device: str
    recorded_at_s: float
    versions: tuple[tuple[Levels, ...], ...]
    background: Vectors
    mfcc: Vectors
    f0: float


def fold_of(infant: str, folds: int) -> int:
    """Give the fold that an infant is judged in, the same on every machine."""
    return int.from_bytes(hashlib.sha256(f"fold {infant}".encode()).digest()[:4], "big") % folds


def read_items(rows: Sequence[ManifestRow], front_end: FrontEnd | None = None) -> list[Item]:
    """Hear all recordings in three versions; those without cries are left out."""
    found = [(row, one) for row in rows if (one := _opened(row)) is not None]
    rooms = _rooms(found)
    rng = np.random.default_rng(0)
    return [_item(row, one, rooms, (rng, front_end)) for row, one in found]


def _opened(row: ManifestRow) -> Segmentation | None:
    try:
        found = segment(row.file)
    except DecodeError:
        return None
    return None if found.unusable else found


def _rooms(found: Sequence[tuple[ManifestRow, Segmentation]]) -> list[tuple[str, Sound]]:
    """Choose the backgrounds of those who are heard longest without crying."""
    longest: dict[str, Sound] = {}
    for row, one in found:
        quiet = Sound(background_of(one), one.sound.rate_hz)
        if row.infant not in longest or quiet.duration_s > longest[row.infant].duration_s:
            longest[row.infant] = quiet
    order = sorted(longest, key=lambda infant: (-longest[infant].duration_s, infant))
    return [(infant, longest[infant]) for infant in order[:4]]


def _item(
    row: ManifestRow,
    found: Segmentation,
    rooms: Sequence[tuple[str, Sound]],
    means: tuple[np.random.Generator, FrontEnd | None],
) -> Item:
    rng, front_end = means
    sound, units = found.sound, found.units
    others = [room for infant, room in rooms if infant != row.infant][:2]
    noisy = [peak_normalise(add_noise(sound, room, ROOM_SNR_DB, rng)) for room in others]
    f0_hz = tracked_f0(sound, len(sound.samples) // 160 + 1)
    voiced = f0_hz[np.isfinite(f0_hz)]
    return Item(
        infant=row.infant,
        device=row.device or "unknown",
        recorded_at_s=row.recorded_at.timestamp(),
        versions=tuple(unit_levels(version, units, front_end) for version in (sound, *noisy)),
        background=background_statistics(sound),
        mfcc=mfcc_statistics(sound, units),
        f0=f0_target(float(np.median(voiced))) if len(voiced) >= 20 else float("nan"),
    )


@dataclass(frozen=True)
class Material:
    """Everything that a comparison looks at, and where it is kept."""

    data_root: Path
    folder: Path
    items: list[Item]
    probes: list[Probe]
    crops: int
    folds: int
    device: str
    floor_db: float = Recipe.floor_db

    @functools.cached_property
    def digest(self) -> str:
        """Digest of what is heard and how much of it is learnt from."""
        digest = hashlib.sha256(f"{self.crops} {self.folds} {self.floor_db}".encode())
        for item in self.items:
            digest.update(f"{item.infant} {item.recorded_at_s}".encode())
            digest.update(item.mfcc.tobytes())
        return digest.hexdigest()

    def fold(self) -> NDArray[np.int64]:
        """Fold of each recording."""
        return np.array([fold_of(item.infant, self.folds) for item in self.items])


def cell_path(material: Material, name: str, seed: int, fold: int) -> Path:
    """Give the file of one cell; another recipe or other recordings have another file."""
    recipe = RECIPES[name]
    said = "untrained" if recipe is None else json.dumps(asdict(recipe), sort_keys=True)
    key = f"{name} {said} {seed} {fold} {material.digest}"
    return material.folder / f"cell-{hashlib.sha256(key.encode()).hexdigest()[:12]}.safetensors"


def fill_cells(material: Material, seeds: int, names: Sequence[str]) -> None:
    """Train and embed what is not there yet, fold by fold."""
    wanted = [
        (name, seed, fold)
        for seed in range(seeds)
        for name in names
        for fold in range(material.folds)
        if not cell_path(material, name, seed, fold).exists()
    ]
    if not wanted:
        return
    _say(f"{len(wanted)} cells to do; reading the recordings")
    simulated = max((RECIPES[name] or PLAIN).simulated_infants for name in names)
    corpus = load_corpus(material.data_root, every_source(material.data_root), simulated)
    for number, (name, seed, fold) in enumerate(wanted, 1):
        _say(f"cell {number}/{len(wanted)}: {name}, seed {seed}, fold {fold}")
        out = tuple(
            sorted({i.infant for i in material.items if fold_of(i.infant, material.folds) == fold})
        )
        settings = RunSettings(device=material.device, without=out)
        recipe = replace(
            RECIPES[name] or PLAIN, seed=seed, crops=material.crops, floor_db=material.floor_db
        )
        run = Run(corpus, recipe, material.folder, _say, settings)
        arrays = _untrained(run, seed) if RECIPES[name] is None else _trained(run)
        _store(material, (name, seed, fold), run, network_with(arrays, run.constructor, NETWORK))


def _trained(run: Run) -> dict[str, NDArray[Any]]:
    """Train without keeping the state: a cell takes minutes, and is the unit of going on."""
    for _ in range(run.recipe.steps):
        run.step()
    return run.learner.finished_weights()


def _untrained(run: Run, seed: int) -> dict[str, NDArray[Any]]:
    torch.manual_seed(1_000 + seed)
    state = build_ecapa(run.constructor).state_dict()
    return {name: value.detach().numpy() for name, value in state.items()}


def _store(
    material: Material, key: tuple[str, int, int], run: Run, network: torch.nn.Module
) -> None:
    mean_db = np.asarray(run.front_end.global_mel_mean_db, dtype=np.float32)
    raw = [
        raw_vectors(network, [item.versions[v] for item in material.items], mean_db)
        for v in range(3)
    ]
    heard = material.fold() != key[2]
    known = np.concatenate([units for units, own in zip(raw[0], heard, strict=True) if own])
    centre = known.mean(axis=0)
    probes = raw_vectors(network, [probe.units for probe in material.probes], mean_db)
    arrays = {
        "plain": recording_vectors(raw[0], centre),
        "here": recording_vectors(raw[1], centre),
        "there": recording_vectors(raw[2], centre),
        "probes": recording_vectors(probes, centre),
    }
    metadata = {
        "kind": CELL_KIND,
        "format_version": CELL_FORMAT,
        "encoder_fingerprint": "",
        "recipe": asdict(run.recipe),
        "name": key[0],
    }
    write_artefact(cell_path(material, *key), arrays, metadata)


def cells(material: Material, name: str, seeds: int) -> Iterator[tuple[int, int, Any]]:
    """Read the cells of a recipe: seed, fold and arrays."""
    for seed in range(seeds):
        for fold in range(material.folds):
            path = cell_path(material, name, seed, fold)
            yield seed, fold, read_artefact(path, CELL_KIND, CELL_FORMAT).arrays


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
