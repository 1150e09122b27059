"""`manage.py test_fire`: send a trial message to one follower, or to all of an infant, now."""

from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from infants.access import Viewer
from notify.deliveries import fire
from notify.errors import TooManyTrialsError
from notify.models import Delivery, Follower
from notify.selectors import changeable_followers


class Command(BaseCommand):
    """Send trial messages, and say of each how it went; fails where one did not arrive."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        whom = parser.add_mutually_exclusive_group(required=True)
        whom.add_argument("--follower", type=UUID, metavar="ID", help="one follower")
        whom.add_argument("--infant", type=UUID, metavar="ID", help="all who are told of an infant")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Try them one after the other."""
        arrived = [self._arrives(one) for one in _chosen(options)]
        if not all(arrived):
            message = f"{arrived.count(False)} of {len(arrived)} did not arrive."
            raise CommandError(message)

    def _arrives(self, follower: Follower) -> bool:
        try:
            trial = fire(follower)
        except TooManyTrialsError as error:
            message = "There were many trials within the hour; wait for a while."
            raise CommandError(message) from error
        is_sent = trial.state == Delivery.State.SENT
        why = f": {trial.reason} {trial.detail}".rstrip()
        said = "sent" if is_sent else f"did not arrive{why}"
        self.stdout.write(f"{follower.id}  {follower.channel}  {said}")
        return is_sent


def _chosen(options: dict[str, Any]) -> Sequence[Follower]:
    """Return the followers that were named; at least one."""
    seen = changeable_followers(Viewer.system()).filter(is_on=True)
    named = {"id": options["follower"]} if options["follower"] else {"infant": options["infant"]}
    found = list(seen.filter(**named))
    if not found:
        message = "There is no such follower that is switched on."
        raise CommandError(message)
    return found
