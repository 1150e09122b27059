"""Send: what is due goes out, each telling under a lease.

What comes in: deliveries that are due. What goes out: messages, and how each delivery ended.
Guaranteed: two workers never send the same one, unless one of them dies between sending and writing
that down: then it goes out again under the same id, at least once, never not at all; what does not
arrive is tried again, ever less often, for `ICLAS_NOTIFY_GIVE_UP_S` seconds, and then is a dead
letter; quiet hours and suspensions hold what is sent until they end; then it is one message.
"""

import datetime as dt
import logging
import random
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any

from django.conf import settings
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from notify.channels import letter, push, service, webhook
from notify.channels.message import Message
from notify.compose import message_of
from notify.errors import DeliveryError, GiveUpError, GoneError
from notify.followers import switch_off
from notify.models import Alert, Delivery, Follower, News
from notify.signals import delivery_tried
from notify.stages.alert import raise_alerts
from notify.stages.news import note_news
from notify.stages.plan import plan_deliveries
from notify.stages.wanted import Answer, Verdict, verdict_on

log = logging.getLogger(__name__)
Channel = Follower.Channel
State = Delivery.State
CHANNELS: dict[str, Callable[[Follower, Message], None]] = {
    Channel.EMAIL: letter.send,
    Channel.PUSH: push.send,
    Channel.SERVICE: service.send,
    Channel.WEBHOOK: webhook.send,
}
TAKEN_AT_ONCE = 20
LEASE_S = 180.0
"""Longer than any channel waits for its other side."""
FIRST_WAIT_S, MOST_WAIT_S, JITTER_FRAC = 30.0, 3600.0, 0.2
MOST_REMINDERS = 5


def tell_due(now: dt.datetime, until: float | None = None) -> bool:
    """Note what has happened, plan who is told, and tell it; tell whether the time was up first.

    `until` goes by the monotonic clock.
    """
    raise_alerts(now)
    note_news(now)
    plan_deliveries(now)
    return send_due(until)


def send_due(until: float | None = None) -> bool:
    """Send what is due until nothing is; tell whether the time was up before that."""
    while taken := _take(timezone.now()):
        try:
            for follower, told in taken:
                if until is not None and time.monotonic() > until:
                    return True
                send(follower, told)
        finally:
            _let_go(taken)
    return False


def send(follower: Follower, told: list[Delivery]) -> None:
    """Decide on deliveries to one follower, and send as one message what is to be told now."""
    now = timezone.now()
    wanted: list[Delivery] = []
    for delivery in told:
        verdict = verdict_on(delivery, told, now)
        if verdict.answer == Answer.TELL:
            wanted.append(delivery)
        else:
            _put_aside(delivery, verdict, now)
    if wanted and _was_tried_too_long(wanted[0], now):
        _mine(wanted).update(state=State.DEAD, ended_at=now, reason="broke_off", lease_until=None)
    elif wanted and _begin(wanted, now):
        _try(follower, wanted)


def _was_tried_too_long(first: Delivery, now: dt.datetime) -> bool:
    """Tell whether tries broke off for so long that nobody wrote down that they failed."""
    limit = dt.timedelta(seconds=settings.ICLAS_NOTIFY_GIVE_UP_S + 2 * MOST_WAIT_S)
    return first.first_tried_at is not None and now - first.first_tried_at > limit


# --- leases ---------------------------------------------------------------------------------------


def _take(now: dt.datetime) -> list[tuple[Follower, list[Delivery]]]:
    """Take some of what is due in hand: one by one, and what was held of a follower together."""
    due = _free(now).filter(due_at__lte=now)
    first = list(
        due.order_by("due_at", "id").values_list("id", "follower", "is_held")[:TAKEN_AT_ONCE]
    )
    if not first:
        return []
    ids = [one for one, _follower, _held in first]
    whose = {follower for _one, follower, is_held in first if is_held}
    owner = secrets.token_hex(8)
    due.filter(Q(id__in=ids) | Q(is_held=True, follower__in=whose)).update(
        lease_owner=owner, lease_until=now + dt.timedelta(seconds=LEASE_S)
    )
    return list(_grouped(owner))


def _free(now: dt.datetime) -> QuerySet[Delivery]:
    return Delivery.objects.filter(state=State.WAITING).exclude(lease_until__gt=now)


def _grouped(owner: str) -> Iterator[tuple[Follower, list[Delivery]]]:
    """Yield what was taken: each alone, and together what was held of one follower."""
    related = ("follower__user", "follower__infant", "news__alert__episode", "news__alert__infant")
    people = ("news__alert__acknowledged_by", "news__alert__snoozed_by")
    rows = Delivery.objects.filter(lease_owner=owner, state=State.WAITING)
    taken = list(rows.select_related(*related, *people).order_by("due_at", "id"))
    for one in taken:
        if not one.is_held:
            yield one.follower, [one]
    held = sorted((one for one in taken if one.is_held), key=lambda one: one.follower_id)
    for _id, group in groupby(held, key=lambda one: one.follower_id):
        together = list(group)
        yield together[0].follower, together


def _mine(told: Sequence[Delivery]) -> QuerySet[Delivery]:
    """Return the rows of these that are still in this worker's hand."""
    ids = [one.id for one in told]
    owner = told[0].lease_owner
    return Delivery.objects.filter(id__in=ids, lease_owner=owner, state=State.WAITING)


def _begin(told: Sequence[Delivery], now: dt.datetime) -> bool:
    """Count a try before it is made, and hold on to it for as long as it may take.

    What such a try may break off, by a fault or a kill, is put off like one that did not arrive.
    """
    begun = _mine(told).update(
        attempts=F("attempts") + 1,
        first_tried_at=Coalesce("first_tried_at", now),
        due_at=now + dt.timedelta(seconds=wait_s(told[0].attempts + 1)),
        lease_until=now + dt.timedelta(seconds=LEASE_S),
    )
    for one in told:
        one.attempts += 1
        one.first_tried_at = one.first_tried_at or now
    return begun == len(told)


def _let_go(taken: Sequence[tuple[Follower, list[Delivery]]]) -> None:
    """Free what was taken and not come to an end, for the next round."""
    owner = taken[0][1][0].lease_owner
    held = Delivery.objects.filter(lease_owner=owner, state=State.WAITING)
    held.update(lease_owner="", lease_until=None)


# --- telling --------------------------------------------------------------------------------------


def _try(follower: Follower, told: list[Delivery]) -> None:
    """Send a message, and write down what came of it."""
    began_at, outcome = timezone.now(), "failed"
    try:
        CHANNELS[follower.channel](follower, message_of(follower, told, timezone.now()))
    except GoneError as error:
        switch_off(follower, Follower.OffReason.GONE)
        _failed(told, error)
    except DeliveryError as error:
        _failed(told, error)
    else:
        _arrived(told)
        outcome = "arrived"
    delivery_tried.send_robust(Delivery, deliveries=told, outcome=outcome, began_at=began_at)


def _arrived(told: list[Delivery]) -> None:
    now = timezone.now()
    ended = {"state": State.SENT, "ended_at": now, "reason": "", "detail": ""}
    _mine(told[:1]).update(**ended, lease_until=None)
    if told[1:]:
        _mine(told[1:]).update(**ended, lease_until=None, told_with=told[0])
    for delivery in told:
        _remind(delivery, now)


def _remind(delivery: Delivery, now: dt.datetime) -> None:
    """Plan to say it again, where nobody takes the alert by then."""
    news, follower = delivery.news, delivery.follower
    if news is None or news.kind not in News.CALLING or follower.is_machine:
        return
    is_calling = news.alert.state(now) == Alert.State.CALLING
    if not follower.repeat_min or delivery.nth >= MOST_REMINDERS or not is_calling:
        return
    Delivery.objects.get_or_create(
        news=news,
        follower=follower,
        channel=delivery.channel,
        nth=delivery.nth + 1,
        defaults={"due_at": now + dt.timedelta(minutes=follower.repeat_min)},
    )


def _failed(told: list[Delivery], error: DeliveryError) -> None:
    """Try it again later, or give it up: at once, or where it was tried for long enough."""
    now, first = timezone.now(), told[0]
    log.warning("delivery %s did not arrive: %s %s", first.id, error.reason, error.detail)
    said = {"reason": error.reason, "detail": error.detail[:200], "lease_until": None}
    tried_for = now - (first.first_tried_at or now)
    is_over = tried_for.total_seconds() >= settings.ICLAS_NOTIFY_GIVE_UP_S
    if first.is_trial:
        _mine(told).update(state=State.DROPPED, ended_at=now, **said)
    elif isinstance(error, GiveUpError) or is_over:
        _mine(told).update(state=State.DEAD, ended_at=now, **said)
    else:
        wait = dt.timedelta(seconds=error.retry_after_s or wait_s(first.attempts))
        _mine(told).update(due_at=now + wait, lease_owner="", **said)


def wait_s(attempts: int) -> float:
    """Return how long to wait after so many tries: ever twice as long, give or take a fifth."""
    wait = min(MOST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(attempts - 1, 16))
    return wait * random.uniform(1.0 - JITTER_FRAC, 1.0 + JITTER_FRAC)  # noqa: S311  spreads load


def _put_aside(delivery: Delivery, verdict: Verdict, now: dt.datetime) -> None:
    """Drop what nobody wants to hear any more, or hold it until it may be told."""
    if verdict.answer == Answer.DROP:
        ended = {"state": State.DROPPED, "ended_at": now, "reason": verdict.reason}
        _mine([delivery]).update(**ended, lease_until=None)
        return
    free: dict[str, Any] = {"due_at": verdict.until, "lease_owner": "", "lease_until": None}
    if verdict.answer == Answer.HOLD:
        free |= {"is_held": True, "held_for": verdict.reason}
    _mine([delivery]).update(**free)
