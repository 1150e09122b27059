"""Timeline: the per-infant time series, per recording, per session and per day.

What comes in: recordings in state `learnt`. What goes out: their points in the series, the
judgement of their session so far, where it lies in the watched views, and their day's rollup.
Guaranteed: writing twice leaves the same rows; every point names the versions of model, encoder
and gate that made it; sessions and days are recomputed from the rows, so that late recordings are
nothing special; what a person said is not the infant's crying is on no timeline and in no session.
"""

import datetime as dt
import statistics
from collections.abc import Iterator, Sequence
from uuid import UUID

import numpy as np
from django.db.models import Count, F, Q, QuerySet, Sum

from anomaly.artefacts import fitted_model
from anomaly.models import (
    DailyChannels,
    DailyRollup,
    GateDecision,
    PersonalModel,
    RecordingJudgement,
    ScorePoint,
    SessionJudgement,
    SessionSummary,
)
from anomaly.models.judgement import Outcome
from anomaly.selectors.baseline import as_judged, device_number
from infants.leases import Lease, leased
from infants.locks import infant_locked
from infants.models import Cry, Infant, Recording, RecordingSession
from infants.states import State
from pipelines.acoustics import three_quantiles, values_by_channel
from pipelines.baseline import views_of
from pipelines.build import build
from pipelines.pooled import UNKNOWN_DEVICE
from pipelines.prior import bundled_priors
from pipelines.score import RecordingScore
from pipelines.timetable import WATCHED, summarise

THERE = (State.ON_TIMELINE, State.DONE)
IS_COUNTED = Q(recording__gate_decision__answer__in=GateDecision.COUNTED)


def write_timeline(ids: Sequence[UUID]) -> None:
    """Put those of the recordings that wait for it on the timeline; commits one by one."""
    with leased(ids, State.LEARNT) as lease:
        for recording in lease.begun():
            _write_one(lease, recording)


def _write_one(lease: Lease, recording: Recording) -> None:
    with infant_locked(recording.subject.id) as infant:
        _write_points(infant, recording)
        if recording.session is not None:
            judge_session(recording.session)
        roll_up(infant, infant.local_day(recording.recorded_at))
        lease.advance(recording, State.ON_TIMELINE)


def recount(infant: Infant, recordings: Sequence[Recording]) -> None:
    """Bring the series, sessions and days in line with whether these recordings count.

    Call it under the infant's lock; what is still on its way comes onto the timeline by itself.
    """
    there = [recording for recording in recordings if recording.state in THERE]
    for recording in there:
        _write_points(infant, recording)
    for session in {one.session_id: one.session for one in recordings if one.session}.values():
        judge_session(session)
    for day in {infant.local_day(recording.recorded_at) for recording in there}:
        roll_up(infant, day)


def _write_points(infant: Infant, recording: Recording) -> None:
    ScorePoint.objects.filter(infant=infant, recording=recording).delete()
    ScorePoint.objects.bulk_create(points_of(recording))


def points_of(recording: Recording) -> Iterator[ScorePoint]:
    """Yield a point for each scorer, or the one that says the baseline is still being learnt.

    There is none where somebody said that it is not the infant's crying.
    """
    if not recording.gate_decision.is_counted:
        return
    judgement = recording.judgement
    combined = ScorePoint.Scorer.COMBINED
    yield _point(recording, combined, judgement.statistic, judgement.p_value)
    for scorer, score in judgement.scores.items():
        yield _point(recording, ScorePoint.Scorer(scorer), score, judgement.p_values[scorer])


def _point(
    recording: Recording, scorer: ScorePoint.Scorer, score: float | None, p_value: float | None
) -> ScorePoint:
    judgement, decision = recording.judgement, recording.gate_decision
    return ScorePoint(
        infant=recording.subject,
        time=recording.recorded_at,
        recording=recording,
        scorer=scorer,
        outcome=judgement.outcome,
        score=score,
        p_value=p_value,
        baseline_days=judgement.baseline_days,
        baseline_days_needed=judgement.baseline_days_needed,
        model_id=judgement.model_id,
        encoder=judgement.encoder,
        gate_version=decision.gate_version,
        gate_accepted=decision.accepted,
    )


def judge_session(session: RecordingSession) -> None:
    """Recompute a session's judgement from its recordings that its newest version scored.

    Where it lies in the watched views is recomputed with it, scored or not.
    """
    summarise_session(session)
    scored = RecordingJudgement.objects.filter(
        IS_COUNTED, recording__session=session, outcome=Outcome.SCORED
    ).select_related("model")
    newest = scored.order_by("-model__number").first()
    if newest is None or newest.model is None:
        SessionJudgement.objects.filter(session=session).delete()
        return
    judged = [score_in(row) for row in scored_by(session, newest.model)]
    verdict = fitted_model(newest.model).score_session(judged)
    SessionJudgement.objects.update_or_create(
        session=session,
        defaults={
            "infant_id": session.infant_id,
            "started_at": session.started_at,
            "model": newest.model,
            "statistic": verdict.statistic,
            "p_value": verdict.p_value,
            "p_values": verdict.p_values,
            "room_p_value": verdict.room_p_value,
            "n_recordings": verdict.n_recordings,
            "build": build(),
        },
    )


def summarise_session(session: RecordingSession) -> None:
    """Recompute where a session lies in the watched views, from its recordings with a cry."""
    judged = RecordingJudgement.objects.filter(IS_COUNTED, recording__session=session)
    rows = judged.select_related("recording__gate_decision")
    recordings = [row.recording for row in rows.order_by("recording__recorded_at", "recording")]
    if not recordings:
        SessionSummary.objects.filter(session=session).delete()
        return
    priors = bundled_priors("")
    unit = np.zeros((1, 0), dtype=np.float32)  # embeddings are no part of a summary
    views = views_of([as_judged(recording, unit) for recording in recordings])
    found = summarise(views, priors.views)
    age_days = float(views.age_days[0])
    known = np.flatnonzero(found.counts)
    SessionSummary.objects.update_or_create(
        session=session,
        defaults={
            "infant_id": session.infant_id,
            "levels": {WATCHED[at]: float(found.levels[at]) for at in known},
            "counts": {WATCHED[at]: int(found.counts[at]) for at in known},
            "room": found.room.tolist() if np.isfinite(found.room).all() else None,
            "device_id": recordings[0].device_id,
            "age_days": None if np.isnan(age_days) else age_days,
            "n_recordings": len(recordings),
            "prior": priors.version,
        },
    )


def scored_by(session: RecordingSession, model: PersonalModel) -> QuerySet[RecordingJudgement]:
    """Return the judgements of a session by one version, in the order of recording."""
    judged = RecordingJudgement.objects.filter(
        IS_COUNTED, recording__session=session, outcome=Outcome.SCORED, model=model
    )
    ordered = judged.select_related("recording", "model")
    return ordered.order_by("recording__recorded_at", "recording")


def score_in(row: RecordingJudgement) -> RecordingScore:
    """Return the numbers of a scored row."""
    if row.statistic is None or row.p_value is None:
        message = f"recording {row.recording_id} has no score"
        raise ValueError(message)
    return RecordingScore(
        row.scores,
        row.p_values,
        row.statistic,
        row.p_value,
        row.room_score,
        row.room_p_value,
        UNKNOWN_DEVICE if row.model is None else device_number(row.model, row.recording),
    )


def roll_up(infant: Infant, day: dt.date) -> None:
    """Recompute one of the infant's days from its rows."""
    start = dt.datetime.combine(day, dt.time(), infant.zone)
    end = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), infant.zone)
    judged = RecordingJudgement.objects.filter(
        IS_COUNTED, infant=infant, recording__recorded_at__gte=start, recording__recorded_at__lt=end
    )
    if not judged.exists():
        DailyRollup.objects.filter(infant=infant, day=day).delete()
        return
    counts = judged.aggregate(
        n_recordings=Count("recording"),
        n_accepted=Count("recording", filter=Q(recording__gate_decision__accepted=True)),
    )
    heard = Cry.objects.filter(recording__judgement__in=judged).aggregate(
        n_cries=Count("id"), cry_s=Sum(F("offset_s") - F("onset_s"), default=0.0)
    )
    scored = judged.filter(outcome=Outcome.SCORED).values_list("p_value", flat=True)
    p_values = [p_value for p_value in scored if p_value is not None]
    DailyRollup.objects.update_or_create(
        infant=infant,
        day=day,
        defaults={
            **counts,
            **heard,
            "n_scored": len(p_values),
            "p_value_min": min(p_values, default=None),
            "p_value_median": statistics.median(p_values) if p_values else None,
        },
    )
    roll_up_channels(infant, day, judged)


def roll_up_channels(infant: Infant, day: dt.date, judged: QuerySet[RecordingJudgement]) -> None:
    """Recompute the channels of one of the infant's days from its judged recordings."""
    told = judged.values_list("recording__channels", flat=True)
    quantiles = {name: three_quantiles(own) for name, own in values_by_channel(told).items()}
    DailyChannels.objects.update_or_create(
        infant=infant, day=day, defaults={"quantiles": quantiles}
    )
