"""Whether a telling that is due is still wanted, and whether its reader may be disturbed now.

What comes in: a delivery, and what else is told to the same follower with it. What goes out: a
verdict. Guaranteed: reads only. People are called for an alert as long as nobody has taken it;
what was held back, through somebody's quiet hours or while messages about the infant were
suspended, is told in any case, as it stands then.
"""

import datetime as dt
import enum
from collections.abc import Sequence
from dataclasses import dataclass

from notify.compose import is_urgent
from notify.models import Alert, Delivery, Follower, News, QuietHours
from notify.selectors import suspensions_of
from notify.stages.plan import may_be_told

SOON = dt.timedelta(minutes=1)
State, HeldFor = Delivery.State, Delivery.HeldFor


class Answer(enum.StrEnum):
    """What is to be done with a delivery."""

    TELL = "tell"
    DROP = "drop"
    HOLD = "hold"  # until quiet hours or a suspension end
    WAIT = "wait"  # for another worker, which is at it


@dataclass(frozen=True)
class Verdict:
    """What is to be done, why not, or what holds it and until when."""

    answer: Answer
    reason: str = ""
    until: dt.datetime | None = None


TELL = Verdict(Answer.TELL)


def verdict_on(delivery: Delivery, together: Sequence[Delivery], now: dt.datetime) -> Verdict:
    """Return what is to be done with a delivery that is due."""
    follower, news = delivery.follower, delivery.news
    if not may_be_told(follower, follower.infant):
        return _dropped("no_access")
    if news is None or delivery.is_replayed:
        return TELL
    if not follower.is_on:
        return _dropped("switched_off")
    return TELL if follower.is_machine else _verdict_on_news(delivery, news, together, now)


def _verdict_on_news(
    delivery: Delivery, news: News, together: Sequence[Delivery], now: dt.datetime
) -> Verdict:
    """Return what a person is to be told of it, and when."""
    if news.kind == News.Kind.ENDED:
        unwanted = _end_unwanted(delivery, news, together, now)
    else:
        unwanted = _call_unwanted(delivery, news, now)
    if unwanted is not None:
        return unwanted
    follower = delivery.follower
    held = _held(follower, now)
    if held is None or (follower.breaks_quiet and is_urgent(news)):
        return TELL
    return held


def _dropped(reason: str) -> Verdict:
    return Verdict(Answer.DROP, reason)


def _call_unwanted(delivery: Delivery, news: News, now: dt.datetime) -> Verdict | None:
    """Return why nobody is to be called for it now; None where somebody is."""
    alert = news.alert
    if alert.episode_id is None:
        return _dropped("withdrawn")
    if delivery.is_held:
        return None
    if alert.news.filter(kind__in=News.CALLING, number__gt=news.number).exists():
        return _dropped("told_anew")
    was_over = news.was_over and not delivery.nth
    state = alert.state(now)
    return None if was_over or state == Alert.State.CALLING else _dropped(state.value)


def _end_unwanted(
    delivery: Delivery, news: News, together: Sequence[Delivery], now: dt.datetime
) -> Verdict | None:
    """Tell of an end only those who were told of what ended, and not in a breath of its own.

    Where that is held back, or in another worker's hand, it waits for it.
    """
    calls = delivery.follower.deliveries.filter(news__alert=news.alert, news__kind__in=News.CALLING)
    if {one.id for one in together} & set(calls.values_list("id", flat=True)):
        return None
    told = calls.filter(state=State.SENT).select_related("news")
    if any(one.news is not None and not one.news.was_over for one in told):
        return None
    waiting = calls.filter(state=State.WAITING).order_by("due_at").first()
    if waiting is not None and waiting.is_held:
        return Verdict(Answer.HOLD, waiting.held_for, waiting.due_at)
    if waiting is not None and (waiting.due_at <= now or waiting.lease_owner):
        return Verdict(Answer.WAIT, until=now + SOON)
    return _dropped("was_not_told")  # what is due later is dropped then: the alert is over


def _held(follower: Follower, now: dt.datetime) -> Verdict | None:
    """Return until when nobody may disturb this follower, and why; None where somebody may."""
    own = QuietHours.objects.filter(user=follower.user_id, infant=follower.infant_id).first()
    quiet = None if own is None else own.quiet(follower.infant.zone).until(now)
    suspended = suspensions_of([follower.infant_id], now).get(follower.infant_id)
    ends = {HeldFor.QUIET_HOURS: quiet, HeldFor.SUSPENSION: suspended.until if suspended else None}
    moments = {reason: until for reason, until in ends.items() if until is not None}
    if not moments:
        return None
    last = max(moments, key=lambda reason: moments[reason])
    return Verdict(Answer.HOLD, last.value, moments[last])
