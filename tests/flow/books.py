"""The books after a campaign: what was acknowledged against what the rows and the disk say.

What comes in: an installation at rest and its monitors. What goes out: an `Account`, whose faults
are sentences, and verdicts by device and digest, to be held against those of a calm run.
"""

import datetime as dt
import hashlib
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db.models import Model

from anomaly.models import (
    BaselineEntry,
    DailyRollup,
    Event,
    GateDecision,
    PersonalModel,
    RecordingJudgement,
    ScorePoint,
    SessionJudgement,
)
from anomaly.models.judgement import Outcome
from infants.models import Cry, Infant, Recording, RecordingSession
from infants.sessions import gap
from infants.states import Reason, State
from pipelines.score import EARLY_SCORERS, SCORERS
from tests.flow.load import Item, Monitor
from tests.installation import Installation

ENDS_OF = {
    "cry": {(State.DONE, Reason.NONE)},
    "hum": {(State.REJECTED, Reason.NOT_A_CRY), (State.REJECTED, Reason.NO_CRY_UNITS)},
    "silence": {(State.REJECTED, Reason.SILENT)},
    "poison": {(State.FAILED, Reason.GAVE_UP)},
    "noise": {(State.REJECTED, Reason.UNDECODABLE)},
}


@dataclass
class Account:
    """What was found."""

    acknowledged: int = 0
    judged: int = 0
    rejected: int = 0
    lost: int = 0
    doubled: int = 0
    unacknowledged_but_stored: int = 0
    replays: int = 0
    broken: int = 0
    scored: int = 0
    faults: list[str] = field(default_factory=list)


def account(installation: Installation, monitors: Sequence[Monitor]) -> Account:
    """Compare what was promised with what is there."""
    books = _Books(installation)
    found = Account(
        acknowledged=sum(len(monitor.acknowledged) for monitor in monitors),
        judged=sum(r.state == State.DONE for r in books.recordings),
        rejected=sum(r.state == State.REJECTED for r in books.recordings),
        replays=sum(monitor.replays for monitor in monitors),
        broken=sum(monitor.broken for monitor in monitors),
        scored=sum(j.outcome == Outcome.SCORED for j in books.judgements.values()),
    )
    found.faults += [surprise for monitor in monitors for surprise in monitor.surprises]
    _against_the_promises(books, monitors, found)
    for check in CHECKS:
        found.faults += check(books)
    return found


class _Books:
    """The rows of an installation, read once."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.storage = installation.home / "storage"
        self.recordings = self._all(Recording)
        self.by_id = {recording.id: recording for recording in self.recordings}
        self.cries = self._by_recording(Cry)
        self.decisions = {row.recording_id: row for row in self._all(GateDecision)}
        self.judgements = {row.recording_id: row for row in self._all(RecordingJudgement)}
        self.points = self._by_recording(ScorePoint)
        self.baseline = {row.recording_id for row in self._all(BaselineEntry)}
        self.sessions = self._all(RecordingSession)
        self.session_judgements = {row.session_id: row for row in self._all(SessionJudgement)}
        self.rollups = self._all(DailyRollup)
        self.models = self._all(PersonalModel)
        self.events = self._all(Event)
        self.infants = self._all(Infant)

    def _all(self, model: type[Model]) -> list[Any]:
        return list(self.installation.rows(model))

    def _by_recording(self, model: type[Model]) -> dict[UUID, list[Any]]:
        found = defaultdict(list)
        for row in self._all(model):
            found[row.recording_id].append(row)
        return found

    def in_state(self, state: State) -> list[Recording]:
        return [recording for recording in self.recordings if recording.state == state]


def _against_the_promises(books: _Books, monitors: Sequence[Monitor], found: Account) -> None:
    """Find every acknowledged recording once, and nothing that nobody sent."""
    copies = Counter((r.device_id, r.sha256) for r in books.recordings)
    found.doubled = sum(copies.values()) - len(copies)
    known: set[UUID] = set()
    for monitor in monitors:
        for item, recording_id in monitor.acknowledged.items():
            recording = books.by_id.get(UUID(recording_id))
            if recording is None or recording.sha256 != item.sha256:
                found.lost += 1
                found.faults.append(f"{item.key} is not there as {recording_id}")
                continue
            known.add(recording.id)
            found.faults += _ended_wrongly(item, recording)
    given_up = {item.sha256: item for monitor in monitors for item in monitor.given_up}
    others = [r for r in books.recordings if r.id not in known]
    found.unacknowledged_but_stored = len(others)
    for recording in others:
        item = given_up.get(recording.sha256)
        if item is None:
            found.faults.append(f"{recording.id} was sent by nobody")
        else:
            found.faults += _ended_wrongly(item, recording)


def _ended_wrongly(item: Item, recording: Recording) -> Iterator[str]:
    end = (recording.state, recording.reason)
    if end not in ENDS_OF[item.kind]:
        yield f"{item.kind} {item.key} ({recording.id}) ended as {end}: {recording.detail}"
    if recording.recorded_at != item.recorded_at:
        yield f"{item.key} has another time"


# --- what must hold of the rows ------------------------------------------------------------------


def _audio(books: _Books) -> Iterator[str]:
    for recording in books.recordings:
        path = books.storage / recording.audio
        if not path.is_file():
            yield f"{recording.id} has no audio"
        elif hashlib.sha256(path.read_bytes()).hexdigest() != recording.sha256:
            yield f"{recording.id} has other audio"


def _leases(books: _Books) -> Iterator[str]:
    for recording in books.recordings:
        if recording.lease_owner or recording.lease_until or recording.attempts:
            yield f"{recording.id} is still leased or counted"


def _scorers_of(judgement: RecordingJudgement) -> Sequence[str]:
    """Return who must have spoken: few days are judged by those who know the population."""
    if judgement.outcome != Outcome.SCORED:
        return ()
    is_early = judgement.baseline_days < judgement.baseline_days_needed
    return EARLY_SCORERS if is_early else SCORERS


def _judged(books: _Books) -> Iterator[str]:
    """Everything that is done has what it must have once, and what was rejected has nothing."""
    for recording in books.recordings:
        name, cries = recording.id, books.cries[recording.id]
        judgement, decision = books.judgements.get(name), books.decisions.get(name)
        scorers = sorted(point.scorer for point in books.points[name])
        if recording.state == State.DONE:
            if judgement is None or decision is None:
                yield f"{name} is done without decision or judgement"
                continue
            if scorers != sorted({"combined", *_scorers_of(judgement)}):
                yield f"{name} has the points {scorers}"
            yield from _heard(name, cries)
        elif judgement or scorers or name in books.baseline:
            yield f"{name} was rejected and is judged"
        elif (decision is not None) != (recording.reason == Reason.NOT_A_CRY):
            yield f"{name} was rejected with a decision that does not fit"


def _heard(name: UUID, cries: Sequence[Cry]) -> Iterator[str]:
    if sorted(cry.index for cry in cries) != list(range(len(cries))) or not cries:
        yield f"{name} has the cries {[cry.index for cry in cries]}"
    if any(cry.embedding is None for cry in cries):
        yield f"{name} has a cry without embedding"


def _baseline(books: _Books) -> Iterator[str]:
    done = {recording.id for recording in books.in_state(State.DONE)}
    accepted = {name for name in done if books.decisions[name].accepted}
    for name in books.baseline ^ accepted:
        yield f"{name} is accepted or in the baseline, not both"
    refused = {str(name) for name in done - accepted}
    told = [event.key for event in books.events if event.kind == Event.Kind.CRY_NOT_LEARNT]
    if sorted(told) != sorted(refused):
        yield "the events of what was not learnt are not those recordings"


def _sessions(books: _Books) -> Iterator[str]:
    """Every recording that was heard is in one session, and no session is without any."""
    members = defaultdict(list)
    for recording in books.recordings:
        if recording.session_id is not None:
            members[recording.session_id].append(recording)
        elif books.cries[recording.id]:
            yield f"{recording.id} was heard and is in no session"
    if members.keys() != {session.id for session in books.sessions}:
        yield "sessions without recordings, or recordings of sessions that are not there"
        return
    for session in books.sessions:
        own = members[session.id]
        bounds = (min(r.recorded_at for r in own), max(r.ended_at for r in own))
        if (session.started_at, session.ended_at) != bounds:
            yield f"session {session.id} has other bounds than its recordings"
        yield from _session_judged(books, session, own)


def _gaps(books: _Books) -> Iterator[str]:
    for infant in books.infants:
        own = [session for session in books.sessions if session.infant_id == infant.id]
        spans = sorted((session.started_at, session.ended_at) for session in own)
        if any(later[0] - earlier[1] <= gap() for earlier, later in pairwise(spans)):
            yield f"sessions of {infant.id} lie too close together"


def _session_judged(
    books: _Books, session: RecordingSession, own: Sequence[Recording]
) -> Iterator[str]:
    """Tell where a session's judgement is not that of its recordings."""
    judgements = [books.judgements[r.id] for r in own if r.id in books.judgements]
    scored = [judgement for judgement in judgements if judgement.outcome == Outcome.SCORED]
    verdict = books.session_judgements.get(session.id)
    if (verdict.n_recordings if verdict else 0) != len(scored):
        yield f"session {session.id} is judged by another number of recordings"
    if verdict and {judgement.model_id for judgement in scored} != {verdict.model_id}:
        yield f"session {session.id} is judged by several versions"


def _rollups(books: _Books) -> Iterator[str]:
    """Recompute every day of every infant from the rows."""
    expected: dict[tuple[UUID, dt.date], list[Recording]] = defaultdict(list)
    infants = {infant.id: infant for infant in books.infants}
    for recording in books.in_state(State.DONE):
        day = infants[recording.infant_id].local_day(recording.recorded_at)
        expected[recording.infant_id, day].append(recording)
    found = {(rollup.infant_id, rollup.day): rollup for rollup in books.rollups}
    if found.keys() != expected.keys():
        yield f"rollups of other days: {found.keys() ^ expected.keys()}"
    for key in found.keys() & expected.keys():
        if _numbers(found[key]) != _recounted(books, expected[key]):
            yield f"rollup of {key}: {_numbers(found[key])}, not {_recounted(books, expected[key])}"


def _numbers(rollup: DailyRollup) -> tuple[Any, ...]:
    counts = (rollup.n_recordings, rollup.n_cries, rollup.n_accepted, rollup.n_scored)
    return (*counts, round(rollup.cry_s, 6), rollup.p_value_min, rollup.p_value_median)


def _recounted(books: _Books, recordings: Sequence[Recording]) -> tuple[Any, ...]:
    cries = [cry for recording in recordings for cry in books.cries[recording.id]]
    judgements = [books.judgements[recording.id] for recording in recordings]
    p_values = [j.p_value for j in judgements if j.outcome == Outcome.SCORED]
    return (
        len(recordings),
        len(cries),
        sum(books.decisions[recording.id].accepted for recording in recordings),
        len(p_values),
        round(sum(cry.offset_s - cry.onset_s for cry in cries), 6),
        min(p_values, default=None),
        statistics.median(p_values) if p_values else None,
    )


def _models(books: _Books) -> Iterator[str]:
    """Versions are numbered without a gap, told of once, and their artefacts are on the disk."""
    told = sorted(e.key for e in books.events if e.kind == Event.Kind.MODEL_LEARNT)
    if told != sorted(str(model.id) for model in books.models):
        yield "the events of learning are not those of the models"
    for infant in books.infants:
        numbers = [model.number for model in books.models if model.infant_id == infant.id]
        if sorted(numbers) != list(range(1, len(numbers) + 1)):
            yield f"{infant.id} has the versions {numbers}"
    for model in books.models:
        path = Path(books.storage / model.artefact)
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != model.sha256:
            yield f"model {model.id} has no artefact, or another one"


CHECKS = (_audio, _leases, _judged, _baseline, _sessions, _gaps, _rollups, _models)
