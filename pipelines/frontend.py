"""Front end of the embed stage: from samples to log-mel frames, in numpy alone.

In: 16 kHz peak-normalised samples of a whole recording. Out: log-mel frames of the recording, the
normalised frames of one cry unit, and fixed-length statistics for the gate and for the
background-only control. Guaranteed: no torch, no randomness, no state beyond cached constants; the
same samples give the same frames whatever was computed before, so the web process may import it.

The dynamic-range floor and the *fixed* mel mean are deliberate: subtracting each sentence's own
mean throws away what identifies a cry, while a fixed training-set mean keeps it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
import scipy
from numpy.typing import NDArray

RATE_HZ = 16_000
MFCC_COEFFICIENTS = 40
BACKGROUND_FRAC = 0.2
_MIN_BACKGROUND_FRAMES = 10
_AMIN = 1e-10
_FRAMES_AT_ONCE = 64

Frames = NDArray[np.float32]


class HasSamples(Protocol):
    """Anything that carries samples: a :class:`pipelines.sound.Sound`, or a test's stand-in."""

    @property
    def samples(self) -> NDArray[np.float32]:
        """Samples, shape ``(n,)``, 16 kHz, peak-normalised."""


class HasTimes(Protocol):
    """Anything that lies between two times: a :class:`pipelines.segment.Unit`."""

    @property
    def onset_s(self) -> float:
        """Start in seconds from the start of the recording."""

    @property
    def offset_s(self) -> float:
        """End in seconds from the start of the recording."""


@dataclass(frozen=True)
class FrontEnd:
    """Parameters of the log-mel front end, as they stand in an encoder's card.

    Attributes
    ----------
    n_fft, hop, n_mels
        Window and hop in samples at 16 kHz, number of mel bands from 0 to 8 kHz.
    floor_below_p99_db, top_db
        Frames are floored at the higher of (99th percentile of the recording - floor_below_p99_db)
        and (maximum of the recording - top_db).
    global_mel_mean_db
        Mean of every band over the training set, ``n_mels`` numbers; empty means zeros.
    """

    n_fft: int = 400
    hop: int = 160
    n_mels: int = 80
    floor_below_p99_db: float = 50.0
    top_db: float = 80.0
    global_mel_mean_db: tuple[float, ...] = field(default=())

    @classmethod
    def from_card(cls, card: Mapping[str, Any]) -> "FrontEnd":
        """Read the ``front_end`` part of an encoder's card.

        Raises
        ------
        KeyError, ValueError
            A field is missing, or the card asks for something this front end does not do.
        """
        wanted = {"sample_rate": RATE_HZ, "win_ms": 25, "f_min": 0, "f_max": RATE_HZ // 2}
        for name, value in wanted.items():
            if card[name] != value:
                message = f"front_end.{name} is {card[name]!r}, only {value!r} is supported"
                raise ValueError(message)
        mean = tuple(float(value) for value in card["global_mel_mean_db"])
        if len(mean) != card["n_mels"]:
            message = f"global_mel_mean_db has {len(mean)} numbers, not {card['n_mels']}"
            raise ValueError(message)
        return cls(
            n_fft=int(card["n_fft"]),
            hop=int(card["hop_ms"] * RATE_HZ // 1000),
            n_mels=int(card["n_mels"]),
            floor_below_p99_db=float(card["floor_below_p99_db"]),
            top_db=float(card["top_db_per_recording"]),
            global_mel_mean_db=mean,
        )

    def to_card(self) -> dict[str, Any]:
        """Write the parameters as the ``front_end`` part of an encoder's card."""
        return {
            "sample_rate": RATE_HZ,
            "peak_normalise": True,
            "n_fft": self.n_fft,
            "win_ms": self.n_fft * 1000 // RATE_HZ,
            "hop_ms": self.hop * 1000 // RATE_HZ,
            "n_mels": self.n_mels,
            "f_min": 0,
            "f_max": RATE_HZ // 2,
            "power": True,
            "amin": _AMIN,
            "units": "dB",
            "top_db_per_recording": self.top_db,
            "floor_below_p99_db": self.floor_below_p99_db,
            "norm": "unit's scalar mean subtracted, then global_mel_mean_db subtracted",
            "global_mel_mean_db": list(self.global_mel_mean_db),
        }


def _hz_to_mel(hz: float) -> float:
    return float(2595.0 * np.log10(1.0 + hz / 700.0))


@lru_cache(maxsize=8)
def mel_matrix(n_fft: int = 400, n_mels: int = 80) -> Frames:
    """Triangular mel filters from 0 to 8 kHz, shape ``(n_fft // 2 + 1, n_mels)``, read-only.

    Symmetric triangles in hertz on the HTK mel scale, each as wide to both sides as the distance to
    its lower neighbour: the definition the SpeechBrain filterbank uses.
    """
    top_mel = _hz_to_mel(RATE_HZ / 2)
    points_hz = 700.0 * (10.0 ** (np.linspace(0.0, top_mel, n_mels + 2) / 2595.0) - 1.0)
    centre_hz, width_hz = points_hz[1:-1], np.diff(points_hz)[:-1]
    bins_hz = np.linspace(0.0, RATE_HZ / 2, n_fft // 2 + 1)
    slope = (bins_hz[:, None] - centre_hz) / width_hz
    matrix = np.maximum(0.0, 1.0 - np.abs(slope)).astype(np.float32)
    matrix.setflags(write=False)
    return matrix


@lru_cache(maxsize=8)
def _window(n_fft: int) -> Frames:
    exact = 0.54 - 0.46 * np.cos(2.0 * np.pi * np.arange(n_fft) / n_fft)
    window: Frames = exact.astype(np.float32)
    window.setflags(write=False)
    return window


def mel_power(samples: NDArray[np.float32], front_end: FrontEnd | None = None) -> Frames:
    """Mel power frames of samples at 16 kHz.

    Parameters
    ----------
    samples
        Shape ``(n,)``; frames are centred, the ends are reflected (zero-padded when shorter than
        half a window).

    Returns
    -------
    ndarray
        Shape ``(1 + n // hop, n_mels)``, linear power.
    """
    front_end = front_end or FrontEnd()
    half = front_end.n_fft // 2
    samples = np.ascontiguousarray(samples, dtype=np.float32)
    mode = "reflect" if samples.size > half else "constant"
    padded = np.pad(samples, half, mode=mode)  # type: ignore[call-overload]
    windows = np.lib.stride_tricks.sliding_window_view(padded, front_end.n_fft)
    power = _power(windows[:: front_end.hop], _window(front_end.n_fft))
    result: Frames = power @ mel_matrix(front_end.n_fft, front_end.n_mels)
    return result


def _power(windows: Frames, window: Frames) -> Frames:
    """Power spectra, some frames at a time: what stays in the cache takes half the time.

    A multiple of every vector's width, so that each frame is computed as among all the others.
    """
    count, n_fft = windows.shape
    power = np.empty((count, n_fft // 2 + 1), dtype=np.float32)
    for start in range(0, count, _FRAMES_AT_ONCE):
        some = slice(start, start + _FRAMES_AT_ONCE)
        spectrum = scipy.fft.rfft(windows[some] * window, axis=1)
        np.square(spectrum.real, out=power[some])
        power[some] += np.square(spectrum.imag)
    return power


def to_decibel(power: Frames, front_end: FrontEnd | None = None) -> Frames:
    """Decibels of mel power, floored under the recording's own loud frames.

    Shape and order are those of ``power``; see :class:`FrontEnd` for the floor.
    """
    front_end = front_end or FrontEnd()
    level_db = _level_db(power)
    if not level_db.size:
        return level_db
    floor_db = max(
        float(percentile_99(level_db)) - front_end.floor_below_p99_db,
        float(level_db.max()) - front_end.top_db,
    )
    return np.maximum(level_db, np.float32(floor_db))


def _level_db(power: Frames) -> Frames:
    level_db = 10.0 * np.log10(np.maximum(power, np.float32(_AMIN)))
    return level_db.astype(np.float32, copy=False)


def percentile_99(level_db: Frames) -> float:
    """99th percentile (nearest rank from below) over all frames and bands, by partition."""
    flat = level_db.ravel()
    rank = int(0.99 * (flat.size - 1))
    return float(np.partition(flat, rank)[rank])


def log_mel(sound: HasSamples, front_end: FrontEnd | None = None) -> Frames:
    """Log-mel frames of a whole recording, in dB, floored, not yet normalised.

    Parameters
    ----------
    sound
        16 kHz, peak-normalised.

    Returns
    -------
    ndarray
        Shape ``(1 + n // hop, n_mels)``, float32; one frame every 10 ms.
    """
    return to_decibel(mel_power(sound.samples, front_end), front_end)


def normalise_unit(frames: Frames, front_end: FrontEnd) -> Frames:
    """Subtract the unit's scalar mean (its level), then the fixed mean of each band."""
    centred = frames - frames.mean(dtype=np.float64).astype(np.float32)
    if front_end.global_mel_mean_db:
        centred = centred - np.asarray(front_end.global_mel_mean_db, dtype=np.float32)
    return np.ascontiguousarray(centred, dtype=np.float32)


def frame_span(unit: HasTimes, n_frames: int, step: int = 16, hop: int = 160) -> tuple[int, int]:
    """Frames of a cry unit, its length rounded to whole steps around its middle.

    Lengths on a grid let units of different recordings share a batch without any padding, so that
    an embedding never depends on what it was computed with. A unit shorter than two steps is
    lengthened by what surrounds it in the recording.

    Returns
    -------
    tuple of int
        Start and stop frame, ``0 <= start < stop <= n_frames``.
    """
    first = unit.onset_s * RATE_HZ / hop
    last = unit.offset_s * RATE_HZ / hop
    length = min(max(2, round((last - first) / step)) * step, n_frames)
    start = round((first + last - length) / 2)
    start = min(max(start, 0), n_frames - length)
    return start, start + length


def _cepstra(level_db: Frames) -> Frames:
    cepstra: Frames = scipy.fft.dct(level_db, type=2, norm="ortho", axis=1)
    return cepstra[:, :MFCC_COEFFICIENTS]


def _statistics(level_db: Frames) -> NDArray[np.float32]:
    cepstra = _cepstra(level_db)
    both = np.concatenate([cepstra.mean(axis=0), cepstra.std(axis=0)])
    return both.astype(np.float32)


def mfcc_statistics(
    sound: HasSamples, units: Sequence[HasTimes] | None = None
) -> NDArray[np.float32]:
    """Mean and standard deviation of full-band MFCCs, over cry units or the whole recording.

    Parameters
    ----------
    sound
        16 kHz, peak-normalised.
    units
        Frames to look at; None (or no units at all) means all frames.

    Returns
    -------
    ndarray
        Shape ``(80,)``: 40 means, then 40 standard deviations.
    """
    level_db = log_mel(sound)
    if units:
        spans = [frame_span(unit, len(level_db), step=1) for unit in units]
        level_db = np.concatenate([level_db[start:stop] for start, stop in spans])
    return _statistics(level_db)


def quietest_frames(level_db: Frames, frac: float = BACKGROUND_FRAC) -> Frames:
    """Choose the quietest fraction of frames, at least ten, and keep their order."""
    loudness = np.power(10.0, level_db / 10.0).sum(axis=1)
    count = min(len(level_db), max(_MIN_BACKGROUND_FRAMES, int(frac * len(level_db))))
    chosen = np.sort(np.argsort(loudness, kind="stable")[:count])
    return level_db[chosen]


def background_statistics(sound: HasSamples) -> NDArray[np.float32]:
    """MFCC statistics of the quietest fifth of the frames: the background-only control.

    What this vector can tell about an infant, the room and the microphone tell: every identity
    figure stands beside it. No dynamic-range floor is applied, since it would hide the background.

    Returns
    -------
    ndarray
        Shape ``(80,)``: 40 means, then 40 standard deviations.
    """
    return _statistics(quietest_frames(_level_db(mel_power(sound.samples))))
