"""Serving: the loop of the bridge, in one thread, until it is told to stop.

What comes in: a broker, and an event that stops. What goes out: what is known, every few seconds;
what is asked, as it comes. Guaranteed: a broker that is away ends nothing, and neither does a
database that is: meanwhile the bridge says that it is offline; a bridge that hangs is said to be
offline by the broker.
"""

import datetime as dt
import logging
import threading
import time
from contextlib import suppress
from pathlib import Path

from django.conf import settings
from django.db import Error, connection
from django.utils import timezone

from bridge.broker import Broker
from bridge.commands import obey
from bridge.link import Link
from bridge.models import Standing
from bridge.publishing import Publisher
from bridge.topics import Topics

log = logging.getLogger(__name__)
LOOKS_EVERY_S = 3.0
STEP_S = 0.5
STANDING_EVERY_S = 30.0
ONCE_LIMIT_S = 20.0


class Bridge:
    """One run of the bridge."""

    def __init__(self, broker: Broker) -> None:
        self.link = Link(broker, Topics.of_settings(), settings.ICLAS_MQTT_CA_FILE)
        self.publisher = Publisher(self.link)
        self._due = 0.0
        self._has_database = True
        self._stood: tuple[bool, float] | None = None

    def serve(self, stop: threading.Event) -> None:
        """Serve until told to stop, then say goodbye."""
        try:
            while not stop.is_set():
                self.turn(STEP_S)
                _give_sign()
        finally:
            self.link.close()
            with suppress(Error):
                Standing.objects.all().delete()

    def once(self) -> bool:
        """Publish everything once and say goodbye; tell whether the broker took it."""
        until = time.monotonic() + ONCE_LIMIT_S
        try:
            while not (self.link.is_up or self.link.has_failed) and time.monotonic() < until:
                self.link.step(STEP_S)
            if self.link.is_up:
                self.link.step(STEP_S)  # what stood there comes in
                self.publisher.publish(timezone.now())
            return self.link.is_up
        finally:
            self.link.close()

    def turn(self, limit_s: float) -> None:
        """Take in what there is, for so long at most; then do what is asked, and what is due."""
        self.link.step(limit_s)
        try:
            self._work(timezone.now())
        except Error as error:
            self._without_database(error)
        else:
            self._has_database = True

    def _without_database(self, error: Error) -> None:
        """Say that nothing can be vouched for, and try again later, on a new connection."""
        if self._has_database:
            log.warning("the database does not answer: %s", type(error).__name__)
        self._has_database = False
        self.publisher.say_offline()
        self._due = time.monotonic() + LOOKS_EVERY_S
        connection.close_if_unusable_or_obsolete()

    def _work(self, now: dt.datetime) -> None:
        self._stand(now)
        if not self.link.is_up:
            return
        commands, self.link.commands = self.link.commands, []
        for command in commands:
            publication = obey(command, self.link.topics, now)
            if publication is not None:
                self.publisher.forget(publication.opaque)
        is_due = time.monotonic() >= self._due
        if commands or is_due or self.link.is_asked_anew:
            self.publisher.publish(now)
            self._due = time.monotonic() + LOOKS_EVERY_S

    def _stand(self, now: dt.datetime) -> None:
        """Write down how the bridge stands: when that changes, and every while."""
        is_up, at = self.link.is_up, time.monotonic()
        if self._stood is not None:
            was_up, written_at = self._stood
            if was_up == is_up and at - written_at < STANDING_EVERY_S:
                return
        said = {"at": now, "is_connected": is_up, "detail": self.link.trouble[:200]}
        Standing.objects.update_or_create(id=1, defaults=said)
        self._stood = (is_up, at)


def _give_sign() -> None:
    """Touch the file by which somebody watches over this process, where there is one."""
    if settings.ICLAS_ALIVE_FILE:
        with suppress(OSError):
            Path(settings.ICLAS_ALIVE_FILE).touch()
