"""`manage.py import_recordings MANIFEST`: take recordings from an archive the way of an upload."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from iclas import flow
from iclas.archive import Archive, read_rows
from iclas.archive_report import in_words, judge, progress_bar, write_report
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
        with progress_bar() as progress, flow.kept_back():
            taking = progress.add_task("storing", total=len(rows))
            outcomes = []
            for outcome in archive.take(rows):
                outcomes.append(outcome)
                progress.advance(taking)
            judge(outcomes, progress, enqueue=options["enqueue"])
        self.stdout.write(in_words(outcomes))
        if options["report"]:
            write_report(options["report"], outcomes)
