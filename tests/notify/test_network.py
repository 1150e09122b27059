"""Addresses that people type in never lead to the server itself or to its neighbours."""

import socket
from collections.abc import Iterator

import pytest
from django.utils import timezone
from pytest_django import Settings

from infants.access import Viewer
from infants.models import Infant, User
from notify.channels.webhook import checked_address
from notify.deliveries import send_trial
from notify.errors import BadTargetError
from notify.followers import follow_by_service, follow_by_webhook
from notify.models import Delivery
from notify.network import ForbiddenAddressError, may_be_called, outside_only
from notify.stages.send import tell_due
from tests.builders import a_member, an_infant
from tests.notify.sinks import HttpSink, http_sink
from tests.notify.told import a_new_alert

pytestmark = pytest.mark.embedded
HOME = ["127.0.0.0/8", "::1/128"]


@pytest.fixture
def infant() -> Infant:
    return an_infant()


@pytest.fixture
def ben(infant: Infant) -> User:
    return a_member(infant)


@pytest.fixture
def sink() -> Iterator[HttpSink]:
    with http_sink() as one:
        yield one


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.5", "169.254.169.254"),
        *(
            "0.0.0.1",
            "100.64.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1%eth0",
            "fd00::1",
        ),
        *("::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "ff02::1", "localhost", ""),
    ],
)
def test_what_is_not_public_may_not_be_called(address: str) -> None:
    assert not may_be_called(address, ())


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::", "::ffff:93.184.216.34"])
def test_what_is_public_may_be_called(address: str) -> None:
    assert may_be_called(address, ())


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
@pytest.mark.django_db
def test_a_webhook_reaches_no_loopback_whatever_it_is_called(
    infant: Infant, ben: User, sink: HttpSink, settings: Settings, name: str
) -> None:
    settings.ICLAS_NOTIFY_NETWORKS = HOME
    address = sink.address.replace("127.0.0.1", name)
    follow_by_webhook(Viewer(user=ben), infant.id, address)
    settings.ICLAS_NOTIFY_NETWORKS = []
    a_new_alert(infant)
    tell_due(timezone.now())
    found = Delivery.objects.get()
    assert (found.state, found.reason) == ("dead", "forbidden_address")
    assert sink.posts == []


@pytest.mark.django_db
def test_a_network_that_the_operator_allows_is_reached(
    infant: Infant, ben: User, sink: HttpSink, settings: Settings
) -> None:
    settings.ICLAS_NOTIFY_NETWORKS = HOME
    added = follow_by_webhook(Viewer(user=ben), infant.id, sink.address)
    assert send_trial(Viewer(user=ben), added.follower.id).state == "sent"
    assert len(sink.posts) == 1


@pytest.mark.django_db
def test_a_service_reaches_no_loopback(infant: Infant, ben: User, sink: HttpSink) -> None:
    address = sink.address.replace("http://", "ntfy://") + "/cradle"
    added = follow_by_service(Viewer(user=ben), infant.id, address, "en")
    trial = send_trial(Viewer(user=ben), added.follower.id)
    assert (trial.state, trial.reason) == ("dropped", "forbidden_address")
    assert sink.posts == []


@pytest.mark.django_db
def test_a_redirect_is_not_followed(
    infant: Infant, ben: User, sink: HttpSink, settings: Settings
) -> None:
    settings.ICLAS_NOTIFY_NETWORKS = HOME
    sink.answers[:] = [(307, {"Location": f"{sink.address}/elsewhere"})]
    added = follow_by_webhook(Viewer(user=ben), infant.id, sink.address)
    trial = send_trial(Viewer(user=ben), added.follower.id)
    assert (trial.state, trial.detail) == ("dropped", "HTTP 307")
    assert [post.path for post in sink.posts] == ["/"]


def test_what_swallows_the_refusal_is_refused_all_the_same(sink: HttpSink) -> None:
    port = int(sink.address.rpartition(":")[2])

    def try_and_swallow() -> None:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            return

    with pytest.raises(ForbiddenAddressError), outside_only():
        try_and_swallow()
    try_and_swallow()


def test_a_socket_of_this_machine_is_none_of_the_outside() -> None:
    with (
        pytest.raises(ForbiddenAddressError),
        outside_only(),
        socket.socket(socket.AF_UNIX) as one,
    ):
        one.connect("nowhere")


@pytest.mark.parametrize(
    "address",
    ["http://example.org/x", "https://ada:secret@example.org", "https://", "x", "https://[::1"],
)
def test_a_webhook_needs_a_whole_address_with_tls(address: str) -> None:
    with pytest.raises(BadTargetError):
        checked_address(address)


def test_of_a_webhook_s_address_only_the_host_is_shown() -> None:
    assert (
        checked_address("https://example.org:8443/secret?token=1")[1]
        == "https://example.org:8443/…"
    )
