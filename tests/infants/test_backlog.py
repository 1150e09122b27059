"""The backlog: what waits, what is in hand, what was set aside, and who may know."""

import datetime as dt

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from infants.access import Viewer
from infants.backlog import Backlog, backlog
from infants.models import Recording
from infants.states import ON_THE_WAY, Reason, State
from tests.builders import START, a_device, a_member, a_recording, an_infant

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)


def _seen(viewer: Viewer | None = None) -> Backlog:
    return backlog(viewer or Viewer.system(), NOW)


def _ago(**age: float) -> dt.datetime:
    return NOW - dt.timedelta(**age)


def test_nothing_is_nothing() -> None:
    seen = _seen()
    assert [step.state for step in seen.steps] == list(ON_THE_WAY)
    assert (seen.n_waiting, seen.oldest_s, seen.n_dead, seen.dead) == (0, None, 0, ())
    assert seen.last_end_at is None


def test_what_waits_is_counted_by_state_with_its_age() -> None:
    infant = an_infant()
    a_recording(infant, state=State.RECEIVED, state_changed_at=_ago(minutes=5))
    a_recording(infant, state=State.RECEIVED, state_changed_at=_ago(minutes=1), attempts=2)
    in_hand = {"lease_owner": "somebody", "lease_until": NOW + dt.timedelta(minutes=1)}
    a_recording(infant, state=State.SCORED, state_changed_at=_ago(minutes=9), **in_hand)
    a_recording(None, state=State.HELD, reason=Reason.NO_INFANT)
    a_recording(infant, state_changed_at=_ago(hours=2))
    a_recording(infant, state=State.REJECTED, reason=Reason.SILENT, state_changed_at=_ago(hours=1))
    seen = _seen()
    by_state = {step.state: step for step in seen.steps}
    received, scored = by_state[State.RECEIVED], by_state[State.SCORED]
    assert (received.waiting, received.leased, received.retried) == (2, 0, 1)
    assert received.oldest_s == 300
    assert (scored.waiting, scored.leased, scored.oldest_s) == (1, 1, 540)
    assert (seen.n_waiting, seen.oldest_s, seen.held) == (3, 540, 1)
    assert (seen.done, seen.rejected, seen.last_end_at) == (1, 1, _ago(hours=1))


def test_a_lease_that_ran_out_is_in_nobodys_hand() -> None:
    a_recording(an_infant(), state=State.GATED, lease_owner="gone", lease_until=_ago(seconds=1))
    assert {step.leased for step in _seen().steps} == {0}


def test_dead_letters_say_why_newest_first() -> None:
    infant, device = an_infant(), a_device(name="Nursery monitor")
    for minutes, reason in ((9, Reason.GAVE_UP), (2, Reason.AUDIO_MISSING), (4, Reason.GAVE_UP)):
        a_recording(
            infant,
            START + dt.timedelta(minutes=minutes),
            device,
            state=State.FAILED,
            reason=reason,
            detail="5 tries",
            state_changed_at=_ago(minutes=minutes),
        )
    seen = _seen()
    assert seen.dead_by_reason == {Reason.GAVE_UP: 2, Reason.AUDIO_MISSING: 1}
    assert seen.n_dead == 3
    assert [letter.failed_at for letter in seen.dead] == [_ago(minutes=m) for m in (2, 4, 9)]
    assert (seen.dead[0].detail, seen.dead[0].device) == ("5 tries", "Nursery monitor")


def test_it_costs_the_same_whatever_its_length(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    infant = an_infant()
    for state in (*ON_THE_WAY, State.FAILED, State.FAILED):
        a_recording(infant, state=state)
    with django_assert_num_queries(3):
        _seen()


def test_a_person_sees_what_is_hers() -> None:
    mine, foreign = an_infant(), an_infant()
    for infant in (mine, foreign, foreign):
        a_recording(infant, state=State.RECEIVED, state_changed_at=timezone.now())
    assert _seen(Viewer(user=a_member(mine))).n_waiting == 1
    assert _seen().n_waiting == Recording.objects.count() == 3
