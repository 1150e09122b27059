"""Which device serves whom, when; and what was held until somebody was served."""

import datetime as dt

import pytest
from django.utils import timezone

from infants.assignments import assign_device, take_up_held
from infants.errors import AssignmentOrderError
from infants.models import Recording
from infants.selectors import infant_served
from infants.signals import recording_received
from infants.states import Reason, State
from tests.builders import START, a_device, a_recording, an_infant
from tests.uploads import send

DAY = dt.timedelta(days=1)

pytestmark = pytest.mark.django_db


def test_a_first_assignment_reaches_back_without_limit() -> None:
    device, infant = a_device(), an_infant()
    assert infant_served(device, START) is None
    assign_device(device, infant)
    assert infant_served(device, dt.datetime(1999, 1, 1, tzinfo=dt.UTC)) == infant


def test_a_later_assignment_begins_now_and_history_is_kept() -> None:
    first, second = an_infant(), an_infant()
    device = a_device(first)
    before = timezone.now()
    assignment = assign_device(device, second)
    assert before <= assignment.starts_at <= timezone.now()
    assert infant_served(device, before - DAY) == first
    assert infant_served(device, assignment.starts_at) == second
    assert infant_served(device, assignment.starts_at - dt.timedelta(microseconds=1)) == first
    assert infant_served(device, timezone.now() + DAY) == second


def test_an_assignment_may_begin_in_the_past_but_not_before_the_present_one() -> None:
    first, second, third = an_infant(), an_infant(), an_infant()
    device = a_device(first)
    assign_device(device, second, since=START)
    assert infant_served(device, START - DAY) == first
    assert infant_served(device, START) == second
    for since in (START, START - DAY):
        with pytest.raises(AssignmentOrderError) as refused:
            assign_device(device, third, since=since)
        assert refused.value.present_since == START
    assert infant_served(device, START) == second


def test_what_was_uploaded_before_is_held_and_then_taken_up() -> None:
    device = a_device()
    assert send(device, b"held").json()["state"] == "held"  # type: ignore[attr-defined]
    told: list[Recording] = []

    def hear(recording: Recording, **_signal: object) -> None:
        told.append(recording)

    recording_received.connect(hear)
    try:
        assign_device(device, infant := an_infant())
    finally:
        recording_received.disconnect(hear)
    row = Recording.objects.get()
    assert (row.state, row.reason, row.infant) == (State.RECEIVED, Reason.NONE, infant)
    assert [recording.id for recording in told] == [row.id]


def test_what_the_new_assignment_does_not_cover_stays_held() -> None:
    device, infant = a_device(), an_infant()
    early = a_recording(None, START - DAY, device, state=State.HELD, reason=Reason.NO_INFANT)
    late = a_recording(None, START + DAY, device, state=State.HELD, reason=Reason.NO_INFANT)
    assign_device(device, infant, since=START)
    early.refresh_from_db()
    late.refresh_from_db()
    assert (early.state, early.infant) == (State.HELD, None)
    assert (late.state, late.infant) == (State.RECEIVED, infant)


def test_each_held_recording_goes_to_whom_the_device_served_then() -> None:
    first, second = an_infant(), an_infant()
    device = a_device(first)
    assign_device(device, second, since=START)
    rows = [
        a_recording(None, START + days * DAY, device, state=State.HELD, reason=Reason.NO_INFANT)
        for days in (-1, 1)
    ]
    assert take_up_held(device) == 2
    infants = [Recording.objects.get(id=row.id).infant for row in rows]
    assert infants == [first, second]
    assert take_up_held(device) == 0


def test_another_devices_held_recordings_stay_held() -> None:
    other = a_recording(None, device=a_device(), state=State.HELD, reason=Reason.NO_INFANT)
    assign_device(a_device(), an_infant())
    assert Recording.objects.get(id=other.id).state == State.HELD
