"""What an alert's sheet says of who was told, who is next, and whom nothing reached."""

import datetime as dt
from collections.abc import Iterator
from smtplib import SMTPServerDisconnected
from unittest.mock import patch

import pytest
from allauth.account.models import EmailAddress
from django.utils import timezone

from dashboard.alerts.told import told_of
from infants.access import Viewer
from infants.models import Infant, Membership, User
from notify.actions import Hours, acknowledge, set_quiet_hours
from notify.models import Alert
from notify.suspensions import suspend
from tests.builders import an_infant, as_user
from tests.dashboard.reading import Page
from tests.notify.told import EVIDENCE, Clock, a_follower, a_new_alert, a_reachable, clock

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]
NOON = dt.datetime(2026, 3, 13, 12, 0, tzinfo=dt.UTC)


@pytest.fixture
def infant() -> Infant:
    return an_infant(time_zone="Europe/Berlin")


@pytest.fixture
def ben(infant: Infant) -> User:
    return a_reachable(infant, "Ben")


@pytest.fixture
def now() -> Iterator[Clock]:
    with clock(NOON) as one:
        yield one


def _said(user: User, alert: Alert) -> list[str]:
    alert.refresh_from_db()
    rows = told_of(Viewer(user=user), alert, timezone.now())
    return [f"{row.time} {row.text}" for row in rows]


def test_who_was_told_and_who_is_next_unless_somebody_takes_it(
    infant: Infant, ben: User, now: Clock
) -> None:
    cleo = a_reachable(infant, "Cleo")
    a_follower(infant, ben)
    a_follower(infant, cleo, delay_min=15)
    alert = a_new_alert(infant)
    now.after(1)
    assert _said(ben, alert) == [
        "today, 13:15 Cleo is told next, where nobody has acknowledged it (E-mail)",
        "today, 13:01 Ben was told (E-mail: ben@example.org)",
    ]
    acknowledge(Viewer(user=ben), alert.id, timezone.now())
    assert _said(ben, alert) == ["today, 13:01 Ben was told (E-mail: ben@example.org)"]


def test_what_quiet_hours_hold_is_told_then(infant: Infant, ben: User, now: Clock) -> None:
    hours = Hours(dt.time(11), dt.time(15), frozenset(range(7)))
    set_quiet_hours(Viewer(user=ben), infant, hours)
    a_follower(infant, ben)
    alert = a_new_alert(infant)
    now.after(1)
    held = "Ben is told when it is quiet no longer (E-mail: ben@example.org)"
    assert _said(ben, alert) == [f"today, 15:00 {held}"]


def test_what_is_suspended_is_told_then(infant: Infant, ben: User, now: Clock) -> None:
    suspend(Viewer(user=ben), infant.id, 90, timezone.now())
    a_follower(infant, ben)
    alert = a_new_alert(infant)
    now.after(1)
    held = "Ben is told when messages are suspended no longer (E-mail: ben@example.org)"
    assert _said(ben, alert) == [f"today, 14:30 {held}"]


def test_whom_nothing_reached_stands_out(infant: Infant, ben: User, now: Clock) -> None:
    a_follower(infant, ben)
    EmailAddress.objects.filter(user=ben).delete()
    evidence = EVIDENCE | {"peak_statistic": 6.2, "threshold": 3.3}
    evidence |= {"n_recordings": 4, "n_days": 2}
    alert = a_new_alert(infant, evidence=evidence)
    now.after(1)
    page = Page(as_user(ben).get(f"/alerts/{alert.id}/").content.decode())
    assert len(page.all("li", **{"class": "missed"})) == 1
    assert "Ben was not reached (E-mail: no confirmed address): there is no" in page.text


def test_a_broken_mail_server_is_tried_again(infant: Infant, ben: User, now: Clock) -> None:
    a_follower(infant, ben)
    alert = a_new_alert(infant)
    with patch("django.core.mail.message.EmailMessage.send", side_effect=SMTPServerDisconnected):
        now.after(1)
    (said,) = _said(ben, alert)
    assert "Ben was not reached yet; it is tried again" in said


def test_who_may_not_know_names_reads_of_nobody(infant: Infant, ben: User, now: Clock) -> None:
    researcher = a_reachable(infant, "Dora", Membership.Role.RESEARCHER)
    a_follower(infant, ben)
    alert = a_new_alert(infant)
    now.after(1)
    assert _said(researcher, alert) == []
