"""Addresses of brokers: what they may be, and what is never told of them."""

import pytest

from bridge.broker import BadBrokerError, Broker, broker_at


@pytest.mark.parametrize(
    ("url", "broker"),
    [
        ("", None),
        ("mqtt://host", Broker("host", 1883)),
        ("mqtts://host", Broker("host", 8883, is_encrypted=True)),
        ("mqtt://host:1884/", Broker("host", 1884)),
        ("mqtt://[::1]:1884", Broker("::1", 1884)),
        ("mqtt://me:p%40ss%2Fword@host", Broker("host", 1883, user="me", password="p@ss/word")),
        ("mqtt://me@host", Broker("host", 1883, user="me")),
    ],
)
def test_an_address_is_read(url: str, broker: Broker | None) -> None:
    assert broker_at(url) == broker


@pytest.mark.parametrize(
    "url",
    [
        *("host", "host:1883", "http://me:hidden@host", "mqtt://", "mqtt://me:hidden@"),
        *("mqtt://me:hidden@host:port", "mqtt://me:hidden@host:99999", "mqtt://me:hidden@host/a"),
        *("mqtt://me:hidden@host?a=b", "mqtt://me:hidden@host#a", "mqtt://me:hidden@[::1"),
    ],
)
def test_what_is_none_is_refused_without_saying_the_password(url: str) -> None:
    with pytest.raises(BadBrokerError) as refused:
        broker_at(url)
    assert "hidden" not in str(refused.value)


def test_a_password_is_not_shown() -> None:
    assert "hidden" not in repr(broker_at("mqtt://me:hidden@host"))
