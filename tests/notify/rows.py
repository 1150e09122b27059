"""Alerts for tests, as the stage makes them."""

import datetime as dt
from typing import Any

from django.utils import timezone

from anomaly.models import Episode, Event
from infants.models import Infant
from notify.models import Alert
from notify.stages.alert import raise_alerts
from tests.builders import an_episode

HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)
SHIFT = Episode.Kind.PERSISTENT_SHIFT
VIEWS = [
    {
        "view": "f0_log2_hz",
        "share": 0.9,
        "sd": 1.4,
        "sd_low": 0.9,
        "sd_high": 1.9,
        "by": 14.0,
        "low": 9.0,
        "high": 18.6,
        "unit": "%",
    },
    {
        "view": "jitter_frac",
        "share": 0.09,
        "sd": -1.0,
        "sd_low": -1.5,
        "sd_high": -0.5,
        "by": -20.0,
        "low": -30.0,
        "high": -10.0,
        "unit": "%",
    },
    {
        "view": "duration_s",
        "share": 0.0,
        "sd": 0.1,
        "sd_low": -0.3,
        "sd_high": 0.5,
        "by": 5.0,
        "low": -19.0,
        "high": 38.0,
        "unit": "%",
    },
    {"view": "embedding", "share": 0.01, "sd": 0.1, "sd_low": -0.4, "sd_high": 0.6},
]


def told(episode: Episode, *, is_past: bool = False) -> Event:
    """Return the event that tells of an episode's opening."""
    return Event.objects.create(
        infant=episode.infant,
        kind=Event.Kind.EPISODE_OPENED,
        key=str(episode.id),
        occurred_at=episode.opened_at,
        episode=episode,
        facts={"episode": episode.kind, "is_past": is_past},
    )


def a_told_episode(infant: Infant, ago: dt.timedelta = HOUR, **given: Any) -> Episode:
    """Return an episode that opened so long ago, with its event: an open shift unless said."""
    is_past = given.pop("is_past", False)
    opened = timezone.now() - ago
    described = {"kind": SHIFT, "last_at": opened} | given
    episode = an_episode(infant, opened, **described)
    told(episode, is_past=is_past)
    return episode


def an_alert(infant: Infant, ago: dt.timedelta = HOUR, **given: Any) -> Alert:
    """Return the alert of a new episode."""
    episode = a_told_episode(infant, ago, **given)
    raise_alerts(timezone.now(), infant.id)
    return Alert.objects.get(episode=episode)
