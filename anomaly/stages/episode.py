"""Episode: whether it was one odd session, is a lasting shift, or has new surroundings.

What comes in: recordings in state `on_timeline`. What goes out: the episodes of their infants,
opened, extended and closed, with an `Event` in the same transaction, what is suspected, and the
statistic of each day that they were found by; state `done`. Guaranteed: episodes are a function of
the sessions, of what reviewers said and of now, so late and corrected rows simply recompute them;
every episode closes; an event about the past says that it is.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from anomaly.models import Episode, Event, GateDecision, WatchedDay
from anomaly.selectors.watched import heard_sessions, reviews_of, scored_sessions
from anomaly.stages.suspicion import note_suspicion
from anomaly.stages.timeline import summarise_session
from infants.leases import leased
from infants.locks import infant_locked
from infants.models import Infant, RecordingSession
from infants.states import State
from pipelines.episode import EpisodeSpan, follow_infant, watch_of
from pipelines.episode import WatchedDay as Watched
from pipelines.prior import bundled_priors

NEWS_FOR = dt.timedelta(hours=24)
"""An event older than this when it is found is told as past: nobody is called for it."""


def follow_episodes(ids: Sequence[UUID]) -> None:
    """Bring the episodes of these recordings' infants up to date; commits infant by infant."""
    with leased(ids, State.ON_TIMELINE) as lease:
        for infant_id in dict.fromkeys(r.infant_id for r in lease.recordings):
            if infant_id is None:
                continue
            own = [recording for recording in lease.recordings if recording.infant_id == infant_id]
            lease.begin(own)
            with infant_locked(infant_id) as infant:
                refresh_episodes(infant, timezone.now())
                for recording in own:
                    lease.advance(recording, State.DONE)


def close_ended_episodes(now: dt.datetime) -> int:
    """Recompute every infant with an open episode, lest one stay open; return how many."""
    open_now = Infant.objects.filter(episodes__closed_at=None, episodes__isnull=False).distinct()
    ids = list(open_now.values_list("id", flat=True))
    for infant_id in ids:
        with infant_locked(infant_id) as infant:
            refresh_episodes(infant, now)
    return len(ids)


def refresh_episodes(infant: Infant, now: dt.datetime) -> None:
    """Recompute an infant's episodes; call under the infant's lock."""
    _summarise_missing(infant)
    followed = follow_infant(
        scored_sessions(infant),
        heard_sessions(infant),
        now,
        watch_of(bundled_priors("").views),
        reviews=reviews_of(infant),
    )
    stale = {episode.id for episode in infant.episodes.all()}
    for span in followed.spans:
        stale.discard(_write(infant, span, now).id)
    Episode.objects.filter(id__in=stale).delete()
    note_suspicion(infant, now)
    _write_days(infant, followed.days)


def _write_days(infant: Infant, days: Sequence[Watched]) -> None:
    """Bring the infant's watched days in line, touching only those that changed."""
    rows = WatchedDay.objects.filter(infant=infant)
    known = {row[0]: row for row in rows.values_list("day", "highest", "last", "surroundings")}
    due = {one.day: (one.day, one.highest, one.last, one.surroundings) for one in days}
    rows.filter(day__in=known.keys() - due.keys()).delete()
    changed = [row for day, row in due.items() if known.get(day) != row]
    WatchedDay.objects.bulk_create(
        [
            WatchedDay(infant=infant, day=day, highest=highest, last=last, surroundings=label)
            for day, highest, last, label in changed
        ],
        update_conflicts=True,
        unique_fields=["infant", "day"],
        update_fields=["highest", "last", "surroundings"],
    )


def _summarise_missing(infant: Infant) -> None:
    """Sum up sessions that were judged before there were summaries, or by another prior."""
    judged = RecordingSession.objects.filter(
        infant=infant,
        recordings__judgement__isnull=False,
        recordings__gate_decision__answer__in=GateDecision.COUNTED,
    )
    current = Q(summary__prior=bundled_priors("").version)
    for session in judged.exclude(current).distinct():
        summarise_session(session)


def _write(infant: Infant, span: EpisodeSpan, now: dt.datetime) -> Episode:
    """Write a span to the episode that it continues, or to a new one, with the events due."""
    known = _continued(infant, span)
    fields: dict[str, Any] = {
        "opened_at": span.opened_at,
        "last_at": span.last_at,
        "closed_at": span.closed_at,
        "close_reason": span.close_reason or "",
        "evidence": span.evidence,
    }
    episode = known or Episode(infant=infant, kind=span.kind)
    for name, value in fields.items():
        setattr(episode, name, value)
    episode.save()
    tell_of(episode, Event.Kind.EPISODE_OPENED, episode.opened_at, now)
    if episode.closed_at is not None:
        tell_of(episode, Event.Kind.EPISODE_CLOSED, episode.closed_at, now)
    return episode


def _continued(infant: Infant, span: EpisodeSpan) -> Episode | None:
    """Return the stored episode of this kind that overlaps the span."""
    until = span.closed_at or dt.datetime.max.replace(tzinfo=dt.UTC)
    still = Q(closed_at=None) | Q(closed_at__gte=span.opened_at)
    overlapping = infant.episodes.filter(still, kind=span.kind, opened_at__lte=until)
    return overlapping.order_by("opened_at").first()


def tell_of(episode: Episode, kind: Event.Kind, at: dt.datetime, now: dt.datetime) -> None:
    """Write an event of an episode once; one that was told stays told."""
    Event.objects.get_or_create(
        infant_id=episode.infant_id,
        kind=kind,
        key=str(episode.id),
        defaults={
            "occurred_at": at,
            "episode": episode,
            "facts": {"episode": episode.kind, "is_past": now - at > NEWS_FOR},
        },
    )
