"""`manage.py flow`: where recordings stand, what waits longest, and what was set aside."""

import json
from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from rich.console import Console
from rich.table import Table

from iclas.flow import STEPS
from iclas.health import spoken_backlog
from infants.access import Viewer
from infants.backlog import Backlog, backlog
from infants.revive import revive

WIDTH = 110


class Command(BaseCommand):
    """Show the queues as the rows tell them; send dead letters on their way again."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--json", action="store_true", help="for programs")
        again = parser.add_mutually_exclusive_group()
        again.add_argument("--retry", nargs="+", metavar="RECORDING", help="send these on again")
        again.add_argument("--retry-all", action="store_true", help="send all failed ones on again")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Send on what was asked for, then show what is."""
        if options["retry_all"] or options["retry"]:
            self._retry(options["retry"])
        now = timezone.now()
        found = backlog(Viewer.system(), now)
        if options["json"]:
            self.stdout.write(json.dumps(spoken_backlog(found)))
            return
        console = Console(width=WIDTH)
        with console.capture() as captured:
            _show(console, found)
        self.stdout.write(captured.get())

    def _retry(self, given: list[str] | None) -> None:
        try:
            ids = None if given is None else [UUID(name) for name in given]
        except ValueError as error:
            message = "Recordings are named by their full id, as this command lists them."
            raise CommandError(message) from error
        revived = revive(ids)
        left = [] if ids is None else sorted(set(ids) - set(revived))
        self.stderr.write(f"{len(revived)} sent on their way again.")
        for recording_id in left:
            self.stderr.write(f"{recording_id}: not a failed recording with an infant")


def _show(console: Console, found: Backlog) -> None:
    table = Table(title="On their way", title_justify="left", box=None, header_style="bold")
    for heading in ("state", "next step", "queue"):
        table.add_column(heading)
    for heading in ("waiting", "in hand", "tried before", "oldest"):
        table.add_column(heading, justify="right")
    for standing, step in zip(found.steps, STEPS, strict=True):
        counts = (standing.waiting, standing.leased, standing.retried)
        numbers = [str(n) if standing.waiting else "-" for n in counts]
        table.add_row(standing.state, step.name, step.queue, *numbers, _age(standing.oldest_s))
    console.print(table)
    console.print(_sentence(found))
    for letter in found.dead:
        failed = letter.failed_at.strftime("%Y-%m-%d %H:%M:%S")
        why = f"{letter.reason.label}" + (f" ({letter.detail})" if letter.detail else "")
        line = f"  {letter.recording_id}  {failed} UTC  {why}; from {letter.device}"
        console.print(line, soft_wrap=True)


def _age(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    hours, minutes = divmod(int(seconds) // 60, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {int(seconds) % 60:02} s"


def _sentence(found: Backlog) -> str:
    oldest = f", the oldest for {_age(found.oldest_s)}" if found.n_waiting else ""
    reasons = ", ".join(f"{n} {reason.value}" for reason, n in found.dead_by_reason.items())
    dead = f"{found.n_dead} ({reasons}); --retry sends them on again" if reasons else "0"
    return (
        f"{found.n_waiting} on their way{oldest}; {found.held} held until their device serves an "
        f"infant; {found.done} done, {found.rejected} rejected.\nDead letters: {dead}"
    )
