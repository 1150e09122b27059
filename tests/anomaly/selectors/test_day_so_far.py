"""Today beside the days before, counted up to the same time of day."""

import datetime as dt

import pytest

from anomaly.selectors.day_so_far import Count3, Usual, day_so_far
from infants.access import Viewer
from infants.models import Infant, Recording
from tests.builders import a_decision, a_member, a_recording, a_session, an_infant, some_cries

NOW = dt.datetime(2026, 3, 20, 14, 0, tzinfo=dt.UTC)
DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)
SYSTEM = Viewer.system()

pytestmark = pytest.mark.django_db


@pytest.fixture
def infant() -> Infant:
    return an_infant(time_zone="UTC")


def _cry(infant: Infant, when: dt.datetime, n_cries: int = 2, **given: object) -> Recording:
    recording = a_recording(infant, when, **given)
    a_decision(recording)
    some_cries(recording, n_cries)
    return recording


def test_today_counts_cries_their_length_and_bouts(infant: Infant) -> None:
    bout = a_session(infant, NOW - 2 * HOUR)
    _cry(infant, NOW - 2 * HOUR, 3, session=bout)
    _cry(infant, NOW - 2 * HOUR + dt.timedelta(minutes=1), 1, session=bout)
    _cry(infant, NOW - HOUR, 2, session=a_session(infant, NOW - HOUR))
    found = day_so_far(SYSTEM, infant, NOW)
    assert found.today == Count3(cries=6, cry_s=pytest.approx(3.0), bouts=2)
    assert found.before == []
    assert not found.has_usual


def test_what_is_no_cry_or_not_judged_counts_for_nothing(infant: Infant) -> None:
    hum = a_recording(infant, NOW - HOUR)
    a_decision(hum, is_cry=False, accepted=False)
    some_cries(hum)
    some_cries(a_recording(infant, NOW - HOUR))
    assert day_so_far(SYSTEM, infant, NOW).today == Count3(0, 0.0, 0)


def test_days_before_count_up_to_the_same_time_of_day(infant: Infant) -> None:
    _cry(infant, NOW - DAY - HOUR)
    _cry(infant, NOW - DAY + HOUR)
    [yesterday] = day_so_far(SYSTEM, infant, NOW).before
    assert yesterday.cries == 2


def test_the_time_of_day_is_that_of_the_infant(infant: Infant) -> None:
    infant.time_zone = "Asia/Tokyo"  # 23:00 there
    infant.save()
    _cry(infant, NOW + dt.timedelta(minutes=90) - DAY)  # after midnight there: today
    found = day_so_far(SYSTEM, infant, NOW)
    assert (found.today.cries, found.before) == (2, [])


def test_a_day_with_nothing_at_all_is_left_out_and_a_quiet_one_is_not(infant: Infant) -> None:
    a_recording(infant, NOW - 2 * DAY)
    _cry(infant, NOW - 15 * DAY)
    assert day_so_far(SYSTEM, infant, NOW).before == [Count3(0, 0.0, 0)]


def test_what_is_usual_is_the_middle_of_the_days(infant: Infant) -> None:
    for day in range(1, 12):
        _cry(infant, NOW - day * DAY - HOUR, n_cries=day)
    found = day_so_far(SYSTEM, infant, NOW)
    assert found.has_usual
    assert found.usual("cries") == Usual(2.0, 6.0, 10.0)
    assert found.usual("bouts") == Usual(1.0, 1.0, 1.0)


def test_who_may_not_see_the_infant_counts_nothing(infant: Infant) -> None:
    _cry(infant, NOW - HOUR)
    stranger = Viewer(user=a_member(an_infant()))
    assert day_so_far(stranger, infant, NOW).today.cries == 0
