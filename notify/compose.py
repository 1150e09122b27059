"""Composing the message of one telling, or one of all that was held back, in its reader's language.

What comes in: a follower and deliveries, with what each tells of. What goes out: a `Message`.
Guaranteed: names only for who may know them and wants them said; the notice that this is research
ends every message; several alerts that were held are told in one message, each as it is now.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _

from anomaly.notice import NOTICE, SHOWN_NOTICE
from infants.access import Right, Viewer, infants_for
from notify import words
from notify.channels.message import Message
from notify.links import link_to, link_to_followers
from notify.models import Alert, Delivery, Follower, News
from notify.severity import URGENT


def message_of(follower: Follower, told: Sequence[Delivery], now: dt.datetime) -> Message:
    """Return the message of deliveries to one follower, which carries the first one's id."""
    with translation.override(follower.language):
        news = told[-1].news
        if news is None:
            return _trial(follower, told[-1], now)
        alerts = {one.news.alert_id: _for(follower, one.news.alert) for one in told if one.news}
        if len(alerts) > 1:
            return _digest(follower, told, list(alerts.values()), now)
        return _single(follower, told, alerts[news.alert_id], now)


def is_urgent(news: News) -> bool:
    """Tell whether news may break through quiet hours."""
    return news.kind in News.CALLING and news.severity == URGENT


def _for(follower: Follower, alert: Alert) -> Alert:
    """Let an alert say whether this reader is told names."""
    known = infants_for(Viewer.of(follower.user), Right.IDENTIFY).filter(id=alert.infant_id)
    alert.is_identified = follower.says_name and known.exists()  # type: ignore[attr-defined]
    return alert


def _single(
    follower: Follower, told: Sequence[Delivery], alert: Alert, now: dt.datetime
) -> Message:
    first, last, news = told[0], told[-1], told[-1].news
    kind = news.kind if news else ""
    is_over = kind == News.Kind.ENDED and not first.is_held
    lines = [
        _held_words(first),
        "" if first.is_held else words.news_words(kind, last.nth),
        words.since_words(alert, now) + ".",
        "" if is_over else words.unusual_words(alert),
        words.standing_words(alert, now) + ".",
    ]
    return Message(
        **_frame(follower, first, now, lines),
        title=words.title_words(alert),
        link=link_to(f"/alerts/{alert.id}/"),
        topic=alert.id,
        is_urgent=news is not None and is_urgent(news),
        is_silent=is_over,
        document=news.facts if news and follower.is_machine else None,
    )


def _held_words(delivery: Delivery) -> str:
    if not delivery.is_held:
        return ""
    if delivery.held_for == Delivery.HeldFor.SUSPENSION:
        return _("This was held back while messages were suspended.")
    return _("This was held back during your quiet hours.")


def _digest(
    follower: Follower, told: Sequence[Delivery], alerts: list[Alert], now: dt.datetime
) -> Message:
    was_suspended = all(one.held_for == Delivery.HeldFor.SUSPENSION for one in told)
    title = words.suspended_title if was_suspended else words.digest_title
    lines = [
        _("%(title)s. %(since)s. %(standing)s.")
        % {
            "title": words.title_words(alert),
            "since": words.since_words(alert, now),
            "standing": words.standing_words(alert, now),
        }
        for alert in alerts
    ]
    return Message(
        **_frame(follower, told[0], now, lines),
        title=title(words.called(alerts[0]), len(alerts)),
        link=link_to("/alerts/"),
    )


def _trial(follower: Follower, trial: Delivery, now: dt.datetime) -> Message:
    lines = [_("If you can read this, alerts will reach you here. There is no alert now.")]
    document = {
        "type": "test",
        "timestamp": trial.created_at.isoformat(),
        "data": {"notice": NOTICE, "infant": str(follower.infant_id)},
    }
    return Message(
        **_frame(follower, trial, now, lines),
        title=_("A trial message from ICLAS"),
        link=link_to_followers(follower.infant_id),
        document=document if follower.is_machine else None,
    )


def _frame(
    follower: Follower, first: Delivery, now: dt.datetime, lines: list[str]
) -> dict[str, Any]:
    """Return what every message has."""
    return {
        "id": first.id,
        "at": now,
        "lines": (*(line for line in lines if line), str(SHOWN_NOTICE)),
        "language": follower.language,
        "settings_link": link_to_followers(follower.infant_id),
    }
