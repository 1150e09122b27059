"""Room: what a recording tells while nobody cries, in numbers.

Serves the stages segment and score. In: a recording at 16 kHz. Out: statistics of its quietest
frames, heard in two ways. Guaranteed: frames are chosen by level alone, and no cry unit is looked
for.

One way takes the quietest tenth as it is, down to the codec's own noise; the other the quietest
fifth from 70 dB under the loud frames upwards, so that what lies in between is not drowned by that
noise.
"""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import NDArray

from pipelines.frontend import (
    MFCC_COEFFICIENTS,
    Frames,
    FrontEnd,
    HasSamples,
    mel_power,
    percentile_99,
    quietest_frames,
    to_decibel,
)

ROOM_WIDTH = 4 * MFCC_COEFFICIENTS
VIEW_SIZE = 2 * MFCC_COEFFICIENTS
BARE_FRAC = 0.1
FLOORED_FRAC = 0.2
FLOOR_BELOW_P99_DB = 70.0
_NO_FLOOR = FrontEnd(floor_below_p99_db=1000.0, top_db=1000.0)


def background_views(sound: HasSamples) -> NDArray[np.float32]:
    """Both views side by side, shape ``(160,)``: means and deviations of 40 cepstra in each."""
    level_db = to_decibel(mel_power(sound.samples), _NO_FLOOR)
    floor_db = np.float32(percentile_99(level_db) - FLOOR_BELOW_P99_DB)
    floored = np.maximum(quietest_frames(level_db, FLOORED_FRAC), floor_db)
    return np.concatenate([_statistics(quietest_frames(level_db, BARE_FRAC)), _statistics(floored)])


def _statistics(level_db: Frames) -> NDArray[np.float32]:
    cepstra = scipy.fft.dct(level_db, type=2, norm="ortho", axis=1)[:, :MFCC_COEFFICIENTS]
    return np.concatenate([cepstra.mean(axis=0), cepstra.std(axis=0)]).astype(np.float32)
