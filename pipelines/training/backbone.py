"""Training: the bundled encoder, from scratch, on recordings that may be used for it.

In: a folder of real recordings and a folder to work in. Out: ``backbone.safetensors`` (float16) and
its card ``backbone.json``. Guaranteed: the same recipe on the same recordings gives the same
weights, whether or not the run was interrupted; held-out infants are never heard; the card says
what was used and what came out, whatever it shows.
"""

import argparse
import ctypes
import itertools
import json
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pipelines.artefacts import read_artefact, write_artefact
from pipelines.encoders.ecapa import SMALL_CONSTRUCTOR
from pipelines.errors import ConfigError
from pipelines.frontend import Frames, FrontEnd
from pipelines.training.augment import OWN_ROOM, Strength, change_room, mask, normalise_crops
from pipelines.training.batches import Batch, Batches, Shares
from pipelines.training.corpus import Corpus, load_corpus
from pipelines.training.device import chosen_device
from pipelines.training.learner import Learner, Losses, Recipe
from pipelines.training.model_card import finish

STATE_FILE = "training-state.safetensors"
WEIGHTS_FILE = "backbone.safetensors"
STATE_KIND = "backbone_training"
STATE_FORMAT = 1
SAVE_EVERY_S = 180.0
TELL_EVERY_S = 20.0
MEAN_BATCHES = 60
PREPARING_THREADS = 8
_MEAN_STREAM = 2**31  # a stream of draws that no training step uses

Tell = Callable[[str], None]


@dataclass
class Progress:
    """How far a run is: the next step, and the seconds it has taken in all its parts."""

    step: int = 0
    elapsed_s: float = 0.0


def keep_freed_memory() -> bool:
    """Ask the C library to keep freed memory, instead of giving it back after every layer.

    Training frees and takes the same large blocks thousands of times; keeping them makes it faster,
    and threefold so on some machines. Does nothing on C libraries without ``mallopt``.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    trim_threshold, top_pad, mmap_threshold = -1, -2, -3
    settings = ((trim_threshold, 2**31 - 1), (top_pad, 2**28), (mmap_threshold, 2**31 - 1))
    return all(mallopt(key, value) == 1 for key, value in settings)


def mel_mean(batches: Batches, front_end: FrontEnd) -> Frames:
    """Mean of every band over crops of cries as they were recorded, shape ``(bands,)``."""
    rng = batches.rng(_MEAN_STREAM)
    nothing = np.zeros(1, dtype=np.float32)
    means = []
    for _ in range(MEAN_BATCHES):
        power = batches.draw(rng, Shares()).crops.power
        means.append(normalise_crops(power, front_end, nothing).mean(axis=(0, 1)))
    result: Frames = np.mean(means, axis=0).astype(np.float32)
    return result


@dataclass(frozen=True)
class RunSettings:
    """What a run runs on, and whom it leaves out.

    Attributes
    ----------
    constructor
        Keyword arguments of the network.
    device
        ``cpu`` or ``cuda``.
    without
        Voices of the corpus that it shall not hear, nor the backgrounds of their recordings.
    ahead
        Prepare batches in threads of their own while the network computes, as beside a GPU.
    """

    constructor: Mapping[str, Any] = field(default_factory=lambda: SMALL_CONSTRUCTOR)
    device: str = "cpu"
    without: tuple[str, ...] = ()
    ahead: bool = False


class Run:
    """One training run that can be interrupted and taken up again.

    Parameters
    ----------
    corpus
        What is heard.
    recipe
        What decides the run.
    folder
        Where its state is kept.
    tell
        Called with lines for people.
    settings
        What it runs on, and whom it leaves out.
    """

    def __init__(
        self,
        corpus: Corpus,
        recipe: Recipe,
        folder: Path,
        tell: Tell,
        settings: RunSettings | None = None,
    ) -> None:
        self.corpus = corpus
        self.recipe = recipe
        self.settings = settings or RunSettings()
        self.constructor = self.settings.constructor
        self.batches = Batches(corpus, recipe.seed, recipe.identities, self.settings.without)
        self._bare_front_end = FrontEnd(floor_below_p99_db=recipe.floor_db)
        self.mel_mean_db = mel_mean(self.batches, self._bare_front_end)
        sizes = {group: len(known) for group, known in self.batches.groups.items()}
        self.learner = Learner(recipe, sizes, self.constructor, self.settings.device)
        self.progress = Progress()
        self.strength = Strength() if recipe.swap else OWN_ROOM
        self._state = folder / STATE_FILE
        self._tell = tell

    @property
    def front_end(self) -> FrontEnd:
        """Front end with this corpus's own mel mean."""
        mean_db = tuple(round(float(x), 4) for x in self.mel_mean_db)
        return replace(self._bare_front_end, global_mel_mean_db=mean_db)

    def _identity(self) -> dict[str, Any]:
        return {
            "recipe": asdict(self.recipe),
            "manifest_sha256": self.corpus.manifest_sha256,
            "without": list(self.settings.without),
        }

    def save(self) -> None:
        """Write the state, whole or not at all."""
        metadata = {
            "kind": STATE_KIND,
            "format_version": STATE_FORMAT,
            "encoder_fingerprint": "",
            "run": self._identity(),
            "step": self.progress.step,
            "elapsed_s": self.progress.elapsed_s,
        }
        write_artefact(self._state, self.learner.arrays(), metadata)

    def resume(self) -> None:
        """Take up the run whose state lies in the folder, if there is one.

        Raises
        ------
        ConfigError
            The state belongs to another recipe or other recordings.
        """
        if not self._state.exists():
            return
        found = read_artefact(self._state, STATE_KIND, STATE_FORMAT)
        if found.metadata["run"] != self._identity():
            message = f"{self._state} is of another recipe or other recordings: choose a new folder"
            raise ConfigError(message)
        self.learner.load_arrays(found.arrays)
        self.progress = Progress(found.metadata["step"], found.metadata["elapsed_s"])
        self._tell(f"taken up at step {self.progress.step} of {self.recipe.steps}")

    def prepared(self, number: int) -> tuple[Batch, Frames]:
        """Draw the batch of a step and change its rooms; a function of seed and step alone."""
        rng = self.batches.rng(number)
        batch = self.batches.draw(rng, self.recipe.shares_at(number / self.recipe.steps))
        power = change_room(batch.crops, rng, self.strength)
        return batch, mask(normalise_crops(power, self._bare_front_end, self.mel_mean_db), rng)

    def step(self, prepared: tuple[Batch, Frames] | None = None) -> Losses:
        """Learn from the next batch."""
        number = self.progress.step
        batch, crops = prepared or self.prepared(number)
        losses = self.learner.learn(crops, batch, number)
        self.progress.step += 1
        return losses

    def run(self) -> None:
        """Train to the end, keeping the state every few minutes."""
        begun, before = time.monotonic(), self.progress.elapsed_s
        first = self.progress.step
        saved = told = begun
        for prepared in self.batches_from(first):
            losses = self.step(prepared)
            now = time.monotonic()
            self.progress.elapsed_s = before + now - begun
            if now - told > TELL_EVERY_S:
                told = now
                self._tell(self._line(losses, (self.progress.step - first) / (now - begun)))
            if now - saved > SAVE_EVERY_S:
                saved = now
                self.save()
        self.save()

    def batches_from(self, first: int) -> Iterator[tuple[Batch, Frames]]:
        """Yield the prepared batches of all steps from one on."""
        numbers = iter(range(first, self.recipe.steps))
        if not self.settings.ahead:
            yield from map(self.prepared, numbers)
            return
        with ThreadPoolExecutor(PREPARING_THREADS) as threads:
            waiting = deque(
                threads.submit(self.prepared, number)
                for number in itertools.islice(numbers, 2 * PREPARING_THREADS)
            )
            while waiting:
                yield waiting.popleft().result()
                waiting.extend(
                    threads.submit(self.prepared, n) for n in itertools.islice(numbers, 1)
                )

    def _line(self, losses: Losses, steps_per_s: float) -> str:
        left_min = (self.recipe.steps - self.progress.step) / steps_per_s / 60.0
        crops_per_s = steps_per_s * 2 * self.recipe.identities
        return (
            f"step {self.progress.step}/{self.recipe.steps}  {crops_per_s:.0f} crops/s  "
            f"{left_min:.0f} min left  margin softmax {losses.margin_softmax:.2f}  "
            f"prototypical {losses.prototypical:.2f}  traits {losses.traits:.2f}"
        )


def train_backbone(
    data_root: Path,
    out_dir: Path,
    recipe: Recipe | None = None,
    tell: Tell | None = None,
    device: str = "cpu",
) -> Path:
    """Train the encoder and write weights and card.

    Parameters
    ----------
    data_root
        Folder with ``donateacry/``, ``speech_commands/`` and ``noise/``.
    out_dir
        Folder for the run's state, the weights and the card.
    recipe
        What decides the run; None means the one the bundled weights were made with.
    tell
        Called with lines for people.
    device
        ``cpu`` or ``cuda``; the same recipe gives the same weights on one of them only.

    Returns
    -------
    Path
        The weights; the card lies beside them.

    Raises
    ------
    ConfigError
        The folder holds the state of another run, or the recordings are not there.
    """
    tell = tell or _silent
    recipe = recipe or Recipe()
    out_dir.mkdir(parents=True, exist_ok=True)
    keep_freed_memory()
    tell("reading the recordings")
    corpus = load_corpus(data_root, simulated=recipe.simulated_infants)
    run = Run(corpus, recipe, out_dir, tell, RunSettings(device=device, ahead=device == "cuda"))
    run.resume()
    run.run()
    tell("measuring on held-out infants")
    weights = out_dir / WEIGHTS_FILE
    finish(run, data_root, weights)
    return weights


def _silent(line: str) -> None:
    del line


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("data", type=Path, help="folder of real recordings")
    parser.add_argument("out", type=Path, help="folder for the run's state, weights and card")
    parser.add_argument("--seed", type=int, default=Recipe.seed)
    parser.add_argument("--crops", type=int, default=Recipe.crops, help="crops to learn from")
    parser.add_argument("--identities", type=int, default=Recipe.identities, help="per batch")
    parser.add_argument("--simulated", type=int, default=Recipe.simulated_infants, help="infants")
    parser.add_argument("--threads", type=int, default=1, help="threads of torch (default 1)")
    parser.add_argument(
        "--device", choices=["auto", "cpu", "cuda"], default="auto", help="default: a GPU if any"
    )


def main(args: argparse.Namespace) -> int:
    """Train, print a line now and then, and say where the weights are."""
    torch.set_num_threads(args.threads)
    recipe = Recipe(
        seed=args.seed,
        crops=args.crops,
        identities=args.identities,
        simulated_infants=args.simulated,
    )
    weights = train_backbone(args.data, args.out, recipe, _say, chosen_device(args.device))
    card = json.loads(weights.with_suffix(".json").read_text(encoding="utf-8"))
    if args.json:
        args.json.write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    _say(card["figures_on_held_out_infants"]["verdict"])
    _say(f"written: {weights} and its card")
    return 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
