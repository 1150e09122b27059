"""Followers for tests, and a clock that the whole telling goes by."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import time_machine
from allauth.account.models import EmailAddress
from django.core import mail
from django.utils import timezone

from anomaly.models import Episode
from infants.models import Infant, Membership, User
from notify.models import Alert, Follower
from notify.stages.send import tell_due
from tests.builders import a_member, a_user
from tests.notify.rows import SHIFT, VIEWS, a_told_episode

EVIDENCE = {"views": VIEWS, "severity": "clear", "room": "unchanged", "n_sessions": 4}
Channel = Follower.Channel


def a_reachable(infant: Infant, name: str, role: str = Membership.Role.CAREGIVER) -> User:
    """Return a member whose e-mail address is confirmed."""
    user = a_member(infant, role, user=a_user(first_name=name))
    EmailAddress.objects.create(
        user=user, email=f"{name.lower()}@example.org", verified=True, primary=True
    )
    return user


def a_follower(infant: Infant, user: User, **given: Any) -> Follower:
    """Return somebody who is told by e-mail of everything, at once, unless said otherwise."""
    described = {"channel": Channel.EMAIL, "says_name": True} | given
    return Follower.objects.create(infant=infant, user=user, **described)


def a_new_alert(infant: Infant, severity: str = "clear", **given: Any) -> Alert:
    """Return the alert of a shift that is noticed now."""
    described = {"kind": SHIFT, "evidence": EVIDENCE | {"severity": severity}} | given
    episode = a_told_episode(infant, dt.timedelta(minutes=1), **described)
    return Alert.objects.create(
        infant=infant,
        episode=episode,
        kind=episode.kind,
        opened_at=episode.opened_at,
        raised_at=timezone.now(),
    )


def worsen(alert: Alert, severity: str) -> None:
    """Let an alert's episode become so severe."""
    episode = Episode.objects.get(alert=alert)
    Episode.objects.filter(id=episode.id).update(evidence=EVIDENCE | {"severity": severity})


def end(alert: Alert) -> None:
    """Let an alert's episode be over now."""
    Episode.objects.filter(alert=alert).update(
        closed_at=timezone.now(), close_reason="back_to_usual"
    )


class Clock:
    """The time of a test; `after` moves on, and lets everything be told that is due then."""

    def __init__(self, traveller: Any) -> None:
        self._traveller = traveller

    def at(self, moment: dt.datetime) -> list[str]:
        """Go to a moment and return the letters that are sent then, as recipient: subject."""
        self._traveller.move_to(moment, tick=False)
        mail.outbox.clear()
        tell_due(timezone.now())
        return [f"{letter.to[0].partition('@')[0]}: {letter.subject}" for letter in mail.outbox]

    def after(self, minutes: float) -> list[str]:
        """Go on by minutes."""
        return self.at(timezone.now() + dt.timedelta(minutes=minutes))


@contextmanager
def clock(start: dt.datetime) -> Iterator[Clock]:
    """Stand still at a moment."""
    with time_machine.travel(start, tick=False) as traveller:
        yield Clock(traveller)
