"""Acoustics: the measures that clinicians speak of, taken on cry units and on whole recordings.

One module tracks the pitch (`pitch`), one measures a unit (`measures`), and one answers every
channel of a unit or a recording, each with a confidence or the reason for its absence (`channels`);
`spread` says how those of many recordings lie.
"""

from __future__ import annotations

from pipelines.acoustics.channels import (
    CHANNELS,
    Absence,
    Channel,
    Measured,
    Missing,
    RecordingChannels,
    channels_of,
    from_json,
    recording_channels,
    to_json,
    unit_channels,
)
from pipelines.acoustics.measures import HeardUnit, hear_unit, measure_unit
from pipelines.acoustics.pitch import F0Track, track_f0
from pipelines.acoustics.spread import (
    LEAST_KNOWN,
    three_quantiles,
    usual_ranges,
    values_by_channel,
)

__all__ = [
    "CHANNELS",
    "LEAST_KNOWN",
    "Absence",
    "Channel",
    "F0Track",
    "HeardUnit",
    "Measured",
    "Missing",
    "RecordingChannels",
    "channels_of",
    "from_json",
    "hear_unit",
    "measure_unit",
    "recording_channels",
    "three_quantiles",
    "to_json",
    "track_f0",
    "unit_channels",
    "usual_ranges",
    "values_by_channel",
]
