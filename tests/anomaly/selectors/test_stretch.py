"""Everything of a stretch of one infant's time, and nothing else."""

import datetime as dt

import pytest

from anomaly.selectors import stretch
from anomaly.selectors.stretch import stretch_of
from infants.access import Viewer
from infants.assignments import assign_device
from infants.models import DiaryEntry, Infant
from infants.states import Reason, State
from tests.builders import (
    START,
    a_decision,
    a_device,
    a_judgement,
    a_member,
    a_model,
    a_recording,
    a_user,
    an_episode,
    an_infant,
)

END = START + dt.timedelta(days=7)
DAY = dt.timedelta(days=1)
SYSTEM = Viewer.system()

pytestmark = pytest.mark.django_db


@pytest.fixture
def infant() -> Infant:
    return an_infant()


def _judged(infant: Infant, when: dt.datetime) -> None:
    recording = a_recording(infant, when)
    a_decision(recording)
    a_judgement(recording)


def test_it_holds_what_lies_in_it_in_order(infant: Infant) -> None:
    for days in (-1, 3, 0, 7, 8):
        _judged(infant, START + days * DAY)
    found = stretch_of(SYSTEM, infant, START, END)
    assert [one.recorded_at for one in found.judged] == [START + n * DAY for n in (0, 3, 7)]
    assert found.n_judged == 3
    assert found.newest[0].recorded_at == START + 8 * DAY


def test_it_holds_what_reaches_into_it(infant: Infant) -> None:
    before = START - 3 * DAY
    ended = {"close_reason": "back_to_usual"}
    an_episode(infant, before, closed_at=START - DAY, **ended)
    reaching = an_episode(infant, before + DAY, closed_at=START + DAY, **ended)
    still = an_episode(infant, before + 2 * DAY)
    fever = DiaryEntry.objects.create(
        infant=infant, kind="illness", starts_at=before, ends_at=START + DAY
    )
    DiaryEntry.objects.create(infant=infant, kind="note", starts_at=before)
    found = stretch_of(SYSTEM, infant, START, END)
    assert found.episodes == [reaching, still]
    assert found.diary == [fever]


def test_versions_in_force_and_changes_of_the_monitor(infant: Infant) -> None:
    kept = a_model(infant, 1)
    a_model(infant, 2, withdrawn_at=END, learnt_on=END.date())
    device = a_device(an_infant())
    change = assign_device(device, infant, START + DAY)
    found = stretch_of(SYSTEM, infant, START, END)
    assert found.models == [kept]
    assert found.assignments == [change]


def test_what_has_no_judgement_is_counted_by_state_and_reason(infant: Infant) -> None:
    for _ in range(2):
        a_recording(infant, START, state=State.REJECTED, reason=Reason.SILENT)
    a_recording(infant, START, state=State.EMBEDDED)
    a_recording(infant, START - DAY, state=State.EMBEDDED)
    found = stretch_of(SYSTEM, infant, START, END)
    assert found.unjudged == [("embedded", "", 1), ("rejected", "silent", 2)]


def test_the_newest_are_kept_where_there_are_too_many(
    infant: Infant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stretch, "MOST", 2)
    for days in range(4):
        _judged(infant, START + days * DAY)
    found = stretch_of(SYSTEM, infant, START, END)
    assert [one.recorded_at for one in found.judged] == [START + 2 * DAY, START + 3 * DAY]
    assert found.n_judged == 4


def test_a_stranger_reads_nothing(infant: Infant) -> None:
    _judged(infant, START)
    an_episode(infant, START)
    a_model(infant)
    DiaryEntry.objects.create(infant=infant, kind="note", starts_at=START)
    assert stretch_of(Viewer(user=a_member(infant)), infant, START, END).diary
    found = stretch_of(Viewer(user=a_user()), infant, START, END)
    lists = (found.judged, found.episodes, found.models, found.diary, found.newest)
    assert not any([*lists, found.sessions, found.assignments, found.unjudged])
