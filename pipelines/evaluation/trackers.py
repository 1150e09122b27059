"""Trackers of pitch that are compared: the shipped one, its two halves, and what others use.

In: samples at 16 kHz. Out: times and frequencies, 0 where the tracker hears no voice. Guaranteed:
each is what its authors published, and is told the same range where it takes one; under the name
`..._default` stands the same with the settings that its authors chose.

Sources: Mauch and Dixon, "pYIN: a fundamental frequency estimator using probabilistic threshold
distributions", ICASSP (2014); Morise, Kawahara and Katayose, "Fast and reliable F0 estimation
method based on the period extraction of vocal fold vibration", AES 35th Conference (2009), for
DIO; Morise, "Harvest: a high-performance fundamental frequency estimator", Interspeech (2017).
"""

from __future__ import annotations

from collections.abc import Callable

import librosa
import numpy as np
import pyworld
from numpy.typing import NDArray
from swift_f0 import SwiftF0

from pipelines.acoustics.pitch import HIGHEST_F0_HZ, LOWEST_F0_HZ, track_f0
from pipelines.sound import RATE_HZ

Samples = NDArray[np.float32]
Values = NDArray[np.float64]
Tracked = tuple[Values, Values]
Tracker = Callable[[Samples], Tracked]

HOP = 160
PYIN_WINDOW = 512  # the best of 512, 1024 and 2048 on recordings that training may see
PYIN_DEFAULT_WINDOW = 2_048
DIO_DEFAULT_HZ = (71.0, 800.0)
VOICED = 0.5  # as the network's author says


def iclas(samples: Samples) -> Tracked:
    """Track by what the product uses."""
    track = track_f0(samples, RATE_HZ)
    return track.times_s, np.nan_to_num(track.f0_hz)


def pyin(samples: Samples, window: int = PYIN_WINDOW) -> Tracked:
    """Track by librosa's pYIN, every 10 ms."""
    f0_hz, _, _ = librosa.pyin(
        samples,
        sr=RATE_HZ,
        fmin=LOWEST_F0_HZ,
        fmax=HIGHEST_F0_HZ,
        frame_length=window,
        hop_length=HOP,
    )
    return np.arange(len(f0_hz)) * HOP / RATE_HZ, np.nan_to_num(f0_hz)


def pyin_default(samples: Samples) -> Tracked:
    """Track by librosa's pYIN with its own window; it has no default range."""
    return pyin(samples, PYIN_DEFAULT_WINDOW)


def world(
    samples: Samples, lowest_hz: float = LOWEST_F0_HZ, highest_hz: float = HIGHEST_F0_HZ
) -> Tracked:
    """Track by what WORLD takes first: DIO, refined by StoneMask."""
    doubles = samples.astype(np.float64)
    rough, times_s = pyworld.dio(doubles, RATE_HZ, f0_floor=lowest_hz, f0_ceil=highest_hz)
    return times_s, pyworld.stonemask(doubles, rough, times_s, RATE_HZ)


def world_default(samples: Samples) -> Tracked:
    """Track by DIO and StoneMask within DIO's own range, which ends at 800 Hz."""
    return world(samples, *DIO_DEFAULT_HZ)


def harvest(samples: Samples) -> Tracked:
    """Track by Harvest."""
    f0_hz, times_s = pyworld.harvest(
        samples.astype(np.float64), RATE_HZ, f0_floor=LOWEST_F0_HZ, f0_ceil=HIGHEST_F0_HZ
    )
    return times_s, f0_hz


class Network:
    """Tracks by the network alone that the product's tracker asks for a second opinion."""

    def __init__(self) -> None:
        self.network = SwiftF0(threads=1, spin=False)

    def __call__(self, samples: Samples) -> Tracked:
        """Track; a frame under the author's confidence is unvoiced."""
        heard = self.network.detect(samples, RATE_HZ, fmin=LOWEST_F0_HZ, fmax=HIGHEST_F0_HZ)
        return heard.timestamps, np.where(heard.confidence >= VOICED, heard.pitch_hz, 0.0)


OURS = "iclas"


def trackers() -> dict[str, Tracker]:
    """Return every tracker by name, the shipped one first."""
    return {
        OURS: iclas,
        "swiftf0": Network(),
        "pyin": pyin,
        "pyin_default": pyin_default,
        "pyworld": world,
        "pyworld_default": world_default,
        "harvest": harvest,
    }
