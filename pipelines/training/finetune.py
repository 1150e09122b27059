"""Training: fine-tune any encoder on other recordings, and say whether it helped.

In: a manifest or a published corpus, and an encoder. Out: ``finetuned.safetensors`` and its card.
Guaranteed: the same recipe on the same recordings gives the same weights, whether or not the run
was interrupted; test infants are neither learnt from nor stopped by; the card says what came out
beside the frozen encoder and the background-only control, whatever it shows.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pipelines.encoders.checkpoint import network_with, save_checkpoint
from pipelines.encoders.loaded import fingerprint_of, infant_digest
from pipelines.errors import ConfigError
from pipelines.evaluation.metrics import json_keys
from pipelines.evaluation.report import console, table, write_json
from pipelines.layouts import CorpusRow, Layout, read_corpus
from pipelines.training.backbone import keep_freed_memory
from pipelines.training.device import chosen_device
from pipelines.training.frozen import compare, embed_takes, embed_units, frames_of
from pipelines.training.start import Arrays, Start, card_of, load_start, stored
from pipelines.training.takes import HoldOut, Parts, Piece, Take, load_takes, part
from pipelines.training.tuner import Objective, Recipe
from pipelines.training.tuning import Run, Tell
from pipelines.training.views import copies_elsewhere
from pipelines.training.whitening import Whitening, fit_whitening

WEIGHTS_FILE = "finetuned.safetensors"
ROOM_COPIES = 3
_ROOM_STREAM = 2**31  # a stream of draws that no training step uses


# --- Whitening, last -----------------------------------------------------------------------------


class Whiten(StrEnum):
    """What is whitened last: nothing; what differs within infants; that and what rooms do.

    ``auto`` is ``infants`` where the encoder that was started from has a whitening, else nothing.
    """

    AUTO = "auto"
    NONE = "none"
    INFANTS = "infants"
    ROOMS = "rooms"


def whitening_for(start: Start, arrays: Arrays, parts: Parts, how: Whiten) -> Whitening | None:
    """Fit a whitening to the training recordings' units as the network embeds them."""
    if how is Whiten.NONE or (how is Whiten.AUTO and start.whitening is None):
        return None
    takes = list(parts.training)
    if how is Whiten.ROOMS:
        takes += elsewhere(takes)
    network = network_with(arrays, start.constructor, Path(start.name))
    units = embed_units(network, frames_of(takes, start.frame_source))
    owners = np.repeat([take.infant for take in takes], [len(own) for own in units])
    return fit_whitening(np.concatenate(units), owners)


def elsewhere(takes: Sequence[Take]) -> list[Take]:
    """Copy recordings into other rooms, before the backgrounds of other recordings."""
    noisy = [take for take in takes if take.background.size]
    result = []
    for index, take in enumerate(takes):
        rng = np.random.default_rng([_ROOM_STREAM, index])
        others = [other for other in noisy if other.infant != take.infant]
        if not others:
            continue
        background = others[int(rng.integers(len(others)))].background
        for sound in copies_elsewhere(take, background, rng, ROOM_COPIES):
            result.append(replace(take, pieces=(Piece(sound, take.pieces[0].units),)))
    return result


# --- The whole -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Plan:
    """What to do besides the recipe: how to part the infants, where to run, what to whiten."""

    hold_out: HoldOut = HoldOut.RULE
    device: str = "cpu"
    whiten: Whiten = Whiten.AUTO


def finetune(
    rows: Sequence[CorpusRow], out_dir: Path, start: Start, recipe: Recipe, plan: Plan, tell: Tell
) -> Path:
    """Fine-tune an encoder and write weights and card.

    Parameters
    ----------
    rows
        The recordings.
    out_dir
        Folder for the run's state, the weights and the card.
    start
        What is fine-tuned.
    recipe, plan
        What decides the run, and what else is to be done.
    tell
        Called with lines for people.

    Returns
    -------
    Path
        The weights; the card lies beside them.

    Raises
    ------
    ConfigError
        The folder holds the state of another run, or the recordings do not suffice.
    """
    out_dir.mkdir(parents=True, exist_ok=True)
    keep_freed_memory()
    tell(f"reading {len(rows)} files")
    parts = part(load_takes(rows), plan.hold_out)
    tell(f"infants: {parts.infants()}")
    for line in warnings_of(start, parts):
        tell(line)
    run = Run(start, parts, recipe, out_dir, plan.device)
    if run.resume():
        tell(f"taken up at step {run.progress.step} of {recipe.steps}")
    run.run(tell)
    tell("comparing with the frozen encoder on the test infants")
    whitening = whitening_for(start, stored(run.best, None), parts, plan.whiten)
    arrays = stored(run.best, whitening)
    weights = out_dir / WEIGHTS_FILE
    save_checkpoint(weights, arrays, _card(run, arrays, plan))
    return weights


def warnings_of(start: Start, parts: Parts) -> list[str]:
    """Say what an encoder's having heard infants before does to stopping and to the comparison."""
    told = []
    if known := heard_before(start, parts.validation):
        told.append(
            f"{known} validation infants are among those that {start.name} was trained on: "
            "stopping will favour weights that have moved little"
        )
    if known := heard_before(start, parts.test):
        told.append(
            f"{known} test infants are among those that {start.name} was trained on: "
            "no rate below is one of unknown infants"
        )
    return told


def heard_before(start: Start, takes: Sequence[Take]) -> int | None:
    """Count the infants that the start is known to have heard; None where nothing says so."""
    if start.heard_infants is None:
        return None
    return sum(infant_digest(name) in start.heard_infants for name in {t.infant for t in takes})


def _card(run: Run, arrays: Arrays, plan: Plan) -> dict[str, Any]:
    start, parts = run.start, run.parts
    heard = {take.infant for take in (*parts.training, *parts.validation)}
    facts = {
        "name": f"{start.name}, fine-tuned",
        "license": f"of what it started from: {start.license}; of the recordings: theirs",
        "encoder_fingerprint": fingerprint_of(arrays, start.frame_source),
        "training": {
            "command": "python -m pipelines finetune",
            "from": {
                "name": start.name,
                "encoder_fingerprint": start.fingerprint,
                "training": start.card.get("training"),
            },
            "recordings_sha256": run.digest,
            "recipe": asdict(run.recipe),
            "plan": asdict(plan),
            "infants": parts.infants(),
            "heard_by_the_start": {
                name: heard_before(start, takes) for name, takes in vars(parts).items()
            },
            "recordings": {name: len(takes) for name, takes in vars(parts).items()},
            "steps": run.progress.step,
            "minutes": round(run.progress.elapsed_s / 60.0, 1),
            "validation_eer": [list(look) for look in run.progress.looks],
            "kept_step": run.progress.best()[0] if run.progress.looks else run.progress.step,
        },
        "frozen_against_finetuned": compared(start, arrays, parts.test),
    }
    return card_of(start, facts, heard)


def compared(start: Start, arrays: Arrays, takes: Sequence[Take]) -> dict[str, Any]:
    """Compare the encoder as it was with what it has become, on recordings of test infants."""
    if not takes:
        return {"reason": "no infant is kept for the test"}
    framed = frames_of(takes, start.frame_source)
    before = stored(start.arrays, start.whitening)
    vectors = [
        embed_takes(network_with(weights, start.constructor, Path(start.name)), framed)
        for weights in (before, arrays)
    ]
    result: dict[str, Any] = {"unit": "percent", "same_device_only": True}
    for name, figure in compare(takes, vectors[0], vectors[1]).items():
        result |= json_keys(name, figure)
    return result | {"n_recordings": len(takes), "n_infants": len({t.infant for t in takes})}


# --- The command ---------------------------------------------------------------------------------


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("corpus", type=Path, help="manifest, or folder of a published corpus")
    parser.add_argument("out", type=Path, help="folder for the run's state, weights and card")
    parser.add_argument("--from", dest="start", default="bundled", metavar="ENCODER")
    parser.add_argument("--layout", type=Layout, choices=list(Layout), help="default: by its signs")
    parser.add_argument("--hold-out", type=HoldOut, choices=list(HoldOut), default=HoldOut.RULE)
    parser.add_argument("--whiten", type=Whiten, choices=list(Whiten), default=Whiten.AUTO)
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--threads", type=int, default=1, help="threads of torch (default 1)")
    _add_recipe(parser)


def _add_recipe(parser: argparse.ArgumentParser) -> None:
    usual = Recipe()
    parser.add_argument(
        "--objective", type=Objective, choices=list(Objective), default=usual.objective
    )
    for name, words in (
        ("seed", "seed of batches and their changes"),
        ("steps", "batches at most"),
        ("infants", "infants per batch"),
        ("each", "crops of each infant in a batch; NT-Xent takes 2"),
        ("unfrozen", "how many of the upper SE-Res2 blocks learn (0 to 3)"),
        ("learning-rate", "of AdamW"),
        ("weight-decay", "of AdamW"),
        ("temperature", "of NT-Xent"),
        ("check-every", "steps between looks at validation"),
        ("patience", "looks without a better rate that end the run; 0: never"),
    ):
        value = getattr(usual, name.replace("-", "_"))
        words = f"{words} (default {value:g})"
        parser.add_argument(f"--{name}", type=type(value), default=value, help=words)


def recipe_of(args: argparse.Namespace) -> Recipe:
    """Read the recipe from the command's arguments.

    Raises
    ------
    ConfigError
        Numbers that no run can be made of.
    """
    recipe = Recipe(**{name: getattr(args, name) for name in asdict(Recipe())})
    if recipe.objective is Objective.NT_XENT and recipe.each != 2:
        message = "NT-Xent compares two crops of each infant; more are for GE2E"
        raise ConfigError(message)
    blocks = range(4)
    if recipe.unfrozen not in blocks or recipe.each < 2 or recipe.infants < 2 or recipe.steps < 1:
        message = "unfrozen is 0 to 3, each and infants at least 2, steps at least 1"
        raise ConfigError(message)
    return recipe


def main(args: argparse.Namespace) -> int:
    """Fine-tune, print a line now and then, and the comparison at the end."""
    torch.set_num_threads(args.threads)
    recipe = recipe_of(args)
    plan = Plan(args.hold_out, chosen_device(args.device), args.whiten)
    rows = read_corpus(args.corpus, args.layout)
    good = [row for row in rows if isinstance(row, CorpusRow)]
    if len(good) < len(rows):
        _say(f"{len(rows) - len(good)} of {len(rows)} rows cannot be taken; layout tells which")
    weights = finetune(good, args.out, load_start(args.start), recipe, plan, _say)
    card = json.loads(weights.with_suffix(".json").read_text(encoding="utf-8"))
    if args.json:
        write_json(args.json, card)
    _show(card["frozen_against_finetuned"])
    _say(f"written: {weights} and its card")
    return 0


_ROWS = {
    "eer_frozen": "frozen",
    "eer_finetuned": "fine-tuned",
    "eer_background": "control: background only",
    "eer_finetuned_minus_frozen": "fine-tuned minus frozen",
    "eer_finetuned_minus_background": "fine-tuned minus background",
}


def _show(result: Mapping[str, Any]) -> None:
    if "reason" in result:
        _say(f"no comparison: {result['reason']}")
        return
    title = (
        f"Equal error rate in percent on test infants, same kind of device only: "
        f"{result['n_recordings']} recordings of {result['n_infants']} infants"
    )
    rows = [
        (label, *(_cell(result, f"{name}_{suffix}") for suffix in ("any", "hour_apart")))
        for name, label in _ROWS.items()
    ]
    columns = ("encoder", "all pairs", "more than an hour, or a session, apart")
    console().print(table(title, columns, rows))


def _cell(result: Mapping[str, Any], name: str) -> str:
    if result[name] is None:
        return str(result[f"{name}_reason"])
    lo, hi = result[f"{name}_lo"], result[f"{name}_hi"]
    interval = "" if lo is None else f" [{lo:.1f}, {hi:.1f}]"
    return f"{result[name]:.1f}{interval} (n={result[f'{name}_n']}/{result[f'{name}_groups']})"


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
