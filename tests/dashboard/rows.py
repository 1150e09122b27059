"""Infants as a page finds them, in one call each."""

import datetime as dt

from anomaly.models import Episode, PersonalModel, SessionJudgement
from anomaly.selectors.overview import Overview, overviews
from infants.access import Viewer
from infants.models import Infant, Recording
from tests.builders import (
    a_decision,
    a_device,
    a_judgement,
    a_model,
    a_point,
    a_recording,
    a_rollup,
    a_session,
    an_episode,
    an_infant,
)

NOW = dt.datetime(2026, 3, 20, 2, 14, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)


def a_heard_infant(last_seen: dt.timedelta = 3 * MINUTE, **given: object) -> Infant:
    """Return an infant with a monitor that was heard from so long ago."""
    infant = an_infant(**given)
    a_device(infant, last_seen_at=NOW - last_seen)
    return infant


def a_judged(
    infant: Infant,
    when: dt.datetime,
    p_value: float | None = None,
    model: PersonalModel | None = None,
    *,
    accepted: bool = True,
) -> Recording:
    """Return a recording with decision, judgement and point: scored where a p-value is given."""
    serving = infant.assignments.earliest("id")
    recording = a_recording(infant, when, serving.device, session=a_session(infant, when))
    a_decision(recording, accepted=accepted)
    if p_value is None:
        a_judgement(recording)
        a_point(recording, gate_accepted=accepted)
        return recording
    used = model or infant.personal_models.first() or a_model(infant)
    judgement = a_judgement(recording, used)
    judgement.p_value = p_value
    judgement.save(update_fields=["p_value"])
    a_point(recording, used, p_value, gate_accepted=accepted)
    return recording


def a_judged_session(recording: Recording, p_value: float) -> SessionJudgement:
    """Return the judgement of a scored recording's session."""
    session = recording.session
    assert session is not None
    return SessionJudgement.objects.create(
        session=session,
        infant=session.infant,
        started_at=session.started_at,
        model=recording.judgement.model,
        statistic=1.0,
        p_value=p_value,
        n_recordings=1,
    )


def a_usual_infant(**given: object) -> Infant:
    """Return an infant that cried as usual twelve minutes ago."""
    infant = a_heard_infant(**given)
    recording = a_judged(infant, NOW - 12 * MINUTE, 0.4)
    a_judged_session(recording, 0.4)
    a_rollup(infant, NOW.date(), 0.4)
    return infant


def a_shift(infant: Infant, since: dt.datetime = NOW - 10 * DAY, **given: object) -> Episode:
    """Return a persistent shift, open unless said otherwise."""
    kind = Episode.Kind.PERSISTENT_SHIFT
    return an_episode(infant, since, kind=kind, **({"last_at": NOW - HOUR} | given))


def seen(infant: Infant, now: dt.datetime = NOW) -> Overview:
    """Return what is known of an infant."""
    [found] = overviews(Viewer.system(), now, only=infant.id)
    return found
