"""Publishing: what stands at the broker is what is known, and nothing else of ours.

What comes in: a link that is up, and the moment. What goes out: texts for topics. Guaranteed: only
what differs from what this connection said is said; Home Assistant hears of a thing before its
state, and that the bridge is there last, so that nothing old is ever shown as current; what is
described there and not wanted any more is taken away, whoever described it: an earlier run, or
before an infant was erased.
"""

import datetime as dt
import json
import logging
from dataclasses import dataclass, field
from typing import Any

from bridge.discovery import descriptions_of, descriptions_of_bridge
from bridge.document import document_of
from bridge.link import OFFLINE, ONLINE, Link
from bridge.selectors import published_infants
from bridge.topics import STATE_TOPIC, Topics

log = logging.getLogger(__name__)
NOTHING = ""


@dataclass(frozen=True)
class Wanted:
    """What shall stand at the broker, by topic."""

    descriptions: dict[str, str]
    states: dict[str, str]


def wanted_of(topics: Topics, now: dt.datetime) -> Wanted:
    """Return what is known now, as texts."""
    descriptions, states = descriptions_of_bridge(topics), {}
    for known in published_infants(now):
        descriptions |= descriptions_of(known, topics)
        states[topics.state(known.publication.opaque)] = document_of(known, now)
    return Wanted(_texts(descriptions), _texts(states))


@dataclass
class Publisher:
    """What this connection has said so far, by topic."""

    link: Link
    said: dict[str, str] = field(default_factory=dict)

    def publish(self, now: dt.datetime) -> None:
        """Say what is known now, as far as it was not said."""
        wanted = wanted_of(self.link.topics, now)
        self._take_away(wanted)
        if self.link.is_asked_anew:
            self.link.is_asked_anew = False
            self.said.clear()
        for topic, text in (wanted.descriptions | wanted.states).items():
            self._say(topic, text)
        self._say(self.link.topics.status, ONLINE)

    def say_offline(self) -> None:
        """Say that what stands there may be old."""
        self._say(self.link.topics.status, OFFLINE)

    def forget(self, opaque: str) -> None:
        """Say an infant's state again with the next publishing, whether it has changed or not."""
        self.said.pop(self.link.topics.state(opaque), None)

    def _say(self, topic: str, text: str) -> None:
        if self.said.get(topic) != text:
            self.link.put(topic, text)
            self.said[topic] = text

    def _take_away(self, wanted: Wanted) -> None:
        """Take away what stands there and is not wanted any more."""
        known = {*wanted.descriptions, *wanted.states, self.link.topics.status}
        standing = {topic for topic, text in self.said.items() if text}
        for topic, payload in self.link.described.items():
            standing |= {topic, *_states_in(payload)}
        self.link.described.clear()
        for topic in sorted(standing - known):
            self.link.put(topic, NOTHING)
            self.said.pop(topic, None)


def _states_in(payload: bytes) -> set[str]:
    """Return the topic of an infant's state that a description names."""
    try:
        described = json.loads(payload)
    except ValueError:
        return set()
    topic = described.get("state_topic") if isinstance(described, dict) else None
    return {topic} if isinstance(topic, str) and STATE_TOPIC.fullmatch(topic) else set()


def _texts(documents: dict[str, dict[str, Any]]) -> dict[str, str]:
    return {topic: json.dumps(one, separators=(",", ":")) for topic, one in documents.items()}
