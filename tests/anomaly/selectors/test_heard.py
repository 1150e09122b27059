"""Leafing through recordings: which there are, and what lies around one."""

import datetime as dt

import pytest

from anomaly.models import BaselineEntry
from anomaly.selectors.heard import (
    Fate,
    crying_sessions,
    heard_cries,
    heard_recordings,
    learnt_recordings,
    neighbours,
    session_mates,
)
from infants.access import Viewer
from infants.models import Infant
from tests.builders import (
    START,
    a_decision,
    a_member,
    a_model,
    a_recording,
    a_session,
    an_infant,
)
from tests.dashboard.rows import a_heard_infant, a_judged

HOUR, MINUTE = dt.timedelta(hours=1), dt.timedelta(minutes=1)
SYSTEM = Viewer.system()

pytestmark = pytest.mark.django_db


@pytest.fixture
def infant() -> Infant:
    return a_heard_infant()


def test_each_fate_has_its_recordings(infant: Infant) -> None:
    usual = a_judged(infant, START, 0.4)
    odd = a_judged(infant, START + HOUR, 0.05)
    refused = a_judged(infant, START + 2 * HOUR, 0.3, accepted=False)
    hum = a_recording(infant, START + 3 * HOUR)
    a_decision(hum, is_cry=False, accepted=False)
    BaselineEntry.objects.create(recording=odd, infant=infant, recorded_at=odd.recorded_at)
    a_model(infant, 2, facts={"recordings": [str(usual.id)]})
    assert list(heard_recordings(SYSTEM, infant)) == [hum, refused, odd, usual]
    assert list(heard_cries(SYSTEM, infant)) == [refused, odd, usual]
    assert list(heard_recordings(SYSTEM, infant, Fate.UNUSUAL)) == [odd]
    assert list(heard_recordings(SYSTEM, infant, Fate.REFUSED)) == [refused]
    assert list(heard_recordings(SYSTEM, infant, Fate.LEARNT)) == [usual]


def test_a_reviewers_word_is_what_counts(infant: Infant) -> None:
    taken, dropped = a_judged(infant, START, accepted=False), a_judged(infant, START + HOUR)
    for recording, word in ((taken, True), (dropped, False)):
        recording.gate_decision.review = word
        recording.gate_decision.save()
    assert list(heard_recordings(SYSTEM, infant, Fate.REFUSED)) == [dropped]


def test_learnt_is_what_the_newest_version_in_force_rests_on(infant: Infant) -> None:
    first, second = a_judged(infant, START), a_judged(infant, START + HOUR)
    assert learnt_recordings(SYSTEM, infant) == frozenset()
    a_model(infant, 1, facts={"recordings": [str(first.id)]})
    a_model(infant, 2, facts={"recordings": [str(second.id)]}, withdrawn_at=START)
    assert learnt_recordings(SYSTEM, infant) == {first.id}
    stranger = Viewer(user=a_member(an_infant()))
    assert learnt_recordings(stranger, infant) == frozenset()


def test_bouts_that_reach_into_a_stretch_belong_to_it(infant: Infant) -> None:
    reaching, inside, outside = (
        a_session(infant, START + shift) for shift in (-3 * MINUTE, HOUR, -HOUR)
    )
    for session in (reaching, inside, outside):
        a_decision(a_recording(infant, session.started_at, session=session))
    hum = a_session(infant, START + 2 * HOUR)
    a_decision(a_recording(infant, hum.started_at, session=hum), is_cry=False, accepted=False)
    found = crying_sessions(SYSTEM, infant, START, START + 5 * HOUR)
    assert list(found) == [reaching, inside]


def test_recordings_of_the_same_moment_are_neighbours(infant: Infant) -> None:
    first, second, third = (a_recording(infant, START) for _ in range(3))
    a_recording(an_infant(), START)
    first, second, third = sorted((first, second, third), key=lambda one: one.id)
    assert neighbours(SYSTEM, second) == (first, third)
    assert neighbours(SYSTEM, first) == (None, second)
    assert neighbours(SYSTEM, third) == (second, None)


def test_a_bout_holds_its_recordings_in_order(infant: Infant) -> None:
    session = a_session(infant)
    late = a_recording(infant, START + MINUTE, session=session)
    early = a_recording(infant, START, session=session)
    alone = a_recording(infant, START)
    assert session_mates(SYSTEM, late) == [early, late]
    assert session_mates(SYSTEM, alone) == [alone]


def test_a_stranger_sees_none_of_it(infant: Infant) -> None:
    recording = a_judged(infant, START, 0.4)
    stranger = Viewer(user=a_member(an_infant()))
    assert not heard_recordings(stranger, infant).exists()
    assert not crying_sessions(stranger, infant, START - HOUR, START + HOUR).exists()
    assert neighbours(stranger, recording) == (None, None)
    assert session_mates(stranger, recording) == []
