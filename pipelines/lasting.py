"""Lasting: from when to when an infant cried unlike itself, and when its surroundings changed.

Part of the stage episode. In: an infant's sessions, what reviewers said, and what time it is. Out:
spans of two kinds, and the statistic of each day that they were found by. Guaranteed: a pure
function of its arguments; a later session never undoes what an earlier one opened; every span
closes, with a reason.

``persistent_shift``: the statistic of ``pipelines.shift`` reaches its threshold and the guard does
not owe it to the surroundings. It is looked at after every session, from the day on which the
baseline is learnt. It closes

- with the full day with which the days since then are twenty times likelier to be at the level
  before it than at the one after it (a day is full when a later one has a session, or 24 hours
  after its last session); its days are no part of the infant's level then,
- with the session after a day that shows that the background moved with it: then it was the room,
- when nothing was heard for a week; then no change is looked for any more that began before,
- when it has lasted for a month, or a reviewer says that this is the infant's new usual; then all
  levels are learnt anew from its beginning on. Where a reviewer says that it is not usual, time
  alone does not end it.

``new_surroundings``: another device listens, or the guard owes a change to another room. While it
is open, levels that rooms or devices move are learnt anew, from the day of the change on, and all
others stay known: the bridge from the old surroundings to the new ones. It closes when the new ones
were heard on ``bridging_days`` days.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from pipelines.acoustics import CHANNELS
from pipelines.familiar import ACOUSTICS, CHANNEL_WEIGHTS, EMBEDDING
from pipelines.guard import (
    DEVICE,
    MOVED,
    ROOM,
    SEARCHED_DAYS,
    USUAL,
    Days,
    Finding,
    Monitor,
)
from pipelines.prior import ViewPrior
from pipelines.score import MINIMUM_DAYS
from pipelines.shift import (
    CHANNEL_LEVEL,
    CLOSE_BELOW,
    EMBEDDING_LEVEL,
    EMBEDDING_WEIGHT,
    THRESHOLD,
    Level,
    Movement,
    returned,
)
from pipelines.spans import CloseReason, EpisodeKind, EpisodeSpan
from pipelines.timetable import COLUMNS, WATCHED, HeardSession, Timetable, timetable

FloatArray = NDArray[np.float64]
Look = tuple[int, int]
"""A day, and a session of it."""

FULL_DAY_AFTER = timedelta(hours=24)
KNOWN_DEVIATE_VARIANCE = 0.5
"""Deviates of the embedding are calibrated, so that their level is nearly known at once."""
SEVERITIES = (("strong", 3.0, 5), ("clear", 1.5, 3))
"""A shift is so severe from so much over the threshold, and so many days, on; else ``slight``. It
is how sure it is that something changed, and for how long, and not how ill anybody is."""
ROOM_ASKED_DAYS = 7
"""For so many days after an opening it is asked again whether the background moved with it."""
SURELY_MOVED = 2.0
"""By so much it must have moved then, on the scale of ``pipelines.guard.MOVED``: who asks often is
told what he asks for."""


BACK = 3.0
"""A shift is over when the days since then are twenty times likelier to be at the level before."""
LEAST_SHARE = 0.05
EXPLAINED_STEP = 0.3
"""A shift is explained anew when the statistic, a logarithm, has grown by so much."""


class Verdict(StrEnum):
    """What a reviewer says of a shift."""

    USUAL = "usual"
    UNUSUAL = "unusual"


@dataclass(frozen=True)
class Review:
    """A reviewer's word on the shift that was open at that time."""

    at: datetime
    verdict: Verdict


@dataclass(frozen=True)
class Lasting:
    """What counts as lasting.

    Attributes
    ----------
    threshold, close_below
        A shift opens when the statistic reaches the threshold, and is back when it is so far under
        it.
    learnt_days
        No shift opens before so many days were heard.
    quiet_days
        A span ends when nothing was heard for so long.
    max_days
        A shift ends when it has lasted for so long.
    bridging_days
        New surroundings are known when they were heard on so many days.
    least_background
        A change is owed to another room only if the background moved by so much, on the scale of
        ``pipelines.guard.MOVED``, whatever the guard says.
    """

    threshold: float = THRESHOLD
    close_below: float = CLOSE_BELOW
    learnt_days: int = MINIMUM_DAYS
    quiet_days: int = 7
    max_days: int = 30
    bridging_days: int = 7
    least_background: float = -math.inf


@dataclass(frozen=True)
class Watch:
    """How infants are watched.

    Attributes
    ----------
    monitor
        Levels and weights of the views.
    scales
        By channel, how much a standard deviation between one infant's recordings is, on the
        channel's own scale.
    """

    monitor: Monitor
    scales: Mapping[str, float]

    @classmethod
    def of(cls, channels: ViewPrior) -> Self:
        """Build it from the prior of the channels."""
        spreads = 1.0 / np.diag(channels.turn)[COLUMNS]
        levels: dict[str, Level] = {
            name: replace(CHANNEL_LEVEL, variance=float(ratio))
            for name, ratio in zip(WATCHED, channels.ratios[COLUMNS], strict=True)
        }
        levels[EMBEDDING] = replace(EMBEDDING_LEVEL, variance=KNOWN_DEVIATE_VARIANCE)
        weights = CHANNEL_WEIGHTS | {EMBEDDING: EMBEDDING_WEIGHT}
        return cls(Monitor(levels, weights), dict(zip(WATCHED, spreads.tolist(), strict=True)))


def watch_of(priors: Mapping[str, ViewPrior]) -> Watch:
    """Return how infants are watched, given the priors by view."""
    return Watch.of(priors[ACOUSTICS])


@dataclass(frozen=True)
class WatchedDay:
    """What the monitor made of one day.

    Attributes
    ----------
    day
        The infant's local day; one on which a session was watched.
    highest, last
        Greatest statistic after any of its sessions, and that after its last one.
    surroundings
        ``room`` or ``device`` where the surroundings changed on that day; else empty.
    """

    day: date
    highest: float
    last: float
    surroundings: str = ""


@dataclass(frozen=True)
class Followed:
    """What an infant's sessions gave: spans, and the days that they were found by."""

    spans: list[EpisodeSpan]
    days: list[WatchedDay]


def find_lasting(
    sessions: Sequence[HeardSession],
    now: datetime,
    watch: Watch,
    settings: Lasting = Lasting(),
    reviews: Sequence[Review] = (),
) -> list[EpisodeSpan]:
    """Find shifts and new surroundings of one infant.

    Parameters
    ----------
    sessions
        All that were heard, in any order.
    now
        What time it is; aware. Decides only whether the last span of a kind is still open.
    watch
        How the infant is watched.
    settings
        What counts.
    reviews
        What reviewers said.

    Returns
    -------
    list of EpisodeSpan
        In the order of their opening. Evidence of a shift: ``since`` with an interval of 90 %
        (``since_earliest`` and ``since_latest``, days), ``peak_statistic``, ``threshold``,
        ``severity``, ``n_recordings``, ``n_sessions`` and ``n_days`` since then, ``room``
        (``unchanged``, ``changed`` or ``unknown``), and ``views``: of each its share of the
        evidence, and by how much it has moved with an interval of 95 %, in standard deviations
        between recordings and in people's units. Of new surroundings: ``changes``, each with its
        ``label`` (``room`` or ``device``) and ``since``.
    """
    return follow_sessions(sessions, now, watch, settings, reviews).spans


def follow_sessions(
    sessions: Sequence[HeardSession],
    now: datetime,
    watch: Watch,
    settings: Lasting = Lasting(),
    reviews: Sequence[Review] = (),
) -> Followed:
    """Find shifts and new surroundings, and tell each day's statistic.

    The arguments are those of ``find_lasting``.

    Returns
    -------
    Followed
        Days from the one on which something may first be found; of each the statistic that
        decided: after an opening it is weighed anew where the guard took the change for a room's,
        and after an end where that has changed what is usual.
    """
    table = timetable(sessions, settings.quiet_days)
    if table is None:
        return Followed([], [])
    walk = _Walk(table, watch, settings, now, sorted(reviews, key=lambda one: one.at))
    walk.go()
    spans = sorted(walk.shifts + walk.surroundings(), key=lambda span: (span.opened_at, span.kind))
    return Followed(spans, walk.watched_days())


@dataclass(frozen=True)
class _Moved:
    """The surroundings changed: on which day, found when, and with which interval of days."""

    label: str
    began: int
    found: Look
    earliest: int
    latest: int


@dataclass
class _Open:
    """A shift while it is open: what it was when its evidence was greatest, and how it ends."""

    at: Look
    finding: Finding
    peak: float
    explained: Look
    best: Look
    members: list[Look] = field(default_factory=list)
    back: float = 0.0
    back_since: int = 0


@dataclass
class _Walk:
    """A walk through the days, from one opening to the next."""

    table: Timetable
    watch: Watch
    settings: Lasting
    now: datetime
    reviews: Sequence[Review]
    days: Days = field(init=False)
    decided: FloatArray = field(init=False)
    moves: dict[int, str] = field(default_factory=dict)
    moved: list[_Moved] = field(default_factory=list)
    shifts: list[EpisodeSpan] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Begin with the days as they were heard, and with nothing decided."""
        self.days = self.table.days
        self.decided = np.full(self.table.is_session.shape, np.nan)

    def go(self) -> None:
        """Find everything."""
        first = self._first_watched()
        for day in self.table.new_devices:
            self.moves[day] = DEVICE
            if day >= first:
                self.moved.append(_Moved(DEVICE, day, (day, 0), day, day))
        start: Look | None = (first, 0)
        while start is not None:
            statistic = self.watch.monitor.weigh(self.days, self.moves).statistic
            self._decide_from(start, statistic)
            over = (statistic >= self.settings.threshold) & self.table.is_session
            opened = _first_from(over, start)
            if opened is None:
                return
            finding = self._explain(opened)
            if self._is_owed_to_a_room(finding):
                self._move_room(finding, opened)
                start = opened
            else:
                peak = float(statistic[opened])
                start = self._follow(_Open(opened, finding, peak, opened, opened), statistic)

    def _decide_from(self, start: Look, statistic: FloatArray) -> None:
        """Keep the statistic of the looks from one on: what they were asked by in the end."""
        day, look = start
        self.decided[day : day + 1, look:] = statistic[day : day + 1, look:]
        self.decided[day + 1 :] = statistic[day + 1 :]

    def watched_days(self) -> list[WatchedDay]:
        """Return the days on which something could be found."""
        moved = {one.began: one.label for one in self.moved}
        found = []
        for day in self.table.heard:
            own = self.decided[day, : len(self.table.sessions[day])]
            own = own[np.isfinite(own)]
            if len(own):
                date_of_day = self.table.sessions[day][0].day
                highest, last = round(float(own.max()), 4), round(float(own[-1]), 4)
                found.append(WatchedDay(date_of_day, highest, last, moved.get(day, "")))
        return found

    def _first_watched(self) -> int:
        """Return the first day on which something may be found."""
        heard = self.table.heard
        enough = self.settings.learnt_days
        return heard[enough] if len(heard) > enough else len(self.table.sessions)

    def session(self, look: Look) -> HeardSession:
        """Return the session of a look."""
        return self.table.sessions[look[0]][look[1]]

    def _explain(self, look: Look) -> Finding:
        return self.watch.monitor.explain(self.days.until(*look), self.moves)

    def _is_owed_to_a_room(self, finding: Finding) -> bool:
        enough = finding.background >= self.settings.least_background
        return finding.is_of_surroundings and enough

    def _move_room(self, finding: Finding, found: Look) -> None:
        """Take a change for another room's; its day is known to within one."""
        change = finding.change
        for day in range(change.began - SEARCHED_DAYS, change.began + SEARCHED_DAYS + 1):
            self.moves.setdefault(max(day, 0), ROOM)
        self.moved.append(_Moved(ROOM, change.began, found, change.earliest, change.latest))

    # --- one shift ------------------------------------------------------------------------------

    def _follow(self, shift: _Open, statistic: FloatArray) -> Look | None:
        """Follow a shift to its end; return the look from which on the next may open."""
        for look in self._looks_from(shift.at):
            time = self.session(look).time
            if shift.members and (due := self._due(shift, time - timedelta.resolution)):
                self._close(shift, *due)
                self._forget(look[0], look[0])
                return look
            if shift.members and self._was_the_rooms(shift, look):
                self._close(shift, time, CloseReason.SURROUNDINGS)
                return look[0], look[1] + 1
            shift.members.append(look)
            self._grow(shift, look, statistic)
            if self._is_full(look) and self._is_back(shift, statistic):
                self._close(shift, time, CloseReason.BACK_TO_USUAL)
                self._leave_out(shift)
                return look[0] + 1, 0
        due = self._due(shift, self.now)
        self._close(shift, *(due or (None, None)))
        return None

    def _looks_from(self, start: Look) -> list[Look]:
        return [
            (day, number)
            for day in range(start[0], len(self.table.sessions))
            for number in range(len(self.table.sessions[day]))
            if (day, number) >= start
        ]

    def _grow(self, shift: _Open, look: Look, statistic: FloatArray) -> None:
        """Explain a shift anew where its evidence has become greater; note where it is great."""
        if float(statistic[look]) >= shift.peak + EXPLAINED_STEP:
            shift.finding, shift.explained = self._explain(look), look
        shift.peak = max(shift.peak, float(statistic[look]))
        if statistic[look] >= shift.peak - EXPLAINED_STEP and shift.back <= 0.0:
            shift.best = look

    def _is_full(self, look: Look) -> bool:
        """Whether the day is over with this session."""
        day, number = look
        if number + 1 < len(self.table.sessions[day]):
            return False
        return day + 1 < len(self.table.sessions) or self._is_over(look)

    def _is_over(self, look: Look) -> bool:
        return self.now - self.session(look).time >= FULL_DAY_AFTER

    def _due(self, shift: _Open, until: datetime) -> tuple[datetime, CloseReason] | None:
        """Say whether a shift ends between its last session and a moment."""
        last = self.session(shift.members[-1]).time
        opened = self.session(shift.at).time
        longest = opened + timedelta(days=self.settings.max_days)
        ends = [(last + timedelta(days=self.settings.quiet_days), CloseReason.NO_RECENT_SESSIONS)]
        if not self._is_kept_open(opened, longest):
            ends.append((longest, CloseReason.LASTED_TOO_LONG))
        ends += [
            (one.at, CloseReason.REVIEWED)
            for one in self.reviews
            if one.at >= last and one.verdict is Verdict.USUAL
        ]
        first = min(ends)
        return first if first[0] <= until else None

    def _is_kept_open(self, opened: datetime, longest: datetime) -> bool:
        """Whether a reviewer said in time that it is not usual, so that time alone ends nothing."""
        return any(
            opened <= one.at < longest and one.verdict is Verdict.UNUSUAL for one in self.reviews
        )

    def _was_the_rooms(self, shift: _Open, look: Look) -> bool:
        """Whether the days until this one show that the room changed with it."""
        last = shift.members[-1]
        if look[0] == last[0] or len({day for day, _ in shift.members}) > ROOM_ASKED_DAYS:
            return False
        finding = self._explain(last)
        if not self._is_owed_to_a_room(finding) or finding.background < SURELY_MOVED:
            return False
        shift.finding = finding
        self._move_room(finding, look)
        return True

    def _is_back(self, shift: _Open, statistic: FloatArray) -> bool:
        """Whether the full days since a shift say that it is over.

        The days until now are held against the level before the shift and the one after it; their
        likelihood ratio is summed from the day on from which it is greatest. A shift of which no
        view has clearly moved is over when the statistic is back.
        """
        day = shift.members[-1][0]
        clear = clear_views(shift.finding)
        if not clear:
            return bool(statistic[day, -1] < self.settings.threshold - self.settings.close_below)
        if shift.back <= 0.0:
            shift.back_since = day
        shift.back = max(0.0, shift.back + self._return(shift.finding, clear, day))
        return shift.back >= BACK

    def _return(self, finding: Finding, clear: Mapping[str, float], day: int) -> float:
        """Return a day's log ratio of being back, the mean of the views by their evidence."""
        days = slice(day, day + 1)
        ratios = {
            view: returned(
                finding.followed[view],
                self.days.values[view][days, -1],
                self.days.variances[view][days, -1],
                finding.change,
                view,
            )[0]
            for view in clear
        }
        total = sum(clear.values())
        return float(sum(share * ratios[view] for view, share in clear.items()) / total)

    def _leave_out(self, shift: _Open) -> None:
        """Take what was said during a shift that is over for no part of the infant's level."""
        if clear_views(shift.finding):
            self.days = self.days.without(shift.finding.change.began, shift.back_since)
            self._forget(shift.back_since, shift.members[-1][0] + 1)

    def _forget(self, day: int, from_day: int) -> None:
        """Look for no change that began before a day, from another one on."""
        floor = self.days.floor.copy()
        floor[from_day:] = np.maximum(floor[from_day:], day)
        self.days = replace(self.days, floor=floor)

    def _close(self, shift: _Open, at: datetime | None, reason: CloseReason | None) -> None:
        if shift.best > shift.explained and reason is not CloseReason.SURROUNDINGS:
            shift.finding = self._explain(shift.best)
        self.shifts.append(
            EpisodeSpan(
                EpisodeKind.PERSISTENT_SHIFT,
                self.session(shift.at).time,
                self.session(shift.members[-1]).time,
                at,
                reason,
                self._evidence(shift, shift.finding),
            )
        )
        if reason in (CloseReason.LASTED_TOO_LONG, CloseReason.REVIEWED):
            self.moves[shift.finding.change.began] = USUAL

    # --- what is told of it ---------------------------------------------------------------------

    def _evidence(self, shift: _Open, finding: Finding) -> dict[str, Any]:
        change = finding.change
        since = min(self._day_began(change.began), self.session(shift.at).time)
        counted = self._counted(since, shift.members[-1])
        over = shift.peak - self.settings.threshold
        return counted | {
            "severity": severity(over, counted["n_days"]),
            "since": since.isoformat(),
            "since_earliest": min(self._day_began(change.earliest), since).isoformat(),
            "since_latest": max(self._day_began(change.latest), since).isoformat(),
            "peak_statistic": round(shift.peak, 6),
            "threshold": self.settings.threshold,
            "room": self._room(finding),
            "views": [
                self._view(name, share, change.movements[name])
                for name, share in change.by_view.items()
                if name in change.movements
            ],
        }

    def _day_began(self, day: int) -> datetime:
        """When the first session of a day was, or the next one after it."""
        return next(own[0].time for own in self.table.sessions[day:] if own)

    def _date(self, day: int) -> str:
        return self._day_began(day).isoformat()

    def _counted(self, since: datetime, last: Look) -> dict[str, int]:
        looks = self._looks_from((0, 0))
        rested = [look for look in looks if look <= last and self.session(look).time >= since]
        return {
            "n_sessions": len(rested),
            "n_recordings": sum(self.session(look).n_recordings for look in rested),
            "n_days": len({day for day, _ in rested}),
        }

    def _room(self, finding: Finding) -> str:
        if finding.change.began in self.moves or finding.background >= SURELY_MOVED:
            return "changed"
        heard = np.isfinite(finding.background)
        return "unchanged" if heard and finding.background < MOVED else "unknown"

    def _view(self, name: str, share: float, movement: Movement) -> dict[str, Any]:
        ends = (movement.by, movement.low, movement.high)
        told: dict[str, Any] = {"view": name, "share": round(share, 6)}
        told |= dict(zip(("sd", "sd_low", "sd_high"), (round(v, 6) for v in ends), strict=True))
        if name in self.watch.scales:
            unit, values = in_units(name, [v * self.watch.scales[name] for v in ends])
            told |= dict(zip(("by", "low", "high"), (round(v, 6) for v in values), strict=True))
            told["unit"] = unit
        return told

    # --- new surroundings -----------------------------------------------------------------------

    def surroundings(self) -> list[EpisodeSpan]:
        """Return the spans of new surroundings; changes that are bridged at once are one span."""
        spans: list[EpisodeSpan] = []
        group: list[_Moved] = []
        for one in sorted(self.moved, key=lambda moved: (moved.found, moved.began)):
            if group:
                span = self._bridged(group)
                if span.closed_at is not None and span.closed_at < self.session(one.found).time:
                    spans.append(span)
                    group = []
            group.append(one)
        return [*spans, self._bridged(group)] if group else spans

    def _bridged(self, group: Sequence[_Moved]) -> EpisodeSpan:
        """Return the span of changes that are bridged together."""
        found = group[0].found
        members = [found]
        closed: tuple[datetime | None, CloseReason | None] = (None, None)
        last_day = self._known_from(max(one.began for one in group))
        latest = max(one.found for one in group)
        for look in self._looks_from(found)[1:]:
            if (quiet := self._quiet(members[-1])) < self.session(look).time:
                closed = quiet, CloseReason.NO_RECENT_SESSIONS
                break
            if look > latest and last_day is not None and look[0] > last_day:
                break
            members.append(look)
        last = self.session(members[-1]).time
        is_known = last_day is not None and members[-1][0] >= last_day
        if closed[0] is None and is_known and self._is_known_at(members[-1], latest):
            closed = last, CloseReason.SETTLED
        if closed[0] is None and self._quiet(members[-1]) <= self.now:
            closed = self._quiet(members[-1]), CloseReason.NO_RECENT_SESSIONS
        return EpisodeSpan(
            EpisodeKind.NEW_SURROUNDINGS,
            self.session(found).time,
            last,
            *closed,
            self._changes(group, members),
        )

    def _is_known_at(self, look: Look, found: Look) -> bool:
        return look == found or self._is_full(look)

    def _quiet(self, look: Look) -> datetime:
        return self.session(look).time + timedelta(days=self.settings.quiet_days)

    def _known_from(self, began: int) -> int | None:
        """Return the day with which the surroundings that began on a day are known."""
        heard = [day for day in self.table.heard if day >= began]
        enough = self.settings.bridging_days
        return heard[enough - 1] if len(heard) >= enough else None

    def _changes(self, group: Sequence[_Moved], members: Sequence[Look]) -> dict[str, Any]:
        began = min(self._day_began(min(one.began for one in group)), self.session(members[0]).time)
        changes = [
            {
                "label": one.label,
                "since": self._date(one.began),
                "since_earliest": self._date(one.earliest),
                "since_latest": self._date(one.latest),
            }
            for one in group
        ]
        counted = self._counted(began, members[-1])
        return counted | {"since": began.isoformat(), "changes": changes}


def clear_views(finding: Finding) -> dict[str, float]:
    """Return the views that have clearly moved, with their shares of the evidence."""
    change = finding.change
    return {
        view: change.by_view[view]
        for view, movement in change.movements.items()
        if movement.is_clear and change.by_view[view] >= LEAST_SHARE
    }


def severity(over: float, n_days: int) -> str:
    """Say how severe a shift is, by its evidence.

    Parameters
    ----------
    over
        How far the statistic, a logarithm, went over the threshold.
    n_days
        On how many days it was heard.

    Returns
    -------
    str
        ``slight``, ``clear`` or ``strong``.
    """
    for name, least, days in SEVERITIES:
        if over >= least and n_days >= days:
            return name
    return "slight"


def in_units(channel: str, values: Sequence[float]) -> tuple[str, list[float]]:
    """Bring movements of a channel from its own scale to people's units.

    Parameters
    ----------
    channel
        Its name.
    values
        Movements on the scale on which its spread is even.

    Returns
    -------
    str
        The unit: ``%`` of what it was, where that scale is a logarithm.
    list of float
        The movements in it.
    """
    known = next(one for one in CHANNELS if one.name == channel)
    if known.is_log or channel == "f0_log2_hz":
        return "%", [100.0 * (2.0**value - 1.0) for value in values]
    return known.unit, list(values)


def _first_from(flags: NDArray[np.bool_], start: Look) -> Look | None:
    day, look = start
    flags[:day] = False
    flags[day : day + 1, :look] = False
    found = np.argwhere(flags)
    return (int(found[0, 0]), int(found[0, 1])) if len(found) else None
