"""Spans: what an episode is, as the stage that finds it tells it.

In: nothing. Out: the kinds of episodes, why they end, and the span that one covers. Guaranteed: the
values are what rows and programs hold, and never change their meaning.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class EpisodeKind(StrEnum):
    """How it shows."""

    SINGLE_EXTREME = "single_extreme"
    PERSISTENT_SHIFT = "persistent_shift"
    NEW_SURROUNDINGS = "new_surroundings"


class CloseReason(StrEnum):
    """Why an episode ended."""

    BACK_TO_USUAL = "back_to_usual"
    NO_RECENT_SESSIONS = "no_recent_sessions"
    LASTED_TOO_LONG = "lasted_too_long"
    SURROUNDINGS = "surroundings"
    SETTLED = "settled"
    REVIEWED = "reviewed"


@dataclass(frozen=True)
class EpisodeSpan:
    """One episode.

    Attributes
    ----------
    kind
        How it shows.
    opened_at, last_at
        Times of the session that opened it and of the last session that belongs to it.
    closed_at, close_reason
        When and why it ended; both None while it is open.
    evidence
        Figures behind it, for people and provenance; everything in it is JSON. Of a single extreme:
        ``smallest_p_value``, ``alpha``, ``n_sessions``, and ``room_changed_frac``: how many of its
        sessions have a background that is none of those known, as a fraction; None where none could
        be compared. Of the others, what ``pipelines.lasting.find_lasting`` says.
    """

    kind: EpisodeKind
    opened_at: datetime
    last_at: datetime
    closed_at: datetime | None
    close_reason: CloseReason | None
    evidence: dict[str, Any]
