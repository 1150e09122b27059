"""Channel-matched protocol: the same rooms, noise and codec on every recording of a trial.

In: trials, and noises. Out: the same trials heard again through one added channel, and how much of
it was needed until the background no longer tells infants apart. Guaranteed: baseline, normal and
anomalous recordings of a trial get the very same room, noise and codec, and nothing of what they
held between the cry units; every level is told with
what the background and the cries reach there, and a table for which no level brings the background
down for good says that it says nothing about infants.

What is left is the infant, or what no noise covers: the colour that the first room and microphone
left on the cry itself. No recording here has one infant in two rooms at once, so the two cannot be
told apart by this table.

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

from pipelines.acoustics import RecordingChannels, channels_of, hear_unit
from pipelines.channel import (
    Codec,
    add_noise_at,
    coloured_noise,
    in_room,
    room_response,
    through_codec,
)
from pipelines.embed import Encoder
from pipelines.evaluation.controls import BackgroundScale, judge_background, judge_embeddings
from pipelines.evaluation.metrics import Absent, Estimate, auc, mean_over_groups
from pipelines.evaluation.personal import BACKGROUND_LIKELIHOOD, judge_personal
from pipelines.evaluation.protocol import Judged, Trial
from pipelines.frontend import background_statistics
from pipelines.prior import Priors
from pipelines.recordings import BATCH, Heard, Step
from pipelines.room import background_views
from pipelines.segment import Unit
from pipelines.sound import RATE_HZ, Sound, decode, peak_normalise, resample

IN_A_ROW = 3
ENOUGH_AUC = 0.60
"""The background must tell infants apart no better than this, or the table says nothing."""
LEVELS_DBFS: tuple[float, ...] = (-46.0, -40.0, -34.0, -28.0, -22.0, -16.0)
"""Levels of the noise under the peak of the recording. Under the loud part would be worse: how far
the loud part lies under the peak is the infant's, and would come back as the background's level."""
DECAY_S = 0.4
FADE_S = 0.01
DIRECT_DB = 3.0
NOISE_S = 10.0
PINK_DB = 3.0
SEED = 0
UNKNOWN_DBFS = -50.0
"""The added channel is one and the same in every run."""


@dataclass(frozen=True)
class Channel:
    """One added channel: a room, a noise over it at a level, and a codec behind it.

    Attributes
    ----------
    noise
        At 16 kHz.
    level_dbfs
        Root mean square of the noise beside a recording whose peak is at full scale.
    """

    noise: Sound
    level_dbfs: float

    @cached_property
    def _response(self) -> NDArray[np.float32]:
        return room_response(RATE_HZ, DECAY_S, DIRECT_DB, np.random.default_rng(SEED))

    def add(self, sound: Sound, units: Sequence[Unit]) -> Sound:
        """Send the cry units of a sound through it; at 16 kHz, peak-normalised before and after.

        What lies between the units is cut away first: noise loud enough to drown it would drown
        half of the cry too.
        """
        wet = peak_normalise(in_room(only_units(sound, units), self._response))
        noisy = add_noise_at(wet, self.noise, self.level_dbfs)
        return peak_normalise(resample(through_codec(noisy, Codec.AMR)))


@dataclass(frozen=True)
class Rung:
    """One level of the added noise, and what is reached there.

    Attributes
    ----------
    level_dbfs
        Level of the noise.
    trials
        The trials heard through it.
    background, embeddings
        AUC by scorer from the background and from the cries, mean over infants.
    beyond
        AUC of all scorers combined over the strongest background scorer, infant by infant.
    """

    level_dbfs: float
    trials: tuple[Trial, ...]
    background: dict[str, float]
    embeddings: dict[str, float]
    beyond: Estimate | Absent

    @property
    def background_auc(self) -> float:
        """What the strongest reading of the background reaches."""
        return max(self.background.values())


def only_units(sound: Sound, units: Sequence[Unit]) -> Sound:
    """Return a sound in which there is silence between the cry units."""
    open_frac = np.zeros(len(sound.samples), dtype=np.float32)
    for unit in units:
        start, end = (round(at * sound.rate_hz) for at in (unit.onset_s, unit.offset_s))
        length = len(open_frac[start:end])
        ramp = np.arange(1, length + 1) / (FADE_S * sound.rate_hz)
        open_frac[start:end] = np.minimum(1.0, np.minimum(ramp, ramp[::-1]))
    return Sound(sound.samples * open_frac, sound.rate_hz)


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
        sounds = [
            channel.add(peak_normalise(resample(decode(o.row.file)[0])), o.units) for o in batch
        ]
        vectors = [one.embeddings for one in batch]
        if encoder is not None:
            vectors = encoder.embed([(s, o.units) for s, o in zip(sounds, batch, strict=True)])
        for one, sound, own in zip(batch, sounds, vectors, strict=True):
            found[one.row.file] = replace(
                one,
                quality=replace(one.quality, level_dbfs=_level_dbfs(sound)),
                background=background_statistics(sound),
                room=background_views(sound),
                channels=_channels(sound, one),
                embeddings=own,
            )
        if step is not None:
            step(len(batch))
    return found


def _channels(sound: Sound, one: Heard) -> RecordingChannels:
    """Measure the channels again; how loud the first room was is not asked."""
    return channels_of([hear_unit(sound, unit, UNKNOWN_DBFS) for unit in one.units])


def _level_dbfs(sound: Sound) -> float:
    """Level of a peak-normalised sound: the upload's own gain is matched away with the rest."""
    power = float(np.mean(np.square(sound.samples, dtype=np.float64)))
    return 10.0 * float(np.log10(max(power, 1e-12)))


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


def sweep(
    trials: Sequence[Trial],
    noise: Sound,
    encoder: Encoder,
    priors: Priors,
    step: Step | None = None,
) -> list[Rung]:
    """Hear trials through ever more of one channel.

    Parameters
    ----------
    trials
        Clean trials.
    noise
        What is added to all.
    encoder
        What embeds.
    priors
        What is known of the population.
    step
        Called with how many recordings were finished.

    Returns
    -------
    list of Rung
        One for each of ``LEVELS_DBFS``, the quietest first.
    """
    clean = everything_in(trials)
    rungs = []
    for level_dbfs in LEVELS_DBFS:
        heard = hear_again(clean, Channel(noise, level_dbfs), encoder, step)
        rungs.append(rung_of(level_dbfs, replaced(trials, heard), priors))
    return rungs


def rung_of(level_dbfs: float, trials: Sequence[Trial], priors: Priors, seed: int = 0) -> Rung:
    """Judge trials at one level by their background and by their cries."""
    scale = BackgroundScale.of(everything_in(trials))
    personal = [judge_personal(trial, priors, seed) for trial in trials]
    background = [judge_background(trial, scale, seed) for trial in trials]
    of_rooms = [{BACKGROUND_LIKELIHOOD: own.pop(BACKGROUND_LIKELIHOOD)} for own in personal]
    rooms = _aucs([b | r for b, r in zip(background, of_rooms, strict=True)])
    embeddings = [judge_embeddings(trial, seed) for trial in trials]
    cries = _aucs([e | p for e, p in zip(embeddings, personal, strict=True)])
    means = {name: float(np.mean(values)) for name, values in rooms.items()}
    strongest = rooms[max(means, key=means.__getitem__)]
    beyond = [c - r for c, r in zip(cries["combined"], strongest, strict=True)]
    return Rung(
        level_dbfs=level_dbfs,
        trials=tuple(trials),
        background=means,
        embeddings={name: float(np.mean(values)) for name, values in cries.items()},
        beyond=mean_over_groups(beyond),
    )


def _aucs(judged: Sequence[Mapping[str, Judged]]) -> dict[str, list[float]]:
    """AUC of every infant by scorer."""
    return {
        name: [auc(own[name].normal, own[name].anomalous) for own in judged] for name in judged[0]
    }


def settle(rungs: Sequence[Rung]) -> tuple[Rung, bool]:
    """Choose the level of the table: the first of three at which the background is down.

    With few infants the background's AUC goes up and down by a few hundredths from level to level,
    and the strongest of five readings more upwards than down. Stopping at the first level under the
    bound could pick a dip, and flatter the cries: so the two next louder levels count too.

    Parameters
    ----------
    rungs
        Rising levels.

    Returns
    -------
    Rung
        The first such that its background AUC and those of the next two are at most
        ``ENOUGH_AUC``; the loudest where there is none.
    bool
        Whether there is one.
    """
    for index, rung in enumerate(rungs):
        if all(one.background_auc <= ENOUGH_AUC for one in rungs[index : index + IN_A_ROW]):
            return rung, True
    return rungs[-1], False
