"""A home around the bridge, for tests: a published infant, and somebody who reads the broker.

What comes in: a broker that runs. What goes out: what stands there, as Home Assistant would find
it. Guaranteed: everything waits for what it needs, and for no longer.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.utils import timezone
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from bridge.models import Publication
from bridge.serving import Bridge
from infants.models import Infant
from tests.services.mosquitto import PASSWORD, USER, Server

PATIENCE_S = 10.0


def a_publication(infant: Infant, opaque: str = "3f2a00000001", **given: Any) -> Publication:
    """Return a publication that goes on."""
    described = {"turned_on_at": timezone.now()} | given
    return Publication.objects.create(infant=infant, opaque=opaque, **described)


class Reader:
    """Somebody in the home who reads everything: what stands there, and what came in, in order."""

    def __init__(self, port: int) -> None:
        self.heard: list[tuple[str, bytes, bool]] = []
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self.client.username_pw_set(USER, PASSWORD)
        self.client.on_message = self._on_message
        self.client.connect("127.0.0.1", port)
        self._subscribed = False
        self.client.on_subscribe = self._on_subscribe
        self.client.subscribe("#", qos=1)
        self.until(lambda: self._subscribed)

    def _on_subscribe(self, *_given: Any) -> None:
        self._subscribed = True

    def _on_message(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        self.heard.append((message.topic, message.payload, message.retain))

    @property
    def standing(self) -> dict[str, bytes]:
        """What stands at each topic, as far as it was heard."""
        found = {topic: payload for topic, payload, _retain in self.heard}
        return {topic: payload for topic, payload in found.items() if payload}

    def document(self, topic: str) -> Any:
        """Return the document at a topic."""
        return json.loads(self.standing[topic])

    def say(self, topic: str, payload: str | bytes, *, retain: bool = False) -> None:
        """Say something, and wait until the broker has it."""
        said = self.client.publish(topic, payload, qos=1, retain=retain)
        self.until(said.is_published)

    def until(self, seen: Callable[[], object], bridge: Bridge | None = None) -> None:
        """Wait for something; meanwhile let a bridge work."""
        deadline = time.monotonic() + PATIENCE_S
        while not seen():
            if time.monotonic() > deadline:
                pytest.fail(f"waited in vain; there stands {self.standing}")
            if bridge is not None:
                bridge.turn(0.005)
            self.client.loop(0.005)


@contextmanager
def reading(server: Server) -> Iterator[Reader]:
    """Read along for the length of the block."""
    reader = Reader(server.port)
    try:
        yield reader
    finally:
        reader.client.disconnect()
