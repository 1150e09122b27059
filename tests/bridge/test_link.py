"""The link itself: an encrypted one, and how long it waits before it tries again."""

import datetime as dt
import ipaddress
import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.utils import timezone

from bridge import link
from bridge.broker import Broker, broker_at
from bridge.link import Link
from bridge.topics import Topics
from tests.installation import free_port
from tests.services.mosquitto import Server, running

pytestmark = pytest.mark.embedded
TOPICS = Topics("homeassistant", "iclas", "0123456789ab")


def _a_certificate(folder: Path) -> tuple[Path, Path]:
    """Write a certificate that vouches for itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a broker")])
    now = timezone.now()
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, secret = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return certificate, secret


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with running(_a_certificate(tmp_path)) as one:
        yield one


def _broker(server: Server) -> Broker:
    broker = broker_at(server.url)
    assert broker is not None
    return broker


@pytest.mark.mqtt_broker
def test_an_encrypted_link_needs_a_certificate_that_somebody_vouches_for(
    server: Server, tmp_path: Path
) -> None:
    trusting = Link(_broker(server), TOPICS, str(tmp_path / "certificate.pem"))
    while not (trusting.is_up or trusting.has_failed):
        trusting.step(0.05)
    assert trusting.is_up
    trusting.close()
    careful = Link(_broker(server), TOPICS)
    careful.step(0.05)
    assert careful.has_failed
    assert "CERTIFICATE_VERIFY_FAILED" in careful.trouble


@pytest.mark.parametrize(
    ("host", "ca_file", "trouble"),
    [("a..b", "", "no such host"), ("127.0.0.1", "/no/such.pem", "No such file")],
)
def test_what_cannot_be_reached_is_told_and_tried_again(
    host: str, ca_file: str, trouble: str
) -> None:
    away = Link(Broker(host, free_port(), is_encrypted=bool(ca_file)), TOPICS, ca_file)
    away.step(0.0)
    assert away.has_failed
    assert trouble in away.trouble


def test_it_waits_ever_longer_up_to_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = 1000.0
    monkeypatch.setattr(link.time, "monotonic", lambda: clock)
    monkeypatch.setattr(link.time, "sleep", lambda _s: None)
    monkeypatch.setattr(link.random, "uniform", lambda _low, _high: 1.0)
    away = Link(Broker("127.0.0.1", free_port()), TOPICS)
    tried = []
    while len(tried) < 9:
        away.step(0.5)
        if away.has_failed and away.trouble:
            tried.append(clock)
            away.trouble = ""
        clock += 0.5
    waits = [after - before for before, after in itertools.pairwise(tried)]
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]
