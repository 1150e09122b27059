"""Train the finder: ``python -m pipelines train-finder DATA`` writes its network and card.

In: a folder with ``donateacry/`` (recordings, and intervals that a person marked as crying),
``noise/`` and ``speech_commands/``. Out: ``weights/finder.safetensors`` with its card
``finder.json``. Guaranteed: deterministic by seed; no recording of an infant that
:mod:`pipelines.training.split` holds out is fitted on; what the card says of quality is
cross-validated over whole infants.

Beside the marked recordings it hears simulated infants, whose units are known, and adults' words,
which are no crying.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from sklearn.model_selection import GroupKFold

from pipelines.errors import ConfigError
from pipelines.evaluation.metrics import frac_by_group, json_keys
from pipelines.evaluation.segments import event_flags, read_intervals
from pipelines.finder import (
    BANDS,
    BUNDLED,
    DILATIONS,
    FEATURES,
    TAPS,
    Finder,
    Frames,
    band_powers,
    frame_features,
    write_finder,
)
from pipelines.population import draw_room, draw_voice
from pipelines.recordings import good_rows
from pipelines.segment import Unit, units_by_chance
from pipelines.sound import decode, peak_normalise, resample
from pipelines.synthesis import synthesise_cry
from pipelines.training.gate_sounds import adult_speech, read_noises, training_rows
from pipelines.training.split import RULE

if TYPE_CHECKING:
    from torch import Tensor, nn

WIDTH = 24
BATCH = 16
CROP_FRAMES = 400
PASSES = 40
FOLDS = 5
LEARNING_RATE = 6e-3
WEIGHT_DECAY = 1e-2
DROPOUT = 0.15
ONSET_REACH = 8
"""Frames around an onset in which a second output is asked for it; it only serves training."""
SIMULATED = 60
ADULTS = 40
NOISE_FRAC = 0.5
NOISE_SNR_DB = (5.0, 30.0)
EQUALISED_DB = 3.0
STEP_S = 0.01
LICENSE = "research use only; trained on data under ODbL 1.0 / DbCL 1.0 and CC BY 4.0"


@dataclass(frozen=True)
class Take:
    """One recording to learn from: its band powers, its units, and whom it must not leave."""

    powers: Frames
    units: tuple[Unit, ...]
    group: str


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("data", type=Path, help="folder with donateacry, speech_commands, noise")
    parser.add_argument("--out", type=Path, default=BUNDLED, help="artefact to write")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--passes", type=int, default=PASSES, help="how often each take is heard")


def main(args: argparse.Namespace) -> int:
    """Train, write the artefact and its card, and print what was reached."""
    text = json.dumps(train(args.data, args.out, args.seed, args.passes), indent=1) + "\n"
    args.out.with_suffix(".json").write_text(text, encoding="utf-8")
    if args.json is not None:
        args.json.write_text(text, encoding="utf-8")
    Console().print_json(text)
    return 0


def train(data: Path, out: Path, seed: int, passes: int = PASSES) -> dict[str, Any]:
    """Train the finder and write its artefact.

    Parameters
    ----------
    data
        Folder with ``donateacry/manifest.csv``, ``donateacry/cry_intervals.csv``,
        ``speech_commands/manifest.csv`` and ``noise/``.
    out
        Where the artefact goes.
    seed
        Seed of all chance.
    passes
        How often each recording is heard, on average.

    Returns
    -------
    dict
        The card.

    Raises
    ------
    ConfigError
        Fewer infants are marked than there are folds.
    """
    marked, beside = marked_takes(data), takes_beside(data, seed)
    noises = [band_powers(sound) for sound in read_noises(data / "noise").values()]
    facts = {"seed": seed, "passes": passes, "n_marked": len(marked)}
    facts |= cross_validated(marked, beside, noises, seed, passes)
    finder = fit_finder([*marked, *beside], noises, seed, passes)
    sha256 = write_finder(out, finder, facts)
    return _card(sha256) | facts


def _card(sha256: str) -> dict[str, Any]:
    return {
        "name": "finder",
        "version": f"finder-1-{sha256[:12]}",
        "what": "small convolutional network from band levels to the chance of crying, per 10 ms",
        "license": LICENSE,
        "training_sets": {
            "donateacry": "Donate-a-Cry corpus, ODbL 1.0 with DbCL 1.0 contents; intervals MIT",
            "speech_commands": "Google Speech Commands, CC BY 4.0",
            "noise": "mixed in as augmentation only",
            "simulated": f"{SIMULATED} simulated infants",
        },
        "split": RULE,
        "versions": {name: version(name) for name in ("numpy", "scipy", "torch")},
    }


# --- what it hears ------------------------------------------------------------------------------


def marked_takes(data: Path) -> list[Take]:
    """Read the marked recordings of infants that training may hear."""
    marks = read_intervals(data / "donateacry" / "cry_intervals.csv")
    rows = training_rows(good_rows(data / "donateacry" / "manifest.csv"))
    return [
        Take(_powers_of(row.file), marks[row.file.resolve()], row.infant)
        for row in rows
        if row.file.resolve() in marks
    ]


def _powers_of(file: Path) -> Frames:
    return band_powers(peak_normalise(resample(decode(file)[0])))


def takes_beside(data: Path, seed: int) -> list[Take]:
    """Make recordings of simulated infants, and of adults who say words."""
    rng = np.random.default_rng([seed, 1])
    takes = []
    for number in range(SIMULATED):
        rate_hz = (8_000, 16_000)[number % 2]
        voice, room = draw_voice(rng), draw_room(rng)
        cry = synthesise_cry(voice, number, rate_hz=rate_hz, room=room)
        takes.append(Take(band_powers(resample(cry.sound)), cry.units, f"simulated-{number}"))
    for raw in adult_speech(data / "speech_commands" / "manifest.csv", ADULTS, rng):
        takes.append(Take(band_powers(peak_normalise(raw.sound)), (), raw.group))
    return takes


def targets(take: Take) -> Frames:
    """Say of each frame whether it is crying and whether a unit begins near it, ``(n, 2)``."""
    wanted = np.zeros((len(take.powers), 2), dtype=np.float32)
    for unit in take.units:
        start, stop = round(unit.onset_s / STEP_S), round(unit.offset_s / STEP_S)
        wanted[start:stop, 0] = 1.0
        wanted[max(0, start - ONSET_REACH) : start + ONSET_REACH + 1, 1] = 1.0
    return wanted


def changed(powers: Frames, noises: Sequence[Frames], rng: np.random.Generator) -> Frames:
    """Give a recording another microphone and, in a share of the cases, another background."""
    knots_db = rng.normal(0.0, EQUALISED_DB, size=4)
    curve_db = np.interp(np.arange(BANDS), np.linspace(0.0, BANDS - 1, len(knots_db)), knots_db)
    result = powers * 10.0 ** (curve_db / 10.0)
    if noises and rng.random() < NOISE_FRAC:
        noise = noises[int(rng.integers(len(noises)))]
        start = int(rng.integers(len(noise)))
        mixed = np.resize(np.roll(noise, -start, axis=0), powers.shape)
        loud = np.percentile(result.sum(axis=1), 95.0)
        wanted = loud / 10.0 ** (rng.uniform(*NOISE_SNR_DB) / 10.0)
        result = result + mixed * (wanted / max(float(mixed.sum(axis=1).mean()), 1e-12))
    return np.asarray(result, dtype=np.float32)


# --- the network --------------------------------------------------------------------------------


def fit_finder(
    takes: Sequence[Take], noises: Sequence[Frames], seed: int, passes: int = PASSES
) -> Finder:
    """Fit the network to recordings.

    Parameters
    ----------
    takes
        What it hears.
    noises
        Band powers of backgrounds to mix in.
    seed
        Seed of weights, crops and changes.
    passes
        How often each recording is heard, on average.
    """
    import torch
    from torch.nn import functional

    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    net = _network()
    steps = max(2, passes * len(takes) // BATCH)
    optimiser = torch.optim.AdamW(net.parameters(), weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, total_steps=steps)
    for _ in range(steps):
        features, wanted, heard = _batch(takes, noises, rng)
        said = _said(net, torch.from_numpy(features))
        losses = functional.binary_cross_entropy_with_logits(
            said, torch.from_numpy(wanted), reduction="none"
        )
        loss = (losses * torch.from_numpy(heard)).sum() / float(heard.sum())
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
    return _frozen(net)


def _batch(
    takes: Sequence[Take], noises: Sequence[Frames], rng: np.random.Generator
) -> tuple[Frames, Frames, Frames]:
    """Draw crops: features, targets, and which frames there are; shorter takes end in nothing."""
    features = np.zeros((BATCH, CROP_FRAMES, FEATURES), dtype=np.float32)
    wanted = np.zeros((BATCH, CROP_FRAMES, 2), dtype=np.float32)
    heard = np.zeros((BATCH, CROP_FRAMES, 1), dtype=np.float32)
    for row, number in enumerate(rng.integers(len(takes), size=BATCH)):
        take = takes[number]
        start = int(rng.integers(max(1, len(take.powers) - CROP_FRAMES + 1)))
        part = slice(start, start + CROP_FRAMES)
        crop = frame_features(changed(take.powers, noises, rng))[part]
        features[row, : len(crop)] = crop
        wanted[row, : len(crop)] = targets(take)[part]
        heard[row, : len(crop)] = 1.0
    return features, wanted, heard


def _network() -> nn.ModuleDict:
    from torch import nn

    layers = [nn.Conv1d(WIDTH, WIDTH, TAPS, dilation=d, padding=d * (TAPS // 2)) for d in DILATIONS]
    return nn.ModuleDict(
        {
            "entry": nn.Conv1d(FEATURES, WIDTH, 1),
            "layers": nn.ModuleList(layers),
            "drop": nn.Dropout(DROPOUT),
            "exit": nn.Conv1d(WIDTH, 2, 1),
        }
    )


def _said(net: nn.ModuleDict, features: Tensor) -> Tensor:
    """Logits ``(batch, frames, 2)`` of features ``(batch, frames, FEATURES)``."""
    inside = net["entry"](features.transpose(1, 2)).relu()
    for layer in net["layers"]:  # type: ignore[attr-defined]
        inside = inside + layer(net["drop"](inside)).relu()
    said: Tensor = net["exit"](inside).transpose(1, 2)
    return said


def _frozen(net: nn.ModuleDict) -> Finder:
    """Take the numbers out of the network, as numpy computes with them; no onset output."""
    found = {name: value.detach().numpy() for name, value in net.state_dict().items()}
    layers = range(len(DILATIONS))
    # torch keeps (out, in, taps); a frame's neighbours lie beside each other as (taps, in).
    weights = [
        found[f"layers.{layer}.weight"].transpose(2, 1, 0).reshape(-1, WIDTH) for layer in layers
    ]
    return Finder(
        entry_weights=np.ascontiguousarray(found["entry.weight"][:, :, 0].T),
        entry_bias=found["entry.bias"],
        weights=np.ascontiguousarray(weights),
        biases=np.array([found[f"layers.{layer}.bias"] for layer in layers]),
        exit_weights=np.ascontiguousarray(found["exit.weight"][0, :, 0]),
        exit_bias=found["exit.bias"][:1].copy(),
    )


# --- how good it is -----------------------------------------------------------------------------


def cross_validated(
    marked: Sequence[Take],
    beside: Sequence[Take],
    noises: Sequence[Frames],
    seed: int,
    passes: int = PASSES,
) -> dict[str, Any]:
    """Judge the recipe on infants that it had not heard.

    Returns
    -------
    dict
        ``event_f1`` with its interval by infant, as :mod:`pipelines.evaluation.segments` counts.

    Raises
    ------
    ConfigError
        Fewer infants are marked than there are folds.
    """
    groups = np.array([take.group for take in marked])
    if len(set(groups)) < FOLDS:
        message = f"{len(set(groups))} infants are marked, {FOLDS} are needed"
        raise ConfigError(message)
    flags: list[NDArray[np.bool_]] = [np.empty(0, dtype=np.bool_)] * len(marked)
    for inside, outside in GroupKFold(FOLDS).split(groups, groups=groups):
        finder = fit_finder([*(marked[at] for at in inside), *beside], noises, seed, passes)
        for at in outside:
            flags[at] = event_flags(_found(finder, marked[at]), marked[at].units)
    estimate = frac_by_group(np.concatenate(flags), np.repeat(groups, [len(f) for f in flags]))
    return json_keys("event_f1_cross_validated", estimate)


def _found(finder: Finder, take: Take) -> tuple[Unit, ...]:
    chances = finder.chances(frame_features(take.powers))
    return units_by_chance(chances, len(take.powers) * STEP_S)
