"""Episode: a lasting shift opens one, time closes it, the past calls nobody."""

import datetime as dt

import pytest
from django.utils import timezone

from anomaly.models import Episode, Event, SessionJudgement
from anomaly.stages.episode import close_ended_episodes, refresh_episodes
from devices.models import Device
from infants.models import Infant
from tests import judged

pytestmark = pytest.mark.django_db


def _shifted(days: int = 20) -> tuple[Infant, Device]:
    infant, device = judged.an_infant_with_monitor()
    judged.live_through(infant, device, days=days, shift_from=14)
    return infant, device


def test_a_lasting_shift_becomes_an_episode_that_has_an_event() -> None:
    _shifted()
    episode = Episode.objects.get(kind=Episode.Kind.PERSISTENT_SHIFT)
    assert episode.opened_at.date() >= (judged.START + dt.timedelta(days=14)).date()
    opened = Event.objects.get(kind=Event.Kind.EPISODE_OPENED, episode=episode)
    assert opened.occurred_at == episode.opened_at


def test_a_steady_infant_has_no_persistent_shift() -> None:
    infant, device = judged.an_infant_with_monitor()
    judged.live_through(infant, device, days=18)
    assert not Episode.objects.filter(kind=Episode.Kind.PERSISTENT_SHIFT).exists()


def test_every_episode_is_closed_once_time_has_passed() -> None:
    infant, _ = _shifted()
    last = SessionJudgement.objects.latest("started_at").started_at
    refresh_episodes(infant, last + dt.timedelta(hours=1))
    still_open = Episode.objects.filter(closed_at=None).count()
    assert close_ended_episodes(last + dt.timedelta(days=60)) == 1
    assert still_open >= 1
    assert not Episode.objects.filter(closed_at=None).exists()
    assert all(Episode.objects.values_list("close_reason", flat=True))


def test_recomputing_changes_nothing_and_tells_nothing_twice() -> None:
    infant, _ = _shifted()
    now = timezone.now()
    refresh_episodes(infant, now)
    episodes = list(Episode.objects.order_by("id").values())
    events = list(Event.objects.order_by("id").values())
    refresh_episodes(infant, now)
    assert list(Episode.objects.order_by("id").values()) == episodes
    assert list(Event.objects.order_by("id").values()) == events


def test_an_event_about_the_past_says_so() -> None:
    _shifted()  # all of it lies before `now` by more than a day
    facts = Event.objects.filter(kind=Event.Kind.EPISODE_OPENED).values_list("facts", flat=True)
    assert facts
    assert all(fact["is_past"] for fact in facts)
