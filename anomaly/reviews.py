"""Reviews: what a person decides in the place of the monitor or the gate, and what it changes.

What comes in: a viewer, a shift, a recording or all recordings of an episode, and a word on them.
What goes out: the row as it is now, and an event that says who said what, what was before and what
is after. Guaranteed: only who may review does; a review can be changed and taken back; a word on
one recording counts for more than one on all; it changes episodes at once, and the baseline from
the next version on. What was said of a recording stays as it was; but sessions, days and episodes
are functions of what is counted, and are made again without what is not the infant's crying.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils import timezone

from anomaly.models import BaselineEntry, Episode, Event, GateDecision
from anomaly.selectors.episodes import recordings_of
from anomaly.selectors.learning import learnable
from anomaly.stages.episode import refresh_episodes
from anomaly.stages.learn import admit
from anomaly.stages.timeline import recount
from infants.access import Right, Viewer, infants_for
from infants.errors import NotReviewableError
from infants.locks import infant_locked
from infants.models import Infant, Recording, User
from infants.states import State

Answer = GateDecision.Answer
Facts = dict[str, Any]
LEARNT_OR_LATER = (State.LEARNT, State.ON_TIMELINE, State.DONE)


@dataclass(frozen=True)
class Word:
    """What is said of a cry: whether it may be learnt, and what it was, where that is said."""

    may_learn: bool | None
    answer: str = ""


NOTHING = Word(None)
WORDS = {
    "": NOTHING,
    Answer.EXPECTED.value: Word(may_learn=True, answer=Answer.EXPECTED),
    Answer.NOT_MY_BABY.value: Word(may_learn=False, answer=Answer.NOT_MY_BABY),
    Answer.NOT_A_CRY.value: Word(may_learn=False, answer=Answer.NOT_A_CRY),
}
VERDICTS = {"": "", Answer.EXPECTED.value: Episode.Verdict.USUAL.value}


@dataclass(frozen=True)
class Reviewed:
    """An answer that was given: when, on which recordings, and what it changed.

    `before` and `after` hold `n_learnable`, how many recordings a version made then would learn,
    and `open`, the kinds of the episodes that are open. `is_verdict`: it is a word on the shift as
    such, and on no recording.
    """

    at: dt.datetime
    recordings: tuple[UUID, ...]
    before: Facts
    after: Facts
    is_verdict: bool = False


# --- shifts ---------------------------------------------------------------------------------------


def review_episode(viewer: Viewer, episode_id: UUID, verdict: str) -> Episode | None:
    """Say what a shift was; an empty word takes back what was said.

    None where the viewer may review no such episode; NotReviewableError where it is no shift.
    """
    found = _reviewable(viewer, episode_id)
    if found is None:
        return None
    if found.kind != Episode.Kind.PERSISTENT_SHIFT:
        raise NotReviewableError("only a persistent shift can be reviewed")
    _judge_shift(viewer, found, verdict)
    return Episode.objects.get(id=episode_id)


def answer_episode(viewer: Viewer, episode_id: UUID, answer: str) -> Reviewed | None:
    """Say of an episode that it was expected, another child's crying, or none; None as above.

    A shift that was expected is the new usual; an empty answer takes that back. Any other answer is
    one on each of its recordings of which nobody has said anything.
    """
    found = _reviewable(viewer, episode_id)
    if found is None:
        return None
    if found.kind == Episode.Kind.PERSISTENT_SHIFT and answer in VERDICTS:
        return _judge_shift(viewer, found, VERDICTS[answer])
    with infant_locked(found.infant_id) as infant:
        episode = Episode.objects.get(id=episode_id)
        unsaid = recordings_of(episode).filter(gate_decision__reviewed_at=None)
        facts = {"episode": str(episode_id), "answer": answer}
        return _answer_all(viewer, infant, list(unsaid), WORDS[answer], facts)


def take_back(viewer: Viewer, infant_id: UUID, at: dt.datetime) -> Reviewed | None:
    """Take back what was said at that moment of this infant's recordings; None as above.

    What was said of one of them later stays.
    """
    if not infants_for(viewer, Right.REVIEW).filter(id=infant_id).exists():
        return None
    with infant_locked(infant_id) as infant:
        said = Recording.objects.filter(infant=infant, gate_decision__reviewed_at=at)
        facts = {"taken_back": at.isoformat(), "answer": ""}
        return _answer_all(viewer, infant, list(said.order_by("recorded_at")), NOTHING, facts)


def _reviewable(viewer: Viewer, episode_id: UUID) -> Episode | None:
    allowed = Episode.objects.filter(infant__in=infants_for(viewer, Right.REVIEW))
    return allowed.filter(id=episode_id).first()


def _judge_shift(viewer: Viewer, found: Episode, verdict: str) -> Reviewed:
    with infant_locked(found.infant_id) as infant:
        now = timezone.now()
        episode = Episode.objects.get(id=found.id)
        before = _of_shift(infant, episode, now)
        episode.verdict = verdict
        episode.reviewed_at = now if verdict else None
        episode.reviewed_by = viewer.user if verdict else None
        episode.save()
        refresh_episodes(infant, now)
        episode = Episode.objects.get(id=found.id)
        after = _of_shift(infant, episode, now)
        facts = {"before": before, "after": after, "by": _named(viewer.user)}
        _tell(infant, Event.Kind.EPISODE_REVIEWED, now, facts, episode=episode)
    return Reviewed(now, (), before, after, is_verdict=True)


def _of_shift(infant: Infant, episode: Episode, now: dt.datetime) -> Facts:
    """Return what a review of a shift changes."""
    own = {
        "verdict": episode.verdict,
        "close_reason": episode.close_reason,
        "is_open": episode.closed_at is None,
    }
    return own | _standing(infant, now)


def _answer_all(
    viewer: Viewer, infant: Infant, recordings: Sequence[Recording], word: Word, facts: Facts
) -> Reviewed:
    """Say one word of many recordings; the event outlives the episode, which may be gone by it."""
    now = timezone.now()
    before = _standing(infant, now)
    _say(viewer, infant, recordings, word, now)
    after = _standing(infant, now)
    named = [str(recording.id) for recording in recordings]
    told = {"before": before, "after": after, "by": _named(viewer.user), "recordings": named}
    key = f"{infant.id} {now.isoformat()}"
    Event.objects.create(
        infant=infant,
        kind=Event.Kind.EPISODE_REVIEWED,
        key=key,
        occurred_at=now,
        facts=facts | told,
    )
    return Reviewed(now, tuple(recording.id for recording in recordings), before, after)


# --- cries ----------------------------------------------------------------------------------------


def review_cry(viewer: Viewer, recording_id: UUID, may_learn: bool | None) -> Recording | None:  # noqa: FBT001
    """Say whether the baseline may learn a cry, whatever the gate said; None takes it back.

    None is returned where the viewer may review no such recording; NotReviewableError where no
    gate decided on it, or it is no cry.
    """
    if _review_one(viewer, recording_id, Word(may_learn)) is None:
        return None
    return Recording.objects.select_related("gate_decision").get(id=recording_id)


def answer_cry(viewer: Viewer, recording_id: UUID, answer: str) -> Reviewed | None:
    """Say what a sound was; an empty answer takes it back; None and the error as above."""
    return _review_one(viewer, recording_id, WORDS[answer])


def _review_one(viewer: Viewer, recording_id: UUID, word: Word) -> Reviewed | None:
    allowed = Recording.objects.filter(infant__in=infants_for(viewer, Right.REVIEW))
    found = allowed.filter(id=recording_id).select_related("gate_decision").first()
    if found is None or found.infant_id is None:
        return None
    if getattr(found, "gate_decision", None) is None or not found.gate_decision.is_cry:
        raise NotReviewableError("the gate has found no cry in this recording")
    with infant_locked(found.infant_id) as infant:
        now = timezone.now()
        recording = Recording.objects.get(id=recording_id)
        before = _of_cry(infant, recording, now)
        _say(viewer, infant, [recording], word, now)
        after = _of_cry(infant, recording, now)
        facts = {"before": before, "after": after, "by": _named(viewer.user)}
        _tell(infant, Event.Kind.CRY_REVIEWED, now, facts, recording=recording)
    return Reviewed(now, (recording_id,), before, after)


def _say(
    viewer: Viewer, infant: Infant, recordings: Sequence[Recording], word: Word, now: dt.datetime
) -> None:
    """Write a word on recordings, and bring in line what depends on it."""
    recounted = []
    for recording in recordings:
        decision = recording.gate_decision
        was_counted = decision.is_counted
        decision.review, decision.answer = word.may_learn, word.answer
        is_said = word.may_learn is not None
        decision.reviewed_at = now if is_said else None
        decision.reviewed_by = viewer.user if is_said else None
        decision.save()
        _admit_or_withdraw(infant, recording, now)
        if decision.is_counted != was_counted:
            recounted.append(recording)
    if recounted:
        recount(infant, recounted)
        refresh_episodes(infant, now)


def _admit_or_withdraw(infant: Infant, recording: Recording, now: dt.datetime) -> None:
    """Bring the baseline in line; what is still on its way is admitted when it is learnt."""
    if not recording.gate_decision.may_learn:
        entries = BaselineEntry.objects.filter(recording=recording, withdrawn_at=None)
        entries.update(withdrawn_at=now)
    elif recording.state in LEARNT_OR_LATER:
        admit(infant, recording)


def _of_cry(infant: Infant, recording: Recording, now: dt.datetime) -> Facts:
    """Return what a review of a cry changes."""
    decision = GateDecision.objects.get(recording=recording)
    entries = BaselineEntry.objects.filter(recording=recording, withdrawn_at=None)
    own = {
        "accepted": decision.accepted,
        "review": decision.review,
        "answer": decision.answer,
        "in_baseline": entries.exists(),
    }
    return own | _standing(infant, now)


# --- what is told ---------------------------------------------------------------------------------


def _standing(infant: Infant, now: dt.datetime) -> Facts:
    """Return what any review may change: how many recordings are learnt from, and what is open."""
    entries = BaselineEntry.objects.filter(infant=infant, withdrawn_at=None)
    ended = entries.filter(recording__session__ended_at__lt=now)
    still_open = infant.episodes.filter(closed_at=None).values_list("kind", flat=True)
    return {"n_learnable": len(learnable(infant, ended, now)), "open": sorted(still_open)}


def _named(user: User | None) -> str | None:
    return None if user is None else str(user.id)


def _tell(infant: Infant, kind: Event.Kind, now: dt.datetime, facts: Facts, **about: Any) -> None:
    key = f"{next(iter(about.values())).id} {now.isoformat()}"
    Event.objects.create(infant=infant, kind=kind, key=key, occurred_at=now, facts=facts, **about)
