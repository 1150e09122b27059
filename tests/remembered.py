"""Rows that take long to make: made once in a run, and put there again for each test that asks.

What comes in: a key and a way to make the rows. What goes out: what making returned, with the same
rows in the database and the same artefacts in the storage. Guaranteed: where anything of an
installation is there already, the rows are made and nothing is remembered.
"""

import copy
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from django.apps import apps
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management.color import no_style
from django.db import connection, transaction
from django.db.models import Model

from anomaly.models import PersonalModel

Made = TypeVar("Made")
OWN_APPS = ("infants", "devices", "anomaly", "notify", "bridge")


@dataclass(frozen=True)
class Kept:
    """What making left: the rows of each table, the artefacts by name, and what it returned."""

    rows: dict[str, tuple[list[str], list[tuple[Any, ...]]]]
    artefacts: dict[str, bytes]
    returned: Any


_kept: dict[Hashable, Kept] = {}


def once(key: Hashable, make: Callable[[], Made]) -> Made:
    """Return what making gives, and leave what it leaves."""
    if any(model._base_manager.exists() for model in _models()):
        return make()
    if key not in _kept:
        made = make()
        _kept[key] = Kept(dict(_rows()), _artefacts(), copy.deepcopy(made))
        return made
    kept = _kept[key]
    with transaction.atomic():  # rows may come before those that they point at
        _put_back(kept)
    made_before: Made = copy.deepcopy(kept.returned)
    return made_before


def _models() -> list[type[Model]]:
    return [
        model
        for app in OWN_APPS
        for model in apps.get_app_config(app).get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy
    ]


def _rows() -> Iterator[tuple[str, tuple[list[str], list[tuple[Any, ...]]]]]:
    """Yield each table's rows as the database holds them: no field's own ways come between."""
    for model in _models():
        table = connection.ops.quote_name(model._meta.db_table)
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM {table}")  # noqa: S608  a name of ours, quoted
            rows = cursor.fetchall()
            if rows:
                yield table, ([column[0] for column in cursor.description], rows)


def _artefacts() -> dict[str, bytes]:
    names = PersonalModel.objects.values_list("artefact", flat=True)
    found = {}
    for name in filter(default_storage.exists, names):
        with default_storage.open(name) as stored:
            found[name] = stored.read()
    return found


def _put_back(kept: Kept) -> None:
    for table, (columns, rows) in kept.rows.items():
        names = ", ".join(map(connection.ops.quote_name, columns))
        places = ", ".join(["%s"] * len(columns))
        insert = f"INSERT INTO {table} ({names}) VALUES ({places})"  # noqa: S608  as above
        with connection.cursor() as cursor:
            cursor.executemany(insert, rows)
    with connection.cursor() as cursor:
        for line in connection.ops.sequence_reset_sql(no_style(), _models()):
            cursor.execute(line)
    for name, content in kept.artefacts.items():
        default_storage.delete(name)
        default_storage.save(name, ContentFile(content))
