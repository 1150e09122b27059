"""Trial: a new build or encoder tried on history, beside what is stored, before it is activated.

What comes in: an infant, and the encoder to try or none. What goes out: a `Trial` with the old and
the new verdict on every session and the old and the new episodes; its `Differences`; and a
`VersionTrial` that keeps both. Guaranteed: nothing but that row is written; what cannot be tried is
named; an unchanged build on the stored embeddings differs in nothing.
"""

import datetime as dt
import json
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from django.utils import timezone

from anomaly.charts import UNUSUAL
from anomaly.models import Episode, VersionTrial
from anomaly.rehearing import Embedded, Told, Unheard, embed_again, nobody
from anomaly.replay import History, Replay, Standing, overlap, stored_embeddings
from infants.models import Infant
from pipelines.build import build
from pipelines.embed import Encoder
from pipelines.episode import EpisodeSpan

HOUR_S = 3600.0
AnyEpisode = Episode | EpisodeSpan


@dataclass(frozen=True)
class SessionPair:
    """A session's p-value as it is stored and as it was tried; None: there is no number.

    `n_tried` of its `n_recordings` with a cry could be tried.
    """

    session: UUID
    started_at: dt.datetime
    old: float | None
    new: float | None
    n_recordings: int
    n_tried: int

    @property
    def is_in_both(self) -> bool:
        """Whether there is a number in both."""
        return self.old is not None and self.new is not None

    @property
    def difference(self) -> float:
        """How far apart the two numbers are; 0 where there are not two."""
        return 0.0 if self.old is None or self.new is None else abs(self.old - self.new)

    @property
    def is_newly_unusual(self) -> bool:
        """Whether only the new number is unusual."""
        return self.is_in_both and _is_unusual(self.new) and not _is_unusual(self.old)

    @property
    def is_no_longer_unusual(self) -> bool:
        """Whether only the old number is unusual."""
        return self.is_in_both and _is_unusual(self.old) and not _is_unusual(self.new)


def _is_unusual(p_value: float | None) -> bool:
    return p_value is not None and p_value <= UNUSUAL


@dataclass(frozen=True)
class ComparedEpisode:
    """An episode, as it is compared."""

    kind: str
    opened_at: dt.datetime
    closed_at: dt.datetime | None
    close_reason: str


@dataclass(frozen=True)
class MatchedEpisode:
    """An episode in both, and by how many hours the new one opens later; negative: earlier."""

    kind: str
    old_opened_at: dt.datetime
    new_opened_at: dt.datetime
    hours_later: float


@dataclass(frozen=True)
class Trial:
    """An infant's history, as it is stored and as it was tried.

    `encoder` is the fingerprint of the one that was tried; empty: the stored embeddings were.
    """

    infant: Infant
    encoder: str
    build: str
    made_at: dt.datetime
    refit_every_days: int
    sessions: tuple[SessionPair, ...]
    old_episodes: tuple[ComparedEpisode, ...]
    new_episodes: tuple[ComparedEpisode, ...]
    n_recordings: int
    untried: tuple[Unheard, ...]


@dataclass(frozen=True)
class Differences:
    """What the new would change for one infant.

    `n_sessions` have a number in both; of these, verdicts change at 0.05, and p-values move.
    """

    n_sessions: int
    newly_unusual: int
    no_longer_unusual: int
    largest_difference: float | None
    median_difference: float | None
    only_in_old: int
    only_in_new: int
    episodes_only_in_old: tuple[ComparedEpisode, ...]
    episodes_only_in_new: tuple[ComparedEpisode, ...]
    episodes_in_both: tuple[MatchedEpisode, ...]
    untried: int

    @property
    def n_moved_episodes(self) -> int:
        """How many episodes in both open at another time."""
        return sum(one.hours_later != 0.0 for one in self.episodes_in_both)

    @property
    def is_none(self) -> bool:
        """Whether nothing at all would be another, of what could be tried."""
        episodes = len(self.episodes_only_in_old) + len(self.episodes_only_in_new)
        numbers = self.only_in_old + self.only_in_new + (self.largest_difference or 0.0)
        return episodes + self.n_moved_episodes + numbers == 0.0


# --- trying ---------------------------------------------------------------------------------------


def try_on_history(
    infant: Infant,
    encoder: Encoder | None = None,
    *,
    refit_every_days: int = 1,
    told: Told = nobody,
) -> Trial:
    """Judge an infant's history again in memory, and hold it beside what is stored.

    With an encoder the embeddings are made anew from the stored audio. The product refits daily;
    with more days between versions a trial is quicker, and not quite what would be. `told` hears
    how many recordings were embedded and scored: each counts once, or twice where there is an
    encoder.
    """
    history = History.of(infant)
    embedded, untried = _embeddings(history, encoder, told)
    replay = Replay(history, embedded, refit_every_days).go(told)
    now = timezone.now()
    return Trial(
        infant=infant,
        encoder="" if encoder is None else encoder.fingerprint,
        build=build(),
        made_at=now,
        refit_every_days=refit_every_days,
        sessions=tuple(_pairs(replay)),
        old_episodes=tuple(_compared(one) for one in history.episodes),
        new_episodes=tuple(_compared(one) for one in replay.episodes(now)),
        n_recordings=len(history.recordings),
        untried=tuple(untried),
    )


def _embeddings(
    history: History, encoder: Encoder | None, told: Told
) -> tuple[dict[UUID, Embedded], list[Unheard]]:
    if encoder is None:
        return stored_embeddings(history.recordings), []
    return embed_again(history.recordings, encoder, told)


def _pairs(replay: Replay) -> Iterable[SessionPair]:
    for standing in sorted(replay.sessions.values(), key=_began):
        stored = replay.history.verdicts.get(standing.session.id)
        yield SessionPair(
            session=standing.session.id,
            started_at=standing.session.started_at,
            old=None if stored is None else stored.p_value,
            new=None if standing.verdict is None else standing.verdict.p_value,
            n_recordings=len(standing.judged),
            n_tried=sum(recording.id in replay.embedded for recording in standing.judged),
        )


def _began(standing: Standing) -> tuple[dt.datetime, UUID]:
    return standing.session.started_at, standing.session.id


def _compared(one: AnyEpisode) -> ComparedEpisode:
    return ComparedEpisode(str(one.kind), one.opened_at, one.closed_at, str(one.close_reason or ""))


# --- comparing ------------------------------------------------------------------------------------


def differences(trial: Trial) -> Differences:
    """Say what the new would change."""
    pairs = trial.sessions
    apart = [pair.difference for pair in pairs if pair.is_in_both]
    matched, only_in_old, only_in_new = _matched(trial.old_episodes, trial.new_episodes)
    return Differences(
        n_sessions=len(apart),
        newly_unusual=sum(pair.is_newly_unusual for pair in pairs),
        no_longer_unusual=sum(pair.is_no_longer_unusual for pair in pairs),
        largest_difference=max(apart, default=None),
        median_difference=statistics.median(apart) if apart else None,
        only_in_old=sum(pair.old is not None and pair.new is None for pair in pairs),
        only_in_new=sum(pair.new is not None and pair.old is None for pair in pairs),
        episodes_only_in_old=tuple(only_in_old),
        episodes_only_in_new=tuple(only_in_new),
        episodes_in_both=tuple(matched),
        untried=len(trial.untried),
    )


def _matched(
    old: Sequence[ComparedEpisode], new: Sequence[ComparedEpisode]
) -> tuple[list[MatchedEpisode], list[ComparedEpisode], list[ComparedEpisode]]:
    """Pair episodes of one kind that share a moment, the earliest first; return what is left."""
    matched, only_in_old, left = [], [], list(new)
    for one in old:
        like = next((o for o in left if o.kind == one.kind and overlap(one, o)), None)
        if like is None:
            only_in_old.append(one)
            continue
        left.remove(like)
        hours = (like.opened_at - one.opened_at).total_seconds() / HOUR_S
        matched.append(MatchedEpisode(one.kind, one.opened_at, like.opened_at, hours))
    return matched, only_in_old, left


# --- keeping --------------------------------------------------------------------------------------


def keep_trial(trial: Trial) -> VersionTrial:
    """Write a trial down with its report; commits."""
    found = differences(trial)
    return VersionTrial.objects.create(
        infant=trial.infant,
        encoder=trial.encoder,
        build=trial.build,
        made_at=trial.made_at,
        n_sessions=found.n_sessions,
        report=report_of(trial, found),
    )


def report_of(trial: Trial, found: Differences) -> dict[str, Any]:
    """Return a trial as plain values: the differences, and old and new side by side."""
    told = {
        "infant": trial.infant.id,
        "encoder": trial.encoder,
        "build": trial.build,
        "made_at": trial.made_at,
        "refit_every_days": trial.refit_every_days,
        "n_recordings": trial.n_recordings,
        "differences": asdict(found),
        "sessions": [asdict(pair) for pair in trial.sessions],
        "episodes": {
            "old": [asdict(one) for one in trial.old_episodes],
            "new": [asdict(one) for one in trial.new_episodes],
        },
        "untried": [asdict(one) for one in trial.untried],
    }
    plain: dict[str, Any] = json.loads(json.dumps(told, default=_plain, allow_nan=False))
    return plain


def _plain(value: object) -> str:
    """Return what JSON has no form for: ids and times."""
    return value.isoformat() if isinstance(value, dt.datetime) else str(value)
