"""Pages by keyset: a page starts where the last one ended, however many rows came in between.

The cursor holds the ordering values of the row at the page's edge, and nothing else. Rows with
equal times are told apart by their id, so that no row is shown twice and none is left out.
"""

import base64
import binascii
import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError as BadValue
from django.db.models import Model, Q
from django.utils import timezone
from rest_framework import serializers
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param
from rest_framework.views import APIView
from typing_extensions import override

from infants.api.filters import MAX_PAGE_SIZE

PAGE_SIZE = 100
CURSOR = "cursor"
MAX_CURSOR_CHARACTERS = 500


@dataclass(frozen=True)
class Cursor:
    """Where a page begins: behind this row, or before it when paging back."""

    values: tuple[Any, ...]
    is_back: bool

    def encode(self) -> str:
        """Return the cursor as it stands in a link."""
        said = [v.isoformat() if isinstance(v, dt.datetime) else str(v) for v in self.values]
        packed = json.dumps([int(self.is_back), *said], separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(packed).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str, model: type[Model], ordering: Sequence[str]) -> "Cursor":
        """Return the cursor that a link holds; raise ValueError or `BadValue` for another's."""
        if len(text) > MAX_CURSOR_CHARACTERS:
            message = "longer than any cursor"
            raise ValueError(message)
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        is_back, *said = json.loads(packed)
        if len(said) != len(ordering) or not all(isinstance(value, str) for value in said):
            message = "not a cursor of this list"
            raise ValueError(message)
        fields = [model._meta.get_field(name.lstrip("-")) for name in ordering]
        values = tuple(
            field.to_python(value)  # type: ignore[union-attr]
            for field, value in zip(fields, said, strict=True)
        )
        if any(isinstance(v, dt.datetime) and timezone.is_naive(v) for v in values):
            message = "a time without a zone"
            raise ValueError(message)
        return cls(values, bool(is_back))


class KeysetPagination(BasePagination):
    """Cursor pagination over the view's `ordering`, whose last name makes it unique."""

    def paginate_queryset(
        self,
        queryset: Any,  # noqa: ANN401  the framework says: any sequence; here it is a QuerySet
        request: Request,
        view: APIView | None = None,
    ) -> list[Any]:
        """Return one page, fetched with one row more to know whether another follows."""
        self.url = request.build_absolute_uri()
        self.ordering: tuple[str, ...] = getattr(view, "ordering", ("-id",))
        cursor = self._cursor(request, queryset.model)
        size = int(request.query_params.get("page_size", PAGE_SIZE))
        is_back = cursor is not None and cursor.is_back
        order = tuple(_reversed(name) for name in self.ordering) if is_back else self.ordering
        if cursor is not None:
            queryset = queryset.filter(behind(order, cursor.values))
        rows = list(queryset.order_by(*order)[: size + 1])
        has_more = len(rows) > size
        page = rows[:size]
        self.page = page[::-1] if is_back else page
        self.has_next = is_back or has_more
        self.has_previous = has_more if is_back else cursor is not None
        return self.page

    def _cursor(self, request: Request, model: type[Model]) -> Cursor | None:
        text = request.query_params.get(CURSOR)
        if text is None:
            return None
        try:
            return Cursor.decode(text, model, self.ordering)
        except (ValueError, TypeError, BadValue, binascii.Error) as error:
            problem = {CURSOR: ["is not a cursor of this list."]}
            raise serializers.ValidationError(problem) from error

    def _link(self, *, is_back: bool) -> str | None:
        """Return the link to the page on one side, or None where there is none."""
        if not (self.has_previous if is_back else self.has_next):
            return None
        if not self.page:
            return remove_query_param(self.url, CURSOR)
        edge = self.page[0] if is_back else self.page[-1]
        values = tuple(getattr(edge, name.lstrip("-")) for name in self.ordering)
        return replace_query_param(self.url, CURSOR, Cursor(values, is_back).encode())

    def links(self) -> dict[str, str | None]:
        """Return the links to the pages on both sides."""
        return {"next": self._link(is_back=False), "previous": self._link(is_back=True)}

    def get_paginated_response(self, data: object) -> Response:
        """Wrap a page's documents."""
        return Response(self.links() | {"results": data})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Describe the wrapping."""
        link = {"type": ["string", "null"], "format": "uri", "example": None}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {
                "next": link | {"description": "The page that follows, or null."},
                "previous": link | {"description": "The page before, or null."},
                "results": schema,
            },
        }

    @override
    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        """Describe the cursor; the page's size stands among the filters."""
        return [
            {
                "name": CURSOR,
                "in": "query",
                "required": False,
                "description": "Taken from a link of another page; at most "
                f"{MAX_PAGE_SIZE} rows come on one.",
                "schema": {"type": "string"},
            }
        ]


def _reversed(name: str) -> str:
    return name[1:] if name.startswith("-") else f"-{name}"


def behind(order: Sequence[str], values: Sequence[Any]) -> Q:
    """Return the condition that a row comes behind these values in this order.

    The first column is bounded by itself as well, which is what an index can use.
    """
    bound, behind, equal = Q(), Q(), Q()
    for position, (name, value) in enumerate(zip(order, values, strict=True)):
        column = name.lstrip("-")
        side = "lt" if name.startswith("-") else "gt"
        if position == 0:
            bound = Q((f"{column}__{side}e", value))
        behind |= equal & Q((f"{column}__{side}", value))
        equal &= Q((column, value))
    return bound & behind
