"""`manage.py migrate`: Django's own, by one process at a time, and never of a newer database."""

from typing import Any

from django.core.management.commands import migrate
from django.db import connections

from iclas.database import migrating_alone


class Command(migrate.Command):
    """Bring the database up to date; wait for whoever is at it already."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrate alone."""
        with migrating_alone(connections[options["database"]]):
            super().handle(*args, **options)
