"""Condition: in one word, how an infant's crying is beside its own usual; pure.

What comes in: an overview of the infant. What goes out: a `Condition`. Guaranteed: none is a
diagnosis or a cause; freshness is a question of its own (`anomaly/silence.py`).
"""

import enum

from anomaly.models import Episode
from anomaly.selectors.overview import Overview


class Condition(enum.StrEnum):
    """How the crying is, by what is known of it."""

    SHIFT = "shift"  # different from usual, for longer
    ODD = "odd"  # one odd session of late
    SURROUNDINGS = "surroundings"  # another room or monitor
    LEARNING = "learning"
    USUAL = "usual"
    NOTHING = "nothing"  # none was heard yet


def condition_of(seen: Overview) -> Condition:
    """Return the infant's condition, whatever its freshness."""
    kinds = {episode.kind for episode in seen.episodes if episode.closed_at is None}
    if Episode.Kind.PERSISTENT_SHIFT in kinds:
        return Condition.SHIFT
    if any(episode.kind == Episode.Kind.SINGLE_EXTREME for episode in seen.episodes):
        return Condition.ODD
    if Episode.Kind.NEW_SURROUNDINGS in kinds:
        return Condition.SURROUNDINGS
    if seen.last_recorded_at is None:
        return Condition.NOTHING
    if seen.was_scored and seen.learning is None:
        return Condition.USUAL
    return Condition.LEARNING if seen.last_cry_at is not None else Condition.NOTHING
