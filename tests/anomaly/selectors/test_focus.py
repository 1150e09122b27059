"""A stretch as fine as there is room for: rows one by one, buckets, numbers, and who sees them."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from anomaly.models import DailyChannels
from anomaly.selectors import focus
from anomaly.selectors.channels import channel_buckets, usual_of
from anomaly.selectors.focus import (
    ANY_WIDTH,
    Focus,
    Wanted,
    bucket_for,
    focus_of,
    widths_for,
)
from anomaly.selectors.timeline import AbsentBucket, Bucket, ScoredBucket, bucket_starts
from anomaly.stages.timeline import roll_up
from infants.access import Viewer
from infants.errors import UnknownInfantError
from infants.models import Infant, Recording
from tests.builders import START, a_decision, a_member, a_model, a_recording, an_infant
from tests.dashboard.rows import DAY, HOUR, a_heard_infant, a_judged, a_judged_session

pytestmark = pytest.mark.django_db

SYSTEM = Viewer.system()
PITCH = "f0_log2_hz"


def wanted(days: float = 10, width: int = 800, **given: object) -> Wanted:
    """Ask for a stretch from the start on."""
    described = {"channels": (PITCH,), "scorers": ("gmm",)} | given
    return Wanted(START - HOUR, START + dt.timedelta(days=days), width, **described)  # type: ignore[arg-type]


def pitched(recording: Recording, value: float) -> Recording:
    """Give a recording a pitch."""
    recording.channels = {PITCH: {"value": value, "confidence": 0.9}}
    recording.save(update_fields=["channels"])
    return recording


def a_week(infant: Infant | None = None) -> Infant:
    """Return an infant with two judged recordings a day, the pitch rising by the day."""
    infant = infant or a_heard_infant()
    for day in range(7):
        for hour in (0, 3):
            when = START + day * DAY + hour * HOUR
            one = pitched(a_judged(infant, when, 0.1 * (day + 1)), 8.0 + day / 10 + hour / 100)
            a_judged_session(one, 0.1 * (day + 1))
        roll_up(infant, infant.local_day(START + day * DAY))
    return infant


@pytest.fixture
def coarse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no stretch have room for single recordings."""
    monkeypatch.setattr(focus, "LEAST_SINGLE", 0)
    monkeypatch.setattr(focus, "PX_EACH", 10_000)


def test_few_recordings_come_one_by_one_with_their_numbers() -> None:
    infant = a_week()
    found = focus_of(SYSTEM, infant, wanted())
    assert found.bucket is None
    assert [one.number for one in found.singles] == list(range(1, 15))
    assert [one.p_value for one in found.singles[:3]] == pytest.approx([0.1, 0.1, 0.2])
    assert len(found.sessions) == 14


def test_numbers_go_on_from_what_was_before_the_stretch() -> None:
    infant = a_week()
    later = Wanted(START + 3 * DAY - HOUR, START + 10 * DAY, 800)
    assert focus_of(SYSTEM, infant, later).singles[0].number == 7


def test_what_is_no_cry_is_shown_without_a_number() -> None:
    infant = a_week()
    noise = a_recording(infant, START + HOUR, infant.assignments.get().device, state="rejected")
    a_decision(noise, is_cry=False, accepted=False, cry_probability=0.1)
    singles = focus_of(SYSTEM, infant, wanted()).singles
    shown = next(one for one in singles if one.id == noise.id)
    assert (shown.number, shown.is_cry, shown.p_value) == (None, False, None)
    assert [one.number for one in singles if one.number] == list(range(1, 15))


@pytest.mark.parametrize(
    ("n", "days", "width", "bucket"),
    [
        (100, 365, 800, None),
        (2190, 365, 1200, Bucket.DAY),
        (2190, 365, 600, Bucket.WEEK),
        (900, 9, 800, Bucket.HOUR),
        (9000, 8000, 300, Bucket.WEEK),
    ],
)
def test_buckets_are_as_fine_as_there_is_room_for(
    n: int, days: int, width: int, bucket: Bucket | None
) -> None:
    assert bucket_for(n, wanted(days, width)) == bucket


@pytest.mark.parametrize("n", [0, 100, 400, 2190, 9000])
@pytest.mark.parametrize("days", [1, 9, 365.5, 8000])
@pytest.mark.parametrize("width", [300, 800, 1200, 4000])
def test_between_its_widths_an_answer_is_the_same(n: int, days: float, width: int) -> None:
    asked = wanted(days, width)
    narrowest, widest = widths_for(n, asked)
    assert narrowest <= width <= widest
    same = {bucket_for(n, wanted(days, one)) for one in (narrowest, width, widest)}
    assert same == {bucket_for(n, asked)}
    beyond = [one for one in (narrowest - 1, widest + 1) if 0 < one < ANY_WIDTH]
    assert bucket_for(n, asked) not in {bucket_for(n, wanted(days, one)) for one in beyond}


@pytest.mark.usefixtures("coarse")
def test_buckets_hold_the_same_recordings() -> None:
    infant = a_week()
    found = focus_of(SYSTEM, infant, wanted())
    assert found.bucket is Bucket.HOUR
    heard = [one for one in found.buckets if not isinstance(one.row, AbsentBucket)]
    assert [one.first_number for one in heard] == list(range(1, 15))
    assert [one.channels[PITCH].middle for one in heard[:2]] == pytest.approx([8.0, 8.03])


@pytest.mark.usefixtures("coarse")
def test_days_say_what_their_recordings_and_sessions_said() -> None:
    infant = a_week()
    reviewed = infant.recordings.order_by("recorded_at")[2]
    reviewed.gate_decision.review = False
    reviewed.gate_decision.save()
    noise = a_recording(infant, START + HOUR, infant.assignments.get().device, state="rejected")
    a_decision(noise, is_cry=False, accepted=False, cry_probability=0.1)
    found = focus_of(SYSTEM, infant, wanted(width=60))
    assert found.bucket is Bucket.DAY
    first, second = found.buckets[:2]
    assert isinstance(first.row, ScoredBucket)
    assert first.row.heard.n_recordings == 2
    assert (first.n_not_cries, second.n_reviewed) == (1, 1)
    assert second.session_p_values == pytest.approx((0.2, 0.2))
    assert (first.first_number, second.first_number) == (1, 3)
    assert first.channels[PITCH].middle == pytest.approx(8.015)


@pytest.mark.usefixtures("coarse")
def test_weeks_have_the_medians_of_their_days() -> None:
    infant = a_week()
    starts = list(bucket_starts(infant, Bucket.WEEK, START - 10 * DAY, START + 20 * DAY))
    found = [one for one in channel_buckets(SYSTEM, infant, Bucket.WEEK, starts, [PITCH]) if one]
    # The first of March of that year is a Sunday: one day in one week, six in the next.
    assert [one[PITCH].middle for one in found] == pytest.approx([8.015, 8.365])
    assert found[1][PITCH].low == pytest.approx(8.353)


@pytest.mark.usefixtures("coarse")
def test_the_price_does_not_grow_with_the_stretch() -> None:
    infant = a_week()
    assert _queries(infant, wanted(20, width=90)) == _queries(infant, wanted(300, width=1200))


def _queries(infant: Infant, asked: Wanted) -> int:
    with CaptureQueriesContext(connection) as context:
        assert focus_of(SYSTEM, infant, asked).buckets
    return len(context)


def test_who_may_not_see_the_infant_is_told_that_there_is_none() -> None:
    infant, stranger = a_week(), Viewer.of(a_member(an_infant(name="Bo")))
    with pytest.raises(UnknownInfantError):
        focus_of(stranger, infant, wanted())
    assert isinstance(focus_of(Viewer.of(a_member(infant)), infant, wanted()), Focus)


# --- rollups -------------------------------------------------------------------------------------


def test_the_days_channels_follow_late_corrected_and_deleted_recordings() -> None:
    infant = a_week()
    day = infant.local_day(START)

    def kept() -> float:
        rows = DailyChannels.objects.filter(infant=infant, day=day)
        middle: float = rows.get().quantiles[PITCH][1]
        return middle

    assert kept() == 8.015
    late = pitched(a_judged(infant, START + 5 * HOUR, 0.5), 8.5)
    roll_up(infant, day)
    assert kept() == 8.03
    pitched(late, 8.02)
    roll_up(infant, day)
    assert kept() == 8.02
    late.delete()
    roll_up(infant, day)
    assert kept() == 8.015


# --- what is usual -------------------------------------------------------------------------------


def test_what_is_usual_is_what_the_newest_version_says() -> None:
    infant = a_week()
    a_model(infant, 7, facts={"usual": {PITCH: [8.1, 8.4]}}, n_recordings=40)
    found = usual_of(SYSTEM, infant)
    assert (found.version, found.n_recordings, found.ranges) == (7, 40, {PITCH: [8.1, 8.4]})


def test_of_an_older_version_it_is_taken_from_what_it_learnt() -> None:
    infant = a_week()
    learnt = [str(one.id) for one in infant.recordings.order_by("recorded_at")]
    a_model(infant, 7, facts={"recordings": learnt}, n_recordings=14)
    low, high = usual_of(SYSTEM, infant).ranges[PITCH]
    assert 8.0 < low < 8.1
    assert 8.5 < high < 8.63


def test_a_withdrawn_version_says_nothing() -> None:
    infant = an_infant()
    a_model(infant, 1, facts={"usual": {PITCH: [8.1, 8.4]}}, withdrawn_at=START)
    assert usual_of(SYSTEM, infant).ranges == {}
