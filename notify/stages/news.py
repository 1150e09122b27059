"""News: what has happened to alerts that somebody may be told of.

What comes in: alerts as they are, and what people did with them. What goes out: one `News` for each
thing that happened. Guaranteed: a function of the rows, so that it may run as often as it likes;
what is snoozed or acknowledged calls again only where it has become more severe than anybody was
told, or where somebody let it; what was told of is told to be over, once.
"""

import datetime as dt
from typing import Any
from uuid import UUID

from django.db.models import OuterRef, Q, QuerySet, Subquery

from anomaly.models import Episode
from anomaly.notice import NOTICE
from anomaly.stages.episode import NEWS_FOR
from infants.locks import infant_locked
from notify.links import link_to
from notify.models import Alert, AlertAction, News
from notify.severity import Severity, is_worse, severity_of

Kind = News.Kind
Did = AlertAction.Kind
TOLD_OF = {
    Did.ACKNOWLEDGED: Kind.ACKNOWLEDGED,
    Did.ANSWERED: Kind.ACKNOWLEDGED,
    Did.SNOOZED: Kind.SNOOZED,
    Did.SNOOZE_ENDED: Kind.BACK,
    Did.ACKNOWLEDGEMENT_TAKEN_BACK: Kind.BACK,
}


def note_news(now: dt.datetime, infant_id: UUID | None = None) -> int:
    """Note what has happened to alerts, of an infant or of all; return of how many infants.

    Commits infant by infant, idempotent.
    """
    own = Q() if infant_id is None else Q(infant=infant_id)
    infants = set(_watched(now).filter(own).values_list("infant", flat=True))
    for one in sorted(infants):
        with infant_locked(one):
            for alert in _watched(now).filter(infant=one).select_related("episode"):
                _note(alert, now)
    return len(infants)


def is_news_of(infant_id: UUID, now: dt.datetime) -> bool:
    """Tell whether an infant has an alert of which nothing was noted yet."""
    return _watched(now).filter(infant=infant_id, news=None).exists()


def _watched(now: dt.datetime) -> QuerySet[Alert]:
    """Return the alerts to which something may have happened.

    What was raised and over long before anything was sent from here is left alone.
    """
    newest = News.objects.filter(alert=OuterRef("pk")).order_by("-number")
    known = Alert.objects.annotate(newest=Subquery(newest.values("kind")[:1]))
    unended = Q(newest__isnull=False) & ~Q(newest=Kind.ENDED)
    is_recent = Q(newest=None, raised_at__gt=now - NEWS_FOR)
    return known.filter(Q(closed_at=None) | unended | is_recent)


def _note(alert: Alert, now: dt.datetime) -> None:
    """Note what has happened to one alert since the last time."""
    history = list(alert.news.order_by("number"))
    if not history:
        history.append(_write(alert, Kind.OPENED, "opened", alert.raised_at))
    history += _done_by_people(alert)
    if alert.closed_at is not None:
        _note_end(alert, history, now)
        return
    if history[-1].kind == Kind.ENDED:
        history.append(_write(alert, Kind.BACK, f"reopened:{history[-1].id}", now))
    _note_worse(alert, history, now)
    _note_snooze_over(alert, now)


def _done_by_people(alert: Alert) -> list[News]:
    """Note what people did with it."""
    undone = alert.actions.filter(news=None, kind__in=TOLD_OF).order_by("at", "id")
    return [
        _write(alert, TOLD_OF[Did(one.kind)], f"action:{one.id}", one.at, one)
        for one in undone
        if one.kind != Did.ANSWERED or one.at == alert.acknowledged_at
    ]


def _note_end(alert: Alert, history: list[News], now: dt.datetime) -> None:
    """Note that it is over: at its end, or now where that was noticed long after."""
    if history[-1].kind != Kind.ENDED:
        _write(alert, Kind.ENDED, f"ended:{history[-1].id}", now)


def _note_worse(alert: Alert, history: list[News], now: dt.datetime) -> None:
    """Let it call again where it is more severe than anybody was told since it began."""
    found = _severity(alert)
    since = [one for one in _since_it_began(history) if one.kind in News.CALLING]
    if since and all(is_worse(found, one.severity) for one in since):
        if alert.state(now) != Alert.State.CALLING:
            _call_again(alert, found, now)
        _write(alert, Kind.WORSENED, f"worse:{found}:{since[0].id}", now)


def _since_it_began(history: list[News]) -> list[News]:
    ends = [index for index, one in enumerate(history) if one.kind == Kind.ENDED]
    return history[ends[-1] + 1 :] if ends else history


def _call_again(alert: Alert, found: str, now: dt.datetime) -> None:
    alert.acknowledged_at = alert.acknowledged_by = None
    alert.snoozed_until = alert.snoozed_by = None
    alert.save()
    AlertAction.objects.create(alert=alert, kind=Did.WORSENED, at=now, facts={"severity": found})


def _note_snooze_over(alert: Alert, now: dt.datetime) -> None:
    """Note that a snooze has run out, where somebody's last word on it was to put it off."""
    if alert.snoozed_until is None or alert.snoozed_until > now:
        return
    snoozed = alert.actions.filter(kind=Did.SNOOZED).order_by("at", "id").last()
    key = f"over:{snoozed.id}" if snoozed else f"over:{alert.snoozed_until.isoformat()}"
    _write(alert, Kind.BACK, key, alert.snoozed_until)


def _write(
    alert: Alert, kind: News.Kind, key: str, at: dt.datetime, action: AlertAction | None = None
) -> News:
    found = _severity(alert)
    number = alert.news.count()
    known = {"kind": kind, "number": number, "at": at, "severity": found, "action": action}
    return News.objects.get_or_create(
        alert=alert, key=key, defaults=known | {"facts": _facts(alert, kind, at, found)}
    )[0]


def _severity(alert: Alert) -> Severity:
    """Return how severe it is; without its episode as it was told last."""
    if alert.episode is not None:
        return severity_of(alert.episode.evidence)
    told = alert.news.order_by("number").last()
    return Severity(told.severity) if told else Severity.SLIGHT


TYPES = {Kind.OPENED: "alert.created", Kind.ENDED: "alert.ended"}
UPDATED = "alert.updated"


def _facts(alert: Alert, kind: News.Kind, at: dt.datetime, severity: str) -> dict[str, Any]:
    """Return the document that programs are told: frozen, so that every try sends the same."""
    episode = alert.episode
    return {
        "type": TYPES.get(kind, UPDATED),
        "timestamp": at.isoformat(),
        "data": {
            "notice": NOTICE,
            "change": kind.value,
            "alert": str(alert.id),
            "infant": str(alert.infant_id),
            "kind": alert.kind,
            "severity": str(severity),
            "state": alert.state(at).value,
            "began_at": _said(alert.opened_at if episode is None else episode.began_at),
            "opened_at": _said(alert.opened_at),
            "closed_at": _said(alert.closed_at),
            "close_reason": _reason(episode),
            "url": link_to(f"/alerts/{alert.id}/"),
        },
    }


def _reason(episode: Episode | None) -> str | None:
    """Return why it is over; null while it goes on, and where its episode is gone."""
    return episode.close_reason or None if episode else None


def _said(moment: dt.datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
