"""Channels: what the acoustics of a unit, and of a whole recording, say, each with how sure it is.

In: a recording at 16 kHz, its cry units, and the level of its background. Out: for each channel a
value with a confidence, or a named reason why there is none. Guaranteed: every channel of the table
is answered; a value is finite, a confidence lies between 0 and 1; nothing depends on the
recording's scale.

A recording's value is not the mean of its units. Of pitch and harmonicity every confident frame
has a say, and a unit's weight grows with the root of its voiced frames, so that neither one long
unit nor a host of short ones decides; then the mean between the weighted quartiles is taken. Of all
levels that were tried on the infants that training may see, this one differs least between an
infant's recordings.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from pipelines.acoustics.measures import HeardUnit, hear_unit
from pipelines.segment import Unit
from pipelines.sound import Sound

Values = NDArray[np.float64]

SURE = 0.5  # frames of less confidence have no say in a recording's pitch
LEAST_SURE_FRAMES = 20
QUARTILES = (0.25, 0.75)
HALF_SURE_FRAMES = 50.0  # so many frames, or units, bring half of the confidence there could be
HALF_SURE_UNITS = 1.0
LEAST_BACKGROUND_DB = 10.0  # a cry this far over its background is half hidden by it
LONGEST_PAUSE_S = 3.0  # a longer silence is no pause between breaths
MINUTE_S = 60.0


class Absence(StrEnum):
    """Why a channel has no value."""

    NO_UNITS = "no_units"
    TOO_LITTLE_VOICE = "too_little_voice"
    TOO_SHORT = "too_short"
    NO_BACKGROUND = "no_background"
    NO_PAUSE = "no_pause"
    ONLY_OF_RECORDINGS = "only_of_recordings"


@dataclass(frozen=True)
class Measured:
    """A channel's value, and how sure it is: 0 not at all, 1 as sure as can be."""

    value: float
    confidence: float


@dataclass(frozen=True)
class Missing:
    """A channel has no value, and why."""

    reason: Absence


Answer = Measured | Missing
RecordingChannels = Mapping[str, Answer]


class Source(StrEnum):
    """What a channel is taken from."""

    FRAMES = "frames"
    MEASURE = "measure"
    TIMING = "timing"


@dataclass(frozen=True)
class Channel:
    """A channel.

    Attributes
    ----------
    name
        Its key; of a measure of units the measure's own.
    unit
        Unit for people; empty for a fraction.
    words
        What a person calls it.
    source
        What it is taken from.
    absence
        Why it has no value where it has none.
    is_log
        Whether its spread is even on the log2 scale.
    """

    name: str
    unit: str
    words: str
    source: Source = Source.MEASURE
    absence: Absence = Absence.TOO_LITTLE_VOICE
    is_log: bool = False

    def to_scale(self, value: float) -> float:
        """Bring a value to the scale on which its spread is even."""
        return float(np.log2(max(value, 1e-6))) if self.is_log else value


CHANNELS = (
    Channel("f0_log2_hz", "octaves over 1 Hz", "pitch", Source.FRAMES),
    Channel("f0_slope_semitones_per_s", "semitones/s", "slope of pitch"),
    Channel("f0_range_semitones", "semitones", "range of pitch"),
    Channel("jitter_frac", "", "unsteadiness of pitch", is_log=True),
    Channel("shimmer_frac", "", "unsteadiness of loudness", is_log=True),
    Channel("harmonics_to_noise_db", "dB", "harmonics over noise", Source.FRAMES),
    Channel("breath_noise_db", "dB", "breath between the harmonics"),
    Channel("spectral_tilt_db_per_octave", "dB/octave", "dullness", absence=Absence.TOO_SHORT),
    Channel(
        "spectral_centroid_hz", "Hz", "brightness and tract", absence=Absence.TOO_SHORT, is_log=True
    ),
    Channel(
        "intensity_over_background_db",
        "dB",
        "loudness over background",
        absence=Absence.NO_BACKGROUND,
    ),
    Channel("duration_s", "s", "length of a cry unit", absence=Absence.NO_UNITS, is_log=True),
    Channel(
        "pause_s", "s", "pause between cry units", Source.TIMING, Absence.NO_PAUSE, is_log=True
    ),
    Channel(
        "cries_per_min", "1/min", "cry units a minute", Source.TIMING, Absence.NO_PAUSE, is_log=True
    ),
    Channel("hyperphonation_frac", "", "share of very high pitch"),
    Channel("subharmonic_frac", "", "share of doubled periods"),
    Channel("voiced_frac", "", "share that has a pitch"),
    Channel("noisy_frac", "", "share that is noise", absence=Absence.TOO_SHORT),
)
"""Every channel, in the order in which people read them."""


def unit_channels(heard: HeardUnit) -> RecordingChannels:
    """Answer every channel for one unit; those that only a recording has are missing."""
    return {channel.name: _of_unit(channel, heard) for channel in CHANNELS}


def _of_unit(channel: Channel, heard: HeardUnit) -> Answer:
    if channel.source is Source.TIMING:
        return Missing(Absence.ONLY_OF_RECORDINGS)
    if channel.source is Source.FRAMES:
        return _of_frames(channel, [heard])
    value = heard.measures.get(channel.name)
    return Missing(channel.absence) if value is None else Measured(value, _sureness(channel, heard))


def recording_channels(
    sound: Sound, units: Sequence[Unit], background_dbfs: float
) -> RecordingChannels:
    """Answer every channel for a recording.

    Parameters
    ----------
    sound
        The whole recording at 16 kHz.
    units
        Its cry units, in order.
    background_dbfs
        Level of its background within the band of cries, on the scale of `sound`.

    Returns
    -------
    Mapping
        By name of the channel, in the order of ``CHANNELS``: `Measured` or `Missing`.
    """
    return channels_of([hear_unit(sound, unit, background_dbfs) for unit in units])


def channels_of(heard: Sequence[HeardUnit]) -> RecordingChannels:
    """Answer every channel for a recording whose units were heard already, in order."""
    if not heard:
        return {channel.name: Missing(Absence.NO_UNITS) for channel in CHANNELS}
    ways = {Source.FRAMES: _of_frames, Source.MEASURE: _of_measures, Source.TIMING: _of_timing}
    return {channel.name: ways[channel.source](channel, heard) for channel in CHANNELS}


def to_json(channels: RecordingChannels) -> dict[str, dict[str, float | str]]:
    """Write channels as plain values: ``value`` and ``confidence``, or ``missing``."""
    return {
        name: {"value": answer.value, "confidence": answer.confidence}
        if isinstance(answer, Measured)
        else {"missing": answer.reason.value}
        for name, answer in channels.items()
    }


def from_json(stored: Mapping[str, Mapping[str, float | str]]) -> RecordingChannels:
    """Read channels as :func:`to_json` wrote them, in the order of the table.

    A database may keep the members of an object in another order.
    """
    known = [channel.name for channel in CHANNELS if channel.name in stored]
    return {name: _answer_of(stored[name]) for name in known}


def _answer_of(plain: Mapping[str, float | str]) -> Answer:
    if "missing" in plain:
        return Missing(Absence(str(plain["missing"])))
    return Measured(float(plain["value"]), float(plain["confidence"]))


# --- how each is taken --------------------------------------------------------------------------


def _of_frames(channel: Channel, heard: Sequence[HeardUnit]) -> Answer:
    """Take the level of all confident frames."""
    kept = [unit.track.f0_hz[_sure(unit)] for unit in heard]
    counts = np.array([len(frames) for frames in kept])
    if counts.sum() < LEAST_SURE_FRAMES:
        return Missing(channel.absence)
    values = [_frame_values(channel, unit) for unit in heard]
    sureness = [unit.track.confidence[_sure(unit)] for unit in heard]
    weights = [sure / np.sqrt(np.sum(sure)) for sure in sureness if len(sure)]
    confidence = float(np.mean(np.concatenate(sureness))) * _share(counts.sum(), HALF_SURE_FRAMES)
    level = midmean(np.concatenate(values), np.concatenate(weights))
    return Measured(level, confidence)


def _sure(unit: HeardUnit) -> NDArray[np.bool_]:
    return np.asarray(np.isfinite(unit.track.f0_hz) & (unit.track.confidence >= SURE))


def _frame_values(channel: Channel, unit: HeardUnit) -> Values:
    sure = _sure(unit)
    if channel.name == "f0_log2_hz":
        return np.asarray(np.log2(unit.track.f0_hz[sure]))
    strength = np.clip(unit.track.strength[sure], 0.01, 0.9999)
    return np.asarray(10.0 * np.log10(strength / (1.0 - strength)))


def _of_measures(channel: Channel, heard: Sequence[HeardUnit]) -> Answer:
    """Take the level of the units that have the measure."""
    having = [unit for unit in heard if channel.name in unit.measures]
    if not having:
        return Missing(channel.absence)
    scaled = np.array([channel.to_scale(unit.measures[channel.name]) for unit in having])
    weights = np.array([np.sqrt(unit.measures["duration_s"]) for unit in having])
    sureness = np.average([_sureness(channel, unit) for unit in having], weights=weights)
    level = midmean(scaled, weights)
    confidence = float(sureness) * _share(len(having), HALF_SURE_UNITS)
    return Measured(2.0**level if channel.is_log else level, confidence)


def _sureness(channel: Channel, heard: HeardUnit) -> float:
    """Say how sure a measure of one unit is: pitch by its frames, all else by the background."""
    if channel.absence is Absence.TOO_LITTLE_VOICE and len(heard.track.confidence):
        return float(np.mean(heard.track.confidence))
    over_db = heard.measures.get("intensity_over_background_db", 0.0)
    return float(1.0 / (1.0 + 10.0 ** ((LEAST_BACKGROUND_DB - over_db) / 10.0)))


def _of_timing(channel: Channel, heard: Sequence[HeardUnit]) -> Answer:
    """Take pauses between units, and how many units there are in the time that they take."""
    gaps_s = np.array([b.unit.onset_s - a.unit.offset_s for a, b in itertools.pairwise(heard)])
    pauses_s = np.maximum(gaps_s[gaps_s <= LONGEST_PAUSE_S], 0.01)
    if not len(pauses_s):
        return Missing(channel.absence)
    confidence = _share(len(pauses_s), HALF_SURE_UNITS)
    if channel.name == "pause_s":
        level = midmean(np.log2(pauses_s), np.ones(len(pauses_s)))
        return Measured(2.0**level, confidence)
    spans_s = [b.unit.onset_s - a.unit.onset_s for a, b in itertools.pairwise(heard)]
    level = midmean(np.log2(np.asarray(spans_s)[gaps_s <= LONGEST_PAUSE_S]), np.ones(len(pauses_s)))
    return Measured(MINUTE_S / 2.0**level, confidence)


def _share(n: float, half: float) -> float:
    return float(n / (n + half))


def midmean(values: Values, weights: Values) -> float:
    """Return the mean between the weighted quartiles.

    Parameters
    ----------
    values, weights
        Shape ``(n,)``, at least one; weights over 0.
    """
    order = np.argsort(values)
    sorted_values, sorted_weights = values[order], weights[order]
    ends = np.cumsum(sorted_weights) / np.sum(sorted_weights)
    starts = np.concatenate([[0.0], ends[:-1]])
    inside = np.minimum(ends, QUARTILES[1]) - np.maximum(starts, QUARTILES[0])
    return float(np.average(sorted_values, weights=np.maximum(inside, 0.0)))


def scaled(channels: RecordingChannels, wanted: Iterable[Channel] = CHANNELS) -> dict[str, float]:
    """Return the values that there are, each on the scale on which its spread is even."""
    return {
        channel.name: channel.to_scale(answer.value)
        for channel in wanted
        if isinstance(answer := channels.get(channel.name), Measured)
    }
