"""Figures are rounded and not cut, and a dash stands where nothing is known."""

import datetime as dt

import pytest
from django.utils import translation

from dashboard.report import phrases
from infants.models import Infant

BORN = dt.date(2026, 9, 12)


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "0"), (3, "0.1"), (599, "10"), (598, "10"), (572, "9.5"), (900, "15")]
)
def test_minutes(seconds: float, said: str) -> None:
    assert phrases.minutes(seconds) == said


def test_numbers_are_rounded_in_the_readers_way() -> None:
    assert (phrases.decimal(40.8, 0), phrases.decimal(-0.96, 1)) == ("41", "-1.0")
    assert phrases.p_value(0.0126) == "0.013"
    assert (phrases.p_value(0.0004), phrases.p_value(None)) == ("below 0.001", "–")
    with translation.override("de"):
        assert phrases.hours(5400) == "1,5"


@pytest.mark.parametrize(
    ("weeks", "day", "is_identified", "said"),
    [
        (None, dt.date(2026, 9, 26), True, "2 weeks"),
        (34.0, dt.date(2026, 11, 13), True, "8 weeks and 6 days; corrected for being born early: "),
        (34.0, dt.date(2026, 9, 13), True, "5 weeks and 6 days before term"),
        (34.0, dt.date(2026, 11, 13), False, "about 2 months; corrected for being born early: "),
        (None, dt.date(2026, 9, 26), False, "less than a month"),
    ],
)
def test_age(weeks: float | None, day: dt.date, is_identified: bool, said: str) -> None:
    infant = Infant(name="Ada", birth_date=BORN, gestational_age_weeks=weeks)
    assert said in phrases.age(infant, day, is_identified=is_identified)


def test_an_age_that_is_not_known_is_not_guessed() -> None:
    assert "not known" in phrases.age(Infant(name="Ada"), BORN, is_identified=True)
