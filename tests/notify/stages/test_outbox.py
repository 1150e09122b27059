"""The outbox: two workers at once, a killed one, what does not arrive for a day, and trials."""

import datetime as dt
import time
from collections.abc import Iterator
from threading import Thread

import pytest
import time_machine
from django.db import connection
from django.db.utils import IntegrityError
from django.utils import timezone
from pytest_django import Settings

from infants.access import Viewer
from infants.models import Infant, Membership, User
from notify.channels import webhook
from notify.channels.message import Message
from notify.deliveries import MOST_TRIALS, replay, send_trial
from notify.errors import TooManyTrialsError, UnknownFollowerError
from notify.followers import follow_by_webhook
from notify.models import Delivery, Follower
from notify.stages import send as sending
from notify.stages.send import send_due, tell_due
from tests.builders import a_member, an_infant
from tests.notify.sinks import HttpSink, http_sink
from tests.notify.told import a_new_alert

State = Delivery.State
DAY = dt.timedelta(days=1)


@pytest.fixture
def sink(settings: Settings) -> Iterator[HttpSink]:
    settings.ICLAS_NOTIFY_NETWORKS = ["127.0.0.0/8"]
    with http_sink() as one:
        yield one


@pytest.fixture
def infant() -> Infant:
    return an_infant()


@pytest.fixture
def ben(infant: Infant) -> User:
    return a_member(infant)


def _webhooks(infant: Infant, ben: User, sink: HttpSink, n: int = 1) -> list[Follower]:
    return [
        follow_by_webhook(Viewer(user=ben), infant.id, f"{sink.address}/{index}").follower
        for index in range(n)
    ]


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_send_each_once(
    sink: HttpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    infant = an_infant()
    _webhooks(infant, a_member(infant), sink, n=12)
    a_new_alert(infant)
    monkeypatch.setattr(sending, "send_due", lambda _until: False)
    tell_due(timezone.now())
    monkeypatch.setattr(sending, "TAKEN_AT_ONCE", 2)

    def work() -> None:
        send_due()
        connection.close()

    workers = [Thread(target=work) for _ in range(2)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    assert sorted(post.path for post in sink.posts) == sorted(f"/{n}" for n in range(12))
    assert set(Delivery.objects.values_list("state", "attempts")) == {(State.SENT, 1)}


@pytest.mark.django_db
def test_what_another_worker_holds_is_left_until_its_lease_runs_out(
    infant: Infant, ben: User, sink: HttpSink
) -> None:
    _webhooks(infant, ben, sink)
    a_new_alert(infant)
    with time_machine.travel(timezone.now() + dt.timedelta(seconds=1), tick=False) as clock:
        sending.note_news(timezone.now())
        sending.plan_deliveries(timezone.now())
        assert len(sending._take(timezone.now())) == 1  # and then its worker is killed
        assert sending._take(timezone.now()) == []
        clock.shift(sending.LEASE_S + 1)
        send_due()
    assert len(sink.posts) == 1


@pytest.mark.django_db
def test_a_worker_that_breaks_off_keeps_nobody_else_waiting(
    infant: Infant, ben: User, sink: HttpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _second = _webhooks(infant, ben, sink, n=2)
    a_new_alert(infant)
    sent = webhook.send

    def broken(follower: Follower, message: Message) -> None:
        sent(follower, message)
        if follower.id == first.id:
            raise RuntimeError

    now = timezone.now()
    with monkeypatch.context() as patched:
        patched.setitem(sending.CHANNELS, Follower.Channel.WEBHOOK, broken)
        with pytest.raises(RuntimeError):
            tell_due(now)
    with time_machine.travel(now + dt.timedelta(minutes=5)):
        send_due()
    ids = [post.headers["webhook-id"] for post in sink.posts if post.path == "/0"]
    assert len(ids) == 2
    assert len(set(ids)) == 1
    assert set(Delivery.objects.values_list("state", flat=True)) == {State.SENT}


@pytest.mark.django_db
def test_what_does_not_arrive_for_a_day_is_a_dead_letter_and_can_be_sent_again(
    infant: Infant, ben: User, sink: HttpSink
) -> None:
    _webhooks(infant, ben, sink)
    a_new_alert(infant)
    sink.answers[:] = [(500, {})]
    with time_machine.travel(timezone.now() + dt.timedelta(seconds=1), tick=False) as clock:
        began = timezone.now()
        tell_due(began)
        while (found := Delivery.objects.get()).state == State.WAITING:
            clock.move_to(found.due_at, tick=False)
            send_due()
        assert (found.state, found.detail) == (State.DEAD, "HTTP 500")
        assert DAY <= timezone.now() - began < DAY + dt.timedelta(hours=1.3)
        assert 25 < found.attempts < 50
        assert len(sink.posts) == found.attempts
        sink.answers[:] = [(200, {})]
        assert replay([found.id]) == [found.id]
        send_due()
    assert Delivery.objects.get().state == State.SENT
    assert len({post.headers["webhook-id"] for post in sink.posts}) == 1


@pytest.mark.django_db
def test_what_breaks_every_worker_that_tries_it_is_given_up(
    infant: Infant, ben: User, sink: HttpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_follower: Follower, _message: Message) -> None:
        raise RuntimeError

    _webhooks(infant, ben, sink)
    a_new_alert(infant)
    monkeypatch.setitem(sending.CHANNELS, Follower.Channel.WEBHOOK, broken)
    now = timezone.now()
    with pytest.raises(RuntimeError):
        tell_due(now)
    with time_machine.travel(now + DAY + dt.timedelta(hours=3)):
        send_due()
    found = Delivery.objects.get()
    assert (found.state, found.reason) == (State.DEAD, "broke_off")


@pytest.mark.django_db
def test_a_webhook_that_is_gone_is_switched_off(infant: Infant, ben: User, sink: HttpSink) -> None:
    [follower] = _webhooks(infant, ben, sink)
    sink.answers[:] = [(410, {})]
    a_new_alert(infant)
    tell_due(timezone.now())
    follower.refresh_from_db()
    assert (follower.is_on, follower.off_reason) == (False, "gone")


@pytest.mark.django_db
def test_a_delivery_is_one_by_news_follower_and_channel(
    infant: Infant, ben: User, sink: HttpSink
) -> None:
    [follower] = _webhooks(infant, ben, sink)
    a_new_alert(infant)
    tell_due(timezone.now())
    one = Delivery.objects.get()
    with pytest.raises(IntegrityError):
        Delivery.objects.create(
            news=one.news, follower=follower, channel=one.channel, due_at=one.due_at
        )


@pytest.mark.django_db
def test_the_time_given_is_kept_and_what_is_left_is_free(
    infant: Infant, ben: User, sink: HttpSink
) -> None:
    _webhooks(infant, ben, sink)
    a_new_alert(infant)
    assert tell_due(timezone.now(), until=time.monotonic() - 1.0)
    assert sink.posts == []
    assert not send_due()
    assert len(sink.posts) == 1


@pytest.mark.django_db
def test_a_trial_is_sent_at_once_but_not_too_often(
    infant: Infant, ben: User, sink: HttpSink
) -> None:
    [follower] = _webhooks(infant, ben, sink)
    viewer = Viewer(user=ben)
    for _ in range(MOST_TRIALS):
        assert send_trial(viewer, follower.id).state == State.SENT
    with pytest.raises(TooManyTrialsError):
        send_trial(viewer, follower.id)
    stranger = Viewer(user=a_member(an_infant()))
    caregiver = Viewer(user=a_member(infant, Membership.Role.CAREGIVER))
    for nobody in (stranger, caregiver, Viewer()):
        with pytest.raises(UnknownFollowerError):
            send_trial(nobody, follower.id)
