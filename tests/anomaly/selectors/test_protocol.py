"""An infant's days as they were lived: only what the viewer may see, at a fixed price."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from anomaly.selectors.protocol import Lived, lived_by
from devices.heartbeats import Beat, note_heartbeat
from devices.models import Device
from devices.wishes import change_settings
from infants.access import Viewer
from infants.assignments import assign_device
from infants.models import DiaryEntry, Infant, Recording
from infants.stretches import SPEAKS_WITHIN
from tests.builders import (
    START,
    a_decision,
    a_device,
    a_member,
    a_recording,
    a_session,
    an_infant,
    some_cries,
)
from tests.dashboard.rows import a_heard_infant, a_judged, a_judged_session

pytestmark = pytest.mark.django_db
SYSTEM = Viewer.system()
DAY, HOUR, MINUTE = dt.timedelta(days=1), dt.timedelta(hours=1), dt.timedelta(minutes=1)
END = START + DAY


def _cried(infant: Infant, when: dt.datetime, *, is_cry: bool = True) -> Recording:
    device = infant.assignments.earliest("id").device
    recording = a_recording(infant, when, device, session=a_session(infant, when))
    a_decision(recording, is_cry=is_cry, accepted=is_cry)
    some_cries(recording)
    return recording


def _lived(infant: Infant, viewer: Viewer = SYSTEM) -> Lived:
    return lived_by(viewer, infant, START, END)


def test_recordings_of_a_session_are_one_bout() -> None:
    infant = a_heard_infant()
    first = _cried(infant, START + HOUR)
    second = a_recording(infant, START + HOUR + MINUTE, first.device, session=first.session)
    a_decision(second)
    _cried(infant, START + 5 * HOUR)
    early, late = _lived(infant).bouts
    assert [part.n_cries for part in early.parts] == [2, 0]
    assert early.parts[0].cry_s == 1.0
    assert early.span == (first.recorded_at, second.ended_at)
    assert late.p_value is None


def test_a_bout_has_the_p_value_of_its_session() -> None:
    infant = a_heard_infant()
    a_judged_session(a_judged(infant, START + HOUR, 0.4), 0.03)
    assert [bout.p_value for bout in _lived(infant).bouts] == [0.03]


def test_what_is_no_cry_is_no_bout_but_a_sign() -> None:
    infant = an_infant()
    a_device(infant)
    _cried(infant, START + HOUR, is_cry=False)
    _cried(infant, START + 4 * HOUR, is_cry=False)
    lived = _lived(infant)
    assert lived.bouts == []
    [span] = lived.listened
    assert (span.start, span.end.replace(microsecond=0)) == (
        START + HOUR,
        START + 4 * HOUR + dt.timedelta(seconds=7),
    )


def test_a_long_silence_is_not_known() -> None:
    infant = an_infant()
    device = Device.objects.create(name="A monitor")
    assign_device(device, infant)
    for when in (START, START + SPEAKS_WITHIN + HOUR):
        a_recording(infant, when, device)
    assert len(_lived(infant).listened) == 2


def test_signs_around_the_stretch_count_too() -> None:
    infant = an_infant()
    device = a_device(infant)
    for when in (START - HOUR, START + 8 * HOUR, START + 19 * HOUR, END + HOUR):
        a_recording(infant, when, device)
    assert _lived(infant).listened == [(START, END)]


def test_an_archive_heard_nothing_but_its_recordings() -> None:
    infant = an_infant()
    device = a_device(infant, kind=Device.Kind.ARCHIVE)
    for hours in (1, 2):
        a_recording(infant, START + hours * HOUR, device)
    assert [span.length_s for span in _lived(infant).listened] == [7.0, 7.0]


def test_heartbeats_say_when_a_monitor_listened_and_suspensions_when_not() -> None:
    infant = an_infant()
    device = a_device(infant)
    a_recording(infant, START, device)
    for minutes in (*range(60, 300, 15), *range(600, 720, 15)):
        note_heartbeat(device, Beat(), START + dt.timedelta(minutes=minutes))
    until = START + 4 * HOUR
    change_settings(device, {"suspended_until": until}, None, START + 2 * HOUR)
    change_settings(device, {"suspended_until": None}, None, START + 3 * HOUR)
    a_recording(infant, START + 8 * HOUR, device)  # without a network, and sent later
    spans = [
        ((span.start - START) / HOUR, (span.end - START) / HOUR) for span in _lived(infant).listened
    ]
    seven_s = pytest.approx(8 + 7 / 3600)
    assert spans == [(0, 2), (3, 4.75), (8, seven_s), (10, 11.75)]


def test_the_diary_of_the_stretch_and_what_lasts_into_it() -> None:
    infant = an_infant()
    for start, end in ((-2, 1), (-3, -2), (3, None), (30, None)):
        DiaryEntry.objects.create(
            infant=infant,
            kind="sleep",
            starts_at=START + start * HOUR,
            ends_at=None if end is None else START + end * HOUR,
        )
    assert [entry.starts_at for entry in _lived(infant).diary] == [
        START - 2 * HOUR,
        START + 3 * HOUR,
    ]


def test_who_may_not_see_the_infant_sees_nothing() -> None:
    infant = a_heard_infant()
    _cried(infant, START + HOUR)
    DiaryEntry.objects.create(infant=infant, kind="feed", starts_at=START)
    assert _lived(infant, Viewer(user=a_member(infant))).bouts
    stranger = Viewer(user=a_member(an_infant()))
    assert _lived(infant, stranger) == Lived(START, END)


def test_the_price_is_fixed() -> None:
    infant = a_heard_infant()
    counts = []
    for n in range(1, 4):
        _cried(infant, START + n * HOUR)
        DiaryEntry.objects.create(infant=infant, kind="feed", starts_at=START + n * HOUR)
        with CaptureQueriesContext(connection) as captured:
            _lived(infant)
        counts.append(len(captured))
    assert counts == [3, 3, 3]
