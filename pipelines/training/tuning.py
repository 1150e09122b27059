"""Training: one run of fine-tuning, which can be interrupted and taken up again.

In: an encoder taken apart, recordings in parts, and a recipe. Out: the weights that validation
infants liked best. Guaranteed: the same recipe on the same recordings gives the same weights,
whether or not the run was interrupted; test infants are neither learnt from nor stopped by.
"""

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pipelines.artefacts import read_artefact, write_artefact
from pipelines.errors import ConfigError
from pipelines.training.frozen import eer_of, embed_takes, frames_of, pair_takes
from pipelines.training.start import Start
from pipelines.training.takes import Crops, Parts
from pipelines.training.tuner import Recipe, Tuner
from pipelines.training.views import view_of

STATE_FILE = "finetuning-state.safetensors"
STATE_KIND = "finetuning"
STATE_FORMAT = 1
SAVE_EVERY_S = 120.0
TELL_EVERY_S = 20.0

Tell = Callable[[str], None]


@dataclass
class Progress:
    """How far a run is.

    Attributes
    ----------
    step, elapsed_s
        The next step, and the seconds taken in all parts of the run.
    losses
        Loss of every step.
    looks
        Step and validation equal error rate (percent) of every look at the validation infants.
    """

    step: int = 0
    elapsed_s: float = 0.0
    losses: list[float] = field(default_factory=list)
    looks: list[tuple[int, float]] = field(default_factory=list)

    def best(self) -> tuple[int, float]:
        """Return the look with the lowest rate, the earliest of several."""
        return min(self.looks, key=lambda look: (look[1], look[0]))

    def since_best(self) -> int:
        """Count the looks that were taken after the best one."""
        best = self.best()
        return sum(step > best[0] for step, _ in self.looks)


class Run:
    """One fine-tuning run that can be interrupted and taken up again.

    Parameters
    ----------
    start
        What is fine-tuned.
    parts
        The recordings.
    recipe
        What decides the run.
    folder
        Where its state is kept.
    device
        Where the network runs.

    Raises
    ------
    ConfigError
        There is nothing to learn from, or nothing to stop by.
    """

    def __init__(
        self, start: Start, parts: Parts, recipe: Recipe, folder: Path, device: str = "cpu"
    ) -> None:
        self.start, self.parts, self.recipe = start, parts, recipe
        self.tuner = Tuner(start, recipe, torch.device(device))
        self.progress = Progress()
        self.best = start.arrays
        self._crops = Crops(parts.training, recipe.infants, recipe.each)
        self._view = view_of(start.frame_source, parts.training)
        self._framed = frames_of(parts.validation, start.frame_source) if recipe.patience else []
        self._pairs = pair_takes(parts.validation)
        self._state = folder / STATE_FILE
        self.digest = digest_of(parts)
        if recipe.patience and not (self._pairs.same.any() and not self._pairs.same.all()):
            message = (
                "stopping early needs validation infants with two recordings on one kind of device "
                f"({parts.infants()['validation']} validation infants); "
                "a patience of 0 does without"
            )
            raise ConfigError(message)

    def _identity(self) -> dict[str, Any]:
        return {
            "recipe": asdict(self.recipe),
            "recordings": self.digest,
            "device": self.tuner.device.type,
        }

    def save(self) -> None:
        """Write the state, whole or not at all."""
        arrays = self.tuner.arrays() | {f"best.{name}": a for name, a in self.best.items()}
        metadata = {
            "kind": STATE_KIND,
            "format_version": STATE_FORMAT,
            "encoder_fingerprint": self.start.fingerprint,
            "run": self._identity(),
            "progress": asdict(self.progress),
        }
        write_artefact(self._state, arrays, metadata)

    def resume(self) -> bool:
        """Take up the run whose state lies in the folder; say whether there was one.

        Raises
        ------
        ConfigError
            The state belongs to another recipe or other recordings.
        IncompatibleArtefactError
            It started from another encoder.
        """
        if not self._state.exists():
            return False
        found = read_artefact(self._state, STATE_KIND, STATE_FORMAT, self.start.fingerprint)
        if found.metadata["run"] != json.loads(json.dumps(self._identity())):
            message = f"{self._state} is of another recipe or other recordings: choose a new folder"
            raise ConfigError(message)
        best = {name: a for name, a in found.arrays.items() if name.startswith("best.")}
        self.tuner.load_arrays({n: a for n, a in found.arrays.items() if n not in best})
        self.best = {name.removeprefix("best."): array for name, array in best.items()}
        self.progress = Progress(**found.metadata["progress"])
        self.progress.looks = [(step, rate) for step, rate in self.progress.looks]
        return True

    def step(self) -> None:
        """Draw one batch, change its rooms, learn from it, and look at validation when due."""
        progress = self.progress
        if self.recipe.patience and not progress.looks:
            self.look()  # so that weights which only get worse are left as they were
        rng = np.random.default_rng([self.recipe.seed, progress.step])
        drawn = self._crops.draw(rng)
        frames = self._view(drawn, rng)
        progress.losses.append(self.tuner.learn(frames, drawn.each, progress.step))
        progress.step += 1
        if progress.step % self.recipe.check_every == 0 or progress.step == self.recipe.steps:
            self.look()

    def look(self) -> None:
        """Judge the weights on the validation infants, and keep them if they are the best."""
        if not self.recipe.patience:
            self.best = self.tuner.weights()
            return
        vectors = embed_takes(self.tuner.network, self._framed, self.tuner.device)
        rate = eer_of(vectors, self._pairs)
        assert rate is not None  # noqa: S101  the constructor refuses a run without pairs
        self.progress.looks.append((self.progress.step, rate))
        if self.progress.best()[0] == self.progress.step:
            self.best = self.tuner.weights()

    def finished(self) -> bool:
        """Say whether every step is taken, or validation has not got better for long enough."""
        progress, patience = self.progress, self.recipe.patience
        enough = patience > 0 and bool(progress.looks) and progress.since_best() >= patience
        return enough or progress.step >= self.recipe.steps

    def run(self, tell: Tell) -> None:
        """Train to the end, keeping the state every few minutes."""
        begun, before = time.monotonic(), self.progress.elapsed_s
        first = self.progress.step
        saved = told = begun
        while not self.finished():
            self.step()
            now = time.monotonic()
            self.progress.elapsed_s = before + now - begun
            if now - told > TELL_EVERY_S:
                told = now
                tell(self._line((self.progress.step - first) / (now - begun)))
            if now - saved > SAVE_EVERY_S:
                saved = now
                self.save()
        self.save()

    def _line(self, steps_per_s: float) -> str:
        progress = self.progress
        left_min = (self.recipe.steps - progress.step) / steps_per_s / 60.0
        recent = float(np.mean(progress.losses[-self.recipe.check_every :]))
        stop = f", validation EER {progress.looks[-1][1]:.1f} %" if progress.looks else ""
        return (
            f"step {progress.step}/{self.recipe.steps}  at most {left_min:.0f} min left  "
            f"loss {recent:.3f}{stop}"
        )


def digest_of(parts: Parts) -> str:
    """Checksum over every recording's part, infant, session, time and samples."""
    digest = hashlib.sha256()
    for name, takes in vars(parts).items():
        for take in takes:
            digest.update(f"{name} {take.infant} {take.session} {take.recorded_at_s}\n".encode())
            for piece in take.pieces:
                digest.update(piece.sound.samples.tobytes())
    return digest.hexdigest()
