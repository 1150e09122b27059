"""The migrations are what the models say, and make the keys that a hypertable needs."""

import pytest
from django.core.management import call_command
from django.db import connection

from anomaly.models import ScorePoint


@pytest.mark.django_db
def test_no_migration_is_missing() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


@pytest.mark.django_db
def test_every_unique_index_of_the_series_contains_time() -> None:
    with connection.cursor() as cursor:
        constraints = connection.introspection.get_constraints(cursor, ScorePoint._meta.db_table)
    unique = [c["columns"] for c in constraints.values() if c["unique"] or c["primary_key"]]
    assert unique
    assert all("time" in columns for columns in unique)


def test_nothing_points_at_the_series() -> None:
    pointing = [field for field in ScorePoint._meta.get_fields() if field.auto_created]
    assert not [field for field in pointing if field.is_relation and not field.concrete]
