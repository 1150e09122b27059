"""`manage.py move_storage --to URL`: copy everything that is stored to another depot.

Each file is held against its digest before and after. It may be stopped at any time, and goes on
where it was. Nothing is deleted: set `ICLAS_STORAGE_URL` to the new place when all is there.
"""

import functools
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from anomaly.holdings import copy_to
from anomaly.management.going_through import add_pace, go_through
from infants.depot.address import read_address
from infants.depot.errors import BadAddressError
from infants.depot.opening import depot_of
from infants.storage import depot


class Command(BaseCommand):
    """Copy audio and models; what is there already is not copied again."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument(
            "--to", required=True, metavar="URL", help="as ICLAS_STORAGE_URL would have it"
        )
        add_pace(parser)

    def handle(self, *_args: Any, **options: Any) -> None:
        """Copy, and say how much there was of what."""
        try:
            address = read_address(options["to"], settings.ICLAS_HOME.storage)
        except BadAddressError as error:
            message = f"The address makes no sense: {error}."
            raise CommandError(message) from error
        target = depot_of(address, depot().keyring)
        target.probe()
        go_through(self, functools.partial(copy_to, target), options["per_second"])
