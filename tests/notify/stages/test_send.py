"""From alerts to letters: who is told, when, how often, and what is not told any more."""

import datetime as dt
from collections.abc import Iterator

import pytest
from django.core import mail
from django.utils import timezone

from infants.access import Viewer
from infants.models import Infant, Membership, User
from notify import actions
from notify.deliveries import replay
from notify.models import Alert, AlertAction, Delivery, Follower, News
from notify.stages import send as sending
from notify.stages.news import note_news
from notify.stages.plan import plan_deliveries
from tests.builders import an_infant
from tests.notify.told import (
    Clock,
    a_follower,
    a_new_alert,
    a_reachable,
    clock,
    end,
    worsen,
)

pytestmark = pytest.mark.django_db
NOON = dt.datetime(2026, 3, 13, 12, 0, tzinfo=dt.UTC)
DIFFERENT = "Ada’s crying is different from usual"
OVER = "Ada’s crying was different from usual"
State = Delivery.State


@pytest.fixture
def infant() -> Infant:
    return an_infant(time_zone="Europe/Berlin")


@pytest.fixture
def ben(infant: Infant) -> User:
    return a_reachable(infant, "Ben")


@pytest.fixture
def cleo(infant: Infant) -> User:
    return a_reachable(infant, "Cleo")


@pytest.fixture
def now() -> Iterator[Clock]:
    with clock(NOON) as one:
        yield one


def _take(alert: Alert, user: User) -> None:
    actions.acknowledge(Viewer(user=user), alert.id, timezone.now())


# --- who and when ---------------------------------------------------------------------------------


def test_an_alert_is_told_once(infant: Infant, ben: User, now: Clock) -> None:
    a_follower(infant, ben)
    alert = a_new_alert(infant)
    assert now.after(0) == [f"ben: {DIFFERENT}"]
    said = mail.outbox[0].body
    assert "Since today, 12:59." in said
    assert "How unusual: higher in pitch, steadier; room unchanged; clear evidence." in said
    assert f"/alerts/{alert.id}/" in said
    assert "Research use only; not a medical device." in said
    assert now.after(30) == []
    assert Delivery.objects.get().state == State.SENT


def test_planning_and_noting_twice_plan_once(infant: Infant, ben: User, now: Clock) -> None:
    a_follower(infant, ben)
    a_new_alert(infant)
    for _ in range(2):
        note_news(timezone.now())
        News.objects.update(planned_at=None)
        plan_deliveries(timezone.now())
    assert (News.objects.count(), Delivery.objects.count()) == (1, 1)


def test_an_owner_with_a_confirmed_address_is_told_from_the_beginning(
    infant: Infant, ben: User, now: Clock
) -> None:
    owner = a_reachable(infant, "Ada", Membership.Role.OWNER)
    a_new_alert(infant)
    assert now.after(0) == [f"ada: {DIFFERENT}"]
    Follower.objects.get(user=owner)
    assert not Follower.objects.filter(user=ben).exists()


def test_what_is_switched_off_stays_off(infant: Infant, now: Clock) -> None:
    owner = a_reachable(infant, "Ada", Membership.Role.OWNER)
    a_follower(infant, owner, is_on=False, off_reason="own_choice")
    a_new_alert(infant)
    assert now.after(0) == []


@pytest.mark.parametrize(("least", "told"), [("slight", 1), ("clear", 1), ("strong", 0)])
def test_one_is_told_from_the_chosen_severity_on(
    infant: Infant, ben: User, now: Clock, least: str, told: int
) -> None:
    a_follower(infant, ben, least_severity=least)
    a_new_alert(infant, "clear")
    assert len(now.after(0)) == told


def test_who_lost_access_is_told_nothing(infant: Infant, ben: User, now: Clock) -> None:
    a_follower(infant, ben, delay_min=10)
    a_new_alert(infant)
    now.after(0)
    infant.memberships.update(revoked_at=timezone.now())
    assert now.after(10) == []
    assert Delivery.objects.get().reason == "no_access"


def test_a_researcher_reads_no_name(infant: Infant, now: Clock) -> None:
    a_follower(infant, a_reachable(infant, "Rex", Membership.Role.RESEARCHER))
    a_new_alert(infant)
    [said] = now.after(0)
    assert said == f"rex: Infant {infant.id.hex[-6:]}’s crying is different from usual"
    assert "Ada" not in mail.outbox[0].body


def test_each_reads_in_the_own_language(infant: Infant, ben: User, now: Clock) -> None:
    a_follower(infant, ben, language="de")
    a_new_alert(infant)
    [said] = now.after(0)
    assert said != f"ben: {DIFFERENT}"
    assert "Ada" in said


def test_what_is_old_news_is_told_to_nobody(infant: Infant, ben: User, now: Clock) -> None:
    a_follower(infant, ben)
    Alert.objects.filter(id=a_new_alert(infant).id).update(raised_at=NOON - dt.timedelta(days=2))
    assert now.after(0) == []
    assert News.objects.get().planned_at is not None


# --- escalation and reminders ---------------------------------------------------------------------


def test_the_next_is_told_where_nobody_takes_it(
    infant: Infant, ben: User, cleo: User, now: Clock
) -> None:
    a_follower(infant, ben)
    a_follower(infant, cleo, delay_min=15)
    a_new_alert(infant)
    assert now.after(0) == [f"ben: {DIFFERENT}"]
    assert now.after(14) == []
    assert now.after(1) == [f"cleo: {DIFFERENT}"]


def test_the_next_is_not_told_where_somebody_took_it(
    infant: Infant, ben: User, cleo: User, now: Clock
) -> None:
    a_follower(infant, ben)
    a_follower(infant, cleo, delay_min=15)
    alert = a_new_alert(infant)
    now.after(0)
    _take(alert, ben)
    assert now.after(60) == []
    assert cleo.followers.get().deliveries.get().reason == "acknowledged"


def test_reminders_come_until_it_is_taken(infant: Infant, ben: User, now: Clock) -> None:
    a_follower(infant, ben, repeat_min=30)
    alert = a_new_alert(infant)
    told = [len(now.after(minutes)) for minutes in (0, 29, 1, 30)]
    assert told == [1, 0, 1, 1]
    assert "You were told of it before." in mail.outbox[0].body
    _take(alert, ben)
    assert now.after(30) == []


def test_reminders_end_after_some(infant: Infant, ben: User, now: Clock) -> None:
    a_follower(infant, ben, repeat_min=30)
    a_new_alert(infant)
    assert sum(len(now.after(30)) for _ in range(12)) == 1 + sending.MOST_REMINDERS


# --- snooze, worse, back, over --------------------------------------------------------------------


def test_what_is_put_off_comes_back_by_itself(infant: Infant, ben: User, now: Clock) -> None:
    a_follower(infant, ben)
    alert = a_new_alert(infant)
    now.after(0)
    actions.snooze(Viewer(user=ben), alert.id, 30, timezone.now())
    assert now.after(29) == []
    assert now.after(1) == [f"ben: {DIFFERENT}"]
    assert now.after(30) == []
    kinds = list(alert.news.values_list("kind", flat=True))
    assert kinds == ["opened", "snoozed", "back"]


@pytest.mark.parametrize("act", ["snooze", "acknowledge"])
def test_what_becomes_worse_breaks_through(infant: Infant, ben: User, now: Clock, act: str) -> None:
    a_follower(infant, ben)
    alert = a_new_alert(infant, "slight")
    now.after(0)
    if act == "snooze":
        actions.snooze(Viewer(user=ben), alert.id, 90, timezone.now())
    else:
        _take(alert, ben)
    assert now.after(1) == []
    worsen(alert, "strong")
    assert now.after(1) == [f"ben: {DIFFERENT}"]
    assert "It has become more severe since you were told of it." in mail.outbox[0].body
    alert.refresh_from_db()
    assert alert.state(timezone.now()) == Alert.State.CALLING
    assert alert.actions.latest("at").kind == AlertAction.Kind.WORSENED
    assert now.after(200) == []


def test_what_is_taken_and_no_worse_stays_quiet(infant: Infant, ben: User, now: Clock) -> None:
    a_follower(infant, ben, repeat_min=30)
    alert = a_new_alert(infant, "strong")
    now.after(0)
    _take(alert, ben)
    for severity in ("clear", "strong", "slight", "strong"):
        worsen(alert, severity)
        assert now.after(60) == []


def test_worse_while_it_is_being_taken_calls_again(infant: Infant, ben: User, now: Clock) -> None:
    a_follower(infant, ben)
    alert = a_new_alert(infant, "slight")
    now.after(0)
    _take(alert, ben)
    worsen(alert, "clear")
    assert now.after(1) == [f"ben: {DIFFERENT}"]


def test_the_end_is_told_once_to_those_who_were_told(
    infant: Infant, ben: User, cleo: User, now: Clock
) -> None:
    a_follower(infant, ben)
    a_follower(infant, cleo, delay_min=60)
    alert = a_new_alert(infant)
    now.after(0)
    now.after(5)
    end(alert)
    assert now.after(5) == [f"ben: {OVER}"]
    assert "Over: the crying is back to usual." in mail.outbox[0].body
    assert now.after(120) == []
    reasons = cleo.followers.get().deliveries.order_by("due_at").values_list("reason", flat=True)
    assert list(reasons) == ["was_not_told", "ended"]


def test_what_was_over_before_anybody_heard_is_told_once(
    infant: Infant, ben: User, now: Clock
) -> None:
    a_follower(infant, ben)
    end(a_new_alert(infant))
    assert now.after(0) == [f"ben: {OVER}"]
    assert now.after(60) == []


def test_what_is_withdrawn_is_told_to_be_over(infant: Infant, ben: User, now: Clock) -> None:
    a_follower(infant, ben)
    alert = a_new_alert(infant)
    now.after(0)
    alert.episode.delete()
    assert now.after(5) == [f"ben: {OVER}"]
    assert "Withdrawn" in mail.outbox[0].body


# --- what does not arrive -------------------------------------------------------------------------


def test_who_has_no_confirmed_address_is_a_dead_letter(
    infant: Infant, ben: User, now: Clock
) -> None:
    a_follower(infant, ben)
    ben.emailaddress_set.update(verified=False)
    a_new_alert(infant)
    assert now.after(0) == []
    dead = Delivery.objects.get()
    assert (dead.state, dead.reason, dead.attempts) == (State.DEAD, "no_confirmed_address", 1)
    ben.emailaddress_set.update(verified=True)
    assert replay() == [dead.id]
    assert now.after(600) == [f"ben: {DIFFERENT}"]
    assert f"<{dead.id}@localhost>" in str(mail.outbox[0].message()["Message-ID"])
    assert replay([dead.id]) == []


def test_waits_double_and_vary() -> None:
    for attempts, wait_s in ((1, 30.0), (2, 60.0), (5, 480.0), (9, 3600.0), (99, 3600.0)):
        waits = {sending.wait_s(attempts) for _ in range(20)}
        assert len(waits) > 10
        assert all(0.8 * wait_s <= wait <= 1.2 * wait_s for wait in waits)
