"""Picture: a sound as people look at it: its outline, and its spectrogram as a PNG.

In: a sound at any rate. Out: the largest magnitudes along time; a grey picture of the mel bands
that the embed stage hears, as bytes of a PNG file. Guaranteed: the same sound gives the same bytes;
a picture is at most `WIDEST` columns wide, however long the sound; numpy alone, so that the web
process may draw.
"""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

from pipelines.frontend import log_mel
from pipelines.sound import Sound, peak_normalise, resample

WIDEST = 1200
OUTLINE = 600
PICTURE_VERSION = 1
"""Changes whenever the same sound gives another picture, so that no browser keeps the old one."""
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, BITS = 0, 8

Grey = NDArray[np.uint8]


def outline(sound: Sound, count: int = OUTLINE) -> NDArray[np.float32]:
    """Largest magnitude of the sound in each of `count` equal parts of its time.

    Parameters
    ----------
    sound
        Any sound; it is scaled to full scale first.
    count
        How many parts; fewer where there are fewer samples.

    Returns
    -------
    ndarray
        Shape ``(min(count, n),)``, from 0 to 1.
    """
    magnitudes = np.abs(peak_normalise(sound).samples)
    return _largest(magnitudes, min(count, len(magnitudes)))


def _largest(values: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """Return the largest value of each of so many parts along the first axis."""
    if not count:
        return values[:0]
    starts = np.arange(count) * len(values) // count
    return np.asarray(np.maximum.reduceat(values, starts, axis=0), dtype=np.float32)


def spectrogram(sound: Sound) -> Grey:
    """Grey picture of the log-mel frames, as the embed stage takes them.

    Parameters
    ----------
    sound
        Any sound.

    Returns
    -------
    ndarray
        Shape ``(80, columns)``: the highest band above, time to the right; 255 is the loudest,
        0 the floor that the front end sets under the recording.
    """
    frames = log_mel(peak_normalise(resample(sound)))
    some = _largest(frames, min(WIDEST, len(frames)))
    low, high = float(frames.min()), float(frames.max())
    scaled = (some - low) / max(high - low, 1e-6)
    return np.ascontiguousarray(np.round(255.0 * scaled).astype(np.uint8).T[::-1])


def png(picture: Grey) -> bytes:
    """Write a grey picture as a PNG file (RFC 2083): eight bits, no filter, deflated.

    Parameters
    ----------
    picture
        Shape ``(height, width)``, not empty.
    """
    height, width = picture.shape
    header = struct.pack(">IIBBBBB", width, height, BITS, GREY, 0, 0, 0)
    rows = np.hstack([np.zeros((height, 1), dtype=np.uint8), picture])  # 0: a row without a filter
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 9)), (b"IEND", b"")]
    return PNG_SIGNATURE + b"".join(_chunk(kind, content) for kind, content in parts)


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)
