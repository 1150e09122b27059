"""`manage.py create_device NAME --infant ID`: register a monitor and print its token once."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from devices.models import Device, issue_token
from infants.access import Viewer
from infants.assignments import assign_device
from infants.errors import UnknownInfantError
from infants.selectors import infant_named


class Command(BaseCommand):
    """Create a device; its token alone goes to standard output, for scripts."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("name")
        parser.add_argument("--infant", required=True, help="id or source key of whom it serves")
        parser.add_argument("--hardware", default="", help="what it is, e.g. maker and model")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Create, assign and give a credential, or do nothing at all."""
        try:
            infant = infant_named(Viewer.system(), options["infant"])
        except UnknownInfantError as error:
            raise CommandError(str(error)) from error
        with transaction.atomic():
            device = Device.objects.create(name=options["name"], hardware=options["hardware"])
            assign_device(device, infant)
            token = issue_token(device)
        self.stderr.write(
            f"{device.name} ({device.id}) serves {infant.name}. Its token, shown this once, is"
        )
        self.stdout.write(token)
