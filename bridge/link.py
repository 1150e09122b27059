"""The link to the broker: one connection at a time, and what comes in by it.

What comes in: a broker's address, and texts for topics. What goes out: what others sent, as far as
it concerns us. Guaranteed: nothing is sent that was meant for a connection that is gone, so that
nothing old follows what is new; the broker says `offline` for us where we die, or stop answering,
since everything here runs in the caller's own thread; what fails is tried again, ever less often,
for ever.
"""

import logging
import random
import ssl
import time
from dataclasses import dataclass, field

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.reasoncodes import ReasonCode
from typing_extensions import override

from bridge.broker import Broker
from bridge.topics import Topics

log = logging.getLogger(__name__)
ONLINE, OFFLINE = "online", "offline"
KEEPALIVE_S = 30
CONNECT_LIMIT_S = 5.0
FIRST_WAIT_S, MOST_WAIT_S, JITTER_FRAC = 1.0, 60.0, 0.2
GOODBYE_LIMIT_S = 3.0
AT_LEAST_ONCE = 1
MOST_WAITING = 100
"""Commands that are kept while nobody can obey them: whoever sends more waits in vain."""


@dataclass(frozen=True)
class Command:
    """What somebody in the home asks."""

    topic: str
    payload: bytes


@dataclass
class Link:
    """A connection that comes back.

    `described` holds what of ours Home Assistant was told of by earlier connections, by topic;
    `is_asked_anew` is set where everything shall be said again: after connecting, and when Home
    Assistant has started.
    """

    broker: Broker
    topics: Topics
    ca_file: str = ""
    is_up: bool = False
    is_asked_anew: bool = False
    trouble: str = ""
    described: dict[str, bytes] = field(default_factory=dict)
    commands: list[Command] = field(default_factory=list)
    _client: mqtt.Client | None = None
    _waits: int = 0
    _retry_at: float = 0.0

    @property
    def has_failed(self) -> bool:
        """Whether there was no connection at the last try."""
        return self._waits > 0

    def step(self, limit_s: float) -> None:
        """Take in and send what there is, for so long at most; connect where we are not."""
        if self._client is None and time.monotonic() >= self._retry_at:
            self._connect()
        if self._client is None:
            time.sleep(min(limit_s, max(0.0, self._retry_at - time.monotonic())))
            return
        failure = self._client.loop(limit_s)
        if failure != MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._lost(self.trouble or mqtt.error_string(failure))

    def put(self, topic: str, text: str) -> None:
        """Let a text stand at a topic; an empty one takes away what stood there."""
        if self._client is not None:
            self._client.publish(topic, text, qos=AT_LEAST_ONCE, retain=True)

    def close(self) -> None:
        """Say goodbye, and wait for a while until it has arrived."""
        client, self._client = self._client, None
        if client is None:
            return
        if self.is_up:
            _say_goodbye(client, self.topics.status)
        client.disconnect()
        self.is_up = False

    # --- the connection -------------------------------------------------------------------------

    def _connect(self) -> None:
        try:
            client = self._made()
            client.connect(self.broker.host, self.broker.port, KEEPALIVE_S)
        except OSError as error:
            self._lost(error.strerror or type(error).__name__)
        except UnicodeError:  # what no name can be
            self._lost("there is no such host")
        else:
            self._client, self.trouble = client, ""

    def _made(self) -> mqtt.Client:
        """Return a client for one connection: what it had still to send ends with it."""
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"iclas-{self.topics.installation}",
            protocol=mqtt.MQTTv311,
        )
        client.connect_timeout = CONNECT_LIMIT_S
        if self.broker.user is not None:
            client.username_pw_set(self.broker.user, self.broker.password)
        if self.broker.is_encrypted:
            client.tls_set_context(_trust(self.ca_file))
        client.will_set(self.topics.status, OFFLINE, qos=AT_LEAST_ONCE, retain=True)
        client.on_connect = self._on_connect
        client.on_message = self._on_message
        return client

    def _lost(self, why: str) -> None:
        """Forget a connection, and wait before the next; say so once."""
        if self.is_up or not self._waits or why != self.trouble:
            log.warning("no connection to the broker at %s: %s", self.broker.place, why)
        self._client, self.is_up, self.trouble = None, False, why
        wait_s = min(MOST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(self._waits, 16))
        spread = random.uniform(1.0 - JITTER_FRAC, 1.0 + JITTER_FRAC)  # noqa: S311  spreads load
        self._waits += 1
        self._retry_at = time.monotonic() + wait_s * spread

    def _on_connect(
        self,
        client: mqtt.Client,
        _data: object,
        _flags: object,
        reason: ReasonCode,
        _properties: object,
    ) -> None:
        if reason.is_failure:
            self.trouble = str(reason)  # the broker closes the connection then
            return
        log.info("connected to the broker at %s", self.broker.place)
        self.is_up, self.is_asked_anew, self._waits = True, True, 0
        self.described.clear()
        topics = self.topics
        wanted = (topics.own_configs, topics.commands, topics.birth)
        client.subscribe([(topic, AT_LEAST_ONCE) for topic in wanted])

    def _on_message(self, _client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        if message.topic == self.topics.birth:
            self.is_asked_anew |= message.payload == ONLINE.encode()
        elif message.topic.endswith("/config"):
            if message.retain:
                self.described[message.topic] = bytes(message.payload)
        elif message.retain:
            log.warning("a command was left standing at %s, and is not obeyed", message.topic)
        elif len(self.commands) < MOST_WAITING:
            self.commands.append(Command(message.topic, bytes(message.payload)))


class _Socket(ssl.SSLSocket):
    """A socket that does not stay open where nobody vouches for its other side."""

    @override
    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise


def _trust(ca_file: str) -> ssl.SSLContext:
    """Return who is believed: those whom the machine believes, or who is named alone."""
    context = ssl.create_default_context(cafile=ca_file or None)
    context.sslsocket_class = _Socket
    return context


def _say_goodbye(client: mqtt.Client, status: str) -> None:
    said = client.publish(status, OFFLINE, qos=AT_LEAST_ONCE, retain=True)
    until = time.monotonic() + GOODBYE_LIMIT_S
    while not said.is_published() and time.monotonic() < until:
        if client.loop(0.1) != MQTTErrorCode.MQTT_ERR_SUCCESS:
            return
