"""The diary over HTTP: what a phone's offline queue talks to.

201, or 200 on a replay of the same `Idempotency-Key`, means written: the queue may forget its copy.
422 means that it will never be accepted, with a sentence for each field; 404, that the diary is not
open to this person. Everything else means keep and retry. A removal that is sent twice answers 204
twice.
"""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from infants.api.base import ApiListView, ApiView, Document, document
from infants.api.diary_documents import (
    DiaryEntryPatchSerializer,
    DiaryEntrySerializer,
    DiaryFilters,
    NewDiaryEntrySerializer,
    said_in,
)
from infants.diary import Said, change_entry, remove_entry, write_entry
from infants.errors import BadEntryError, UnknownEntryError
from infants.models import DiaryEntry
from infants.selectors import diary_where

KEY = OpenApiParameter(
    "Idempotency-Key",
    OpenApiTypes.UUID,
    OpenApiParameter.HEADER,
    description="Made by the client; the same key answers with the first result.",
)
LOCATION = OpenApiParameter(
    "Location",
    OpenApiTypes.URI,
    OpenApiParameter.HEADER,
    description="Where the entry can be asked for.",
    response=[200, 201],
)


class DiaryEntriesView(ApiListView):
    """What was written down."""

    serializer_class = DiaryEntrySerializer
    filters_class = DiaryFilters
    ordering = ("-starts_at", "-id")

    def get_queryset(self) -> QuerySet[DiaryEntry]:
        """Return the rows that the viewer may see and asks for."""
        return diary_where(self.viewer, self.chosen())

    @extend_schema(operation_id="list_diary_entries", parameters=[DiaryFilters], tags=["diary"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List diary entries, newest first; `from` and `to` go by their start."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="write_diary_entry",
        parameters=[KEY, LOCATION],
        request=NewDiaryEntrySerializer,
        responses={
            201: OpenApiResponse(DiaryEntrySerializer, "Written."),
            200: OpenApiResponse(DiaryEntrySerializer, "It was written before: a replay."),
        },
        tags=["diary"],
    )
    def post(self, request: Request) -> Response:
        """Write an entry; 201 or 200 means that the client may forget its copy."""
        asked = said_in(NewDiaryEntrySerializer, request)
        infant_id = asked.pop("infant")
        written = write_entry(self.viewer, infant_id, Said(**asked), _key(request))
        where = {"Location": reverse("diary-entry", args=[written.entry.id])}
        shown = document(DiaryEntrySerializer, _read_after(self, written.entry), request)
        return Response(shown, status=200 if written.replayed else 201, headers=where)


class DiaryEntryView(ApiView):
    """One entry."""

    @extend_schema(operation_id="read_diary_entry", responses=DiaryEntrySerializer, tags=["diary"])
    def get(self, request: Request, entry_id: UUID) -> Response:
        """Read an entry."""
        del request
        return Response(self._document(entry_id))

    @extend_schema(
        operation_id="change_diary_entry",
        request=DiaryEntryPatchSerializer,
        responses=DiaryEntrySerializer,
        tags=["diary"],
    )
    def patch(self, request: Request, entry_id: UUID) -> Response:
        """Change what an entry says; its author may, and who manages the infant.

        What is left out stays as it is.
        """
        before = _found(self, entry_id)
        asked = vars(Said.of(before)) | said_in(DiaryEntryPatchSerializer, request)
        change_entry(self.viewer, entry_id, Said(**asked))
        return Response(self._document(entry_id))

    @extend_schema(
        operation_id="remove_diary_entry",
        request=None,
        responses={204: OpenApiResponse(description="It is not in the diary any more.")},
        tags=["diary"],
    )
    def delete(self, request: Request, entry_id: UUID) -> Response:
        """Take an entry out of the diary; its author may, and who manages the infant."""
        del request
        remove_entry(self.viewer, entry_id)
        return Response(status=204)

    def _document(self, entry_id: UUID) -> Document:
        return document(DiaryEntrySerializer, _found(self, entry_id), self.request)


def _found(view: ApiView, entry_id: UUID) -> DiaryEntry:
    entry = diary_where(view.viewer, {}).filter(id=entry_id).first()
    if entry is None:
        raise UnknownEntryError(entry_id)
    return entry


def _read_after(view: ApiView, entry: DiaryEntry) -> DiaryEntry:
    """Return an entry as it is read; one that was removed since, as it was written."""
    return diary_where(view.viewer, {}).filter(id=entry.id).first() or entry


def _key(request: Request) -> UUID | None:
    said = request.headers.get(KEY.name)
    try:
        return None if said is None else UUID(said)
    except ValueError as error:
        raise BadEntryError({"Idempotency-Key": "must be a UUID."}) from error
