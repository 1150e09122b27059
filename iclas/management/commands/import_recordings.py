"""`manage.py import_recordings MANIFEST`: take recordings from an archive the way of an upload."""

import csv
import sys
from argparse import ArgumentParser
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from iclas import flow
from iclas.archive import Archive, Outcome, read_rows
from infants.models import Recording
from infants.states import Reason, State
from pipelines.errors import ConfigError


class Command(BaseCommand):
    """Import a manifest (columns file, infant, recorded_at) or a folder of Donate-a-Cry files.

    Resumable: what is already there is not added again, and what had not gone the whole way goes
    on. Unknown infants are reported, or created with --create-infants.
    """

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("manifest", type=Path)
        parser.add_argument("--create-infants", action="store_true")
        parser.add_argument("--time-zone", default="UTC", help="of the infants that are created")
        parser.add_argument("--report", type=Path, help="write each row's outcome to this CSV file")
        parser.add_argument(
            "--enqueue", action="store_true", help="leave the judging to running workers"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Import, and print what became of the rows."""
        try:
            rows = read_rows(options["manifest"])
        except (ConfigError, OSError) as error:
            raise CommandError(str(error)) from error
        archive = Archive(options["create_infants"], options["time_zone"])
        with _progress() as progress, flow.kept_back():
            taking = progress.add_task("storing", total=len(rows))
            outcomes = []
            for outcome in archive.take(rows):
                outcomes.append(outcome)
                progress.advance(taking)
            self._judge(outcomes, progress, enqueue=options["enqueue"])
        self._print(outcomes)
        if options["report"]:
            _write_report(options["report"], outcomes)

    @staticmethod
    def _judge(outcomes: list[Outcome], progress: Progress, *, enqueue: bool) -> None:
        ids = [outcome.recording_id for outcome in outcomes if outcome.recording_id]
        if enqueue:
            flow.send_on(ids)
            return
        judging = progress.add_task("hearing and judging", total=2 * len(ids))
        flow.drive(ids, lambda moved: progress.advance(judging, moved))

    def _print(self, outcomes: list[Outcome]) -> None:
        console = Console()
        with console.capture() as captured:
            console.print(_counted("Rows", Counter(outcome.result for outcome in outcomes)))
            states = Counter(_end(recording) for recording in _recordings(outcomes).values())
            console.print(_counted("Recordings stand at", states))
        self.stdout.write(captured.get())


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(file=sys.stderr),
    )


def _recordings(outcomes: list[Outcome]) -> dict[UUID, Recording]:
    ids = [outcome.recording_id for outcome in outcomes if outcome.recording_id]
    return Recording.objects.defer("gate_features").in_bulk(ids)


def _end(recording: Recording) -> str:
    state = State(recording.state).value
    return f"{state}: {Reason(recording.reason).label}" if recording.reason else state


def _counted(title: str, counts: Counter[str]) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("outcome")
    table.add_column("n", justify="right")
    for outcome, n in counts.most_common():
        table.add_row(outcome, str(n))
    table.add_section()
    table.add_row("all", str(counts.total()))
    return table


def _write_report(path: Path, outcomes: list[Outcome]) -> None:
    ends = {id_: _end(recording) for id_, recording in _recordings(outcomes).items()}
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["row", "result", "detail", "recording", "stands_at"])
        for o in outcomes:
            where = ends.get(o.recording_id, "") if o.recording_id else ""
            writer.writerow([o.row, o.result, o.detail, o.recording_id or "", where])
