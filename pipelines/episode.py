"""Episode: whether it was one odd session, is a lasting shift, or has new surroundings.

In: what an infant's sessions gave, and what time it is. Out: spans of three kinds, from the first
to the last. Guaranteed: a pure function of its arguments, whatever the order of the sessions, so
that late, corrected and deleted sessions simply recompute; spans of one kind never overlap or
touch; a later session of a day never undoes an episode that an earlier one opened; and every span
closes, with a reason.

``single_extreme``: the session's p-value is at most 0.02. It takes some days of baseline before a
p-value can be so small, since they are granular. It ends with the first session that is not
extreme, or when none was scored for a week. While a shift lasts, which has said it, and while new
surroundings are bridged, whose part in it is not known yet, no single session opens one.
``persistent_shift`` and ``new_surroundings`` are those of ``pipelines.lasting``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from pipelines.errors import ConfigError
from pipelines.lasting import (
    Followed,
    Lasting,
    Review,
    Verdict,
    Watch,
    WatchedDay,
    follow_sessions,
    watch_of,
)
from pipelines.spans import CloseReason, EpisodeKind, EpisodeSpan
from pipelines.timetable import HeardSession, Summary, embedding_deviate, summarise

__all__ = [
    "CloseReason",
    "EpisodeKind",
    "EpisodeSettings",
    "EpisodeSpan",
    "Followed",
    "HeardSession",
    "Review",
    "ScoredSession",
    "Summary",
    "Verdict",
    "Watch",
    "WatchedDay",
    "embedding_deviate",
    "find_episodes",
    "find_extremes",
    "follow_infant",
    "summarise",
    "watch_of",
]

ROOM_ALPHA = 0.05
"""A session with at most this p-value of its background was recorded elsewhere, or by another."""
ALPHA_EXTREME = 0.02
"""One usual session in fifty is so unusual: one in a week or two of a usual infant."""


@dataclass(frozen=True)
class ScoredSession:
    """A session's verdict.

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
    lasting
        What counts as lasting; its ``quiet_days`` end a single extreme too.
    """

    alpha_extreme: float = ALPHA_EXTREME
    lasting: Lasting = field(default_factory=Lasting)


def find_episodes(
    scored: Iterable[ScoredSession],
    heard: Sequence[HeardSession],
    now: datetime,
    watch: Watch,
    settings: EpisodeSettings = EpisodeSettings(),
    reviews: Sequence[Review] = (),
) -> list[EpisodeSpan]:
    """Find the episodes of one infant.

    Parameters
    ----------
    scored
        All sessions of the infant that a personal model judged, in any order.
    heard
        All sessions with a cry, judged or not, in any order.
    now
        What time it is; aware. Decides only whether the last episode is still open.
    watch
        How the infant is watched.
    settings
        What counts as an episode.
    reviews
        What reviewers said of shifts.

    Returns
    -------
    list of EpisodeSpan
        In the order of their opening; at most the last of each kind is open.

    Raises
    ------
    ConfigError
        If a time is naive, or a p-value is not in (0, 1].
    """
    return follow_infant(scored, heard, now, watch, settings, reviews).spans


def follow_infant(
    scored: Iterable[ScoredSession],
    heard: Sequence[HeardSession],
    now: datetime,
    watch: Watch,
    settings: EpisodeSettings = EpisodeSettings(),
    reviews: Sequence[Review] = (),
) -> Followed:
    """Find the episodes of one infant, and tell each day's statistic.

    The arguments and errors are those of ``find_episodes``.
    """
    sessions = _checked(scored, now)
    _check_times([*(one.time for one in heard), *(one.at for one in reviews)])
    lasting = follow_sessions(heard, now, watch, settings.lasting, reviews)
    apart = [one for one in sessions if not any(_is_within(one, span) for span in lasting.spans)]
    spans = find_extremes(apart, now, settings) + lasting.spans
    return Followed(sorted(spans, key=lambda span: (span.opened_at, span.kind)), lasting.days)


def find_extremes(
    scored: Iterable[ScoredSession], now: datetime, settings: EpisodeSettings = EpisodeSettings()
) -> list[EpisodeSpan]:
    """Find single extremes; the arguments are those of ``find_episodes``."""
    sessions = _checked(scored, now)
    found = _Extremes(settings)
    for session in sorted(sessions, key=lambda s: (s.time, s.p_value, s.day, s.n_recordings)):
        found.hear(session)
    return found.finish(now)


def _checked(scored: Iterable[ScoredSession], now: datetime) -> list[ScoredSession]:
    sessions = list(scored)
    _check_times([now, *(one.time for one in sessions)])
    for session in sessions:
        if not 0.0 < session.p_value <= 1.0:
            raise ConfigError(f"no p-value: {session.p_value}")
    return sessions


def _is_within(session: ScoredSession, span: EpisodeSpan) -> bool:
    is_over = span.closed_at is not None and session.time > span.closed_at
    return span.opened_at <= session.time and not is_over


def _check_times(times: Iterable[datetime]) -> None:
    for moment in times:
        if moment.tzinfo is None:
            raise ConfigError(f"a time without a zone: {moment}")


def room_changed_frac(sessions: Sequence[ScoredSession]) -> float | None:
    """Return how many of some sessions have an unknown background, or None: not one is known."""
    known = [one.room_p_value for one in sessions if one.room_p_value is not None]
    if not known:
        return None
    return round(sum(p_value <= ROOM_ALPHA for p_value in known) / len(known), 6)


class _Extremes:
    """Sessions go by in the order of time, and spans come out; one is open at most."""

    def __init__(self, settings: EpisodeSettings) -> None:
        self.alpha = settings.alpha_extreme
        self.quiet = timedelta(days=settings.lasting.quiet_days)
        self.spans: list[EpisodeSpan] = []
        self.members: list[ScoredSession] = []

    def hear(self, session: ScoredSession) -> None:
        """Let a session go by: it opens, extends or closes a span."""
        # A session just when time runs out still counts: spans never touch.
        self._let_pass(session.time - timedelta.resolution)
        if session.p_value <= self.alpha:
            self.members.append(session)
        else:
            self._close(session.time, CloseReason.BACK_TO_USUAL)

    def finish(self, now: datetime) -> list[EpisodeSpan]:
        """Let the time until now go by, and return the spans."""
        self._let_pass(now)
        return [*self.spans, self._span(None, None)] if self.members else self.spans

    def _let_pass(self, moment: datetime) -> None:
        if self.members and moment >= self.members[-1].time + self.quiet:
            self._close(self.members[-1].time + self.quiet, CloseReason.NO_RECENT_SESSIONS)

    def _close(self, at: datetime, reason: CloseReason) -> None:
        if self.members:
            self.spans.append(self._span(at, reason))
            self.members = []

    def _span(self, closed_at: datetime | None, reason: CloseReason | None) -> EpisodeSpan:
        evidence = {
            "smallest_p_value": min(member.p_value for member in self.members),
            "alpha": self.alpha,
            "n_sessions": len(self.members),
            "room_changed_frac": room_changed_frac(self.members),
        }
        first, last = self.members[0].time, self.members[-1].time
        kind = EpisodeKind.SINGLE_EXTREME
        return EpisodeSpan(kind, first, last, closed_at, reason, evidence)
