"""Quiet hours hold what is sent; when they end it comes as one message, by the infant's clock."""

import datetime as dt
import zoneinfo

import pytest
from django.core import mail
from django.utils import timezone

from infants.access import Viewer
from infants.models import Infant, User
from notify import actions
from notify.models import Delivery
from notify.quiet import EVERY_DAY
from tests.builders import an_infant
from tests.notify.told import a_follower, a_new_alert, a_reachable, clock, end

pytestmark = pytest.mark.django_db
BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
NIGHT = actions.Hours(dt.time(22), dt.time(6), EVERY_DAY)
DIFFERENT = "ben: Ada’s crying is different from usual"


@pytest.fixture
def infant() -> Infant:
    return an_infant(time_zone="Europe/Berlin")


@pytest.fixture
def ben(infant: Infant) -> User:
    user = a_reachable(infant, "Ben")
    actions.set_quiet_hours(Viewer(user=user), infant, NIGHT)
    return user


def _berlin(*given: int) -> dt.datetime:
    return dt.datetime(*given, tzinfo=BERLIN)  # type: ignore[arg-type]


def test_what_is_held_comes_as_one_message_when_they_end(infant: Infant, ben: User) -> None:
    a_follower(infant, ben)
    with clock(_berlin(2026, 3, 12, 23, 30)) as now:
        first = a_new_alert(infant)
        assert now.after(0) == []
        now.after(60)
        a_new_alert(infant, kind="single_extreme", evidence={"smallest_p_value": 0.01})
        assert now.after(5) == []
        actions.acknowledge(Viewer(user=a_reachable(infant, "Cleo")), first.id, timezone.now())
        assert now.at(_berlin(2026, 3, 13, 5, 59)) == []
        assert now.at(_berlin(2026, 3, 13, 6)) == ["ben: Ada: 2 alerts during your quiet hours"]
        said = mail.outbox[0].body
        assert "Ada’s crying is different from usual. Since yesterday, 23:29. Acknowledged" in said
        assert "One session was unlike Ada’s others" in said
        assert now.after(30) == []
    held = list(Delivery.objects.order_by("created_at", "id"))
    assert [one.state for one in held] == ["sent", "sent"]
    assert held[1].told_with == held[0]


@pytest.mark.parametrize(
    ("evening", "hours"),
    [((2026, 3, 28, 23, 0), 6), ((2026, 10, 24, 23, 0), 8), ((2026, 6, 1, 23, 0), 7)],
    ids=["the clock goes forward", "the clock goes back", "as ever"],
)
def test_they_end_by_the_clock_on_the_nights_on_which_it_changes(
    infant: Infant, ben: User, evening: tuple[int, ...], hours: int
) -> None:
    a_follower(infant, ben)
    with clock(_berlin(*evening)) as now:
        a_new_alert(infant)
        assert now.after(0) == []
        assert now.after(60 * hours - 1) == []
        assert now.after(1) == [DIFFERENT]
        assert timezone.now().astimezone(BERLIN).time() == dt.time(6)


@pytest.mark.parametrize(
    ("breaks", "severity", "told"),
    [(True, "strong", 1), (True, "clear", 0), (False, "strong", 0)],
)
def test_urgent_ones_break_through_for_who_wants_that(
    infant: Infant, ben: User, breaks: bool, severity: str, told: int
) -> None:
    a_follower(infant, ben, breaks_quiet=breaks)
    with clock(_berlin(2026, 3, 12, 23, 30)) as now:
        a_new_alert(infant, severity)
        assert len(now.after(0)) == told


def test_a_beginning_and_an_end_that_were_held_are_one_message(infant: Infant, ben: User) -> None:
    a_follower(infant, ben)
    with clock(_berlin(2026, 3, 12, 23, 30)) as now:
        alert = a_new_alert(infant)
        now.after(0)
        end(alert)
        assert now.after(60) == []
        assert now.at(_berlin(2026, 3, 13, 6)) == ["ben: Ada’s crying was different from usual"]
        assert "This was held back during your quiet hours." in mail.outbox[0].body
        assert now.after(60) == []


def test_an_end_does_not_wake_anybody(infant: Infant, ben: User) -> None:
    a_follower(infant, ben, breaks_quiet=True)
    with clock(_berlin(2026, 3, 12, 21, 30)) as now:
        alert = a_new_alert(infant, "strong")
        assert now.after(0) == [DIFFERENT]
        now.after(60)
        end(alert)
        assert now.after(60) == []
        assert now.at(_berlin(2026, 3, 13, 6)) == ["ben: Ada’s crying was different from usual"]


def test_others_are_told_meanwhile(infant: Infant, ben: User) -> None:
    a_follower(infant, ben)
    a_follower(infant, a_reachable(infant, "Cleo"), delay_min=10)
    with clock(_berlin(2026, 3, 12, 23, 30)) as now:
        a_new_alert(infant)
        assert now.after(0) == []
        assert now.after(10) == ["cleo: Ada’s crying is different from usual"]


def test_who_ends_the_hours_is_told_at_once(infant: Infant, ben: User) -> None:
    a_follower(infant, ben)
    with clock(_berlin(2026, 3, 12, 23, 30)) as now:
        a_new_alert(infant)
        assert now.after(0) == []
        actions.set_quiet_hours(Viewer(user=ben), infant, None)
        assert now.after(1) == [DIFFERENT]
