"""Plan: who is told of a piece of news, and when.

What comes in: news that nobody has planned. What goes out: one `Delivery` for each follower who
wants to hear of it, due after the follower's delay. Guaranteed: idempotent; news that are older
than a day are told to nobody; whoever may not see the infant any more is told nothing.
"""

import datetime as dt

from django.db import transaction
from django.db.models import Q

from anomaly.stages.episode import NEWS_FOR
from infants.access import Viewer, infants_for
from infants.models import Infant
from notify.followers import follow_owners_by_default
from notify.models import Delivery, Follower, News
from notify.severity import is_at_least

Kind = News.Kind
State = Delivery.State


def plan_deliveries(now: dt.datetime) -> int:
    """Plan the tellings of all news; commits one by one; return of how many news."""
    unplanned = News.objects.filter(planned_at=None).select_related("alert__infant")
    found = list(unplanned.order_by("created_at", "id"))
    for news in found:
        with transaction.atomic():
            if news.at > now - NEWS_FOR:
                _plan(news)
            News.objects.filter(id=news.id).update(planned_at=now)
    return len(found)


def _plan(news: News) -> None:
    infant = news.alert.infant
    follow_owners_by_default(infant)
    Delivery.objects.bulk_create(
        [
            Delivery(news=news, follower=one, channel=one.channel, due_at=_due_at(news, one))
            for one in infant.followers.filter(is_on=True).select_related("user")
            if _wants(one, news) and may_be_told(one, infant)
        ],
        ignore_conflicts=True,
    )


def may_be_told(follower: Follower, infant: Infant) -> bool:
    """Tell whether a follower's person may still see the infant."""
    return infants_for(Viewer.of(follower.user)).filter(id=infant.id).exists()


def _due_at(news: News, follower: Follower) -> dt.datetime:
    """Return when: what calls people, after the delay; what is over or for a program, at once."""
    waits = news.kind in News.CALLING and not follower.is_machine
    return news.at + dt.timedelta(minutes=follower.delay_min if waits else 0)


def _wants(follower: Follower, news: News) -> bool:
    """Tell whether a follower wants to hear of it: of an end, who has heard of what ended."""
    if news.kind == Kind.ENDED:
        told = Q(news__alert=news.alert) & ~Q(state=State.DROPPED)
        return follower.deliveries.filter(told).exists()
    is_severe = is_at_least(news.severity, follower.least_severity)
    return is_severe and (follower.is_machine or news.kind in News.CALLING)
