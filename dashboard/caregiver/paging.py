"""Lists in pages by keyset, as the API pages them.

What comes in: a list in order of time, newest first, and the cursor of the query string. What goes
out: one page, and the cursor of the next. Guaranteed: no row twice and none left out, however many
come in between; a cursor that makes no sense begins at the newest.
"""

import binascii
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet

from infants.api.pagination import Cursor, behind

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True)
class Paged(Generic[Row]):
    """The rows of one page; `older` is the cursor of the next one, or empty."""

    rows: list[Row]
    older: str
    is_first: bool


def page_of(rows: QuerySet[Row], by: str, cursor: str, size: int) -> Paged[Row]:
    """Return the page that begins behind the cursor; `by` is the column of time."""
    order = (f"-{by}", "-id")
    after = _decoded(rows.model, order, cursor)
    if after is not None:
        rows = rows.filter(behind(order, after.values))
    found = list(rows.order_by(*order)[: size + 1])
    page = found[:size]
    older = Cursor((getattr(page[-1], by), page[-1].pk), is_back=False) if page else None
    has_older = len(found) > size and older is not None
    return Paged(page, older.encode() if has_older and older else "", is_first=after is None)


def _decoded(model: type[Model], order: Iterable[str], cursor: str) -> Cursor | None:
    if not cursor:
        return None
    try:
        return Cursor.decode(cursor, model, tuple(order))
    except (ValueError, TypeError, ValidationError, binascii.Error):
        return None
