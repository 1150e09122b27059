"""Alert: who must hear of it.

What comes in: the events that tell of episodes. What goes out: one `Alert` for each episode that
somebody must hear of, which ends with it. Guaranteed: a function of the rows, so that it may run
as often as it likes, and a killed worker or a lost message loses nothing and doubles nothing; the
past raises no alert, unless it goes on; what people did with an alert stays.
"""

import datetime as dt
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from anomaly.models import Episode, Event
from anomaly.stages.episode import NEWS_FOR
from infants.locks import infant_locked
from infants.models import Infant
from notify.models import Alert
from notify.signals import alert_raised

HEARD_OF = (
    Episode.Kind.PERSISTENT_SHIFT,
    Episode.Kind.SINGLE_EXTREME,
    Episode.Kind.MONITOR_SILENT,
)
"""New surroundings are told on the pages alone: whoever moved the monitor knows of it."""


def raise_alerts(now: dt.datetime, infant_id: UUID | None = None) -> int:
    """Bring the alerts of an infant, or of all, in line with the episodes; return of how many.

    Commits infant by infant, idempotent.
    """
    own = Q() if infant_id is None else Q(infant=infant_id)
    unheard = unheard_of(now).filter(own).values_list("infant", flat=True)
    astray = _astray().filter(own).values_list("infant", flat=True)
    infants = {*unheard, *astray}
    for one in sorted(infants):
        with infant_locked(one) as infant:
            bring_in_line(infant, now)
    return len(infants)


def bring_in_line(infant: Infant, now: dt.datetime) -> None:
    """Open, move and close the alerts of an infant; call it under the infant's lock."""
    for episode in unheard_of(now).filter(infant=infant):
        _raise(episode)
    for alert in _astray().filter(infant=infant).select_related("episode"):
        _follow(alert, now)


def unheard_of(now: dt.datetime) -> QuerySet[Episode]:
    """Return the episodes that have no alert and are due one.

    What was over before anybody could be told of it raises none. An event that was of the past
    when it was found raises one only where the episode goes on: the crying is unusual now. An
    episode that is back gets the alert again that was withdrawn with it.
    """
    told = Event.objects.filter(episode=OuterRef("pk"), kind=Event.Kind.EPISODE_OPENED)
    goes_on = Q(closed_at=None, last_at__gt=now - NEWS_FOR)
    is_recent = Q(closed_at=None) | Q(closed_at__gt=now - NEWS_FOR)
    is_news = Exists(told.filter(facts__is_past=False)) | Q(Exists(told), goes_on)
    is_back = Exists(_withdrawn(OuterRef("infant"), OuterRef("kind"), OuterRef("opened_at")))
    is_due = (is_recent & is_news) | Q(is_back)
    return Episode.with_silences.filter(is_due, alert=None, kind__in=HEARD_OF)


def _withdrawn(infant: object, kind: object, opened_at: object) -> QuerySet[Alert]:
    """Return the alerts that were withdrawn with an episode that began so."""
    begun: dict[str, Any] = {"infant": infant, "kind": kind, "opened_at": opened_at}
    return Alert.objects.filter(**begun, episode=None)


def _astray() -> QuerySet[Alert]:
    """Return the alerts that do not say what their episode says."""
    without = Q(episode=None, closed_at=None)
    ended = Q(closed_at=None, episode__closed_at__isnull=False)
    reopened = Q(closed_at__isnull=False, episode__isnull=False, episode__closed_at=None)
    moved = Q(closed_at__isnull=False, episode__closed_at__isnull=False) & ~Q(
        closed_at=F("episode__closed_at")
    )
    shifted = Q(episode__isnull=False) & ~Q(opened_at=F("episode__opened_at"))
    return Alert.objects.filter(without | ended | reopened | moved | shifted)


def _raise(episode: Episode) -> None:
    """Open the alert of an episode: the one that was withdrawn, where the episode is back."""
    withdrawn = _withdrawn(episode.infant_id, episode.kind, episode.opened_at)
    alert = withdrawn.order_by("raised_at").last() or Alert(
        infant_id=episode.infant_id, kind=episode.kind
    )
    alert.episode, alert.opened_at = episode, episode.opened_at
    alert.closed_at = episode.closed_at
    alert.save()
    transaction.on_commit(lambda: alert_raised.send_robust(Alert, alert_id=alert.id))


def _follow(alert: Alert, now: dt.datetime) -> None:
    """Let an alert say what its episode says; without one it ends now."""
    episode = alert.episode
    if episode is None:
        alert.closed_at = now
    else:
        alert.opened_at, alert.closed_at = episode.opened_at, episode.closed_at
    alert.save(update_fields=["opened_at", "closed_at"])
