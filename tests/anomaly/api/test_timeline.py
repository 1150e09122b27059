"""The timeline: points with their versions, and buckets of the infant's own time."""

import datetime as dt
import itertools
import zoneinfo
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from anomaly.models import PersonalModel, ScorePoint
from anomaly.notice import NOTICE
from anomaly.selectors.timeline import Bucket, bucket_starts
from infants.models import Infant
from tests.builders import (
    START,
    a_device,
    a_member,
    a_model,
    a_point,
    a_recording,
    a_rollup,
    an_infant,
    as_user,
    some_cries,
)
from tests.uploads import assert_problem

QUERIES = 3
"""The session, the user and the infant come before the timeline itself."""
ZURICH = zoneinfo.ZoneInfo("Europe/Zurich")
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)

pytestmark = pytest.mark.django_db


@pytest.fixture
def infant() -> Infant:
    return an_infant(time_zone="Europe/Zurich")


@pytest.fixture
def model(infant: Infant) -> PersonalModel:
    return a_model(infant, number=4)


@pytest.fixture
def client(infant: Infant) -> Client:
    return as_user(a_member(infant))


def _get(client: Client, infant: Infant, **asked: object) -> Any:
    return client.get(f"/api/v1/infants/{infant.id}/timeline/", asked)


def _rows(client: Client, infant: Infant, **asked: object) -> list[dict[str, Any]]:
    answer = _get(client, infant, **asked)
    assert answer.status_code == 200, answer.content
    rows: list[dict[str, Any]] = answer.json()["results"]
    return rows


def _span(start: dt.datetime, length: dt.timedelta) -> dict[str, str]:
    return {"from": start.isoformat(), "to": (start + length).isoformat()}


# --- point by point ------------------------------------------------------------------------------


def test_a_scored_point_names_every_version_that_made_it(
    client: Client, infant: Infant, model: PersonalModel
) -> None:
    recording = a_recording(infant)
    a_point(recording, model, p_value=0.25)
    answer = _get(client, infant).json()
    assert answer["notice"] == NOTICE
    assert answer["time_zone"] == "Europe/Zurich"
    assert (answer["bucket"], answer["scorer"]) == ("raw", "combined")
    assert answer["results"] == [
        {
            "outcome": "scored",
            "time": "2026-03-01T09:00:00Z",
            "recording": str(recording.id),
            "scorer": "combined",
            "score": 0.7,
            "p_value": 0.25,
            "model": {"id": str(model.id), "number": 4},
            "encoder": "numbers",
            "gate_version": "gate-1",
            "gate_accepted": True,
        }
    ]


def test_a_point_of_the_learning_carries_days_and_no_number(client: Client, infant: Infant) -> None:
    a_point(a_recording(infant))
    [point] = _rows(client, infant)
    assert point["outcome"] == "learning"
    assert point["learning"] == {"days": 4, "needed": 9, "text": "learning, 4 of 9 days"}
    assert not {"score", "p_value", "model"} & set(point)


def test_another_scorers_points_come_with_those_of_the_learning(
    client: Client, infant: Infant, model: PersonalModel
) -> None:
    device = a_device(infant)
    a_point(a_recording(infant, START, device))
    later = a_recording(infant, START + DAY, device)
    for scorer in ScorePoint.Scorer:
        a_point(later, model, scorer=scorer)
    assert [row["scorer"] for row in _rows(client, infant, scorer="gmm")] == ["gmm", "combined"]
    assert [row["outcome"] for row in _rows(client, infant, scorer="gmm")] == ["scored", "learning"]


def test_a_span_takes_its_start_and_leaves_its_end(
    client: Client, infant: Infant, model: PersonalModel
) -> None:
    device = a_device(infant)
    for hour in range(4):
        a_point(a_recording(infant, START + hour * HOUR, device), model)
    rows = _rows(client, infant, **_span(START + HOUR, 2 * HOUR))
    assert [row["time"][11:13] for row in rows] == ["11", "10"]


def test_pages_of_points_cost_the_same_and_hold_every_point_once(
    client: Client,
    infant: Infant,
    model: PersonalModel,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    device = a_device(infant)
    for number in range(10):
        a_point(a_recording(infant, START + (number // 4) * HOUR, device), model)
    link, seen = f"/api/v1/infants/{infant.id}/timeline/?page_size=3", []
    while link:
        with django_assert_num_queries(QUERIES + 1):
            said = client.get(link).json()
        seen += [row["recording"] for row in said["results"]]
        link = said["next"]
    assert len(seen) == len(set(seen)) == 10


# --- days and weeks ------------------------------------------------------------------------------


def test_days_are_the_infants_own_over_a_change_of_clocks(client: Client, infant: Infant) -> None:
    a_rollup(infant, dt.date(2026, 3, 28), 0.2, 0.4)
    a_rollup(infant, dt.date(2026, 3, 30), 0.6)
    start = dt.datetime(2026, 3, 28, tzinfo=ZURICH)
    rows = _rows(client, infant, bucket="day", **_span(start, 3 * DAY - HOUR))
    assert [(row["start"], row["end"], row["outcome"]) for row in rows] == [
        ("2026-03-28T00:00:00+01:00", "2026-03-29T00:00:00+01:00", "scored"),
        ("2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00", "absent"),
        ("2026-03-30T00:00:00+02:00", "2026-03-31T00:00:00+02:00", "scored"),
    ]
    assert rows[0]["p_value_min"] == 0.2
    assert (rows[0]["n_scored"], rows[0]["n_cries"], rows[0]["cry_s"]) == (2, 5, 4.0)
    assert set(rows[1]) == {"start", "end", "outcome"}


def test_a_day_of_the_learning_carries_days_and_no_number(client: Client, infant: Infant) -> None:
    a_rollup(infant, START.date())
    a_point(a_recording(infant), baseline_days=5)
    rows = _rows(client, infant, bucket="day", **_span(START, HOUR))
    [day] = rows
    assert day["outcome"] == "learning"
    assert day["learning"]["text"] == "learning, 5 of 9 days"
    assert day["n_recordings"] == 1
    assert not {"p_value_min", "p_value_median", "n_scored"} & set(day)


def test_weeks_begin_on_monday_and_sum_up_their_days(client: Client, infant: Infant) -> None:
    for day, p_value in ((23, 0.5), (25, 0.1), (29, 0.3), (30, 0.9)):
        a_rollup(infant, dt.date(2026, 3, day), p_value)
    start = dt.datetime(2026, 3, 25, 12, tzinfo=ZURICH)
    rows = _rows(client, infant, bucket="week", **_span(start, 7 * DAY))
    assert [(row["start"], row["end"]) for row in rows] == [
        ("2026-03-23T00:00:00+01:00", "2026-03-30T00:00:00+02:00"),
        ("2026-03-30T00:00:00+02:00", "2026-04-06T00:00:00+02:00"),
    ]
    assert (rows[0]["n_scored"], rows[0]["p_value_min"], rows[0]["p_value_median"]) == (3, 0.1, 0.3)
    assert rows[1]["n_scored"] == 1


def test_without_a_span_the_last_90_days_come(client: Client, infant: Infant) -> None:
    rows = _rows(client, infant, bucket="day")
    assert 90 <= len(rows) <= 92
    assert {row["outcome"] for row in rows} == {"absent"}


# --- hours ---------------------------------------------------------------------------------------


def test_the_hour_that_autumn_repeats_is_two_hours(
    client: Client, infant: Infant, model: PersonalModel
) -> None:
    device = a_device(infant)
    night = dt.datetime(2026, 10, 24, 23, 30, tzinfo=dt.UTC)  # 01:30 in Zurich
    for number, p_value in enumerate((0.1, 0.2, 0.3, 0.4)):
        recording = a_recording(infant, night + number * HOUR, device)
        some_cries(recording, 3)
        a_point(recording, model, p_value=p_value)
    rows = _rows(client, infant, bucket="hour", **_span(night, 4 * HOUR))
    assert [(row["start"], row.get("p_value_min")) for row in rows] == [
        ("2026-10-25T01:00:00+02:00", 0.1),
        ("2026-10-25T02:00:00+02:00", 0.2),
        ("2026-10-25T02:00:00+01:00", 0.3),
        ("2026-10-25T03:00:00+01:00", 0.4),
        ("2026-10-25T04:00:00+01:00", None),
    ]
    assert (rows[0]["n_cries"], rows[0]["cry_s"], rows[0]["n_recordings"]) == (3, 1.5, 1)
    assert rows[4]["outcome"] == "absent"


def test_the_hour_that_spring_leaves_out_is_absent_from_the_clock(
    client: Client, infant: Infant
) -> None:
    night = dt.datetime(2026, 3, 29, 0, 0, tzinfo=dt.UTC)
    rows = _rows(client, infant, bucket="hour", **_span(night, 2 * HOUR))
    assert [row["start"] for row in rows] == [
        "2026-03-29T01:00:00+01:00",
        "2026-03-29T03:00:00+02:00",
    ]


def test_an_hour_of_another_scorer_and_of_the_learning(
    client: Client, infant: Infant, model: PersonalModel
) -> None:
    device = a_device(infant)
    a_point(a_recording(infant, START, device), baseline_days=8)
    later = a_recording(infant, START + HOUR, device)
    a_point(later, model, p_value=0.5)
    a_point(later, model, p_value=0.01, scorer="gmm")
    rows = _rows(client, infant, bucket="hour", scorer="gmm", **_span(START, 2 * HOUR))
    assert rows[0]["outcome"] == "learning"
    assert rows[0]["learning"]["days"] == 8
    assert (rows[1]["outcome"], rows[1]["p_value_min"]) == ("scored", 0.01)


@pytest.mark.parametrize(
    "zone",
    ["Europe/Zurich", "Australia/Lord_Howe", "Asia/Kathmandu", "America/St_Johns", "Asia/Beirut"],
)
@pytest.mark.parametrize("bucket", list(Bucket))
def test_buckets_follow_each_other_without_gap_or_overlap_all_year(
    zone: str, bucket: Bucket
) -> None:
    infant = Infant(name="Ada", time_zone=zone)
    start, end = dt.datetime(2026, 1, 1, tzinfo=dt.UTC), dt.datetime(2027, 1, 1, tzinfo=dt.UTC)
    starts = list(bucket_starts(infant, bucket, start, end))
    longest = {Bucket.HOUR: 1.5 * HOUR, Bucket.DAY: 25 * HOUR, Bucket.WEEK: 7 * DAY + HOUR}[bucket]
    lengths = [later - earlier for earlier, later in itertools.pairwise(starts)]
    assert starts[0] <= start
    assert starts[-1] >= end
    assert all(dt.timedelta() < length <= longest for length in lengths)
    local = [moment.astimezone(infant.zone) for moment in starts]
    if bucket is not Bucket.HOUR and zone != "Asia/Beirut":  # which has days without midnight
        assert {(moment.hour, moment.minute) for moment in local} == {(0, 0)}
    if bucket is Bucket.WEEK:
        assert {moment.weekday() for moment in local} == {0}


@pytest.mark.parametrize(("bucket", "n_queries"), [("day", 2), ("week", 2), ("hour", 1)])
def test_buckets_cost_the_same_however_many_rows(
    client: Client,
    infant: Infant,
    model: PersonalModel,
    django_assert_num_queries: DjangoAssertNumQueries,
    bucket: str,
    n_queries: int,
) -> None:
    device = a_device(infant)
    for number in range(8):
        when = START + number * DAY
        a_point(a_recording(infant, when, device), model if number > 3 else None)
        a_rollup(infant, when.date(), *([0.5] if number > 3 else []))
    with django_assert_num_queries(QUERIES + n_queries):
        rows = _rows(client, infant, bucket=bucket, **_span(START, 8 * DAY))
    assert {"learning", "scored"} <= {row["outcome"] for row in rows} or bucket == "week"


# --- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"bucket": "month"}, "bucket"),
        ({"scorer": "oracle"}, "scorer"),
        ({"bucket": "day", "scorer": "gmm"}, "scorer"),
        ({"bucket": "hour", "from": "2020-01-01T00:00:00Z"}, "from"),
        ({"bucket": "day", "from": "1900-01-01T00:00:00Z", "to": "2199-01-01T00:00:00Z"}, "from"),
        ({"bucket": "day", "from": "2026-03-01T00:00:00Z", "to": "2026-02-01T00:00:00Z"}, "to"),
        ({"bucket": "day", "from": "2199-01-01T00:00:00Z"}, "to"),
        ({"kind": "x"}, "kind"),
        ({"cursor": "x"}, "cursor"),
    ],
)
def test_a_bad_parameter_is_refused_by_its_name(
    client: Client, infant: Infant, asked: dict[str, str], field: str
) -> None:
    said = assert_problem(_get(client, infant, **asked), 400, "bad_value", "later")
    assert [complaint["field"] for complaint in said["errors"]] == [field]
