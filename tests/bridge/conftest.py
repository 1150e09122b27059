"""A broker of its own for each test that asks for one, and settings that name it."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from bridge.broker import broker_at
from bridge.serving import Bridge
from tests.bridge.home import Reader, reading
from tests.services.mosquitto import Server, running


@pytest.fixture
def server(settings: Settings) -> Iterator[Server]:
    with running() as one:
        settings.ICLAS_MQTT_URL = one.url
        yield one


@pytest.fixture
def reader(server: Server) -> Iterator[Reader]:
    with reading(server) as one:
        yield one


@pytest.fixture
def bridge(server: Server, settings: Settings) -> Iterator[Bridge]:
    broker = broker_at(settings.ICLAS_MQTT_URL)
    assert broker is not None
    one = Bridge(broker)
    yield one
    one.link.close()
