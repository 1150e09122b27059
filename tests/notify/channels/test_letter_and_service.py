"""Letters to a real mail server, and messages through Apprise to a real web server."""

import json
from collections.abc import Iterator

import pytest
from django.utils import timezone
from pytest_django import Settings

from infants.access import Viewer
from infants.models import Infant, User
from notify.deliveries import send_trial
from notify.errors import BadTargetError
from notify.followers import follow_by_service
from notify.models import Delivery
from notify.stages.send import tell_due
from tests.builders import a_member, an_infant
from tests.notify.sinks import HttpSink, MailSink, http_sink, mail_sink
from tests.notify.told import a_follower, a_new_alert, a_reachable

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]


@pytest.fixture
def infant() -> Infant:
    return an_infant()


@pytest.fixture
def ben(infant: Infant) -> User:
    return a_reachable(infant, "Ben")


@pytest.fixture
def letters(settings: Settings) -> Iterator[MailSink]:
    with mail_sink() as sink:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", sink.port
        yield sink


@pytest.fixture
def sink(settings: Settings) -> Iterator[HttpSink]:
    settings.ICLAS_NOTIFY_NETWORKS = ["127.0.0.0/8"]
    with http_sink() as one:
        yield one


def test_a_letter_arrives(infant: Infant, ben: User, letters: MailSink) -> None:
    a_follower(infant, ben, language="ar")
    alert = a_new_alert(infant)
    tell_due(timezone.now())
    [letter] = letters.letters
    assert letter["To"] == "ben@example.org"
    assert letter["Message-ID"] == f"<{Delivery.objects.get().id}@localhost>"
    assert letter["Auto-Submitted"] == "auto-generated"
    plain, page = (part.get_payload(decode=True) for part in letter.get_payload())
    for part in (plain, page):
        assert f"/alerts/{alert.id}/" in part.decode()
        assert f"/infants/{infant.id}/told/" in part.decode()
    assert 'dir="rtl"' in page.decode()


@pytest.mark.parametrize(
    ("answer", "state", "detail"),
    [("550 no such person", "dead", "SMTP 550"), ("451 later", "waiting", "SMTP 451")],
)
def test_what_a_mail_server_refuses(
    infant: Infant, ben: User, letters: MailSink, answer: str, state: str, detail: str
) -> None:
    letters.answer = answer
    a_follower(infant, ben)
    a_new_alert(infant)
    tell_due(timezone.now())
    found = Delivery.objects.get()
    assert (found.state, found.reason, found.detail) == (state, "refused", detail)


def test_without_a_mail_server_it_waits(infant: Infant, ben: User, settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    a_follower(infant, ben)
    a_new_alert(infant)
    tell_due(timezone.now())
    found = Delivery.objects.get()
    assert (found.state, found.reason, found.attempts) == ("waiting", "mail_server", 1)
    assert 20 < (found.due_at - timezone.now()).total_seconds() < 40


def test_ntfy_is_told_through_apprise(infant: Infant, ben: User, sink: HttpSink) -> None:
    address = sink.address.replace("http://", "ntfy://ada:pass@") + "/cradle"
    added = follow_by_service(Viewer(user=ben), infant.id, address, "en")
    a_new_alert(infant)
    tell_due(timezone.now())
    [post] = sink.posts
    assert "authorization" in post.headers
    said = json.loads(post.body)
    assert said["topic"] == "cradle"
    assert said["title"] == f"Infant {infant.id.hex[-6:]}’s crying is different from usual"
    assert "Research use only; not a medical device." in said["message"]
    assert "Ada" not in post.body.decode()
    assert added.follower.shown_target == "Ntfy (ntfy://…)"


def test_a_service_that_refuses_is_tried_again(infant: Infant, ben: User, sink: HttpSink) -> None:
    sink.answers[:] = [(500, {})]
    address = sink.address.replace("http://", "ntfy://") + "/cradle"
    added = follow_by_service(Viewer(user=ben), infant.id, address, "en")
    trial = send_trial(Viewer(user=ben), added.follower.id)
    assert (trial.state, trial.reason) == ("dropped", "refused")


@pytest.mark.parametrize(
    "address",
    [
        "syslog://",
        "dbus://",
        "json://example.org/x",
        "file:///etc/passwd",
        "ntfy://",
        "tgram://x",
        "",
    ],
)
def test_what_is_no_service_of_ours_is_refused(infant: Infant, address: str) -> None:
    viewer = Viewer(user=a_member(infant))
    with pytest.raises(BadTargetError):
        follow_by_service(viewer, infant.id, address, "en")
