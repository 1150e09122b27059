"""Infants with bouts of crying that can be put before readers, for tests."""

import datetime as dt

from anomaly.models import ReadingTask, SessionJudgement
from anomaly.reading_tasks import ReadingPlan, begin_reading
from infants.access import Viewer
from infants.models import Infant, Membership, User
from tests.builders import (
    START,
    a_decision,
    a_device,
    a_member,
    a_model,
    a_recording,
    a_session,
    a_user,
    an_infant,
)

DAY = dt.timedelta(days=1)
CLINICIAN = Membership.Role.CLINICIAN
PER_INFANT = 4


def a_studied_infant(
    name: str = "Ada", p_values: tuple[float, ...] = (0.01, 0.5, 0.02, 0.9)
) -> Infant:
    """Return an infant with a judged bout of crying on each day, one recording in each."""
    infant = an_infant(name=name)
    device, model = a_device(infant), a_model(infant)
    for day, p_value in enumerate(p_values):
        when = START + day * DAY
        session = a_session(infant, when)
        recording = a_recording(infant, when, device, session=session, audio=f"{name}-{day}.wav")
        a_decision(recording)
        SessionJudgement.objects.create(
            session=session,
            infant=infant,
            started_at=when,
            model=model,
            statistic=1.0,
            p_value=p_value,
            n_recordings=1,
        )
    return infant


def a_clinician(*infants: Infant, **given: object) -> User:
    """Return a clinician of these infants."""
    user = a_user(**given)
    for infant in infants:
        a_member(infant, CLINICIAN, user=user)
    return user


def a_plan(infants: list[Infant], readers: list[User], **given: object) -> ReadingPlan:
    """Return a plan to read everything there is of these infants."""
    described: dict[str, object] = {
        "name": "Two readers",
        "unit": ReadingTask.Unit.SESSION,
        "infants": [infant.id for infant in infants],
        "start": START - DAY,
        "end": START + 30 * DAY,
        "readers": readers,
        "per_infant": PER_INFANT,
        "seed": 7,
    }
    return ReadingPlan(**(described | given))  # type: ignore[arg-type]


def a_task(owner: User, infants: list[Infant], readers: list[User], **given: object) -> ReadingTask:
    """Return a task that an owner made."""
    return begin_reading(Viewer(user=owner), a_plan(infants, readers, **given))
