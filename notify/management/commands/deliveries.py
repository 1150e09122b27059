"""`manage.py deliveries`: what is to be told, what was given up, and sending that again."""

import json
from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from infants.access import Viewer
from notify.deliveries import replay
from notify.models import Delivery
from notify.outbox import Outbox, outbox


class Command(BaseCommand):
    """Show the outbox as the rows tell it; send dead letters again."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--json", action="store_true", help="for programs")
        again = parser.add_mutually_exclusive_group()
        again.add_argument("--replay", nargs="+", metavar="DELIVERY", help="send these again")
        again.add_argument("--replay-all", action="store_true", help="send all dead letters again")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Send again what was asked for, then show what is."""
        if options["replay_all"] or options["replay"]:
            self._replay(options["replay"])
        found = outbox(Viewer.system(), timezone.now())
        if options["json"]:
            self.stdout.write(json.dumps(_spoken(found)))
            return
        self.stdout.write(
            f"{found.waiting} wait, {found.held} held back by quiet hours, "
            f"{found.sent_in_a_day} sent in 24 h.\nDead letters: {found.n_dead}"
        )
        for one in found.dead:
            self.stdout.write(f"  {_line(one)}")

    def _replay(self, given: list[str] | None) -> None:
        try:
            ids = None if given is None else [UUID(name) for name in given]
        except ValueError as error:
            message = "Deliveries are named by their full id, as this command lists them."
            raise CommandError(message) from error
        replayed = replay(ids)
        self.stderr.write(f"{len(replayed)} sent on their way again.")
        for left in sorted(set(ids or ()) - set(replayed)):
            self.stderr.write(f"{left}: not a dead letter")


def _line(one: Delivery) -> str:
    ended = f"{one.ended_at:%Y-%m-%d %H:%M:%S} UTC" if one.ended_at else ""
    why = f"{one.reason} ({one.detail})" if one.detail else one.reason
    return f"{one.id}  {ended}  {one.channel} to {one.follower_id}: {why}, {one.attempts} tries"


def _spoken(found: Outbox) -> dict[str, Any]:
    dead = [
        {
            "id": str(one.id),
            "ended_at": one.ended_at.isoformat() if one.ended_at else None,
            "channel": one.channel,
            "follower": str(one.follower_id),
            "reason": one.reason,
            "detail": one.detail,
            "attempts": one.attempts,
        }
        for one in found.dead
    ]
    return {
        "waiting": found.waiting,
        "held": found.held,
        "late_s": found.late_s,
        "sent_in_a_day": found.sent_in_a_day,
        "n_dead": found.n_dead,
        "dead": dead,
    }
