"""Reviews: what a person decides in the place of the monitor or the gate, and what it changes.

What comes in: a viewer, a shift or a recording, and a word on it. What goes out: the row as it is
now, and an event that says what was before and what is after. Guaranteed: only who may review does;
a review can be changed and taken back; it changes episodes at once, and the baseline from the next
version on; no judgement that was made is altered.
"""

import datetime as dt
from typing import Any
from uuid import UUID

from django.utils import timezone

from anomaly.models import BaselineEntry, Episode, Event, GateDecision
from anomaly.selectors.learning import learnable
from anomaly.stages.episode import refresh_episodes
from anomaly.stages.learn import admit
from infants.access import Right, Viewer, infants_for
from infants.errors import NotReviewableError
from infants.locks import infant_locked
from infants.models import Infant, Recording
from infants.states import State

LEARNT_OR_LATER = (State.LEARNT, State.ON_TIMELINE, State.DONE)


def review_episode(viewer: Viewer, episode_id: UUID, verdict: str) -> Episode | None:
    """Say what a shift was; an empty word takes back what was said.

    None where the viewer may review no such episode; NotReviewableError where it is no shift.
    """
    allowed = Episode.objects.filter(infant__in=infants_for(viewer, Right.REVIEW))
    found = allowed.filter(id=episode_id).first()
    if found is None:
        return None
    if found.kind != Episode.Kind.PERSISTENT_SHIFT:
        raise NotReviewableError("only a persistent shift can be reviewed")
    with infant_locked(found.infant_id) as infant:
        now = timezone.now()
        episode = Episode.objects.get(id=episode_id)
        before = _standing(infant, episode, now)
        episode.verdict = verdict
        episode.reviewed_at = now if verdict else None
        episode.reviewed_by = viewer.user if verdict else None
        episode.save()
        refresh_episodes(infant, now)
        episode = Episode.objects.get(id=episode_id)
        facts = {"before": before, "after": _standing(infant, episode, now)}
        _tell(infant, Event.Kind.EPISODE_REVIEWED, now, facts, episode=episode)
    return episode


def _standing(infant: Infant, episode: Episode, now: dt.datetime) -> dict[str, Any]:
    """Return what a review of a shift changes."""
    return {
        "verdict": episode.verdict,
        "close_reason": episode.close_reason,
        "is_open": episode.closed_at is None,
        "n_learnable": _n_learnable(infant, now),
    }


def review_cry(viewer: Viewer, recording_id: UUID, may_learn: bool | None) -> Recording | None:  # noqa: FBT001
    """Say whether the baseline may learn a cry, whatever the gate said; None takes it back.

    None is returned where the viewer may review no such recording; NotReviewableError where no
    gate decided on it, or it is no cry.
    """
    allowed = Recording.objects.filter(infant__in=infants_for(viewer, Right.REVIEW))
    found = allowed.filter(id=recording_id).select_related("gate_decision").first()
    if found is None or found.infant_id is None:
        return None
    if getattr(found, "gate_decision", None) is None or not found.gate_decision.is_cry:
        raise NotReviewableError("the gate has found no cry in this recording")
    with infant_locked(found.infant_id) as infant:
        now = timezone.now()
        recording = Recording.objects.select_related("gate_decision").get(id=recording_id)
        before = _learning(infant, recording, now)
        decision = recording.gate_decision
        decision.review = may_learn
        decision.reviewed_at = None if may_learn is None else now
        decision.reviewed_by = None if may_learn is None else viewer.user
        decision.save()
        _admit_or_withdraw(infant, recording, decision, now)
        facts = {"before": before, "after": _learning(infant, recording, now)}
        _tell(infant, Event.Kind.CRY_REVIEWED, now, facts, recording=recording)
    return recording


def _admit_or_withdraw(
    infant: Infant, recording: Recording, decision: GateDecision, now: dt.datetime
) -> None:
    """Bring the baseline in line; what is still on its way is admitted when it is learnt."""
    if not decision.may_learn:
        entries = BaselineEntry.objects.filter(recording=recording, withdrawn_at=None)
        entries.update(withdrawn_at=now)
    elif recording.state in LEARNT_OR_LATER:
        admit(infant, recording)


def _learning(infant: Infant, recording: Recording, now: dt.datetime) -> dict[str, Any]:
    """Return what a review of a cry changes."""
    decision = GateDecision.objects.get(recording=recording)
    entries = BaselineEntry.objects.filter(recording=recording, withdrawn_at=None)
    return {
        "accepted": decision.accepted,
        "review": decision.review,
        "in_baseline": entries.exists(),
        "n_learnable": _n_learnable(infant, now),
    }


def _n_learnable(infant: Infant, now: dt.datetime) -> int:
    """Return how many recordings a version made now would learn."""
    entries = BaselineEntry.objects.filter(infant=infant, withdrawn_at=None)
    return len(learnable(infant, entries.filter(recording__session__ended_at__lt=now), now))


def _tell(
    infant: Infant, kind: Event.Kind, now: dt.datetime, facts: dict[str, Any], **about: Any
) -> None:
    key = f"{next(iter(about.values())).id} {now.isoformat()}"
    Event.objects.create(infant=infant, kind=kind, key=key, occurred_at=now, facts=facts, **about)
