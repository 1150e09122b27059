"""Microphone: what a simulated device does to the sound in front of it, up to the file it uploads.

In: a sound and a device. Out: the sound as the device took it, or the bytes of its file.
Guaranteed: the same device and generator always give the same bytes; nothing exceeds full scale.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from pipelines.encode import Encoding, encode, rate_of, suffix_of
from pipelines.errors import ConfigError
from pipelines.sound import HIGHEST_RATE_HZ, LOWEST_RATE_HZ, RATE_HZ, Sound

Filter = NDArray[np.float64]

HIGHEST_SHARE = 0.45  # of the rate: no filter is set nearer to the Nyquist frequency
QUIETEST_DBFS = -120.0
PRESENCE_OCTAVES = 1.0


@dataclass(frozen=True)
class Microphone:
    """A simulated device.

    Parameters
    ----------
    name
        What the manifest calls it.
    encoding
        Kind of file that it uploads.
    rate_hz
        Sampling rate; of AMR (8 kHz) and ADPCM (16 kHz) the codec's own holds.
    low_cut_hz, high_cut_hz
        Where its frequency response falls off; None: it does not.
    presence_hz, presence_db
        Centre and height of the one broad hump of its response.
    gain_db
        Amplification; what exceeds full scale is clipped.
    noise_dbfs
        Level of its own noise.
    lead_in_s
        Silence that it puts before a recording while it starts.

    Raises
    ------
    ConfigError
        A rate that no recording has.
    """

    name: str = "monitor"
    encoding: Encoding = Encoding.WAV
    rate_hz: int = RATE_HZ
    low_cut_hz: float | None = 80.0
    high_cut_hz: float | None = None
    presence_hz: float = 2_500.0
    presence_db: float = 0.0
    gain_db: float = 0.0
    noise_dbfs: float = -75.0
    lead_in_s: float = 0.0

    def __post_init__(self) -> None:
        """Refuse a rate that the product would refuse."""
        if not LOWEST_RATE_HZ <= self.rate_hz <= HIGHEST_RATE_HZ:
            raise ConfigError(f"{self.rate_hz} Hz is no rate for a recording")

    @property
    def file_rate_hz(self) -> int:
        """Rate of the files that it uploads."""
        return rate_of(self.encoding) or self.rate_hz

    @property
    def suffix(self) -> str:
        """How the names of its files end, without the dot."""
        return suffix_of(self.encoding)

    def take(self, sound: Sound, rng: np.random.Generator) -> Sound:
        """Return a sound as this device takes it, before it is encoded.

        Parameters
        ----------
        sound
            At the rate of the device's files.
        rng
            Draws its noise.
        """
        taken = sound.samples.astype(np.float64)
        for sections in self._response(sound.rate_hz):
            taken = scipy.signal.sosfilt(sections, taken)
        taken *= 10.0 ** (self.gain_db / 20.0)
        if self.noise_dbfs > QUIETEST_DBFS:
            taken += 10.0 ** (self.noise_dbfs / 20.0) * rng.standard_normal(len(taken))
        taken[: int(self.lead_in_s * sound.rate_hz)] = 0.0
        return Sound(np.clip(taken, -1.0, 1.0).astype(np.float32), sound.rate_hz)

    def upload(self, sound: Sound, rng: np.random.Generator) -> bytes:
        """Return the file that this device makes of a sound; arguments as for :meth:`take`."""
        return encode(self.take(sound, rng), self.encoding)

    def _response(self, rate_hz: int) -> list[Filter]:
        """Return filters, as second-order sections, one after the other."""
        filters: list[Filter] = []
        if self.low_cut_hz is not None:
            filters.append(_edge(2, self.low_cut_hz, "high", rate_hz))
        if self.high_cut_hz is not None and self.high_cut_hz < HIGHEST_SHARE * rate_hz:
            filters.append(_edge(4, self.high_cut_hz, "low", rate_hz))
        if self.presence_db and self.presence_hz < HIGHEST_SHARE * rate_hz:
            filters.append(_hump(self.presence_hz, self.presence_db, rate_hz))
        return filters


def _edge(order: int, edge_hz: float, kind: str, rate_hz: int) -> Filter:
    return np.asarray(scipy.signal.butter(order, edge_hz, kind, fs=rate_hz, output="sos"))


def _hump(centre_hz: float, height_db: float, rate_hz: int) -> Filter:
    """Return a peaking filter (Bristow-Johnson, Audio EQ cookbook) one octave wide."""
    angle = 2.0 * np.pi * centre_hz / rate_hz
    reach = np.sinh(0.5 * np.log(2.0) * PRESENCE_OCTAVES * angle / np.sin(angle)) * np.sin(angle)
    root = 10.0 ** (height_db / 40.0)
    upper = [1.0 + reach * root, -2.0 * np.cos(angle), 1.0 - reach * root]
    lower = [1.0 + reach / root, -2.0 * np.cos(angle), 1.0 - reach / root]
    return np.asarray([[*upper, *lower]]) / lower[0]
