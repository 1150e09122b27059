"""`manage.py rotate_storage_key`: seal everything that is stored with the newest key.

It may be stopped at any time, and goes on where it was; nothing has to stand still for it.
"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from anomaly.holdings import seal_anew
from anomaly.management.going_through import add_pace, go_through
from infants.depot.keys import drawn_key
from infants.storage import depot


class Command(BaseCommand):
    """Seal anew with the first of `ICLAS_STORAGE_KEYS`, or draw a key for it."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument(
            "--draw", action="store_true", help="print a new key and do nothing else"
        )
        add_pace(parser)

    def handle(self, *_args: Any, **options: Any) -> None:
        """Seal anew what another key sealed, or none, and say how much there was of what."""
        if options["draw"]:
            self.stdout.write(drawn_key())
            return
        newest = depot().keyring.newest
        if newest is None:
            message = "ICLAS_STORAGE_KEYS holds no key; --draw prints one."
            raise CommandError(message)
        self.stderr.write(f"Sealing with the key {newest.id.hex()}.")
        go_through(self, seal_anew, options["per_second"])
