"""What a request asks: links that restore a view, and nonsense that is taken as not said."""

import datetime as dt

import pytest
from django.http import QueryDict

from dashboard.timeline.asked import (
    DEFAULT_CHANNELS,
    LONGEST,
    NUMBER,
    SHORTEST,
    asked_of,
    moment_in,
    span_in,
    span_words,
)
from infants.models import Infant

BERLIN = Infant(name="Ada", time_zone="Europe/Berlin")
NOW = dt.datetime(2026, 5, 20, 12, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


def test_a_link_to_a_moment_shows_what_is_around_it() -> None:
    found = asked_of(QueryDict("at=2026-05-12T03:10Z&span=7d"), BERLIN, NOW)
    middle = found.start + (found.end - found.start) / 2
    assert middle == dt.datetime(2026, 5, 12, 3, 10, tzinfo=dt.UTC)
    assert found.end - found.start == 7 * DAY


def test_nothing_said_shows_the_last_thirty_days() -> None:
    found = asked_of(QueryDict(""), BERLIN, NOW)
    assert (found.start, found.end) == (NOW - 30 * DAY, NOW)
    assert found.channels == DEFAULT_CHANNELS
    assert found.scorers == ()


@pytest.mark.parametrize(
    "query",
    [
        "at=soon&span=long",
        "from=2026-05-12&to=yesterday",
        "from=2026-05-12T00:00Z&to=2026-05-10T00:00Z",
        "at=9999-99-99&width=-3&by=colour",
        "at=0001-01-01T00:00Z",
    ],
)
def test_nonsense_is_taken_as_not_said(query: str) -> None:
    found = asked_of(QueryDict(query), BERLIN, NOW)
    assert (found.start, found.end) == (NOW - 30 * DAY, NOW)
    assert (found.width, found.by) == (1200, "time")


def test_the_query_of_what_is_asked_asks_for_the_same() -> None:
    query = "from=2026-05-01&to=2026-05-09T12:00Z&width=640&by=number&channels=duration_s,pause_s"
    found = asked_of(QueryDict(query + "&scorers=gmm"), BERLIN, NOW)
    assert found.by == NUMBER
    assert found.channels == ("duration_s", "pause_s")
    assert asked_of(QueryDict(found.query), BERLIN, NOW) == found


def test_ticked_boxes_say_as_much_as_a_list() -> None:
    boxes = asked_of(QueryDict("channels=&channels=pause_s&channels=duration_s"), BERLIN, NOW)
    assert boxes.channels == ("duration_s", "pause_s")
    assert asked_of(QueryDict("channels="), BERLIN, NOW).channels == ()


def test_a_time_without_a_zone_is_the_infants_own() -> None:
    assert moment_in("2026-05-12T03:10", BERLIN) == dt.datetime(2026, 5, 12, 1, 10, tzinfo=dt.UTC)
    assert moment_in("2026-05-12T03:10+00:00", BERLIN) == moment_in(
        "2026-05-12T03:10 00:00", BERLIN
    )
    assert moment_in("2026-05-12", BERLIN) == dt.datetime(2026, 5, 11, 22, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("90m", dt.timedelta(minutes=90)),
        ("36h", 1.5 * DAY),
        ("4w", 28 * DAY),
        ("1m", SHORTEST),
        ("999y", LONGEST),
        ("d", None),
        ("-3d", None),
        ("٣d", 3 * DAY),
    ],
)
def test_lengths(text: str, length: dt.timedelta | None) -> None:
    assert span_in(text) == length


@pytest.mark.parametrize("text", ["90m", "36h", "7d"])
def test_lengths_are_written_as_they_are_read(text: str) -> None:
    length = span_in(text)
    assert length is not None
    assert span_words(length) == text
