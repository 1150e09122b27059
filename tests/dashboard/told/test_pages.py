"""The pages of who is told: adding ways, changing and trying them, and what is never shown."""

import uuid
from collections.abc import Iterator

import pytest
from django.contrib.messages import get_messages
from django.core import mail
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from infants.models import Infant, Membership, User
from notify.models import Delivery, Follower
from notify.stages.send import tell_due
from tests.builders import a_member, a_user, an_infant
from tests.notify.sinks import HttpSink, http_sink
from tests.notify.told import a_follower, a_new_alert, a_reachable

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]
Role = Membership.Role
KEYS = {
    "p256dh": (
        "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
    ),
    "auth": "BTBZMqHH6r4Tts7J_aSIgg",
}


@pytest.fixture
def infant() -> Infant:
    return an_infant()


@pytest.fixture
def ben(infant: Infant) -> User:
    return a_reachable(infant, "Ben")


@pytest.fixture
def sink(settings: Settings) -> Iterator[HttpSink]:
    settings.ICLAS_NOTIFY_NETWORKS = ["127.0.0.0/8"]
    with http_sink() as one:
        yield one


def _as(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def _path(infant: Infant, end: str = "") -> str:
    return f"/infants/{infant.id}/told/{end}"


def _words(client: Client, path: str, **given: str) -> str:
    """Post a form and return what the page says afterwards."""
    answer = client.post(path, given)
    assert answer.status_code == 302, answer.content
    return " ".join(str(one) for one in get_messages(answer.wsgi_request))


def test_somebody_adds_e_mail_changes_tries_and_stops_it(infant: Infant, ben: User) -> None:
    client = _as(ben)
    assert "Nobody is told yet" in client.get(_path(infant)).content.decode()
    assert "by e-mail now" in _words(client, _path(infant, "email/"))
    follower = Follower.objects.get()
    form = {"least_severity": "clear", "delay_min": "15", "repeat_min": "30", "language": "de"}
    _words(client, _path(infant, f"{follower.id}/"), **form, breaks_quiet="on")
    follower.refresh_from_db()
    assert (follower.delay_min, follower.repeat_min, follower.breaks_quiet) == (15, 30, True)
    assert (follower.says_name, follower.language) == (False, "de")
    page = client.get(_path(infant)).content.decode()
    for said in ("ben@example.org", "After 15 minutes", "every 30 minutes", "clear or strong"):
        assert said in page
    assert "is sent" in _words(client, _path(infant, f"{follower.id}/try/"))
    assert mail.outbox[0].to == ["ben@example.org"]
    _words(client, _path(infant, f"{follower.id}/stop/"))
    assert "Switched off" in client.get(_path(infant)).content.decode()


def test_without_a_confirmed_address_one_is_asked_for(infant: Infant) -> None:
    page = _as(a_member(infant)).get(_path(infant)).content.decode()
    assert "First confirm an e-mail address." in page


def test_a_webhook_s_secret_is_shown_once(infant: Infant, ben: User) -> None:
    client, address = _as(ben), "https://hooks.example.org/token-of-mine"
    page = client.post(_path(infant, "webhook/"), {"address": address}).content.decode()
    secret = Follower.objects.get().secret
    assert secret in page
    assert "secret stays" in _words(client, _path(infant, "webhook/"), address=address)
    for end in ("", f"{Follower.objects.get().id}/"):
        page = client.get(_path(infant, end)).content.decode()
        assert "https://hooks.example.org/…" in page
        assert secret not in page
        assert "token-of-mine" not in page


def test_a_service_s_address_is_not_shown_again(infant: Infant, ben: User, sink: HttpSink) -> None:
    client = _as(ben)
    address = sink.address.replace("http://", "ntfy://") + "/cradle-secret"
    _words(client, _path(infant, "service/"), address=address)
    follower = Follower.objects.get()
    assert "cradle-secret" not in client.get(_path(infant)).content.decode()
    _words(client, _path(infant, f"{follower.id}/try/"))
    sink.answers[:] = [(500, {})]
    said = _words(client, _path(infant, f"{follower.id}/try/"))
    assert said.endswith("The trial message did not arrive: it was refused there.")
    assert len(sink.posts) == 2


@pytest.mark.parametrize(("way", "address"), [("service", "file:///x"), ("webhook", "ftp://x")])
def test_an_address_that_makes_no_sense_is_said_beside_its_field(
    infant: Infant, ben: User, way: str, address: str
) -> None:
    answer = _as(ben).post(_path(infant, f"{way}/"), {"address": address})
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.content.decode()
    assert not Follower.objects.exists()


def test_a_device_follows(infant: Infant, ben: User) -> None:
    client = _as(ben)
    given = KEYS | {"endpoint": "https://push.example.org/token-of-mine"}
    assert "device is told now" in _words(client, _path(infant, "device/"), **given)
    page = client.get(_path(infant)).content.decode()
    assert f'data-fingerprint="{Follower.objects.get().fingerprint}"' in page
    assert "token-of-mine" not in page
    assert "no address" in _words(client, _path(infant, "device/"), **(given | {"auth": "x"}))
    assert client.post(_path(infant, "device/"), {"endpoint": "x"}).status_code == 400


def test_an_owner_sets_when_others_are_told(infant: Infant, ben: User) -> None:
    follower = a_follower(infant, ben)
    owner = _as(a_member(infant))
    page = owner.get(_path(infant, f"{follower.id}/")).content.decode()
    assert "How Ben is told" in page
    assert "breaks_quiet" not in page
    form = {"least_severity": "strong", "delay_min": "60", "repeat_min": "0"}
    _words(owner, _path(infant, f"{follower.id}/"), **form)
    follower.refresh_from_db()
    assert (follower.least_severity, follower.delay_min, follower.says_name) == ("strong", 60, True)
    assert "ben@example.org" not in owner.get(_path(infant)).content.decode()


@pytest.mark.parametrize("role", [Role.CAREGIVER, Role.RESEARCHER, None])
def test_others_change_nothing_and_strangers_see_nothing(
    infant: Infant, ben: User, role: str | None
) -> None:
    follower = a_follower(infant, ben)
    client = _as(a_member(infant, role) if role else a_user())
    assert client.get(_path(infant)).status_code == (200 if role else 404)
    assert client.get(_path(infant, f"{follower.id}/")).status_code == 404
    for end in ("try/", "stop/", ""):
        assert client.post(_path(infant, f"{follower.id}/{end}")).status_code == 404
    if role is None:
        for end in ("email/", "device/", "webhook/"):
            given = KEYS | {"endpoint": "https://x.example.org", "address": "https://x.example.org"}
            assert client.post(_path(infant, end), given).status_code == 404
    if role == Role.RESEARCHER:
        assert "Ben" not in client.get(_path(infant)).content.decode()


def test_a_follower_is_found_at_its_own_infant_alone(infant: Infant, ben: User) -> None:
    follower = a_follower(infant, ben)
    other = an_infant()
    a_member(other, user=ben)
    client = _as(ben)
    assert client.get(_path(other, f"{follower.id}/")).status_code == 404
    assert client.get(_path(infant, f"{uuid.uuid4()}/")).status_code == 404


def test_the_staff_see_and_send_again_what_was_given_up(infant: Infant, ben: User) -> None:
    a_follower(infant, ben)
    ben.emailaddress_set.update(verified=False)
    a_new_alert(infant)
    tell_due(timezone.now())
    [dead] = Delivery.objects.filter(state="dead")
    path = f"/status/deliveries/{dead.id}/replay/"
    assert _as(ben).post(path).status_code == 403
    staff = _as(a_user(is_staff=True))
    page = staff.get("/status/").content.decode()
    assert "there is no confirmed e-mail address" in page.lower()
    assert "Ada" not in page
    assert staff.post(path).status_code == 302
    dead.refresh_from_db()
    assert dead.state == "waiting"
