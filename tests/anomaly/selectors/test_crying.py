"""Crying for long: by minutes, and by the infant's own days; both must say so."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from anomaly.models import DailyRollup
from anomaly.selectors.crying import Crying, UsualDay, crying_of_late, usual_day
from infants.models import Cry
from tests.builders import START, a_decision, a_judgement, a_recording, an_infant

TODAY = dt.date(2026, 3, 20)
MINUTE_S = 60.0


def _days(cry_s: list[float], back: int = 2) -> list[DailyRollup]:
    return [
        DailyRollup(day=TODAY - dt.timedelta(days=back + n), cry_s=seconds, n_cries=10 + n)
        for n, seconds in enumerate(cry_s)
    ]


@pytest.mark.parametrize(
    ("minutes", "usual", "is_sustained"),
    [
        (29.0, 5.0, False),  # long for this infant, and not long
        (30.0, 15.0, True),
        (45.0, 23.0, False),  # long, and usual for this infant
        (46.0, 23.0, True),
        (90.0, None, False),  # nobody knows what is usual
    ],
)
def test_both_measures_must_say_so(minutes: float, usual: float | None, is_sustained: bool) -> None:
    known = None if usual is None else UsualDay(9, usual * MINUTE_S, 10.0, 8.0, 12.0)
    assert Crying(50, minutes * MINUTE_S, START, known).is_sustained == is_sustained


def test_a_usual_day_is_the_middle_one_of_seven_or_more() -> None:
    assert usual_day(_days([60.0] * 6), TODAY) is None
    usual = usual_day(_days([60.0, 60.0, 60.0, 90.0, 120.0, 120.0, 900.0]), TODAY)
    assert usual is not None
    assert (usual.n_days, usual.cry_s, usual.n_cries) == (7, 90.0, 13.0)
    assert (usual.n_cries_low, usual.n_cries_high) == (11.5, 14.5)


def test_today_yesterday_and_what_is_long_ago_are_no_usual_days() -> None:
    assert usual_day(_days([60.0] * 8, back=0), TODAY) is None
    assert usual_day(_days([60.0] * 9, back=0), TODAY) is not None
    assert usual_day(_days([60.0] * 40, back=29), TODAY) is None


@pytest.mark.django_db
def test_the_cries_of_the_last_24_hours_in_one_query() -> None:
    infants = [an_infant(), an_infant(), an_infant()]
    for infant in infants[:2]:
        for hours in (1, 23, 25):
            recording = a_recording(infant, START - dt.timedelta(hours=hours))
            a_decision(recording)
            a_judgement(recording)
            Cry.objects.create(recording=recording, index=0, onset_s=1.0, offset_s=3.5)
    Cry.objects.create(recording=a_recording(infants[0], START), index=0, onset_s=0, offset_s=9)
    with CaptureQueriesContext(connection) as captured:
        found = crying_of_late([infant.id for infant in infants], START)
    assert len(captured) == 1
    first = START - dt.timedelta(hours=23)
    assert found == {infant.id: Crying(2, 5.0, first, None) for infant in infants[:2]}
