"""What is known of every infant at a glance: only what the viewer may see, at a fixed price."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from anomaly.models import BaselineEntry
from anomaly.selectors.overview import MINIMUM_DAYS, overviews
from infants.access import Viewer
from infants.models import Infant, Membership
from infants.states import State
from pipelines.score import Learning
from tests.builders import (
    START,
    a_decision,
    a_judgement,
    a_member,
    a_model,
    a_point,
    a_recording,
    a_rollup,
    a_session,
    a_user,
    an_episode,
    an_infant,
)

NOW = START + dt.timedelta(days=5)
DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)
SYSTEM = Viewer.system()

pytestmark = pytest.mark.django_db


def _learning_infant(n_days: int = 2) -> Infant:
    infant = an_infant()
    for n in range(n_days):
        when = NOW - n * DAY - HOUR
        recording = a_recording(infant, when, session=a_session(infant, when))
        a_decision(recording)
        a_judgement(recording)
        a_point(recording)
        BaselineEntry.objects.create(recording=recording, infant=infant, recorded_at=when)
    return infant


def _queries(viewer: Viewer) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert overviews(viewer, NOW)
    return len(captured)


def test_only_what_the_viewer_may_see() -> None:
    own, seen, _ = an_infant(), an_infant(), an_infant()
    user = a_member(own)
    a_member(seen, Membership.Role.RESEARCHER, user=user)
    found = {one.infant: one.is_identified for one in overviews(Viewer(user=user), NOW)}
    assert found == {own: True, seen: False}
    assert overviews(Viewer(user=a_user()), NOW) == []
    assert overviews(Viewer(), NOW) == []


def test_one_of_them_alone_only_where_it_may_be_seen() -> None:
    own, other = an_infant(), an_infant()
    viewer = Viewer(user=a_member(own))
    assert [one.infant for one in overviews(viewer, NOW, only=own.id)] == [own]
    assert overviews(viewer, NOW, only=other.id) == []


def test_the_last_cry_is_the_newest_that_is_one() -> None:
    infant = _learning_infant()
    a_decision(a_recording(infant, NOW), is_cry=False, accepted=False)
    [found] = overviews(SYSTEM, NOW)
    assert (found.last_cry_at, found.last_recorded_at) == (NOW - HOUR, NOW)


def test_learning_counts_what_was_admitted_until_there_is_a_model() -> None:
    infant = _learning_infant(3)
    BaselineEntry.objects.filter(recorded_at=NOW - HOUR).update(withdrawn_at=NOW)
    assert overviews(SYSTEM, NOW)[0].learning == Learning(2, MINIMUM_DAYS)
    other = a_model(infant, 1, encoder="another")
    assert overviews(SYSTEM, NOW)[0].learning is not None
    other.delete()
    a_model(infant, 2)
    assert overviews(SYSTEM, NOW)[0].learning is None


def test_a_session_that_is_still_running_is_not_counted() -> None:
    _learning_infant(2)
    assert overviews(SYSTEM, NOW - HOUR)[0].learning == Learning(1, MINIMUM_DAYS)


def test_episodes_are_open_or_of_today() -> None:
    infant = an_infant()
    ended = {"closed_at": NOW, "close_reason": "back_to_usual"}
    still = an_episode(infant, NOW - 20 * DAY)
    fresh = an_episode(infant, NOW - HOUR, **ended)
    an_episode(infant, NOW - 2 * DAY, **ended)
    assert overviews(SYSTEM, NOW)[0].episodes == [fresh, still]


def test_what_waits_and_what_failed_of_late() -> None:
    infant = an_infant()
    for state in (State.RECEIVED, State.ON_TIMELINE, State.DONE, State.REJECTED):
        a_recording(infant, state=state)
    a_recording(infant, state=State.FAILED, state_changed_at=NOW - HOUR)
    a_recording(infant, state=State.FAILED, state_changed_at=NOW - 2 * DAY)
    [found] = overviews(SYSTEM, NOW)
    assert (found.waiting, found.failed) == (2, 1)


def test_twenty_infants_cost_as_many_queries_as_two() -> None:
    costs = []
    for n_infants in (2, 18):
        for _ in range(n_infants):
            infant = _learning_infant()
            an_episode(infant, NOW - DAY)
            a_rollup(infant, NOW.date(), 0.5)
        costs.append(_queries(SYSTEM))
    assert costs[0] == costs[1] <= 8
