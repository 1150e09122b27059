"""Episode: whether it was one odd session, or is a persistent shift.

In: an infant's scored sessions, and what time it is. Out: spans of two kinds, from the first to
the last. Guaranteed: a pure function of its arguments, whatever the order of the sessions, so that
late, corrected and deleted sessions simply recompute; spans of one kind never overlap or touch; a
later session of a day never undoes an episode that an earlier one opened; and every span closes,
with a reason: the statistic is back to usual, no session was scored for a week, or it has lasted
for a month and what was unusual may be the new usual.

``single_extreme``: the session's p-value is at most 0.05. P-values are granular, so that this needs
a baseline of at least 19 sessions; before that, no single session can be extreme, and only the
other kind can open. It ends with the first session that is not extreme.

``persistent_shift``: the cumulative sum of daily deviations reaches its threshold; see
``pipelines.cusum``, where the threshold comes from ``python -m pipelines cusum-threshold``. The
sum is looked at after every session. It ends with the first full day that brings the sum back to
zero: a day is full when a later one has a session, or 24 hours after its last session.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar

import numpy as np

from pipelines.cusum import (
    ALLOWANCE,
    DAY_EFFECT_ICC,
    THRESHOLD,
    configure,
    deviates,
    main,
    running_day_means,
    simulate_threshold,
)
from pipelines.errors import ConfigError

# The command `cusum-threshold` belongs to this stage.
__all__ = [
    "CloseReason",
    "EpisodeKind",
    "EpisodeSettings",
    "EpisodeSpan",
    "ScoredSession",
    "configure",
    "find_episodes",
    "main",
    "simulate_threshold",
]

ROOM_ALPHA = 0.05
"""A session with at most this p-value of its background was recorded elsewhere, or by another."""
FULL_DAY_AFTER = timedelta(hours=24)


class EpisodeKind(StrEnum):
    """How it shows."""

    SINGLE_EXTREME = "single_extreme"
    PERSISTENT_SHIFT = "persistent_shift"


class CloseReason(StrEnum):
    """Why an episode ended."""

    BACK_TO_USUAL = "back_to_usual"
    NO_RECENT_SESSIONS = "no_recent_sessions"
    LASTED_TOO_LONG = "lasted_too_long"


@dataclass(frozen=True)
class ScoredSession:
    """A session's verdict as the monitor needs it.

    Attributes
    ----------
    time
        When it began; aware.
    day
        The infant's local day.
    p_value
        In (0, 1]; small = anomalous.
    n_recordings
        Of how many recordings.
    room_p_value
        Of its background; None where too few are known.
    """

    time: datetime
    day: date
    p_value: float
    n_recordings: int
    room_p_value: float | None = None


@dataclass(frozen=True)
class EpisodeSettings:
    """What counts as an episode.

    Attributes
    ----------
    alpha_extreme
        A session with at most this p-value is extreme.
    icc, allowance, threshold
        Of the cumulative sum; see ``pipelines.cusum``.
    quiet_days
        An episode ends when no session was scored for so long; the sum starts at zero again.
    max_days
        An episode ends when it has lasted so long; the sum starts at zero again.
    """

    alpha_extreme: float = 0.05
    icc: float = DAY_EFFECT_ICC
    allowance: float = ALLOWANCE
    threshold: float = THRESHOLD
    quiet_days: int = 7
    max_days: int = 30


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
        ``smallest_p_value``, ``alpha``. Of a shift: ``peak_statistic``, ``threshold``,
        ``mean_deviation`` (mean deviate of its sessions), ``n_days`` and ``since``: when it began,
        by estimate the first session of the day from which the sum has not come back to zero (Page,
        "Continuous inspection schemes", Biometrika 41 (1954)). Of both: ``n_sessions`` and
        ``room_changed_frac``, how many of the sessions since it began have a background that is
        none of those known, as a fraction; None where none could be compared.
    """

    kind: EpisodeKind
    opened_at: datetime
    last_at: datetime
    closed_at: datetime | None
    close_reason: CloseReason | None
    evidence: dict[str, Any]


def find_episodes(
    sessions: Iterable[ScoredSession],
    now: datetime,
    settings: EpisodeSettings = EpisodeSettings(),
) -> list[EpisodeSpan]:
    """Find the episodes of one infant.

    Parameters
    ----------
    sessions
        All scored sessions of the infant, in any order.
    now
        What time it is; aware. Decides only whether the last episode is still open.
    settings
        What counts as an episode.

    Returns
    -------
    list of EpisodeSpan
        In the order of their opening; at most the last of each kind is open.

    Raises
    ------
    ConfigError
        If a time is naive, or a p-value is not in (0, 1].
    """
    heard = list(sessions)
    _check(heard, now)
    watches = (_ExtremeWatch(settings), _ShiftWatch(settings))
    for session in sorted(heard, key=lambda s: (s.time, s.p_value, s.day, s.n_recordings)):
        for watch in watches:
            watch.hear(session)
    spans = [span for watch in watches for span in watch.finish(now)]
    return sorted(spans, key=lambda span: (span.opened_at, span.kind))


def _check(sessions: list[ScoredSession], now: datetime) -> None:
    for moment in (now, *(session.time for session in sessions)):
        if moment.tzinfo is None:
            raise ConfigError(f"a time without a zone: {moment}")
    for session in sessions:
        if not 0.0 < session.p_value <= 1.0:
            raise ConfigError(f"no p-value: {session.p_value}")


def room_changed_frac(sessions: Sequence[ScoredSession]) -> float | None:
    """Return how many of some sessions have an unknown background, or None: not one is known."""
    known = [one.room_p_value for one in sessions if one.room_p_value is not None]
    if not known:
        return None
    return round(sum(p_value <= ROOM_ALPHA for p_value in known) / len(known), 6)


class _Watch(ABC):
    """Sessions go by in the order of time, and spans of one kind come out; one is open at most."""

    kind: ClassVar[EpisodeKind]

    def __init__(self, settings: EpisodeSettings) -> None:
        self.settings = settings
        self.spans: list[EpisodeSpan] = []
        self.members: list[ScoredSession] = []
        self.heard_at: datetime | None = None

    def hear(self, session: ScoredSession) -> None:
        """Let a session go by."""
        # A session just when time runs out still counts: spans never touch.
        self.let_pass(session.time - timedelta.resolution)
        self.heard_at = session.time
        self.weigh(session)

    def finish(self, now: datetime) -> list[EpisodeSpan]:
        """Let the time until now go by, and return the spans."""
        self.let_pass(now)
        return [*self.spans, self._span(None, None)] if self.members else self.spans

    def let_pass(self, moment: datetime) -> None:
        """Let time go by until this moment: what is due ends, old evidence is forgotten."""
        if self.heard_at is None:
            return
        end, reason = self._runs_out(self.heard_at)
        if moment >= self.heard_at + FULL_DAY_AFTER <= end:
            self.end_day()
            end, reason = self._runs_out(self.heard_at)
        if moment >= end:
            self.close(end, reason)
            self.forget()

    def _runs_out(self, heard_at: datetime) -> tuple[datetime, CloseReason]:
        """Return when and why the time of what is known is over, if nothing else is heard."""
        quiet = heard_at + timedelta(days=self.settings.quiet_days)
        ends = [(quiet, CloseReason.NO_RECENT_SESSIONS)]
        if self.members:
            longest = self.members[0].time + timedelta(days=self.settings.max_days)
            ends.append((longest, CloseReason.LASTED_TOO_LONG))
        return min(ends)

    def close(self, at: datetime, reason: CloseReason) -> None:
        """Close the span, if one is open."""
        if self.members:
            self.spans.append(self._span(at, reason))
            self.members = []

    def _span(self, closed_at: datetime | None, reason: CloseReason | None) -> EpisodeSpan:
        evidence = self.evidence() | {
            "n_sessions": len(self.members),
            "room_changed_frac": room_changed_frac(self.since_it_began()),
        }
        first, last = self.members[0].time, self.members[-1].time
        return EpisodeSpan(self.kind, first, last, closed_at, reason, evidence)

    def since_it_began(self) -> list[ScoredSession]:
        """Return the sessions that the open span rests on."""
        return self.members

    @abstractmethod
    def weigh(self, session: ScoredSession) -> None:
        """Open, extend or close with this session."""

    @abstractmethod
    def end_day(self) -> None:
        """Take in that the day of the last session is full."""

    @abstractmethod
    def forget(self) -> None:
        """Forget what the sessions so far have shown; a span that was open has been closed."""

    @abstractmethod
    def evidence(self) -> dict[str, Any]:
        """Return the figures behind the open span."""


class _ExtremeWatch(_Watch):
    """Single extremes: each session stands for itself."""

    kind = EpisodeKind.SINGLE_EXTREME

    def weigh(self, session: ScoredSession) -> None:
        if session.p_value <= self.settings.alpha_extreme:
            self.members.append(session)
        else:
            self.close(session.time, CloseReason.BACK_TO_USUAL)

    def end_day(self) -> None:
        pass  # a day is nothing to it

    def forget(self) -> None:
        pass  # no session bears on another one

    def evidence(self) -> dict[str, Any]:
        return {
            "smallest_p_value": min(member.p_value for member in self.members),
            "alpha": self.settings.alpha_extreme,
        }


class _ShiftWatch(_Watch):
    """Persistent shifts: the cumulative sum at the start of the day, and the day so far."""

    kind = EpisodeKind.PERSISTENT_SHIFT

    def __init__(self, settings: EpisodeSettings) -> None:
        super().__init__(settings)
        self.statistic = 0.0
        self.peak = 0.0
        self.today: list[ScoredSession] = []
        self.rising: list[ScoredSession] = []

    def weigh(self, session: ScoredSession) -> None:
        if self.today and session.day != self.today[-1].day:
            self.end_day()
        if self.statistic == 0.0 and not self.today:
            self.rising = []
        self.rising.append(session)
        self.today.append(session)
        so_far = self._with_today()
        if self.members or so_far >= self.settings.threshold:
            self.peak = max(self.peak, so_far) if self.members else so_far
            self.members.append(session)

    def forget(self) -> None:
        self.statistic = 0.0
        self.today = []

    def evidence(self) -> dict[str, Any]:
        p_values = np.array([member.p_value for member in self.members])
        return {
            "peak_statistic": round(self.peak, 6),
            "threshold": self.settings.threshold,
            "mean_deviation": round(float(deviates(p_values).mean()), 6),
            "n_days": len({member.day for member in self.members}),
            "since": self.rising[0].time.isoformat(),
        }

    def since_it_began(self) -> list[ScoredSession]:
        return self.rising

    def _with_today(self) -> float:
        z = deviates(np.array([session.p_value for session in self.today]))
        looks = running_day_means(z, self.settings.icc, np.ones(len(z), dtype=bool))
        return self.statistic + float(looks[-1]) - self.settings.allowance

    def end_day(self) -> None:
        """Take the full day into the sum; a sum of zero ends the span with the day's last session.

        The sum stops at the threshold, so that it can come back.
        """
        if not self.today:
            return
        self.statistic = min(self.settings.threshold, max(0.0, self._with_today()))
        last = self.today[-1].time
        self.today = []
        if self.statistic == 0.0:
            self.close(last, CloseReason.BACK_TO_USUAL)
