"""Replay: an infant's history judged again in memory, as the stages score to episode would.

What comes in: what is stored of an infant, and embeddings. What goes out: the versions, verdicts
and episodes that the code as it is now makes of them. Guaranteed: nothing is written; things happen
in the order in which they happened, which is that of time but for what came late, and what
reviewers and operators did counts from when they did it; so an unchanged build gives again what is
stored. Taken as they are: the sessions, and what the gate decided.
"""

import datetime as dt
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol, Self
from uuid import UUID

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from anomaly.models import Episode, Event, GateDecision, PersonalModel, SessionJudgement
from anomaly.rehearing import Embedded, Told, nobody
from anomaly.selectors.baseline import as_judged, devices_of
from anomaly.selectors.learning import holds_back
from anomaly.selectors.watched import reviews_of
from infants.locks import infant_locked
from infants.models import Infant, Recording, RecordingSession
from infants.states import State
from pipelines.baseline import Baseline, views_of
from pipelines.episode import (
    EpisodeKind,
    EpisodeSpan,
    HeardSession,
    Review,
    ScoredSession,
    Watch,
    embedding_deviate,
    find_episodes,
    watch_of,
)
from pipelines.lasting import find_lasting
from pipelines.learn import (
    FOREVER,
    SUSPICION,
    choose_buffer,
    choose_ripe,
    device_spans,
    held_spans,
    within,
)
from pipelines.prior import Priors, bundled_priors
from pipelines.score import Learning, RecordingScore, SessionScore
from pipelines.score import PersonalModel as Fitted
from pipelines.timetable import summarise

WAY = (State.SCORED, State.LEARNT, State.ON_TIMELINE, State.DONE)


# --- what is stored -------------------------------------------------------------------------------


@dataclass(frozen=True)
class RolledBack:
    """A rollback: when, and the version that it put in force again."""

    at: dt.datetime
    to: PersonalModel


@dataclass(frozen=True)
class History:
    """What is stored of an infant: what was judged, oldest first, and what was done about it."""

    infant: Infant
    recordings: tuple[Recording, ...]
    verdicts: Mapping[UUID, SessionJudgement]
    episodes: tuple[Episode, ...]
    reviews: tuple[Review, ...]
    rollbacks: tuple[RolledBack, ...]

    @classmethod
    def of(cls, infant: Infant) -> Self:
        """Read it, all at one moment: under the infant's lock."""
        with infant_locked(infant.id) as locked:
            judged = Recording.objects.filter(infant=locked, judgement__isnull=False)
            rows = judged.select_related("session", "gate_decision", "judgement")
            recordings = rows.prefetch_related("cries").defer("gate_features")
            return cls(
                locked,
                tuple(recordings.filter(session__isnull=False).order_by("recorded_at", "id")),
                {row.session_id: row for row in locked.session_judgements.all()},
                tuple(locked.episodes.order_by("opened_at", "kind")),
                tuple(reviews_of(locked)),
                tuple(_rollbacks(locked)),
            )


def _rollbacks(infant: Infant) -> Iterable[RolledBack]:
    for event in infant.events.filter(kind=Event.Kind.MODEL_WITHDRAWN):
        target = infant.personal_models.filter(number=event.facts["in_force"]).first()
        if target is not None:
            yield RolledBack(event.occurred_at, target)


def stored_embeddings(recordings: Iterable[Recording]) -> dict[UUID, Embedded]:
    """Return the embeddings that recordings have in their rows."""
    found = {}
    for recording in recordings:
        cries = sorted(recording.cries.all(), key=lambda cry: cry.index)
        units = np.stack([cry.vector for cry in cries])
        found[recording.id] = Embedded(cries[0].encoder, units)
    return found


# --- what is made of it ---------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Version:
    """A version of the personal model, as `anomaly.models.PersonalModel` names its parts."""

    number: int
    encoder: str
    learnt_on: dt.date
    in_force_after: dt.datetime
    recordings: tuple[UUID, ...]
    devices: tuple[str, ...]
    fitted: Fitted

    def device_number(self, recording: Recording) -> int:
        """Return the number of a recording's device; one more than all: another."""
        name = str(recording.device_id)
        return self.devices.index(name) if name in self.devices else len(self.devices)


@dataclass
class Standing:
    """What is known of a session so far."""

    session: RecordingSession
    judged: list[Recording] = field(default_factory=list)
    scores: dict[UUID, tuple[Version, RecordingScore]] = field(default_factory=dict)
    verdict: SessionScore | None = None
    heard: HeardSession | None = None


Happening = tuple[dt.datetime, dt.datetime, int, Callable[[], None]]
"""When it happened, of which time, in which place of the way, and what it does."""


@dataclass
class Replay:
    """A history that goes by, event by event."""

    history: History
    embedded: Mapping[UUID, Embedded]
    refit_every_days: int = 1
    versions: list[Version] = field(default_factory=list)
    n_versions: int = 0
    admitted: dict[UUID, Recording] = field(default_factory=dict)
    learnt: set[UUID] = field(default_factory=set)
    left_out: set[UUID] = field(default_factory=set)
    sessions: dict[UUID, Standing] = field(default_factory=dict)
    priors: Priors = field(default_factory=partial(bundled_priors, ""))

    @property
    def infant(self) -> Infant:
        """Whose history it is."""
        return self.history.infant

    @property
    def watch(self) -> Watch:
        """How the infant is watched."""
        return watch_of(self.priors.views)

    def go(self, told: Told = nobody) -> Self:
        """Let everything happen; `told` hears of each recording that was scored."""
        for _, _, place, act in sorted(self._happenings(), key=lambda one: one[:3]):
            act()
            told(int(place == WAY.index(State.SCORED)))
        return self

    def _happenings(self) -> Iterable[Happening]:
        acts = {
            State.SCORED: self._score,
            State.LEARNT: self._learn,
            State.ON_TIMELINE: self._sum_up,
        }
        for recording in self.history.recordings:
            for state, act in acts.items():
                if _has_reached(recording, state):
                    at = _reached_at(recording, state)
                    place = WAY.index(state)
                    yield at, recording.recorded_at, place, partial(act, recording, at)
            if (reviewed_at := recording.gate_decision.reviewed_at) is not None:
                yield reviewed_at, recording.recorded_at, len(WAY), partial(self._review, recording)
        for one in self.history.rollbacks:
            yield one.at, one.at, len(WAY), partial(self._roll_back, one.to)

    # --- score ------------------------------------------------------------------------------------

    def _score(self, recording: Recording, _at: dt.datetime) -> None:
        """Score a recording by the version in force; what has no embeddings was only heard."""
        session = _session(recording)
        standing = self.sessions.setdefault(session.id, Standing(session))
        standing.judged.append(recording)
        given = self.embedded.get(recording.id)
        version = None if given is None else self._in_force(session, given.encoder)
        if given is None or version is None:
            return
        cried = as_judged(recording, given.units, version.device_number(recording))
        standing.scores[recording.id] = version, version.fitted.score_recording(cried)

    def _in_force(self, session: RecordingSession, encoder: str) -> Version | None:
        """Return the newest version that was learnt before a session began."""
        before = [
            version
            for version in self.versions
            if version.encoder == encoder and version.in_force_after < session.started_at
        ]
        return max(before, key=lambda one: (one.in_force_after, one.number), default=None)

    # --- learn ------------------------------------------------------------------------------------

    def _learn(self, recording: Recording, at: dt.datetime) -> None:
        """Learn as the stage does: a version where one is due, and then the recording."""
        self.learnt.add(recording.id)
        if recording.id not in self.embedded or not _may_learn(recording.gate_decision, at):
            return
        version = self._version_due(recording, at)
        self._admit(recording)
        if version is not None:
            self.versions.append(version)
            self.n_versions = version.number

    def _version_due(self, recording: Recording, at: dt.datetime) -> Version | None:
        session, encoder = _session(recording), self.embedded[recording.id].encoder
        day, newest = self.infant.local_day(recording.recorded_at), self._newest(encoder)
        if newest and (day - newest.learnt_on).days < self.refit_every_days:
            return None
        heard = self._heard_before(session.started_at, encoder, at)
        names = tuple(one.id for one in heard)
        if not heard or (newest and newest.recordings == names):
            return None
        arrays = baseline_of(self.infant, heard, self.embedded)
        fitted = Fitted.fit(arrays, encoder, seed=self.infant.id.int % 2**31)
        if isinstance(fitted, Learning):
            return None
        facts = (self.n_versions + 1, encoder, day, session.started_at, names)
        return Version(*facts, tuple(devices_of(heard)), _as_kept(fitted, encoder))

    def _newest(self, encoder: str) -> Version | None:
        own = [version for version in self.versions if version.encoder == encoder]
        return max(own, key=lambda version: version.number, default=None)

    def _heard_before(self, moment: dt.datetime, encoder: str, at: dt.datetime) -> list[Recording]:
        """Return what a version made during a session that began at a moment may learn."""
        heard = [
            recording
            for recording in self._buffer()
            if _session(recording).ended_at < moment
            and self.embedded[recording.id].encoder == encoder
        ]
        times = [recording.recorded_at for recording in heard]
        days = np.array([self.infant.local_day(time).toordinal() for time in times], dtype=np.int64)
        spans = self._suspicions(moment)
        chosen = choose_ripe(
            days,
            self.infant.local_day(moment).toordinal(),
            settings.ICLAS_SETTLE_DAYS,
            held=self._held_back(times, spans, at),
            bridged=within(times, device_spans(spans)),
        )
        return [heard[index] for index in chosen]

    def _suspicions(self, moment: dt.datetime) -> list[EpisodeSpan]:
        heard = [one for one in self._heard() if one.time < moment]
        return find_lasting(heard, moment, self.watch, SUSPICION, self.history.reviews)

    def _held_back(
        self, times: Sequence[dt.datetime], spans: Sequence[EpisodeSpan], at: dt.datetime
    ) -> NDArray[np.bool_]:
        """Return which times are kept from the baseline, by what was known of shifts then."""
        known = [self._as_row(span, at) for span in self.episodes(at)]
        shifts = [row for row in known if row.kind == EpisodeKind.PERSISTENT_SHIFT]
        told = within(times, [_since_until(row) for row in shifts if holds_back(row)])
        free = within(times, [_since_until(row) for row in shifts if not holds_back(row)])
        return (within(times, held_spans(spans)) & ~free) | told

    def _as_row(self, span: EpisodeSpan, at: dt.datetime) -> Episode:
        """Return a span as a row that is not saved, with what a reviewer had said of it then."""
        said = [
            row.verdict
            for row in self.history.episodes
            if row.kind == span.kind
            and overlap(row, span)
            and row.reviewed_at is not None
            and row.reviewed_at <= at
        ]
        return Episode(
            kind=span.kind,
            opened_at=span.opened_at,
            last_at=span.last_at,
            closed_at=span.closed_at,
            close_reason=span.close_reason or "",
            evidence=span.evidence,
            verdict=said[0] if said else "",
        )

    def _admit(self, recording: Recording) -> None:
        """Put a recording into the buffer, and thin the buffer where it is over its bound."""
        self.admitted[recording.id] = recording
        ordered = self._buffer()
        times = [one.recorded_at.timestamp() for one in ordered]
        kept = choose_buffer(times, settings.ICLAS_BUFFER_RECORDINGS)
        self.admitted = {ordered[index].id: ordered[index] for index in kept}

    def _buffer(self) -> list[Recording]:
        return sorted(self.admitted.values(), key=lambda recording: recording.recorded_at)

    def _review(self, recording: Recording) -> None:
        """Bring buffer and session in line with a reviewer's word; what is on its way comes yet."""
        self._count_without(recording)
        if not recording.gate_decision.may_learn:
            self.admitted.pop(recording.id, None)
        elif recording.id in self.learnt and recording.id in self.embedded:
            self._admit(recording)

    def _count_without(self, recording: Recording) -> None:
        """Take what is not the infant's crying out of its session, where somebody said so."""
        if recording.gate_decision.is_counted:
            return
        self.left_out.add(recording.id)
        standing = self.sessions.get(_session(recording).id)
        if standing is not None and standing.heard is not None:
            self._sum_up(recording, recording.recorded_at)

    def _roll_back(self, target: PersonalModel) -> None:
        """Withdraw what came after a version, and what was admitted after what it had heard."""
        self.versions = [
            version for version in self.versions if version.in_force_after <= target.in_force_after
        ]
        self.admitted = {
            id_: recording
            for id_, recording in self.admitted.items()
            if recording.recorded_at <= target.learnt_until
        }

    # --- timeline and episode ---------------------------------------------------------------------

    def _sum_up(self, recording: Recording, _at: dt.datetime) -> None:
        """Recompute the verdict on a recording's session, and where the session lies."""
        standing = self.sessions[_session(recording).id]
        standing.judged = [one for one in standing.judged if one.id not in self.left_out]
        for id_ in self.left_out & standing.scores.keys():
            del standing.scores[id_]
        standing.verdict = _verdict(standing)
        standing.heard = self._summary(standing)

    def _summary(self, standing: Standing) -> HeardSession | None:
        judged = sorted(standing.judged, key=lambda one: (one.recorded_at, one.id))
        if not judged:
            return None
        unit = np.zeros((1, 0), dtype=np.float32)  # embeddings are no part of a summary
        views = views_of([as_judged(recording, unit) for recording in judged])
        began = standing.session.started_at
        return HeardSession(
            time=began,
            day=self.infant.local_day(began),
            summary=summarise(views, self.priors.views),
            deviate=embedding_deviate(standing.verdict.p_values if standing.verdict else {}),
            device=str(judged[0].device_id),
            n_recordings=len(judged),
            age_days=float(views.age_days[0]),
        )

    def _heard(self) -> list[HeardSession]:
        return [one.heard for one in self.sessions.values() if one.heard is not None]

    def _scored(self) -> Iterable[ScoredSession]:
        for one in self.sessions.values():
            began, verdict = one.session.started_at, one.verdict
            if verdict is not None:
                day = self.infant.local_day(began)
                numbers = (verdict.p_value, verdict.n_recordings, verdict.room_p_value)
                yield ScoredSession(began, day, *numbers)

    def episodes(self, now: dt.datetime) -> list[EpisodeSpan]:
        """Return the episodes of what has gone by, as of a moment."""
        reviews = self.history.reviews
        return find_episodes(self._scored(), self._heard(), now, self.watch, reviews=reviews)


def baseline_of(
    infant: Infant, recordings: Sequence[Recording], embedded: Mapping[UUID, Embedded]
) -> Baseline:
    """Return recordings as the arrays that a version is fitted on.

    To the bit those of `anomaly.selectors.baseline.baseline_arrays`, from embeddings at hand.
    """
    units = [embedded[recording.id].units for recording in recordings]
    rows = [(at, unit) for at, own in enumerate(units) for unit in range(len(own))]
    rows.sort(key=lambda row: (recordings[row[0]].recorded_at, row[1]))
    sessions = list(dict.fromkeys(recording.session_id for recording in recordings))
    devices = devices_of(recordings)
    recording = np.array([at for at, _ in rows], dtype=np.int64)
    session = np.array([sessions.index(r.session_id) for r in recordings], dtype=np.int64)
    day = np.array([infant.local_day(r.recorded_at).toordinal() for r in recordings])
    return Baseline(
        embeddings=np.stack([units[at][unit] for at, unit in rows]),
        recording=recording,
        session=session[recording],
        day=day[recording],
        views=views_of([as_judged(r, own) for r, own in zip(recordings, units, strict=True)]),
        device=np.array([devices.index(str(r.device_id)) for r in recordings], dtype=np.int64),
    )


class Lasting(Protocol):
    """What begins, and ends or does not end yet."""

    @property
    def opened_at(self) -> dt.datetime:
        """When it was noticed."""

    @property
    def closed_at(self) -> dt.datetime | None:
        """When it ended; None while it is open."""


def overlap(one: Lasting, other: Lasting) -> bool:
    """Tell whether two episodes share a moment; an open one lasts for ever."""
    starts_in_time = one.opened_at <= (other.closed_at or FOREVER)
    return starts_in_time and other.opened_at <= (one.closed_at or FOREVER)


def _as_kept(fitted: Fitted, encoder: str) -> Fitted:
    """Return a version as it comes out of its artefact, which is what judges: to the last bit."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        fitted.save(path)
        return Fitted.load(path, encoder)


def _verdict(standing: Standing) -> SessionScore | None:
    """Judge a session by the newest version that scored some of it, from what that one said."""
    newest = max((v for v, _ in standing.scores.values()), key=lambda v: v.number, default=None)
    if newest is None:
        return None
    said = [score for version, score in standing.scores.values() if version is newest]
    return newest.fitted.score_session(said)


def _has_reached(recording: Recording, state: State) -> bool:
    """Tell whether a judged recording has come as far as a state, wherever it is now."""
    there = recording.state in WAY[WAY.index(state) :]
    return there or state == State.SCORED or state in recording.passed


def _reached_at(recording: Recording, state: State) -> dt.datetime:
    """Return when it did; where that was not noted, when it was judged."""
    passed = recording.passed.get(state)
    return dt.datetime.fromisoformat(passed["at"]) if passed else recording.judgement.judged_at


def _may_learn(decision: GateDecision, at: dt.datetime) -> bool:
    """Tell whether the baseline might learn a recording, by what was decided by then."""
    is_reviewed = decision.reviewed_at is not None and decision.reviewed_at <= at
    return decision.may_learn if is_reviewed else decision.accepted


def _since_until(shift: Episode) -> tuple[dt.datetime, dt.datetime]:
    return shift.began_at, shift.closed_at or FOREVER


def _session(recording: Recording) -> RecordingSession:
    if recording.session is None:
        message = f"recording {recording.id} has no session"
        raise ValueError(message)
    return recording.session
