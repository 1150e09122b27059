"""`manage.py export FORMAT`: write recordings, with all that was decided on them, to a file."""

import datetime as dt
import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import QuerySet
from django.utils.dateparse import parse_datetime

from anomaly.exports.formats import FORMATS
from anomaly.selectors.exported import Taken
from infants.access import Viewer
from infants.errors import UnknownInfantError
from infants.models import Infant, User
from infants.selectors import exported_infants, infant_named


class Command(BaseCommand):
    """Export one infant or all, as the operator or as a person of the installation."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("format", choices=list(FORMATS))
        parser.add_argument("--infant", help="id or source key; default: all")
        parser.add_argument("--out", type=Path, help="the file; default: the standard output")
        parser.add_argument("--from", dest="start", type=_moment, help="first moment that counts")
        parser.add_argument("--to", dest="end", type=_moment, help="first that no longer counts")
        parser.add_argument(
            "--as", dest="person", metavar="USER", help="with this person's rights, no more"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Write the file; one that cannot be finished is not left behind."""
        viewer = _viewer(options["person"])
        infants = _chosen(viewer, options["infant"])
        taken = Taken.of(viewer, infants, options["start"], options["end"])
        pieces = FORMATS[options["format"]].write(taken)
        if options["out"] is None:
            sys.stdout.buffer.writelines(pieces)
            return
        _write(options["out"], pieces)
        self.stdout.write(f"{len(taken.subjects)} infants written to {options['out']}")


def _viewer(name: str | None) -> Viewer:
    if name is None:
        return Viewer.system()
    person = User.objects.filter(username=name).first()
    if person is None:
        message = f"There is nobody called {name!r}."
        raise CommandError(message)
    return Viewer.of(person)


def _chosen(viewer: Viewer, name: str | None) -> QuerySet[Infant]:
    infants = exported_infants(viewer)
    if name is None:
        return infants
    try:
        one = infants.filter(id=infant_named(viewer, name).id)
    except UnknownInfantError as error:
        raise CommandError(str(error)) from error
    if not one.exists():
        message = f"Nothing of {name} may be taken away with these rights."
        raise CommandError(message)
    return one


def _moment(text: str) -> dt.datetime:
    moment = parse_datetime(text)
    if moment is None or moment.tzinfo is None:
        message = "an RFC 3339 time with a zone is needed, such as 2026-03-01T09:00:00Z"
        raise ArgumentTypeError(message)
    return moment


def _write(path: Path, pieces: Iterator[bytes]) -> None:
    """Write beside the file first, so that nobody takes half of one for whole."""
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as file:
            file.writelines(pieces)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
