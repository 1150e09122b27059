"""What of a recording's acoustics lies outside the infant's own usual range.

What comes in: the viewer and a recording. What goes out: the channels that people have words for,
each with its value beside those of the baseline that was known before it. Guaranteed: one query;
fewer than `FEWEST` recordings are no range; nothing here is part of a p-value.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from anomaly.evidence import MOVED, direction_words
from anomaly.models import BaselineEntry
from infants.access import Viewer, infants_for
from infants.models import Recording
from pipelines.acoustics import CHANNELS, Channel, from_json
from pipelines.acoustics.channels import scaled

FEWEST = 8
NEWEST = 200
QUANTILES = (0.05, 0.5, 0.95)
PITCH = "f0_log2_hz"


@dataclass(frozen=True)
class Placed:
    """A channel of a recording on the scale on which its spread is even, and the usual range."""

    channel: Channel
    value: float
    low: float
    middle: float
    high: float

    @property
    def is_outside(self) -> bool:
        """Whether it lies where only one in ten usual recordings does."""
        return not self.low <= self.value <= self.high

    @property
    def reach(self) -> float:
        """How far it lies from the middle, in half widths of the range on that side."""
        side = self.high - self.middle if self.value > self.middle else self.middle - self.low
        return abs(self.value - self.middle) / max(side, 1e-9)

    @property
    def direction(self) -> str:
        """What people call lying on this side of the middle."""
        return direction_words(self.channel.name, is_more=self.value > self.middle)

    @property
    def by(self) -> tuple[float, str]:
        """How far it lies from the middle, in per cent or in the channel's unit."""
        apart = self.value - self.middle
        if self.channel.is_log or self.channel.name == PITCH:
            return 100.0 * (2.0**apart - 1.0), "%"
        return apart, self.channel.unit


def placed_channels(viewer: Viewer, recording: Recording) -> list[Placed]:
    """Return the recording's channels beside the infant's usual, what reaches furthest first."""
    here = scaled(from_json(recording.channels))
    usual = [scaled(from_json(said)) for said in _usual(viewer, recording)]
    found = []
    for channel in CHANNELS:
        values = [one[channel.name] for one in usual if channel.name in one]
        if channel.name in MOVED and channel.name in here and len(values) >= FEWEST:
            found.append(_placed(channel, here[channel.name], values))
    return sorted(found, key=lambda one: -one.reach)


def _placed(channel: Channel, value: float, values: Sequence[float]) -> Placed:
    low, middle, high = (float(at) for at in np.quantile(values, QUANTILES))
    return Placed(channel, value, low, middle, high)


def _usual(viewer: Viewer, recording: Recording) -> list[dict[str, Any]]:
    """Return the channels of the baseline before the recording's session, newest first."""
    entries = BaselineEntry.objects.filter(
        infant=recording.infant_id,
        infant__in=infants_for(viewer),
        withdrawn_at=None,
        recorded_at__lt=recording.recorded_at,
    ).exclude(recording__session=recording.session_id)
    newest = entries.order_by("-recorded_at")
    return list(newest.values_list("recording__channels", flat=True)[:NEWEST])
