"""Web Push: what a browser reads of it, decrypted by the letter of RFC 8291 and nothing of ours."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.utils import timezone
from pytest_django import Settings

from infants.access import Viewer
from infants.models import Infant, User
from notify.channels import push
from notify.deliveries import send_trial
from notify.errors import BadTargetError
from notify.followers import follow_by_push
from notify.models import Delivery, Follower
from notify.stages.send import tell_due
from tests.builders import a_member, an_infant
from tests.notify.sinks import HttpSink, http_sink
from tests.notify.told import a_new_alert, end

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]


def _plain(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _derived(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, info).derive(secret)


@dataclass
class Browser:
    """A browser with its keys, which reads as RFC 8291 and RFC 8188 say."""

    private: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    auth: bytes = b"sixteen  secrets"

    @property
    def point(self) -> bytes:
        return self.private.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )

    def subscription(self, endpoint: str) -> dict[str, str]:
        return {"endpoint": endpoint, "p256dh": _plain(self.point), "auth": _plain(self.auth)}

    def read(self, body: bytes) -> dict[str, object]:
        salt, size, length = body[:16], int.from_bytes(body[16:20], "big"), body[20]
        point, sealed = body[21 : 21 + length], body[21 + length :]
        assert len(sealed) <= size
        sender = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
        shared = self.private.exchange(ec.ECDH(), sender)
        info = b"WebPush: info\0" + self.point + point
        secret = _derived(shared, self.auth, info, 32)
        key = _derived(secret, salt, b"Content-Encoding: aes128gcm\0", 16)
        nonce = _derived(secret, salt, b"Content-Encoding: nonce\0", 12)
        opened = AESGCM(key).decrypt(nonce, sealed, None).rstrip(b"\0")
        assert opened.endswith(b"\x02")
        said: dict[str, object] = json.loads(opened[:-1])
        return said


@pytest.fixture
def sink(settings: Settings) -> Iterator[HttpSink]:
    settings.ICLAS_NOTIFY_NETWORKS = ["127.0.0.0/8"]
    with http_sink() as one:
        one.answers[:] = [(201, {})]
        yield one


@pytest.fixture
def infant() -> Infant:
    return an_infant()


@pytest.fixture
def ben(infant: Infant) -> User:
    return a_member(infant)


def _follower(infant: Infant, ben: User, sink: HttpSink, browser: Browser) -> Follower:
    subscription = browser.subscription(f"{sink.address}/push/1")
    return follow_by_push(Viewer(user=ben), infant.id, subscription, "en").follower


def test_a_browser_reads_what_nobody_between_can(infant: Infant, ben: User, sink: HttpSink) -> None:
    browser = Browser()
    _follower(infant, ben, sink, browser)
    alert = a_new_alert(infant, "strong")
    tell_due(timezone.now())
    [post] = sink.posts
    assert b"Ada" not in post.body
    said = browser.read(post.body)
    assert said["title"] == "Ada’s crying is different from usual"
    assert "Research use only; not a medical device." in str(said["body"])
    assert (said["path"], said["tag"]) == (f"/alerts/{alert.id}/", str(alert.id))
    assert said["id"] == str(Delivery.objects.get().id)
    headers = post.headers
    assert (headers["content-encoding"], headers["urgency"]) == ("aes128gcm", "high")
    assert headers["topic"] == alert.id.hex
    assert headers["ttl"] == "86400"


def test_it_is_signed_with_the_key_that_browsers_were_given(
    infant: Infant, ben: User, sink: HttpSink
) -> None:
    send_trial(Viewer(user=ben), _follower(infant, ben, sink, Browser()).id)
    [post] = sink.posts
    scheme, _, said = post.headers["authorization"].partition(" ")
    parts = dict(part.split("=", 1) for part in said.split(","))
    assert (scheme, parts["k"]) == ("vapid", push.public_key())
    signed, _, signature = parts["t"].rpartition(".")
    raw = _bytes(signature)
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), _bytes(parts["k"]))
    r, s = (int.from_bytes(half, "big") for half in (raw[:32], raw[32:]))
    key.verify(utils.encode_dss_signature(r, s), signed.encode(), ec.ECDSA(hashes.SHA256()))
    claims = json.loads(_bytes(signed.split(".")[1]))
    assert claims["aud"] == sink.address
    assert claims["sub"] == "mailto:iclas@localhost"


def test_the_end_is_told_without_a_sound(infant: Infant, ben: User, sink: HttpSink) -> None:
    browser = Browser()
    _follower(infant, ben, sink, browser)
    alert = a_new_alert(infant)
    tell_due(timezone.now())
    end(alert)
    tell_due(timezone.now())
    post = sink.posts[-1]
    assert (post.headers["urgency"], browser.read(post.body)["silent"]) == ("low", True)


@pytest.mark.parametrize("status", [404, 410])
def test_a_subscription_that_ended_is_switched_off(
    infant: Infant, ben: User, sink: HttpSink, status: int
) -> None:
    follower = _follower(infant, ben, sink, Browser())
    sink.answers[:] = [(status, {})]
    a_new_alert(infant)
    tell_due(timezone.now())
    follower.refresh_from_db()
    assert (follower.is_on, follower.off_reason) == (False, "gone")
    assert Delivery.objects.get().state == Delivery.State.DEAD


@pytest.mark.parametrize(("status", "state"), [(413, "dead"), (429, "waiting"), (503, "waiting")])
def test_what_is_refused_is_tried_again_where_that_may_help(
    infant: Infant, ben: User, sink: HttpSink, status: int, state: str
) -> None:
    _follower(infant, ben, sink, Browser())
    sink.answers[:] = [(status, {"Retry-After": "600"})]
    a_new_alert(infant)
    tell_due(timezone.now())
    found = Delivery.objects.get()
    assert (found.state, found.detail) == (state, f"HTTP {status}")
    if state == "waiting":
        assert 590 < (found.due_at - timezone.now()).total_seconds() <= 600


def test_the_same_device_follows_once(infant: Infant, ben: User, sink: HttpSink) -> None:
    first = _follower(infant, ben, sink, Browser())
    again = _follower(infant, ben, sink, Browser())
    assert first.id == again.id
    assert json.loads(again.target) != json.loads(first.target)


@pytest.mark.parametrize(
    "spoilt",
    [{"endpoint": "ftp://x"}, {"p256dh": "AAAA"}, {"auth": "AAAA"}, {"p256dh": "é"}],
    ids=lambda spoilt: next(iter(spoilt)),
)
def test_what_is_no_subscription_is_refused(
    infant: Infant, ben: User, spoilt: dict[str, str]
) -> None:
    given = Browser().subscription("https://push.example.org/1") | spoilt
    with pytest.raises(BadTargetError):
        follow_by_push(Viewer(user=ben), infant.id, given, "en")


def test_a_long_message_still_fits(infant: Infant, ben: User, sink: HttpSink) -> None:
    browser = Browser()
    message = push.Message(
        id=UUID(int=1),
        at=timezone.now(),
        title="t",
        lines=("ä" * 4000, "the notice"),
        link="http://x/alerts/",
        settings_link="",
        language="en",
    )
    subscription = {"keys": {"p256dh": _plain(browser.point), "auth": _plain(browser.auth)}}
    body = push.encrypted(message, subscription)
    assert len(body) < 4096
    assert str(browser.read(body)["body"]).endswith("the notice")
