"""`manage.py bridge`: publish infants at the home's MQTT broker until told to stop."""

import signal
import threading
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from bridge.broker import BadBrokerError, Broker, broker_at
from bridge.serving import Bridge


class Command(BaseCommand):
    """Publish the infants whose owners turned it on, and take in what is asked of them.

    A broker that is away is waited for. Ends on Ctrl-C and on SIGTERM.
    """

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument(
            "--once", action="store_true", help="publish everything, say goodbye, and end: a trial"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Serve."""
        broker = _broker()
        if options["once"]:
            bridge = Bridge(broker)
            if not bridge.once():
                message = f"No connection to the broker at {broker.place}: {bridge.link.trouble}."
                raise CommandError(message)
            self.stdout.write(f"Published at {broker.place}, and ended.")
            return
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        Bridge(broker).serve(stop)


def _broker() -> Broker:
    """Return the broker, or say in words why there is none."""
    try:
        broker = broker_at(settings.ICLAS_MQTT_URL)
    except BadBrokerError as error:
        message = f"ICLAS_MQTT_URL makes no sense: {error}."
        raise CommandError(message) from error
    if broker is None:
        message = "There is no broker: set ICLAS_MQTT_URL, e.g. mqtt://user:password@host:1883."
        raise CommandError(message)
    return broker
