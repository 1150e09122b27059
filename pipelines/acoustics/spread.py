"""Spread: how the acoustic channels of many recordings lie, in the units in which they are stored.

In: channels as rows keep them. Out: values by channel, and their quantiles. Guaranteed: pure and
quick, plain lists in and out; a channel that no recording has is not in the result; quantiles do
not depend on the scale, since the scales of ``CHANNELS`` keep the order.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from pipelines.acoustics.channels import CHANNELS

DIGITS = 5
USUAL_FRACS = (0.1, 0.9)
"""Between these quantiles of its own recordings lies what is usual for an infant: eight in ten."""
LEAST_KNOWN = 9
"""With fewer recordings nothing is called usual."""
Stored = Mapping[str, Mapping[str, float | str]]


def values_by_channel(
    recordings: Iterable[Stored], wanted: Iterable[str] | None = None
) -> dict[str, list[float]]:
    """Gather the values that recordings have, by channel.

    Parameters
    ----------
    recordings
        Of each its channels, as ``to_json`` wrote them.
    wanted
        Names of channels; all by default.

    Returns
    -------
    dict
        By name, in the order of ``CHANNELS``: values, rising, rounded to five digits.
    """
    told = list(recordings)
    names = [one.name for one in CHANNELS] if wanted is None else list(wanted)
    gathered = {
        name: sorted(_rounded(one[name]["value"]) for one in told if "value" in one.get(name, {}))
        for name in names
    }
    return {name: values for name, values in gathered.items() if values}


def three_quantiles(values: Sequence[float]) -> list[float]:
    """Return under which of rising values, at least one, a tenth, half and nine tenths lie."""
    return [_rounded(quantile(values, frac)) for frac in (USUAL_FRACS[0], 0.5, USUAL_FRACS[1])]


def usual_ranges(
    recordings: Iterable[Stored], wanted: Iterable[str] | None = None
) -> dict[str, list[float]]:
    """Say between which values eight in ten of some recordings lie.

    Parameters
    ----------
    recordings, wanted
        As for ``values_by_channel``.

    Returns
    -------
    dict
        By name, low and high; a channel that fewer than ``LEAST_KNOWN`` recordings have is left
        out.
    """
    gathered = values_by_channel(recordings, wanted)
    return {
        name: [_rounded(quantile(values, frac)) for frac in USUAL_FRACS]
        for name, values in gathered.items()
        if len(values) >= LEAST_KNOWN
    }


def quantile(values: Sequence[float], frac: float) -> float:
    """Return a quantile of rising values, at least one, between neighbours linearly."""
    place = frac * (len(values) - 1)
    below = math.floor(place)
    above = min(below + 1, len(values) - 1)
    return values[below] + (place - below) * (values[above] - values[below])


def _rounded(value: float | str) -> float:
    """Round to as many digits as a measure is worth."""
    return float(f"{float(value):.{DIGITS}g}")
