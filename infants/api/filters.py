"""What a list may be narrowed by: every value is checked, and a misspelt name is refused."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.utils.dateparse import parse_datetime
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from infants.states import State

MAX_PAGE_SIZE = 500
PAGING = {"cursor"}
YEARS = range(1900, 2200)


@extend_schema_field(OpenApiTypes.DATETIME)
class MomentField(serializers.Field[dt.datetime, str, str, Any]):
    """An RFC 3339 time with its zone."""

    default_error_messages = {  # noqa: RUF012  the framework's name and form
        "invalid": "must be an RFC 3339 time with a zone, such as 2026-03-01T09:00:00Z."
    }

    def to_internal_value(self, data: str) -> dt.datetime:
        """Return the moment in UTC; a plus sign that the query string made a blank is mended."""
        try:
            text = str(data).strip()
            moment = parse_datetime(text.replace(" ", "+") if "T" in text else text)
            if moment is None or moment.tzinfo is None or moment.year not in YEARS:
                self.fail("invalid")
            return moment.astimezone(dt.UTC)
        except (ValueError, OverflowError):
            self.fail("invalid")

    def to_representation(self, value: dt.datetime) -> str:
        """Return the moment as clients read it."""
        return value.isoformat()


class Filters(serializers.Serializer[Any]):
    """The base of all: refuses names that it does not know."""

    def to_internal_value(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Check every value, and every name."""
        unknown = sorted(set(data) - set(self.fields) - PAGING)
        if unknown:
            raise serializers.ValidationError(
                {name: ["is not a parameter of this list."] for name in unknown}
            )
        checked: dict[str, Any] = super().to_internal_value(data)
        return checked

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse a span that ends before it starts."""
        start, end = attrs.get("from"), attrs.get("to")
        if start is not None and end is not None and end <= start:
            raise serializers.ValidationError({"to": ["must be later than 'from'."]})
        return attrs


def checked(filters: type[Filters], request: Request) -> dict[str, Any]:
    """Return what a request chooses, or refuse it by the names of the faulty filters.

    The query string is read as plain values: as a form, a box that is not ticked would mean no.
    """
    asked = filters(data=request.query_params.dict())
    asked.is_valid(raise_exception=True)
    chosen: dict[str, Any] = asked.validated_data
    return chosen


class ListFilters(Filters):
    """What every list knows."""

    page_size = serializers.IntegerField(
        required=False, min_value=1, max_value=MAX_PAGE_SIZE, help_text="Rows on a page."
    )


def span_fields() -> dict[str, serializers.Field[Any, Any, Any, Any]]:
    """Return the two ends of a span of time; `from` is a word that Python keeps to itself."""
    return {
        "from": MomentField(required=False, help_text="First moment that counts."),
        "to": MomentField(required=False, help_text="First moment that no longer counts."),
    }


class SessionFilters(ListFilters):
    """What sessions may be narrowed by."""

    infant = serializers.UUIDField(required=False)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Return the declared fields and the span's."""
        return super().get_fields() | span_fields()


class RecordingFilters(SessionFilters):
    """What recordings may be narrowed by."""

    session = serializers.UUIDField(required=False, help_text="A session that ICLAS formed.")
    state = serializers.ChoiceField(required=False, choices=State.choices)
