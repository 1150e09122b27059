"""`manage.py rollback_model INFANT NUMBER`: put an earlier personal model in force again."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from anomaly.errors import NoSuchModelError
from anomaly.rollback import roll_back
from infants.access import Viewer
from infants.errors import UnknownInfantError
from infants.selectors import infant_named


class Command(BaseCommand):
    """Withdraw the versions after one, and what was admitted to the baseline since."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("infant", help="id or source key")
        parser.add_argument("number", type=int, help="the version to put in force")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Roll back, or say why not."""
        try:
            infant = infant_named(Viewer.system(), options["infant"])
            model = roll_back(infant, options["number"])
        except (UnknownInfantError, NoSuchModelError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"Model {model.number} of {infant.name} is in force: "
            f"{model.n_recordings} recordings of {model.n_days} days."
        )
