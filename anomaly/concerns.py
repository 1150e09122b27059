"""What a clinician should look at in a patient, and where it puts the patient in the list.

What comes in: what is known of an infant. What goes out: concerns, the most pressing first, and the
section of the list. Guaranteed: pure; the same facts give the same concerns with the same keys, by
which a review knows again what it has seen.
"""

import datetime as dt
import enum
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from anomaly.models import Episode, Suspicion
from anomaly.selectors.crying import Crying
from anomaly.selectors.overview import Overview
from anomaly.silence import gap_of


class Reason(enum.StrEnum):
    """Why a patient needs a look, the most pressing first."""

    SHIFT = "shift"
    SUSPICION = "suspicion"
    EXTREME = "extreme"
    SUSTAINED = "sustained"
    SURROUNDINGS = "surroundings"
    GAP = "gap"
    LEARNING = "learning"


class Section(enum.StrEnum):
    """A part of the list; a patient is in the first one that fits."""

    RISING = "rising"
    EXTREME = "extreme"
    SUSTAINED = "sustained"
    SURROUNDINGS = "surroundings"
    GAP = "gap"
    LEARNING = "learning"
    USUAL = "usual"


PRESSING = list(Reason)
SECTION_OF = {
    Reason.SHIFT: Section.RISING,
    Reason.SUSPICION: Section.RISING,
    Reason.EXTREME: Section.EXTREME,
    Reason.SUSTAINED: Section.SUSTAINED,
    Reason.SURROUNDINGS: Section.SURROUNDINGS,
    Reason.GAP: Section.GAP,
    Reason.LEARNING: Section.LEARNING,
}
RANKS = {"slight": 1, "clear": 2, "strong": 3}
RISING_FOR = dt.timedelta(hours=48)
"""A suspicion does not rise any more when nothing was heard for so long."""
REASON_OF = {
    Episode.Kind.PERSISTENT_SHIFT: Reason.SHIFT,
    Episode.Kind.SINGLE_EXTREME: Reason.EXTREME,
    Episode.Kind.NEW_SURROUNDINGS: Reason.SURROUNDINGS,
}


@dataclass(frozen=True)
class Concern:
    """One reason to look at a patient.

    `key` is by what it is known again, `rank` how much evidence there is (0 to 3), `last_at` until
    when it was so, `is_open` whether it still is, `is_estimated` whether `since` is an estimate.
    """

    reason: Reason
    key: str
    since: dt.datetime
    last_at: dt.datetime
    rank: int = 0
    is_open: bool = True
    is_estimated: bool = False
    evidence: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_news(self) -> bool:
        """Whether it is something that a review can have missed; to be learnt still is not."""
        return self.reason is not Reason.LEARNING


def concerns_of(
    seen: Overview,
    episodes: Iterable[Episode],
    suspicion: Suspicion | None,
    crying: Crying,
    now: dt.datetime,
) -> list[Concern]:
    """Return what there is to look at, the most pressing first, then the one with most evidence."""
    found = [_of_episode(episode) for episode in episodes if _is_of_concern(episode)]
    found += _of_suspicion(suspicion, now)
    found += _of_crying(seen, crying, now)
    found += _of_silence(seen, now)
    found += _of_learning(seen, now)
    return sorted(found, key=lambda one: (PRESSING.index(one.reason), -one.rank, -_age(one, now)))


def _age(one: Concern, now: dt.datetime) -> float:
    return (one.last_at - now).total_seconds()


def _is_of_concern(episode: Episode) -> bool:
    """Tell whether an episode is one: odd sessions stay so for a while, the rest while it lasts.

    That nothing comes is told by what was last heard, whether or not a monitor's silence is known.
    """
    if episode.kind == Episode.Kind.MONITOR_SILENT:
        return False
    return episode.closed_at is None or episode.kind == Episode.Kind.SINGLE_EXTREME


def _of_episode(episode: Episode) -> Concern:
    return Concern(
        REASON_OF[Episode.Kind(episode.kind)],
        f"episode:{episode.id}",
        since=episode.began_at,
        last_at=episode.last_at,
        rank=RANKS.get(episode.evidence.get("severity", ""), 0),
        is_open=episode.closed_at is None,
        is_estimated=episode.began_at < episode.opened_at,
        evidence=episode.evidence,
    )


def _of_suspicion(suspicion: Suspicion | None, now: dt.datetime) -> Iterator[Concern]:
    if suspicion is None or now - suspicion.last_at > RISING_FOR:
        return
    began: str | None = suspicion.evidence.get("since")
    yield Concern(
        Reason.SUSPICION,
        f"suspicion:{suspicion.opened_at:%Y-%m-%dT%H:%M}",
        since=dt.datetime.fromisoformat(began) if began else suspicion.opened_at,
        last_at=suspicion.last_at,
        is_estimated=began is not None,
        evidence=suspicion.evidence,
    )


def _of_crying(seen: Overview, crying: Crying, now: dt.datetime) -> Iterator[Concern]:
    if crying.is_sustained and crying.first_at is not None:
        day = seen.infant.local_day(now)
        yield Concern(Reason.SUSTAINED, f"sustained:{day}", since=crying.first_at, last_at=now)


def _of_silence(seen: Overview, now: dt.datetime) -> Iterator[Concern]:
    gap = gap_of(seen, now)
    if gap is not None:
        evidence = {"kind": str(gap.kind), "expected_s": gap.expected_s}
        key = f"gap:{gap.since:%Y-%m-%dT%H:%M}"
        yield Concern(Reason.GAP, key, since=gap.since, last_at=now, evidence=evidence)


def _of_learning(seen: Overview, now: dt.datetime) -> Iterator[Concern]:
    """Yield what says that nothing can be compared yet, or hardly."""
    if seen.learning is None:
        return
    evidence = {"days": seen.learning.days, "needed": seen.learning.needed}
    since = seen.days[0].day if seen.days else seen.infant.local_day(now)
    start = dt.datetime.combine(since, dt.time(), seen.infant.zone)
    yield Concern(Reason.LEARNING, "learning", since=start, last_at=now, evidence=evidence)


def section_of(concerns: Sequence[Concern]) -> Section:
    """Return the section of a patient with these concerns, the most pressing first."""
    return SECTION_OF[concerns[0].reason] if concerns else Section.USUAL


def within(concerns: Iterable[Concern], start: dt.datetime) -> list[Concern]:
    """Return the concerns that still hold, or did after this moment."""
    return [one for one in concerns if one.is_open or one.last_at >= start]
