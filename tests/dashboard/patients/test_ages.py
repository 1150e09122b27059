"""Ages in words: since birth, postmenstrual before the due date, corrected after it."""

import datetime as dt

import pytest

from dashboard.patients.ages import age_words, maturity_words
from infants.models import Infant

NOW = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)


def _born(days: int, weeks: float | None = None) -> Infant:
    return Infant(
        birth_date=NOW.date() - dt.timedelta(days=days), gestational_age_weeks=weeks, name="Ada"
    )


@pytest.mark.parametrize(
    ("days", "words"),
    [(0, "0 days"), (1, "1 day"), (13, "13 days"), (14, "2 weeks"), (181, "25 weeks")],
)
def test_age(days: int, words: str) -> None:
    assert age_words(_born(days), NOW) == words


def test_older_infants_are_told_in_months_and_unborn_ones_not() -> None:
    assert age_words(_born(365), NOW) == "11 months"
    assert age_words(_born(-3), NOW) == ""
    assert age_words(Infant(name="Ada"), NOW) == ""


@pytest.mark.parametrize(
    ("days", "weeks", "words"),
    [
        (0, 28.0, "28+0 weeks postmenstrual"),
        (10, 29.0 + 3 / 7, "30+6 weeks postmenstrual"),
        (83, 28.0, "39+6 weeks postmenstrual"),
        (84, 28.0, "0 days corrected"),
        (84 + 21, 28.0, "3 weeks corrected"),
        (20, 37.0, ""),
        (20, None, ""),
        (800, 28.0, ""),
    ],
)
def test_maturity(days: int, weeks: float | None, words: str) -> None:
    assert maturity_words(_born(days, weeks), NOW) == words
