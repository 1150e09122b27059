"""Suspended messages: held for everybody, told as one afterwards, ended by any who cares."""

import datetime as dt
import zoneinfo

import pytest
from django.core import mail
from django.utils import timezone

from infants.access import Viewer
from infants.models import Infant, Membership, User
from notify import actions
from notify.models import Delivery, Suspension
from notify.quiet import EVERY_DAY
from notify.selectors import acted_on_at, suspension_of
from notify.suspensions import MOST_MIN, may_suspend, resume, suspend
from tests.builders import a_member, an_infant
from tests.notify.told import a_follower, a_new_alert, a_reachable, clock

pytestmark = pytest.mark.django_db
BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
EVENING = dt.datetime(2026, 3, 12, 20, 0, tzinfo=BERLIN)
DIFFERENT = "ben: Ada’s crying is different from usual"


@pytest.fixture
def infant() -> Infant:
    return an_infant(time_zone="Europe/Berlin")


@pytest.fixture
def ben(infant: Infant) -> User:
    return a_reachable(infant, "Ben")


def test_what_is_held_comes_as_one_message_when_it_is_over(infant: Infant, ben: User) -> None:
    a_follower(infant, ben)
    cleo = a_reachable(infant, "Cleo")
    a_follower(infant, cleo, delay_min=10)
    with clock(EVENING) as now:
        assert suspend(Viewer(user=ben), infant.id, 60, timezone.now())
        a_new_alert(infant)
        assert now.after(5) == []
        a_new_alert(infant, kind="single_extreme", evidence={"smallest_p_value": 0.01})
        assert now.after(54) == []
        assert now.after(1) == [
            "ben: Ada: 2 alerts while messages were suspended",
            "cleo: Ada: 2 alerts while messages were suspended",
        ]
        assert now.after(60) == []


def test_one_alone_says_why_it_is_late(infant: Infant, ben: User) -> None:
    a_follower(infant, ben)
    with clock(EVENING) as now:
        suspend(Viewer(user=ben), infant.id, 30, timezone.now())
        a_new_alert(infant)
        now.after(0)
        assert now.after(30) == [DIFFERENT]
        assert "This was held back while messages were suspended." in mail.outbox[0].body


def test_who_resumes_messages_is_told_at_once(infant: Infant, ben: User) -> None:
    a_follower(infant, ben)
    with clock(EVENING) as now:
        suspend(Viewer.system(), infant.id, MOST_MIN, timezone.now())
        a_new_alert(infant)
        assert now.after(10) == []
        assert resume(Viewer(user=ben), infant.id, timezone.now())
        assert now.after(0) == [DIFFERENT]
    [ended] = Suspension.objects.all()
    assert (ended.by, ended.ended_by) == (None, ben)


def test_a_shorter_one_takes_the_place_of_a_longer(infant: Infant, ben: User) -> None:
    a_follower(infant, ben)
    with clock(EVENING) as now:
        suspend(Viewer(user=ben), infant.id, 600, timezone.now())
        a_new_alert(infant)
        now.after(5)
        suspend(Viewer(user=ben), infant.id, 30, timezone.now())
        assert now.after(0) == []
        assert now.after(29) == []
        assert now.after(1) == [DIFFERENT]
    assert Suspension.objects.count() == 2
    assert Suspension.objects.filter(ended_at=None).count() == 1


def test_quiet_hours_go_on_where_it_ends_within_them(infant: Infant, ben: User) -> None:
    a_follower(infant, ben)
    night = actions.Hours(dt.time(22), dt.time(6), EVERY_DAY)
    actions.set_quiet_hours(Viewer(user=ben), infant, night)
    with clock(EVENING) as now:
        suspend(Viewer(user=ben), infant.id, 180, timezone.now())
        a_new_alert(infant)
        assert now.after(0) == []
        assert now.after(180) == []
        assert Delivery.objects.get().held_for == Delivery.HeldFor.QUIET_HOURS
        assert now.at(dt.datetime(2026, 3, 13, 6, tzinfo=BERLIN)) == [DIFFERENT]
        assert "during your quiet hours" in mail.outbox[0].body


def test_it_goes_on_where_quiet_hours_end_within_it(infant: Infant, ben: User) -> None:
    a_follower(infant, ben)
    early = actions.Hours(dt.time(19), dt.time(20, 30), EVERY_DAY)
    actions.set_quiet_hours(Viewer(user=ben), infant, early)
    with clock(EVENING) as now:
        suspend(Viewer(user=ben), infant.id, 60, timezone.now())
        a_new_alert(infant)
        assert now.after(0) == []
        assert now.after(45) == []
        assert now.after(15) == [DIFFERENT]


@pytest.mark.parametrize(
    ("breaks", "severity", "told"),
    [(True, "strong", 1), (True, "clear", 0), (False, "strong", 0)],
)
def test_urgent_ones_break_through_as_through_quiet_hours(
    infant: Infant, ben: User, breaks: bool, severity: str, told: int
) -> None:
    a_follower(infant, ben, breaks_quiet=breaks)
    with clock(EVENING) as now:
        suspend(Viewer(user=ben), infant.id, 60, timezone.now())
        a_new_alert(infant, severity)
        assert len(now.after(0)) == told


def test_another_infant_s_messages_are_not_held(infant: Infant, ben: User) -> None:
    other = an_infant(name="Bo", time_zone="Europe/Berlin")
    a_member(other, user=ben)
    a_follower(other, ben)
    with clock(EVENING) as now:
        suspend(Viewer(user=ben), infant.id, 60, timezone.now())
        a_new_alert(other)
        assert now.after(0) == ["ben: Bo’s crying is different from usual"]


@pytest.mark.parametrize(
    ("role", "may"),
    [("owner", True), ("caregiver", True), ("clinician", True), ("researcher", False)],
)
def test_whoever_may_put_an_alert_off_may_suspend(infant: Infant, role: str, may: bool) -> None:
    viewer, now = Viewer(user=a_member(infant, Membership.Role(role))), timezone.now()
    assert may_suspend(viewer, infant.id) is may
    assert (suspend(viewer, infant.id, 30, now) is not None) is may
    assert (resume(viewer, infant.id, now) is not None) is may
    assert suspend(Viewer(), infant.id, 30, now) is None


@pytest.mark.parametrize("minutes", [0, -1, MOST_MIN + 1])
def test_other_lengths_are_refused(infant: Infant, minutes: int) -> None:
    with pytest.raises(ValueError, match="1440"):
        suspend(Viewer.system(), infant.id, minutes, timezone.now())


def test_it_is_over_by_itself_and_open_pages_learn_of_it(infant: Infant, ben: User) -> None:
    viewer, now = Viewer(user=ben), timezone.now()
    assert infant.id not in acted_on_at(viewer)
    suspend(viewer, infant.id, 30, now)
    assert acted_on_at(viewer)[infant.id] == now
    going = suspension_of(viewer, infant, now)
    assert going is not None
    assert suspension_of(viewer, infant, going.until) is None
    assert suspension_of(Viewer(), infant, now) is None
    later = now + dt.timedelta(minutes=90)
    suspend(viewer, infant.id, 5, later)
    assert list(Suspension.objects.values_list("ended_at", flat=True)) == [going.until, None]
    resume(viewer, infant.id, later)
    resume(viewer, infant.id, later)
    assert acted_on_at(viewer)[infant.id] == later
