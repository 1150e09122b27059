"""`manage.py import_dataset LAYOUT PATH`: take a published data set the way of an upload."""

import datetime as dt
import zoneinfo
from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from iclas import flow
from iclas.archive import Archive, Outcome
from iclas.archive_report import in_words, judge, progress_bar, write_report
from iclas.datasets import OWN_NAMES, Calendar, rows_for_archive
from pipelines.errors import ConfigError
from pipelines.layouts import Layout, read_corpus
from pipelines.manifest import BadRow, ManifestRow

Rows = list[ManifestRow | BadRow]


class Command(BaseCommand):
    """Import a data set in one of the layouts that docs/imports.md describes.

    Resumable: what is already there, by its bytes, is not added again, and what had not gone the
    whole way goes on. A row that cannot be taken disturbs no other.
    """

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("layout", choices=[str(layout) for layout in Layout])
        parser.add_argument("path", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
        parser.add_argument("--report", type=Path, help="write each row's outcome to this CSV file")
        parser.add_argument(
            "--time-zone", type=_zone, default="UTC", help="of the clocks, and of new infants"
        )
        parser.add_argument(
            "--from-day",
            type=dt.date.fromisoformat,
            help="where a layout tells no time: the day of each infant's first session",
        )
        parser.add_argument(
            "--create-infants",
            action="store_true",
            help="also those of a manifest; a published data set's infants are always created",
        )
        parser.add_argument(
            "--enqueue", action="store_true", help="leave the judging to running workers"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Import, or say what would be imported, and print what became of the rows."""
        layout, zone = Layout(options["layout"]), options["time_zone"]
        rows = _read(layout, options["path"], Calendar(zone, options["from_day"]))
        creates = options["create_infants"] or layout not in OWN_NAMES
        archive = Archive(creates, zone.key)
        if options["dry_run"]:
            outcomes = list(archive.foresee(rows))
        else:
            outcomes = _taken(archive, rows, enqueue=options["enqueue"])
        self.stdout.write(in_words(outcomes))
        if options["report"]:
            write_report(options["report"], outcomes)


def _read(layout: Layout, path: Path, calendar: Calendar) -> Rows:
    try:
        corpus = read_corpus(path, layout)
    except (ConfigError, OSError) as error:
        raise CommandError(str(error)) from error
    if not corpus:
        message = f"{path} holds nothing in the layout {layout}: see docs/imports.md."
        raise CommandError(message)
    return list(rows_for_archive(layout, corpus, calendar))


def _taken(archive: Archive, rows: Rows, *, enqueue: bool) -> list[Outcome]:
    outcomes = []
    with progress_bar() as progress, flow.kept_back():
        taking = progress.add_task("storing", total=len(rows))
        for outcome in archive.take(rows):
            outcomes.append(outcome)
            progress.advance(taking)
        judge(outcomes, progress, enqueue=enqueue)
    return outcomes


def _zone(name: str) -> zoneinfo.ZoneInfo:
    try:
        return zoneinfo.ZoneInfo(name)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        message = f"{name!r} is not an IANA time zone"
        raise ArgumentTypeError(message) from None
