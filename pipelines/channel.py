"""Channels between an infant and a file: rooms, added noise and telephone codecs.

In: a sound. Out: the same sound as another room, background or codec would have left it.
Guaranteed: seeded by the generator that is handed in, and of the same length; the codecs are the
real ones. Gate training and the channel-matched evaluation share this module, so that both mean
the same by "through both codecs".
"""

from __future__ import annotations

import io
from enum import StrEnum

import av
import numpy as np
import scipy
from numpy.typing import NDArray

from pipelines.encode import Encoding, encode, rate_of
from pipelines.sound import Sound, resample

Samples = NDArray[np.float32]

LOUD_PERCENTILE = 95.0
FRAME_S = 0.02
FULL_SCALE_FRAC = 0.98


class Codec(StrEnum):
    """The two paths on which most phone recordings of crying come."""

    AMR = "amr"
    ADPCM = "adpcm"


def through_codec(sound: Sound, codec: Codec) -> Sound:
    """Encode and decode a sound.

    Parameters
    ----------
    sound
        Samples in [-1, 1] at any rate.
    codec
        AMR narrow-band (8 kHz, 12.2 kbit/s) or IMA ADPCM (16 kHz).

    Returns
    -------
    Sound
        At the codec's own rate, cut or zero-padded to the length of the input.
    """
    encoding = Encoding(codec)
    rate_hz = rate_of(encoding) or sound.rate_hz
    decoded, length = _decode(encode(sound, encoding)), len(resample(sound, rate_hz).samples)
    kept = np.pad(decoded[:length], (0, max(0, length - len(decoded))))
    return Sound(kept.astype(np.float32), rate_hz)


def _decode(content: bytes) -> Samples:
    with av.open(io.BytesIO(content), "r") as container:
        parts = [frame.to_ndarray().reshape(-1) for frame in container.decode(audio=0)]
    whole = np.concatenate(parts)
    scale = 32768.0 if np.issubdtype(whole.dtype, np.integer) else 1.0
    return whole.astype(np.float32) / np.float32(scale)


def loud_power(samples: Samples, rate_hz: int) -> float:
    """Power of the loud part of a sound: the 95th percentile over frames of 20 ms."""
    size = max(1, int(FRAME_S * rate_hz))
    whole = np.pad(samples, (0, -len(samples) % size)).reshape(-1, size)
    power = np.mean(np.square(whole, dtype=np.float64), axis=1)
    return float(np.percentile(power, LOUD_PERCENTILE))


def add_noise(sound: Sound, noise: Sound, snr_db: float, rng: np.random.Generator) -> Sound:
    """Add noise at a ratio to the loud part of the sound, and keep within full scale.

    Parameters
    ----------
    sound, noise
        At the same rate; the noise is looped from a random place.
    snr_db
        Power of the sound's loud frames over the mean power of the noise, in dB.
    rng
        Chooses where in the noise to begin.

    Raises
    ------
    ValueError
        The rates differ.
    """
    _check_rates(sound, noise)
    start = int(rng.integers(0, len(noise.samples)))
    looped = np.resize(np.roll(noise.samples, -start), len(sound.samples))
    wanted = loud_power(sound.samples, sound.rate_hz) / 10.0 ** (snr_db / 10.0)
    return _mixed(sound, looped, wanted)


def add_noise_at(sound: Sound, noise: Sound, level_dbfs: float) -> Sound:
    """Add noise, from its beginning, at a level of its own; keep within full scale.

    Parameters
    ----------
    sound, noise
        At the same rate; the noise is looped.
    level_dbfs
        Root mean square of the added noise, in dB relative to full scale.

    Raises
    ------
    ValueError
        The rates differ.
    """
    _check_rates(sound, noise)
    looped = np.resize(noise.samples, len(sound.samples))
    return _mixed(sound, looped, 10.0 ** (level_dbfs / 10.0))


def _check_rates(sound: Sound, noise: Sound) -> None:
    if sound.rate_hz != noise.rate_hz:
        message = f"sound is at {sound.rate_hz} Hz, noise at {noise.rate_hz} Hz"
        raise ValueError(message)


def _mixed(sound: Sound, looped: Samples, wanted_power: float) -> Sound:
    power = float(np.mean(np.square(looped, dtype=np.float64)))
    gain = np.sqrt(wanted_power / power) if power > 0.0 else 0.0
    return _within_full_scale(sound.samples + np.float32(gain) * looped, sound.rate_hz)


def _within_full_scale(samples: Samples, rate_hz: int) -> Sound:
    peak = float(np.max(np.abs(samples), initial=0.0))
    scale = FULL_SCALE_FRAC / peak if peak > FULL_SCALE_FRAC else 1.0
    return Sound((samples * scale).astype(np.float32), rate_hz)


def room_response(
    rate_hz: int, decay_s: float, direct_to_reverberant_db: float, rng: np.random.Generator
) -> Samples:
    """Impulse response of a room: a direct sound and an exponentially decaying diffuse tail.

    Parameters
    ----------
    rate_hz
        Sampling rate.
    decay_s
        Reverberation time: the tail has fallen by 60 dB after it.
    direct_to_reverberant_db
        Energy of the direct sound over that of the tail.
    rng
        Draws the tail.

    Returns
    -------
    ndarray
        Shape ``(decay_s * rate_hz + 1,)``, direct sound first, with gain 1.
    """
    times_s = np.arange(1, int(decay_s * rate_hz) + 1) / rate_hz
    tail = rng.standard_normal(len(times_s)) * 10.0 ** (-3.0 * times_s / decay_s)
    tail *= 10.0 ** (-direct_to_reverberant_db / 20.0) / max(float(np.linalg.norm(tail)), 1e-12)
    return np.concatenate([[1.0], tail]).astype(np.float32)


def in_room(sound: Sound, response: Samples) -> Sound:
    """Convolve a sound with a room's response; the direct sound keeps its time."""
    wet = scipy.signal.fftconvolve(sound.samples, response)[: len(sound.samples)]
    return _within_full_scale(wet.astype(np.float32), sound.rate_hz)


def coloured_noise(
    duration_s: float, rate_hz: int, db_per_octave: float, rng: np.random.Generator
) -> Sound:
    """Stationary noise whose spectrum falls by so many dB an octave (pink 3, brown 6), peak 0.5."""
    length = int(duration_s * rate_hz)
    spectrum = np.fft.rfft(rng.standard_normal(length))
    rising = np.maximum(np.fft.rfftfreq(length, 1.0 / rate_hz), 20.0) / 20.0
    shaped = np.fft.irfft(spectrum * rising ** (-db_per_octave / 6.0206), n=length)
    return Sound((0.5 * shaped / np.max(np.abs(shaped))).astype(np.float32), rate_hz)
