"""Sessions: a function of the recordings alone, whatever the order in which they come."""

import datetime as dt
import random

import pytest
from django.utils import timezone
from pytest_django import Settings

from devices.models import Device
from infants.models import Infant, Recording, RecordingSession
from infants.sessions import close_quiet_sessions, gap, join_session
from tests.builders import START, a_device, a_recording, a_session, an_infant

MINUTE = dt.timedelta(minutes=1)
Bout = tuple[dt.datetime, dt.datetime, int]

pytestmark = pytest.mark.django_db


@pytest.fixture
def infant() -> Infant:
    return an_infant()


@pytest.fixture
def device(infant: Infant) -> Device:
    return a_device(infant)


def _heard(infant: Infant, device: Device, at_min: float, length_min: float = 0.0) -> Recording:
    recording = a_recording(
        infant, START + at_min * MINUTE, device, duration_s=60 * length_min or None
    )
    recording.session = join_session(recording)
    recording.save()
    return recording


def _bouts(infant: Infant) -> list[Bout]:
    return [
        (session.started_at, session.ended_at, session.recordings.count())
        for session in infant.sessions.order_by("started_at")
    ]


def test_quiet_up_to_the_gap_keeps_together_and_a_second_more_parts(
    infant: Infant, device: Device
) -> None:
    assert gap() == 30 * MINUTE
    _heard(infant, device, 0, length_min=5)
    _heard(infant, device, 35)
    assert len(_bouts(infant)) == 1
    _heard(infant, device, 65 + 1 / 60)
    assert len(_bouts(infant)) == 2


def test_the_length_of_a_recording_counts(infant: Infant, device: Device) -> None:
    _heard(infant, device, 0, length_min=5)
    assert _bouts(infant) == [(START, START + 5 * MINUTE, 1)]
    _heard(infant, device, 3)
    assert _bouts(infant) == [(START, START + 5 * MINUTE, 2)]


def test_a_late_one_extends_backwards(infant: Infant, device: Device) -> None:
    _heard(infant, device, 20)
    _heard(infant, device, 0)
    assert _bouts(infant) == [(START, START + 20 * MINUTE, 2)]


def test_a_late_one_joins_two_sessions_and_the_earlier_one_stays(
    infant: Infant, device: Device
) -> None:
    first, last = _heard(infant, device, 0), _heard(infant, device, 50)
    assert len(_bouts(infant)) == 2
    between = _heard(infant, device, 25)
    assert _bouts(infant) == [(START, START + 50 * MINUTE, 3)]
    last.refresh_from_db()
    assert first.session_id == last.session_id == between.session_id


@pytest.mark.parametrize("seed", range(8))
def test_the_order_of_arrival_changes_nothing(device: Device, seed: int) -> None:
    chance = random.Random(seed)
    heard = [(chance.uniform(0, 600), chance.choice([0, 0.5, 5])) for _ in range(15)]
    found = []
    for _ in range(3):
        infant = an_infant()
        chance.shuffle(heard)
        for at_min, length_min in heard:
            _heard(infant, device, at_min, length_min)
        found.append(_bouts(infant))
    assert found[0] == found[1] == found[2]
    starts_and_ends = [moment for start, end, _ in found[0] for moment in (start, end)]
    quiet = [
        later - earlier
        for earlier, later in zip(starts_and_ends[1:-1:2], starts_and_ends[2::2], strict=True)
    ]
    assert all(length > gap() for length in quiet)


def test_another_infants_crying_is_another_session(infant: Infant, device: Device) -> None:
    twin = an_infant(household=infant.household)
    _heard(infant, device, 0)
    _heard(twin, device, 1)
    assert len(_bouts(infant)) == len(_bouts(twin)) == 1


def test_hearing_a_recording_again_changes_nothing(infant: Infant, device: Device) -> None:
    recording = _heard(infant, device, 0, length_min=1)
    before = _bouts(infant)
    assert join_session(recording).id == recording.session_id
    assert _bouts(infant) == before


def test_the_gap_is_the_sites_own(infant: Infant, device: Device, settings: Settings) -> None:
    settings.ICLAS_SESSION_GAP_S = 60.0
    _heard(infant, device, 0)
    _heard(infant, device, 2)
    assert len(_bouts(infant)) == 2


def test_the_present_is_open_and_the_past_is_closed(infant: Infant, device: Device) -> None:
    past = _heard(infant, device, 0)
    now_min = (timezone.now() - START) / MINUTE
    present = _heard(infant, device, now_min - 5)
    assert past.session is not None
    assert present.session is not None
    assert past.session.closed_at is not None
    assert present.session.closed_at is None


def test_a_session_is_closed_once_the_quiet_has_lasted(infant: Infant) -> None:
    now = timezone.now()
    ended = a_session(infant, now - 60 * MINUTE, ended_at=now - 30 * MINUTE)
    fresh = a_session(infant, now - 60 * MINUTE, ended_at=now - 29 * MINUTE)
    assert close_quiet_sessions(now) == 0
    assert close_quiet_sessions(now + MINUTE / 2) == 1
    assert RecordingSession.objects.get(id=ended.id).closed_at == now + MINUTE / 2
    assert RecordingSession.objects.get(id=fresh.id).closed_at is None
    assert close_quiet_sessions(now + MINUTE / 2) == 0
