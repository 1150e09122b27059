"""What programs are told, word for word, so that an update breaks none of them."""

import base64
import datetime as dt
import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings
from standardwebhooks import Webhook, WebhookVerificationError

from infants.access import Viewer
from infants.models import Infant, Membership
from notify import actions
from notify.channels.webhook import TOLERANCE_S
from notify.followers import follow_by_webhook
from notify.models import Alert, Delivery
from tests.builders import a_member, a_user, an_infant
from tests.notify.sinks import HttpSink, Post, http_sink
from tests.notify.told import EVIDENCE, Clock, a_new_alert, clock, end

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]
FROZEN = Path(__file__).with_name("webhooks.json")
NOON = dt.datetime(2026, 3, 13, 12, 0, tzinfo=dt.UTC)
ALERT = uuid.UUID("00000000-0000-7000-8000-00000000000a")
NAMES = ("Zenobia", "Ben", "ben@example.org", "Home")


@pytest.fixture
def sink(settings: Settings) -> Iterator[HttpSink]:
    settings.ICLAS_NOTIFY_NETWORKS = ["127.0.0.0/8"]
    with http_sink() as one:
        yield one


@pytest.fixture
def infant() -> Infant:
    return an_infant(id=uuid.UUID("00000000-0000-7000-8000-00000000000b"), name="Zenobia")


@pytest.fixture
def now() -> Iterator[Clock]:
    with clock(NOON) as one:
        yield one


@pytest.fixture
def ben(infant: Infant) -> Viewer:
    user = a_user(first_name="Ben", email="ben@example.org")
    return Viewer(user=a_member(infant, Membership.Role.CAREGIVER, user=user))


def _a_life(infant: Infant, ben: Viewer, now: Clock) -> None:
    """Let an alert be raised, taken and be over."""
    a_new_alert(infant, evidence=EVIDENCE | {"since": "2026-03-10T00:00:00+00:00"})
    Alert.objects.update(id=ALERT)
    alert = Alert.objects.get()
    now.after(0)
    now.after(5)
    actions.acknowledge(ben, alert.id, timezone.now())
    now.after(0)
    now.after(60)
    end(alert)
    now.after(0)


def _signed(post: Post) -> dict[str, str]:
    return {name: value for name, value in post.headers.items() if name.startswith("webhook-")}


def test_the_documents_are_frozen_and_name_nobody(
    infant: Infant, ben: Viewer, now: Clock, sink: HttpSink
) -> None:
    follow_by_webhook(ben, infant.id, f"{sink.address}/hook?of=home")
    _a_life(infant, ben, now)
    said: dict[str, Any] = {}
    for post in sink.posts:
        document = json.loads(post.body)
        said[document["type"]] = document
        assert post.path == "/hook?of=home"
        assert not [name for name in NAMES if name in post.body.decode()]
    assert said == json.loads(FROZEN.read_text())
    assert len(sink.posts) == len(said)


def test_an_independent_reader_takes_the_signature(
    infant: Infant, ben: Viewer, now: Clock, sink: HttpSink
) -> None:
    added = follow_by_webhook(ben, infant.id, sink.address)
    a_new_alert(infant)
    now.after(0)
    [post] = sink.posts
    reader = Webhook(added.secret)
    assert reader.verify(post.body, _signed(post))["type"] == "alert.created"
    assert post.headers["webhook-id"] == f"msg_{Delivery.objects.get().id}"
    assert post.headers["content-type"] == "application/json"
    assert len(base64.b64decode(added.secret.removeprefix("whsec_"))) == 32
    for body, secret in ((post.body + b" ", added.secret), (post.body, "whsec_AAAA")):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(body, _signed(post))


def test_a_reader_refuses_what_is_older_than_five_minutes(
    infant: Infant, ben: Viewer, now: Clock, sink: HttpSink
) -> None:
    added = follow_by_webhook(ben, infant.id, sink.address)
    a_new_alert(infant)
    now.after(0)
    reader, [post] = Webhook(added.secret), sink.posts
    now.after(TOLERANCE_S / 60)
    reader.verify(post.body, _signed(post))
    now.after(0.1)
    with pytest.raises(WebhookVerificationError, match="too old"):
        reader.verify(post.body, _signed(post))


def test_a_try_again_has_the_same_id_and_body_and_its_own_time(
    infant: Infant, ben: Viewer, now: Clock, sink: HttpSink
) -> None:
    added = follow_by_webhook(ben, infant.id, sink.address)
    sink.answers[:] = [(500, {}), (200, {})]
    alert = a_new_alert(infant)
    now.after(0)
    actions.acknowledge(ben, alert.id, timezone.now())
    now.after(1)
    first, again = (one for one in sink.posts if b"alert.created" in one.body)
    assert first.body == again.body
    assert first.headers["webhook-id"] == again.headers["webhook-id"]
    assert int(again.headers["webhook-timestamp"]) == timezone.now().timestamp()
    Webhook(added.secret).verify(again.body, _signed(again))
