"""Explain: the way of one recording through every stage, and whether its numbers come out again.

What comes in: a viewer and a recording. What goes out: an `Explanation`: each stage with its time
and try, the versions it used, what it found and why, where the recording stands, and its
judgements made again (`anomaly.provenance`). Guaranteed: nothing is written; what a stage has not
reached is absent, never guessed; a device learns where its recording stands and no more.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from anomaly.models import (
    BaselineEntry,
    Episode,
    Event,
    GateDecision,
    PersonalModel,
    RecordingJudgement,
    ScorePoint,
    SessionJudgement,
)
from anomaly.notice import NOTICE
from anomaly.provenance import Agreement, Recomputation, recomputations, worst
from infants.access import Right, Viewer, infants_for
from infants.errors import AudioCorruptError, AudioMissingError
from infants.models import Recording
from infants.selectors import visible_recordings
from infants.states import Reason, State
from infants.storage import read_audio
from pipelines.build import build

SHORTEST_PREFIX = 8
HEX_DIGITS = frozenset("0123456789abcdef")
UUID_DIGITS = 32

WAITS_FOR = {
    State.RECEIVED: "segment",
    State.SEGMENTED: "embed",
    State.EMBEDDED: "gate",
    State.GATED: "score",
    State.SCORED: "learn",
    State.LEARNT: "timeline",
    State.ON_TIMELINE: "episode",
}
LEARNT_BY = {State.LEARNT, State.ON_TIMELINE, State.DONE}

Facts = Mapping[str, Any]


@dataclass(frozen=True)
class Passage:
    """A state that the recording reached: when, at which try, how long after the one before."""

    state: str
    at: dt.datetime
    attempt: int
    took_s: float | None


@dataclass(frozen=True)
class UploadPart:
    """What came in; `audio` is intact, missing, changed or erased."""

    device: UUID
    device_name: str | None
    received_at: dt.datetime
    recorded_at: dt.datetime
    recorded_at_raw: str
    clock: str
    sha256: str
    byte_size: int
    audio: str
    audio_erased_at: dt.datetime | None


@dataclass(frozen=True)
class UnitPart:
    """One cry in the recording."""

    index: int
    onset_s: float
    offset_s: float


@dataclass(frozen=True)
class SegmentPart:
    """What was heard in it."""

    duration_s: float | None
    source_format: Facts
    quality: Facts
    units: tuple[UnitPart, ...]


@dataclass(frozen=True)
class EmbedPart:
    """Which encoder made the embeddings, and how many there are."""

    encoders: tuple[str, ...]
    n_embeddings: int
    n_units: int


@dataclass(frozen=True)
class GatePart:
    """What the gate decided, on what, and why."""

    version: str
    build: str
    decided_at: dt.datetime
    is_cry: bool
    cry_probability: float
    accepted: bool
    confidence: float
    threshold: float
    arousal: float | None
    parts: tuple[Facts, ...]
    abstained: tuple[Facts, ...]
    given: Facts


@dataclass(frozen=True)
class ModelPart:
    """The version that a number comes from, and what it rests on."""

    id: UUID
    number: int
    sha256: str
    encoder: str
    learnt_on: dt.date
    learnt_until: dt.datetime
    in_force_after: dt.datetime
    n_units: int
    n_recordings: int
    n_sessions: int
    n_days: int
    smallest_p_value: float | None
    withdrawn_at: dt.datetime | None


@dataclass(frozen=True)
class ScorePart:
    """What the personal model said, or how far its learning had come."""

    outcome: str
    baseline_days: int
    baseline_days_needed: int
    encoder: str
    build: str
    judged_at: dt.datetime
    model: ModelPart | None
    scores: Mapping[str, float]
    p_values: Mapping[str, float]
    statistic: float | None
    p_value: float | None
    room_score: float | None
    room_p_value: float | None


@dataclass(frozen=True)
class SessionJudgementPart:
    """What the personal model said of a whole session."""

    statistic: float
    p_value: float
    room_p_value: float | None
    n_recordings: int
    model: UUID
    model_number: int
    build: str
    judged_at: dt.datetime


@dataclass(frozen=True)
class SessionPart:
    """The bout of crying that it belongs to, with its judgement where it has one."""

    id: UUID
    started_at: dt.datetime
    ended_at: dt.datetime
    closed_at: dt.datetime | None
    n_recordings: int
    judgement: SessionJudgementPart | None


@dataclass(frozen=True)
class LearnPart:
    """Whether it is in the baseline, and which versions rest on it."""

    in_baseline: bool
    admitted_at: dt.datetime | None
    withdrawn_at: dt.datetime | None
    rest_on_it: tuple[int, ...]


@dataclass(frozen=True)
class PointPart:
    """One of its points on the timeline."""

    scorer: str
    outcome: str
    time: dt.datetime
    score: float | None
    p_value: float | None


@dataclass(frozen=True)
class EpisodePart:
    """An episode that covers it."""

    id: UUID
    kind: str
    opened_at: dt.datetime
    last_at: dt.datetime
    closed_at: dt.datetime | None
    close_reason: str
    evidence: Facts


@dataclass(frozen=True)
class EventPart:
    """Something that happened because of it."""

    id: UUID
    kind: str
    occurred_at: dt.datetime
    facts: Facts


@dataclass(frozen=True)
class Standing:
    """Where it stands now, for programs (`state`, `reason`) and in words."""

    state: str
    reason: str
    detail: str
    attempts: int
    since: dt.datetime
    words: str


@dataclass(frozen=True)
class Explanation:
    """The way of one recording; what it has not reached, or the viewer may not see, is absent."""

    recording: UUID
    infant: UUID | None
    infant_name: str | None
    time_zone: str
    passed: tuple[Passage, ...]
    upload: UploadPart
    standing: Standing
    build: str
    segment: SegmentPart | None = None
    embed: EmbedPart | None = None
    gate: GatePart | None = None
    score: ScorePart | None = None
    learn: LearnPart | None = None
    session: SessionPart | None = None
    timeline: tuple[PointPart, ...] = ()
    episodes: tuple[EpisodePart, ...] = ()
    events: tuple[EventPart, ...] = ()
    recomputed: tuple[Recomputation, ...] = ()
    agreement: Agreement | None = None
    notice: str = NOTICE


def recordings_named(viewer: Viewer, name: str) -> QuerySet[Recording]:
    """Return the visible recordings whose id or SHA-256 begins like this: none, one or several."""
    recordings = visible_recordings(viewer)
    digits = hex_digits(name)
    if digits is None:
        return recordings.none()
    wanted = Q(sha256__startswith=digits)
    if len(digits) <= UUID_DIGITS:
        wanted |= Q(id__range=ids_beginning(digits))
    return recordings.filter(wanted).order_by("recorded_at", "id")


def hex_digits(name: str) -> str | None:
    """Return the digits of the beginning of an id or a digest; None where it is none."""
    digits = name.lower().replace("-", "")
    return digits if len(digits) >= SHORTEST_PREFIX and HEX_DIGITS.issuperset(digits) else None


def ids_beginning(digits: str) -> tuple[UUID, UUID]:
    """Return the first and the last id that begin with these hexadecimal digits."""
    return UUID(digits.ljust(UUID_DIGITS, "0")), UUID(digits.ljust(UUID_DIGITS, "f"))


def explain(viewer: Viewer, recording_id: UUID) -> Explanation | None:
    """Return the way of a recording; None where the viewer may see no such recording."""
    recordings = visible_recordings(viewer).select_related(
        "device", "infant", "gate_decision", "judgement__model", "session__judgement__model"
    )
    recording = recordings.filter(id=recording_id).first()
    if recording is None:
        return None
    infant = recording.infant
    known_by_name = infants_for(viewer, Right.IDENTIFY)
    is_identified = infant is not None and known_by_name.filter(id=infant.id).exists()
    shown = Explanation(
        recording=recording.id,
        infant=recording.infant_id,
        infant_name=infant.name if infant and is_identified else None,
        time_zone=infant.time_zone if infant else "UTC",
        passed=_passages(recording),
        upload=_upload(recording, recording.device.name if is_identified else None),
        standing=_standing(recording),
        build=build(),
    )
    return shown if viewer.device is not None else _with_judgement(shown, recording)


def _with_judgement(shown: Explanation, recording: Recording) -> Explanation:
    episodes = list(_covering(recording))
    recomputed = recomputations(recording)
    return replace(
        shown,
        segment=_segment(recording),
        embed=_embed(recording),
        gate=_gate(recording),
        score=_score(recording),
        learn=_learn(recording),
        session=_session(recording),
        timeline=tuple(_points(recording)),
        episodes=tuple(_episode(episode) for episode in episodes),
        events=tuple(_event(event) for event in _about(recording, episodes)),
        recomputed=recomputed,
        agreement=worst([one.agreement for one in recomputed]) if recomputed else None,
    )


# --- its way, and where it stands ---------------------------------------------------------------


def _passages(recording: Recording) -> tuple[Passage, ...]:
    """Return the states it reached, in the order of time; rows of old kept no times."""
    reached = [
        (dt.datetime.fromisoformat(passed["at"]), state, int(passed["try"]))
        for state, passed in recording.passed.items()
    ]
    ordered = sorted(reached, key=lambda one: (one[0], list(State).index(State(one[1]))))
    before = [None, *(at for at, _, _ in ordered)]
    return tuple(
        Passage(state, at, attempt, (at - earlier).total_seconds() if earlier else None)
        for earlier, (at, state, attempt) in zip(before, ordered, strict=False)
    )


def _standing(recording: Recording) -> Standing:
    return Standing(
        state=recording.state,
        reason=recording.reason,
        detail=recording.detail,
        attempts=recording.attempts,
        since=recording.state_changed_at,
        words=_words(recording),
    )


def _words(recording: Recording) -> str:
    """Say where a recording stands, for people."""
    if recording.state == State.DONE:
        return _counted(recording)
    if recording.state in WAITS_FOR:
        return _waiting(recording)
    failed = recording.state == State.FAILED
    stage = _last_stage(recording) if failed else None
    where = f"{recording.state} in {stage}" if stage else recording.state
    attempt = recording.passed.get(State.FAILED, {}).get("try")
    if recording.reason == Reason.GAVE_UP and attempt:
        return f"{where}: gave up after {attempt} tries"
    words = f"{where}: {Reason(recording.reason).label}"
    return f"{words} ({recording.detail})" if recording.detail else words


def _counted(recording: Recording) -> str:
    """Say what became of what has gone the whole way."""
    decision = getattr(recording, "gate_decision", None)
    if decision is None or decision.is_counted:
        return "done: it is on the timeline"
    said = GateDecision.Answer(decision.answer).label
    return f"done: it counts nowhere, since a person said that it is {said}"


def _waiting(recording: Recording) -> str:
    is_held = recording.lease_until is not None and recording.lease_until > timezone.now()
    words = f"{'is in' if is_held else 'waits for'} {WAITS_FOR[State(recording.state)]}"
    return f"{words}, {recording.attempts} tries so far" if recording.attempts else words


def _last_stage(recording: Recording) -> str | None:
    """Return the stage that it could not pass, as far as its way was kept."""
    reached = [one.state for one in _passages(recording) if one.state in WAITS_FOR]
    return WAITS_FOR[State(reached[-1])] if reached else None


def _upload(recording: Recording, device_name: str | None) -> UploadPart:
    return UploadPart(
        device=recording.device_id,
        device_name=device_name,
        received_at=recording.received_at,
        recorded_at=recording.recorded_at,
        recorded_at_raw=recording.recorded_at_raw,
        clock=recording.clock,
        sha256=recording.sha256,
        byte_size=recording.byte_size,
        audio=_audio(recording),
        audio_erased_at=recording.audio_erased_at,
    )


def _audio(recording: Recording) -> str:
    if recording.audio_erased_at is not None:
        return "erased"
    try:
        read_audio(recording)
    except AudioMissingError:
        return "missing"
    except AudioCorruptError:
        return "changed"
    return "intact"


# --- what each stage found ----------------------------------------------------------------------


def _segment(recording: Recording) -> SegmentPart | None:
    if recording.duration_s is None:
        return None
    units = recording.cries.order_by("index").values_list("index", "onset_s", "offset_s")
    return SegmentPart(
        recording.duration_s,
        recording.source_format,
        recording.quality,
        tuple(UnitPart(*unit) for unit in units),
    )


def _embed(recording: Recording) -> EmbedPart | None:
    encoders = list(recording.cries.values_list("encoder", flat=True))
    made = [encoder for encoder in encoders if encoder]
    if not made and _decision(recording) is None:
        return None
    return EmbedPart(tuple(sorted(set(made))), len(made), len(encoders))


def _decision(recording: Recording) -> GateDecision | None:
    return getattr(recording, "gate_decision", None)


def _gate(recording: Recording) -> GatePart | None:
    row = _decision(recording)
    if row is None:
        return None
    return GatePart(
        version=row.gate_version,
        build=row.build,
        decided_at=row.decided_at,
        is_cry=row.is_cry,
        cry_probability=row.cry_probability,
        accepted=row.accepted,
        confidence=row.confidence,
        threshold=row.threshold,
        arousal=row.arousal,
        parts=tuple(row.parts),
        abstained=tuple(row.abstained),
        given=row.given,
    )


def _score(recording: Recording) -> ScorePart | None:
    row: RecordingJudgement | None = getattr(recording, "judgement", None)
    if row is None:
        return None
    return ScorePart(
        outcome=row.outcome,
        baseline_days=row.baseline_days,
        baseline_days_needed=row.baseline_days_needed,
        encoder=row.encoder,
        build=row.build,
        judged_at=row.judged_at,
        model=_model(row.model) if row.model else None,
        scores=row.scores,
        p_values=row.p_values,
        statistic=row.statistic,
        p_value=row.p_value,
        room_score=row.room_score,
        room_p_value=row.room_p_value,
    )


def _model(model: PersonalModel) -> ModelPart:
    return ModelPart(
        id=model.id,
        number=model.number,
        sha256=model.sha256,
        encoder=model.encoder,
        learnt_on=model.learnt_on,
        learnt_until=model.learnt_until,
        in_force_after=model.in_force_after,
        n_units=model.n_units,
        n_recordings=model.n_recordings,
        n_sessions=model.n_sessions,
        n_days=model.n_days,
        smallest_p_value=model.facts.get("smallest_p_value"),
        withdrawn_at=model.withdrawn_at,
    )


def _learn(recording: Recording) -> LearnPart | None:
    if recording.state not in LEARNT_BY:
        return None
    entry: BaselineEntry | None = getattr(recording, "baseline_entry", None)
    versions = PersonalModel.objects.filter(infant=recording.infant_id).order_by("number")
    return LearnPart(
        in_baseline=entry is not None and entry.withdrawn_at is None,
        admitted_at=entry.admitted_at if entry else None,
        withdrawn_at=entry.withdrawn_at if entry else None,
        rest_on_it=tuple(
            model.number
            for model in versions
            if str(recording.id) in model.facts.get("recordings", ())
        ),
    )


def _session(recording: Recording) -> SessionPart | None:
    session = recording.session
    if session is None:
        return None
    row: SessionJudgement | None = getattr(session, "judgement", None)
    return SessionPart(
        id=session.id,
        started_at=session.started_at,
        ended_at=session.ended_at,
        closed_at=session.closed_at,
        n_recordings=session.recordings.count(),
        judgement=_session_judgement(row) if row else None,
    )


def _session_judgement(row: SessionJudgement) -> SessionJudgementPart:
    return SessionJudgementPart(
        statistic=row.statistic,
        p_value=row.p_value,
        room_p_value=row.room_p_value,
        n_recordings=row.n_recordings,
        model=row.model_id,
        model_number=row.model.number,
        build=row.build,
        judged_at=row.judged_at,
    )


def _points(recording: Recording) -> Iterator[PointPart]:
    for point in ScorePoint.objects.filter(recording=recording).order_by("scorer"):
        yield PointPart(point.scorer, point.outcome, point.time, point.score, point.p_value)


def _covering(recording: Recording) -> QuerySet[Episode]:
    """Return the episodes in which its session falls, oldest first."""
    session = recording.session
    at = session.started_at if session else recording.recorded_at
    lasting = Q(closed_at=None) | Q(closed_at__gt=at) | Q(last_at__gte=at)
    episodes = Episode.objects.filter(lasting, infant=recording.infant_id, opened_at__lte=at)
    return episodes.order_by("opened_at")


def _episode(episode: Episode) -> EpisodePart:
    return EpisodePart(
        id=episode.id,
        kind=episode.kind,
        opened_at=episode.opened_at,
        last_at=episode.last_at,
        closed_at=episode.closed_at,
        close_reason=episode.close_reason,
        evidence=episode.evidence,
    )


def _about(recording: Recording, episodes: Sequence[Episode]) -> QuerySet[Event]:
    """Return the events about it, about its episodes, and about a version learnt at it."""
    learnt = Q(kind=Event.Kind.MODEL_LEARNT, occurred_at=recording.recorded_at)
    about = Q(recording=recording) | Q(episode__in=episodes) | learnt
    return Event.objects.filter(about, infant=recording.infant_id).order_by("occurred_at")


def _event(event: Event) -> EventPart:
    return EventPart(event.id, event.kind, event.occurred_at, event.facts)
