"""Encode: sound as the bytes of the file that a device would upload.

In: a sound and a kind of file. Out: the file's bytes. Guaranteed: the codecs are the real ones; a
kind that has a rate of its own is resampled to it; the same sound always gives the same bytes.
"""

from __future__ import annotations

import io
import wave
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import cast

import av
import numpy as np
from av.audio.stream import AudioStream
from numpy.typing import NDArray

from pipelines.sound import Sound, resample

Whole = NDArray[np.int16]


class Encoding(StrEnum):
    """Kinds of files that devices upload."""

    WAV = "wav"
    FLAC = "flac"
    AMR = "amr"
    ADPCM = "adpcm"


@dataclass(frozen=True)
class _Way:
    encoder: str
    container: str
    suffix: str
    rate_hz: int | None = None
    bit_rate: int | None = None


_WAYS = {
    Encoding.WAV: _Way("pcm_s16le", "wav", "wav"),
    Encoding.FLAC: _Way("flac", "flac", "flac"),
    Encoding.AMR: _Way("libopencore_amrnb", "amr", "amr", 8_000, 12_200),
    Encoding.ADPCM: _Way("adpcm_ima_wav", "wav", "wav", 16_000, 64_000),
}


def suffix_of(encoding: Encoding) -> str:
    """Return how the names of such files end, without the dot."""
    return _WAYS[encoding].suffix


def rate_of(encoding: Encoding) -> int | None:
    """Return the only rate that such files have; None where they take any."""
    return _WAYS[encoding].rate_hz


def encode(sound: Sound, encoding: Encoding) -> bytes:
    """Encode a sound.

    Parameters
    ----------
    sound
        Mono, full scale 1; what exceeds it is clipped.
    encoding
        WAV and FLAC (16 bits) keep the sound's rate; AMR narrow-band is at 8 kHz and 12.2 kbit/s,
        IMA ADPCM at 16 kHz in a WAV file.

    Returns
    -------
    bytes
        The whole file.
    """
    way = _WAYS[encoding]
    at_rate = resample(sound, way.rate_hz or sound.rate_hz)
    whole = np.round(np.clip(at_rate.samples, -1.0, 1.0) * 32767.0).astype("<i2")
    if encoding is Encoding.WAV:
        return _plain(whole, at_rate.rate_hz)
    return _encoded(whole, at_rate.rate_hz, way)


def _plain(whole: Whole, rate_hz: int) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(whole.tobytes())
    return buffer.getvalue()


def _encoded(whole: Whole, rate_hz: int, way: _Way) -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=way.container) as container:
        stream = cast(AudioStream, container.add_stream(way.encoder, rate=rate_hz))
        if way.bit_rate is not None:
            stream.bit_rate = way.bit_rate
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(whole[None, :], format="s16", layout="mono")
        frame.sample_rate = rate_hz
        frame.time_base = Fraction(1, rate_hz)
        frame.pts = 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return buffer.getvalue()
