"""Episode: a lasting shift opens one, time closes it, the past calls nobody."""

import datetime as dt

import pytest
from django.utils import timezone

from anomaly.models import Episode, Event, SessionJudgement, WatchedDay
from anomaly.selectors.watched import watched_days
from anomaly.stages.episode import close_ended_episodes, refresh_episodes
from devices.models import Device
from infants.access import Viewer
from infants.models import Infant
from tests import judged

pytestmark = pytest.mark.django_db


def _shifted(days: int = 20) -> tuple[Infant, Device]:
    infant, device = judged.a_life(days=days, shift_from=14)
    return infant, device


def test_a_lasting_shift_becomes_an_episode_that_has_an_event() -> None:
    _shifted()
    episode = Episode.objects.get(kind=Episode.Kind.PERSISTENT_SHIFT)
    assert episode.opened_at.date() >= (judged.START + dt.timedelta(days=14)).date()
    opened = Event.objects.get(kind=Event.Kind.EPISODE_OPENED, episode=episode)
    assert opened.occurred_at == episode.opened_at


def test_a_steady_infant_has_no_persistent_shift() -> None:
    judged.a_life(days=18)
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


def test_each_day_keeps_the_statistic_that_its_episodes_were_found_by() -> None:
    infant, _ = _shifted()
    shift = Episode.objects.get(kind=Episode.Kind.PERSISTENT_SHIFT)
    days = list(WatchedDay.objects.order_by("day"))
    over = [one.day for one in days if one.highest >= shift.evidence["threshold"]]
    assert over[0] == infant.local_day(shift.opened_at)
    assert len({one.day for one in days}) == len(days) > 5


def test_the_days_follow_sessions_that_are_deleted_and_are_worked_out_where_none_are_kept() -> None:
    infant, _ = _shifted()
    now = timezone.now()
    last = SessionJudgement.objects.latest("started_at")
    last_day = infant.local_day(last.started_at)
    last.session.recordings.all().delete()
    last.session.delete()
    refresh_episodes(infant, now)
    kept = list(WatchedDay.objects.order_by("day").values_list("day", "highest", "last"))
    assert last_day not in {day for day, _, _ in kept}
    WatchedDay.objects.all().delete()
    found = watched_days(Viewer.system(), infant, judged.START, now)
    assert [(one.day, one.highest, one.last) for one in found] == kept
    assert not WatchedDay.objects.exists()
    assert watched_days(Viewer(), infant, judged.START, now) == []
