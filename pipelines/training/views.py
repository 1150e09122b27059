"""Training: crops as a network hears them, in other rooms and before other backgrounds.

In: crops of samples and what an encoder's frames are made by. Out: frames, shape
``(n, frames, bands)``, normalised as in use. Guaranteed: seeded by the generator that is handed in;
each kind of encoder keeps its own front end, so that what is fine-tuned is heard as it will be.

A log-mel encoder's crops are changed on mel power, which is quick. SpeechBrain's filterbank is fed
samples, so there the samples themselves are changed; a microphone's equaliser is left out, because
a gain of each band is what sentence normalisation takes away again.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch

from pipelines.channel import add_noise, coloured_noise, in_room, room_response
from pipelines.encoders.hub import FilterbankFrames
from pipelines.encoders.loaded import FrameSource, LogMelFrames
from pipelines.errors import ConfigError
from pipelines.frontend import RATE_HZ, Frames, FrontEnd, mel_power
from pipelines.sound import Sound, resample
from pipelines.training.augment import Crops, Strength, change_room, mask, normalise_crops
from pipelines.training.takes import Drawn, Samples, Take

TELEPHONE_RATE_HZ = 8_000
CLEAN_FRAC = 0.1
ROOM_FRAC = 0.5
NOISE_FRAC = 0.8
TELEPHONE_FRAC = 0.3
SIGNAL_TO_BACKGROUND_DB = (5.0, 30.0)
PINK_DB_PER_OCTAVE = 3.0

View = Callable[[Drawn, np.random.Generator], Frames]


def view_of(frame_source: FrameSource, takes: Sequence[Take]) -> View:
    """Choose how crops of these recordings are heard by a kind of encoder.

    Raises
    ------
    ConfigError
        Frames are made in a way that has no view here.
    """
    if isinstance(frame_source, LogMelFrames):
        return LogMelView(frame_source.front_end, takes)
    if isinstance(frame_source, FilterbankFrames):
        return FilterbankView(frame_source)
    message = f"frames of {type(frame_source).__name__} cannot be trained on"
    raise ConfigError(message)


class LogMelView:
    """Crops for the bundled encoder and its kin.

    Parameters
    ----------
    front_end
        Its front end.
    takes
        The recordings that crops are drawn from.
    """

    def __init__(self, front_end: FrontEnd, takes: Sequence[Take]) -> None:
        self._front_end = front_end
        self._mean_db = np.asarray(front_end.global_mel_mean_db or (0.0,), dtype=np.float32)
        self._own = np.stack([self._background_power(take) for take in takes])

    def _background_power(self, take: Take) -> Frames:
        if not take.background.size:
            return np.zeros(self._front_end.n_mels, dtype=np.float32)
        mean: Frames = self._power(take.background).mean(axis=0)
        return mean

    def _power(self, samples: Samples) -> Frames:
        power = mel_power(samples, self._front_end)
        return power[: max(1, samples.size // self._front_end.hop)]

    def __call__(self, drawn: Drawn, rng: np.random.Generator) -> Frames:
        """Change rooms on mel power, then normalise and mask."""
        power = np.stack([self._power(samples) for samples in drawn.samples])
        background = _backgrounds(drawn, rng)
        new = np.stack([self._power(samples) for samples in background])
        own = self._own[list(drawn.takes)]
        changed = change_room(Crops(power, own, new), rng, Strength())
        return mask(normalise_crops(changed, self._front_end, self._mean_db), rng)


class FilterbankView:
    """Crops for encoders of the hub's kind: their own filterbank, sentence normalisation kept.

    Parameters
    ----------
    frame_source
        Their filterbank.
    """

    def __init__(self, frame_source: FilterbankFrames) -> None:
        self._filterbank = frame_source.filterbank

    def __call__(self, drawn: Drawn, rng: np.random.Generator) -> Frames:
        """Change rooms on samples, filter, subtract each crop's own mean, and mask."""
        background = _backgrounds(drawn, rng)
        pairs = zip(drawn.samples, background, strict=True)
        changed = np.stack([_heard_elsewhere(own, new, rng) for own, new in pairs])
        with torch.inference_mode():
            frames: Frames = self._filterbank(torch.from_numpy(changed)).numpy()
        return mask(frames - frames.mean(axis=1, keepdims=True), rng)


def _backgrounds(drawn: Drawn, rng: np.random.Generator) -> Samples:
    """Take the backgrounds that were drawn, or pink noise where no recording has any."""
    if drawn.new_background is not None:
        return drawn.new_background
    count, length = drawn.samples.shape
    noises = [coloured_noise(length / RATE_HZ, RATE_HZ, PINK_DB_PER_OCTAVE, rng).samples]
    noises *= count
    return np.stack([np.roll(noise, int(rng.integers(length))) for noise in noises])


def _heard_elsewhere(samples: Samples, background: Samples, rng: np.random.Generator) -> Samples:
    """Put a crop into another room, before another background, through another line."""
    if rng.random() < CLEAN_FRAC:
        return samples
    sound = Sound(samples, RATE_HZ)
    if rng.random() < ROOM_FRAC:
        decay_s, ratio_db = rng.uniform(0.15, 0.9), rng.uniform(0.0, 15.0)
        sound = in_room(sound, room_response(RATE_HZ, decay_s, ratio_db, rng))
    if rng.random() < NOISE_FRAC:
        snr_db = float(rng.uniform(*SIGNAL_TO_BACKGROUND_DB))
        sound = add_noise(sound, Sound(background, RATE_HZ), snr_db, rng)
    if rng.random() < TELEPHONE_FRAC:
        narrow = resample(resample(sound, TELEPHONE_RATE_HZ), RATE_HZ).samples
        return np.resize(narrow, samples.size)
    return sound.samples


def copies_elsewhere(
    take: Take, background: Samples, rng: np.random.Generator, count: int
) -> list[Sound]:
    """Put the whole first piece of a recording into other rooms; its units keep their times."""
    samples = take.pieces[0].sound.samples
    return [Sound(_heard_elsewhere(samples, background, rng), RATE_HZ) for _ in range(count)]
