"""What stands beside the scores, and who may read which words of it."""

import datetime as dt

import pytest

from anomaly.models import WatchedDay
from anomaly.selectors.lanes import days_of, heard_from_to, lanes_of
from devices.heartbeats import Beat, note_heartbeat
from infants.access import Viewer
from infants.errors import UnknownInfantError
from infants.models import DiaryEntry, Membership
from tests.builders import START, a_device, a_member, a_model, a_rollup, an_episode, an_infant
from tests.dashboard.rows import DAY, HOUR, a_heard_infant, a_judged

pytestmark = pytest.mark.django_db

SYSTEM = Viewer.system()
END = START + 10 * DAY


def test_what_touches_the_stretch_is_in_it() -> None:
    infant = a_heard_infant()
    an_episode(infant, START - 3 * DAY, closed_at=START + HOUR, close_reason="back_to_usual")
    an_episode(infant, START - 9 * DAY, closed_at=START - 8 * DAY, close_reason="back_to_usual")
    for at, kind in ((-1, "note"), (1, "feed"), (2, "note"), (11, "note")):
        DiaryEntry.objects.create(infant=infant, kind=kind, starts_at=START + at * DAY, text="x")
    WatchedDay.objects.create(infant=infant, day=START.date(), highest=1.0, last=0.5)
    WatchedDay.objects.create(infant=infant, day=END.date() + DAY, highest=9.0, last=9.0)
    found = lanes_of(SYSTEM, infant, START, END, left_out=frozenset({"feed"}))
    assert len(found.episodes) == 1
    assert [note.starts_at for note in found.notes] == [START + 2 * DAY]
    assert [one.highest for one in found.watched] == [1.0]
    assert [one.name for one in found.serving] == ["A monitor"]


def test_a_version_says_its_encoder_only_where_it_is_another_one() -> None:
    infant = an_infant()
    for number, encoder in ((1, "first"), (2, "first"), (3, "second"), (4, "second")):
        a_model(infant, number, encoder=encoder)
    found = lanes_of(SYSTEM, infant, START + 2 * DAY, END).versions
    assert [(one.number, one.encoder) for one in found] == [(2, ""), (3, "second"), (4, "")]


def test_words_and_names_are_for_those_who_may_know_them() -> None:
    infant = an_infant()
    a_device(infant, name="Adelheid’s monitor")
    DiaryEntry.objects.create(infant=infant, kind="note", starts_at=START, text="grandmother Eva")
    told = lanes_of(Viewer.of(a_member(infant)), infant, START, END)
    assert (told.notes[0].text, told.serving[0].name) == ("grandmother Eva", "Adelheid’s monitor")
    researcher = a_member(infant, Membership.Role.RESEARCHER)
    kept = lanes_of(Viewer.of(researcher), infant, START, END)
    assert (kept.notes[0].text, kept.serving[0].name) == ("", "")


def test_of_monitors_that_send_heartbeats_it_is_known_when_they_listened() -> None:
    infant = an_infant()
    device = a_device(infant)
    a_device(infant)
    for at in (START + HOUR, START + HOUR + dt.timedelta(minutes=10)):
        note_heartbeat(device, Beat(), at)
    beating, other = lanes_of(SYSTEM, infant, START, END).serving
    assert beating.known_from == START + HOUR
    assert [span.length_s for span in beating.listened] == [600.0]
    assert (other.known_from, other.listened) == (None, ())


def test_a_stranger_gets_nothing() -> None:
    infant, stranger = a_heard_infant(), Viewer.of(a_member(an_infant(name="Bo")))
    a_judged(infant, START)
    a_rollup(infant, START.date(), 0.5)
    with pytest.raises(UnknownInfantError):
        lanes_of(stranger, infant, START, END)
    assert days_of(stranger, infant) == []
    assert heard_from_to(stranger, infant) is None


def test_the_overview_holds_every_day_with_something_judged() -> None:
    infant = a_heard_infant()
    a_judged(infant, START)
    a_judged(infant, START + 2 * DAY)
    a_rollup(infant, START.date(), 0.2, 0.4)
    a_rollup(infant, START.date() + dt.timedelta(days=1), n_recordings=0)
    [day] = days_of(SYSTEM, infant)
    assert (day.n_recordings, day.p_value_min) == (2, 0.2)
    assert heard_from_to(SYSTEM, infant) == (START, START + 2 * DAY)
