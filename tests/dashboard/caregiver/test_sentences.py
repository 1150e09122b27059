"""What the caregiver's pages say, word for word, and in whole sentences."""

import datetime as dt

import pytest

from dashboard.caregiver import sentences
from tests.builders import an_infant

NOW = dt.datetime(2026, 3, 20, 1, 30, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


@pytest.mark.parametrize(
    ("p_value", "said"),
    [
        (None, ""),
        (0.9, "ordinary: more than half of Ada’s usual cries are as unusual (p = 0.90)"),
        (0.5, "about 1 in 2 of Ada’s usual cries is as unusual (p = 0.50)"),
        (0.0999, "about 1 in 10 of Ada’s usual cries is as unusual (p = 0.100)"),
        (0.051, "about 1 in 20 of Ada’s usual cries is as unusual (p = 0.051)"),
        (0.05, "rare: about 1 in 20 of Ada’s usual cries is as unusual (p = 0.050)"),
        (0.001, "rare: about 1 in 1000 of Ada’s usual cries is as unusual (p = 0.001)"),
        (0.0004, "of 1000 of Ada’s usual cries, not one is as unusual (p below 0.001)"),
        (0.0, "of 1000 of Ada’s usual cries, not one is as unusual (p below 0.001)"),
    ],
)
def test_p_in_plain_words(p_value: float | None, said: str) -> None:
    assert sentences.p_plainly(p_value, "Ada").replace("\u00a0", " ") == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.3, "none"),
        (1, "1 second"),
        (59.9, "59 seconds"),
        (60, "1 minute"),
        (3599, "59 minutes"),
        (7200, "2 hours"),
        (47 * 3600, "47 hours"),
        (48 * 3600, "2 days"),
    ],
)
def test_lengths_have_one_unit(seconds: float, said: str) -> None:
    assert sentences.lasting(seconds) == said


@pytest.mark.parametrize(
    ("ago", "said"),
    [
        (dt.timedelta(0), "02:30"),
        (dt.timedelta(hours=3), "yesterday, 23:30"),
        (3 * DAY, "Tuesday, 17 March, 02:30"),
        (100 * DAY, "10 December 2025, 02:30"),
    ],
)
@pytest.mark.django_db
def test_times_are_the_infants_own(ago: dt.timedelta, said: str) -> None:
    infant = an_infant(time_zone="Europe/Zurich")
    assert sentences.when(infant, NOW - ago, NOW) == said


def test_a_clock_that_runs_ahead_is_now() -> None:
    assert sentences.ago(NOW + DAY, NOW) == "just now"
    assert sentences.ago(NOW - DAY, NOW) == "24 hours ago"


@pytest.mark.parametrize(
    ("value", "places", "said"), [(98.6, 0, "99"), (0.0996, 3, "0.100"), (38.45, 1, "38.5")]
)
def test_numbers_are_rounded_not_cut(value: float, places: int, said: str) -> None:
    assert sentences.figure(value, places) == said
