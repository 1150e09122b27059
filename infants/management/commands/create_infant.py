"""`manage.py create_infant NAME`: add an infant to a household."""

import datetime as dt
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from infants.models import Household, Infant, Membership, User


class Command(BaseCommand):
    """Create an infant; its id alone goes to standard output, for scripts."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("name")
        parser.add_argument("--household", help="name; a twin joins the one that exists")
        parser.add_argument("--time-zone", default="UTC", help="IANA name, e.g. Europe/Zurich")
        parser.add_argument("--birth-date", type=dt.date.fromisoformat, help="YYYY-MM-DD")
        parser.add_argument("--gestational-age-weeks", type=float)
        parser.add_argument("--owner", help="user name of the person who owns the records")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Create the infant, or say what is wrong with what was given."""
        try:
            infant = _create(options)
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from error
        self.stderr.write(f"{infant.name} lives in {infant.time_zone}; the infant's id is")
        self.stdout.write(str(infant.id))


@transaction.atomic
def _create(options: dict[str, Any]) -> Infant:
    household_name = options["household"] or f"{options['name']}'s household"
    household, _ = Household.objects.get_or_create(name=household_name)
    infant = Infant(
        household=household,
        name=options["name"],
        time_zone=options["time_zone"],
        birth_date=options["birth_date"],
        gestational_age_weeks=options["gestational_age_weeks"],
    )
    infant.full_clean()
    infant.save()
    if options["owner"]:
        Membership.objects.create(
            user=_user(options["owner"]), infant=infant, role=Membership.Role.OWNER
        )
    return infant


def _user(name: str) -> User:
    user = User.objects.filter(username=name).first()
    if user is None:
        message = f"There is no user {name!r}."
        raise CommandError(message)
    return user
