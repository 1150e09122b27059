"""Channel-matched protocol: the same rooms, noise and codec on every recording of a trial.

In: trials, and noises. Out: the same trials heard again through one added channel, and how much of
it was needed until the background no longer tells infants apart. Guaranteed: baseline, normal and
anomalous recordings of a trial get the very same room, noise and codec, so that what is left is
either the infant or what the channel did not cover; the level that was reached is always told, and
a table that never reached the bound says that it says nothing about infants.

Cry units stay those of the clean recording: with noise over everything they would otherwise be
found elsewhere in quiet recordings than in loud ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipelines.channel import (
    Codec,
    add_noise,
    coloured_noise,
    in_room,
    room_response,
    through_codec,
)
from pipelines.detectors.ocsvm import OneClassSvm
from pipelines.embed import Encoder
from pipelines.evaluation.controls import BackgroundScale, judge_background, layout_of
from pipelines.evaluation.metrics import auc
from pipelines.evaluation.protocol import Trial, judge
from pipelines.frontend import background_statistics
from pipelines.recordings import BATCH, Heard, Step
from pipelines.sound import RATE_HZ, Sound, decode, peak_normalise, resample

ENOUGH_AUC = 0.60
"""The background must tell infants apart no better than this, or the table says nothing."""
SNRS_DB = (20.0, 12.0, 6.0, 0.0, -6.0)
DECAY_S = 0.4
DIRECT_DB = 3.0
NOISE_S = 10.0
PINK_DB = 3.0
SEED = 0
"""The added channel is one and the same in every run."""


@dataclass(frozen=True)
class Channel:
    """One added channel: a room, a noise over it at a level, and a codec behind it.

    Attributes
    ----------
    noise
        At 16 kHz.
    snr_db
        Loud part of the cry over the noise.
    """

    noise: Sound
    snr_db: float

    @cached_property
    def _response(self) -> NDArray[np.float32]:
        return room_response(RATE_HZ, DECAY_S, DIRECT_DB, np.random.default_rng(SEED))

    def add(self, sound: Sound) -> Sound:
        """Send a sound through it; at 16 kHz, peak-normalised before and after."""
        noisy = add_noise(
            in_room(sound, self._response), self.noise, self.snr_db, np.random.default_rng(SEED)
        )
        return peak_normalise(resample(through_codec(noisy, Codec.AMR)))


@dataclass(frozen=True)
class Reached:
    """How far the channel had to be raised.

    Attributes
    ----------
    snr_db
        Noise level of the table.
    background_auc
        What the background alone still reached, mean over infants.
    is_enough
        Whether that is at most ``ENOUGH_AUC``.
    tried
        Background AUC by level, of the quick control that the level was searched with.
    """

    snr_db: float
    background_auc: float
    is_enough: bool
    tried: dict[str, float]


def noise_beside(manifest: Path, folder: Path | None = None) -> Sound:
    """Return the noise to add: joined from a folder of noises, or pink where there is none.

    Parameters
    ----------
    manifest
        The corpus; by default ``noise/`` is looked for beside its folder.
    folder
        Another folder of noises.
    """
    folder = folder or manifest.resolve().parent.parent / "noise"
    if not folder.is_dir():
        return coloured_noise(NOISE_S, RATE_HZ, PINK_DB, np.random.default_rng(SEED))
    parts = [_level(resample(decode(path)[0])) for path in sorted(folder.iterdir())]
    length = min(int(NOISE_S * RATE_HZ), *(len(part) for part in parts))
    return Sound(np.sum([part[:length] for part in parts], axis=0, dtype=np.float32), RATE_HZ)


def _level(sound: Sound) -> NDArray[np.float32]:
    """Bring a noise to unit power, so that none hides the others."""
    power = float(np.mean(np.square(sound.samples, dtype=np.float64)))
    return (sound.samples / np.sqrt(max(power, 1e-12))).astype(np.float32)


def hear_again(
    heard: Iterable[Heard], channel: Channel, encoder: Encoder | None, step: Step | None = None
) -> dict[Path, Heard]:
    """Hear recordings again through a channel, at the units of the clean recordings.

    Parameters
    ----------
    heard
        As they were heard.
    channel
        What is added.
    encoder
        What embeds; None leaves the embeddings as they were, to look at backgrounds only.
    step
        Called with how many recordings were finished.

    Returns
    -------
    dict
        By file.
    """
    whole = list(heard)
    found: dict[Path, Heard] = {}
    for start in range(0, len(whole), BATCH):
        batch = whole[start : start + BATCH]
        sounds = [channel.add(peak_normalise(resample(decode(o.row.file)[0]))) for o in batch]
        vectors = [one.embeddings for one in batch]
        if encoder is not None:
            vectors = encoder.embed([(s, o.units) for s, o in zip(sounds, batch, strict=True)])
        for one, sound, own in zip(batch, sounds, vectors, strict=True):
            background = background_statistics(sound)
            found[one.row.file] = replace(one, background=background, embeddings=own)
        if step is not None:
            step(len(batch))
    return found


def everything_in(trials: Sequence[Trial]) -> list[Heard]:
    """Return every recording that appears in the trials, once."""
    parts = (one for t in trials for one in (*t.baseline, *t.normal, *t.anomalous))
    return list({one.row.file: one for one in parts}.values())


def replaced(trials: Sequence[Trial], heard: Mapping[Path, Heard]) -> list[Trial]:
    """Return the same trials with recordings heard anew."""
    return [
        replace(
            trial,
            baseline=tuple(heard[one.row.file] for one in trial.baseline),
            normal=tuple(heard[one.row.file] for one in trial.normal),
            anomalous=tuple(heard[one.row.file] for one in trial.anomalous),
        )
        for trial in trials
    ]


def match_channels(
    trials: Sequence[Trial], noise: Sound, encoder: Encoder, step: Step | None = None
) -> tuple[list[Trial], Reached]:
    """Raise the channel until the background tells infants apart no better than ``ENOUGH_AUC``.

    Parameters
    ----------
    trials
        Clean trials.
    noise
        What is added to all.
    encoder
        What embeds the recordings at the level that was reached.
    step
        Called with how many recordings were finished.

    Returns
    -------
    list of Trial
        The trials at the level that was reached, or at the highest.
    Reached
        Which level that is, and whether it is enough.
    """
    clean = everything_in(trials)
    tried: dict[str, float] = {}
    for snr_db in SNRS_DB:
        channel = Channel(noise, snr_db)
        again = replaced(trials, hear_again(clean, channel, None, step))
        tried[f"{snr_db:g} dB"] = quick_background_auc(again)
        is_last = snr_db == SNRS_DB[-1]
        if tried[f"{snr_db:g} dB"] > ENOUGH_AUC and not is_last:
            continue
        found = background_auc(again)
        if found <= ENOUGH_AUC or is_last:
            break
    heard = hear_again(clean, channel, encoder, step)
    return replaced(trials, heard), Reached(snr_db, found, found <= ENOUGH_AUC, tried)


def quick_background_auc(trials: Sequence[Trial]) -> float:
    """Mean background AUC by the quickest detector alone, to search the level with."""
    scale = BackgroundScale.of(everything_in(trials))
    found = []
    for trial in trials:
        detectors = {OneClassSvm.name: OneClassSvm()}
        judged = judge(trial, layout_of(trial, scale.row), detectors)[OneClassSvm.name]
        found.append(auc(judged.normal, judged.anomalous))
    return float(np.mean(found))


def background_auc(trials: Sequence[Trial]) -> float:
    """Mean AUC of the background by the best of its scorers, which is the strictest reading."""
    scale = BackgroundScale.of(everything_in(trials))
    by_scorer: dict[str, list[float]] = {}
    for trial in trials:
        for name, judged in judge_background(trial, scale).items():
            by_scorer.setdefault(name, []).append(auc(judged.normal, judged.anomalous))
    return max(float(np.mean(values)) for values in by_scorer.values())
