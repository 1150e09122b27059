"""Learn: accepted cries enter the replay buffer, from which the personal model is refitted.

What comes in: recordings in state `scored`. What goes out: a `BaselineEntry` for each accepted
one and, at most once on each of the infant's days, a new `PersonalModel`. Guaranteed: a refused
recording changes no baseline and no model; a recording's own session is never part of the version
that is learnt at it, and later versions learn only what has settled for some days and what no shift
holds back; the buffer stays within its bound.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db import transaction

from anomaly.artefacts import keep_artefact
from anomaly.models import BaselineEntry, Event, PersonalModel
from anomaly.selectors.baseline import (
    baseline_arrays,
    baseline_before,
    devices_of,
    newest_model,
)
from anomaly.selectors.learning import learnable
from infants.leases import Lease, leased
from infants.locks import infant_locked
from infants.models import Infant, Recording, RecordingSession
from infants.states import State
from pipelines.acoustics import usual_ranges
from pipelines.learn import choose_buffer
from pipelines.score import Learning
from pipelines.score import PersonalModel as Fitted

KEPT_VERSIONS = 30
"""So many newest versions stay even where nothing refers to them, to be rolled back to."""


@dataclass(frozen=True)
class Fit:
    """A version that was fitted but is not in force yet."""

    fitted: Fitted
    encoder: str
    recordings: tuple[Recording, ...]
    learnt_in: RecordingSession


def learn_baselines(ids: Sequence[UUID]) -> None:
    """Learn from those of the recordings that wait for it; commits one by one, idempotent."""
    with leased(ids, State.SCORED) as lease:
        for recording in lease.begun():
            _learn_one(lease, recording)


def _learn_one(lease: Lease, recording: Recording) -> None:
    if not recording.gate_decision.may_learn:
        with transaction.atomic():
            lease.advance(recording, State.LEARNT)
        return
    fit = _fit_if_due(recording)
    with infant_locked(recording.subject.id) as infant:
        admit(infant, recording)
        if fit is not None and _is_due(infant, recording, fit.encoder):
            _put_in_force(infant, recording, fit)
        lease.advance(recording, State.LEARNT)


def _is_due(infant: Infant, recording: Recording, encoder: str) -> bool:
    """Tell whether the infant's day has no version yet; the past gets none after the fact."""
    newest = newest_model(infant.id, encoder)
    return newest is None or newest.learnt_on < infant.local_day(recording.recorded_at)


def _fit_if_due(recording: Recording) -> Fit | None:
    """Fit on the sessions that ended before this one; seconds long, so outside any transaction."""
    infant, session = recording.subject, recording.session
    encoder = recording.judgement.encoder
    if session is None or not _is_due(infant, recording, encoder):
        return None
    heard = _heard_before(infant, session, encoder)
    if not heard or _knows_all(newest_model(infant.id, encoder), heard):
        return None
    arrays = baseline_arrays(infant, heard)
    fitted = Fitted.fit(arrays, encoder, seed=infant.id.int % 2**31)
    return None if isinstance(fitted, Learning) else Fit(fitted, encoder, tuple(heard), session)


def _heard_before(infant: Infant, session: RecordingSession, encoder: str) -> list[Recording]:
    """Return what a version learnt now may know: of sessions that ended, what is ripe.

    A model that learnt yesterday's cries would take a persistent shift for usual within a day. So
    only the first nine days are learnt at once, and later ones when they have settled.
    """
    entries = baseline_before(infant, session.started_at, encoder)
    return [entry.recording for entry in learnable(infant, entries, session.started_at)]


def _knows_all(newest: PersonalModel | None, heard: Sequence[Recording]) -> bool:
    """Tell whether the newest version was fitted on just these recordings."""
    return newest is not None and newest.facts.get("recordings") == _names(heard)


def _names(recordings: Sequence[Recording]) -> list[str]:
    return [str(recording.id) for recording in recordings]


def admit(infant: Infant, recording: Recording) -> None:
    """Put a recording into the replay buffer, and thin the buffer where it is over its bound."""
    BaselineEntry.objects.update_or_create(
        recording=recording,
        defaults={
            "infant": infant,
            "recorded_at": recording.recorded_at,
            "withdrawn_at": None,
        },
    )
    entries = list(
        BaselineEntry.objects.filter(infant=infant, withdrawn_at=None).order_by("recorded_at")
    )
    if len(entries) > settings.ICLAS_BUFFER_RECORDINGS:
        times = [entry.recorded_at.timestamp() for entry in entries]
        kept = {int(i) for i in choose_buffer(times, settings.ICLAS_BUFFER_RECORDINGS)}
        dropped = [entry.pk for index, entry in enumerate(entries) if index not in kept]
        BaselineEntry.objects.filter(pk__in=dropped).delete()


def _put_in_force(infant: Infant, recording: Recording, fit: Fit) -> None:
    newest = infant.personal_models.order_by("-number").first()
    artefact, sha256 = keep_artefact(fit.fitted, infant.id)
    facts = fit.fitted.facts
    model = PersonalModel.objects.create(
        infant=infant,
        number=newest.number + 1 if newest else 1,
        parent=newest_model(infant.id, fit.encoder),
        encoder=fit.encoder,
        learnt_on=infant.local_day(recording.recorded_at),
        learnt_until=max(heard.session.ended_at for heard in fit.recordings if heard.session),
        in_force_after=fit.learnt_in.started_at,
        artefact=artefact,
        sha256=sha256,
        n_units=facts["n_units"],
        n_recordings=facts["n_recordings"],
        n_sessions=facts["n_sessions"],
        n_days=facts["n_days"],
        facts=dict(facts)
        | {
            "recordings": _names(fit.recordings),
            "devices": devices_of(fit.recordings),
            "usual": usual_ranges(recording.channels for recording in fit.recordings),
        },
    )
    Event.objects.create(
        infant=infant,
        kind=Event.Kind.MODEL_LEARNT,
        key=str(model.id),
        occurred_at=recording.recorded_at,
        facts={"number": model.number, "n_sessions": model.n_sessions},
    )
    _prune(infant)


def _prune(infant: Infant) -> None:
    """Delete old versions that no score refers to; their artefacts stay until swept."""
    newest = infant.personal_models.order_by("-number").values("id")[:KEPT_VERSIONS]
    infant.personal_models.exclude(id__in=list(newest.values_list("id", flat=True))).filter(
        judgements=None, session_judgements=None
    ).delete()
