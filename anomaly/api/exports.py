"""Files of recordings, sent as they are made."""

from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.db.models import QuerySet
from django.http import Http404, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from anomaly.exports.formats import FORMATS, Format
from anomaly.selectors.exported import Taken
from infants.api.base import ApiView
from infants.api.filters import Filters, checked, span_fields
from infants.models import Infant
from infants.selectors import exported_infant, exported_infants

FORMAT = OpenApiParameter(
    "export_format", OpenApiTypes.STR, OpenApiParameter.PATH, enum=list(FORMATS)
)


def _described(media_type: str) -> tuple[int, str]:
    return 200, media_type.partition(";")[0]


def _body(media_type: str) -> OpenApiTypes:
    """Return what a body of this type is to whoever reads it."""
    return OpenApiTypes.OBJECT if media_type.endswith("+json") else OpenApiTypes.BINARY


FILES = {
    _described(one.media_type): OpenApiResponse(
        _body(one.media_type), "The file, sent as it is made."
    )
    for one in FORMATS.values()
}


class SpanFilters(Filters):
    """From when to when, by the time of recording."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Return the two ends."""
        return span_fields()


class ExportView(ApiView):
    """What both exports share."""

    def sent(
        self, request: Request, infants: QuerySet[Infant], wanted: Format, whose: object
    ) -> StreamingHttpResponse:
        """Send a file of these infants' recordings, piece by piece."""
        chosen = checked(SpanFilters, request)
        taken = Taken.of(self.viewer, infants, chosen.get("from"), chosen.get("to"))
        pieces = filter(None, wanted.write(taken))
        is_async = isinstance(request._request, ASGIRequest)
        answer = StreamingHttpResponse(
            _drawn(pieces) if is_async else pieces, content_type=wanted.media_type
        )
        name = wanted.file_name(whose)
        answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        answer.headers["Cache-Control"] = "no-store"
        answer.headers["X-Accel-Buffering"] = "no"  # a proxy that waits for more would keep it all
        return answer


class InfantExportView(ExportView):
    """The recordings of one infant."""

    @extend_schema(
        operation_id="export_infant",
        parameters=[FORMAT, SpanFilters],
        responses=FILES,
        tags=["exports"],
    )
    def get(self, request: Request, infant_id: UUID, export_format: str) -> StreamingHttpResponse:
        """Take an infant's recordings away, with all that was decided on them.

        Owners and clinicians may; researchers under a pseudonym, while there is consent to
        research. The formats are described in docs/exports.md.
        """
        wanted = _format(export_format)
        infant = exported_infant(self.viewer, infant_id)
        one = exported_infants(self.viewer).filter(id=infant.id)
        whose = Taken.of(self.viewer, one).subjects[0].id
        return self.sent(request, one, wanted, whose)


class AllExportView(ExportView):
    """The recordings of all infants whose data the viewer may take away."""

    @extend_schema(
        operation_id="export_all",
        parameters=[FORMAT, SpanFilters],
        responses=FILES,
        tags=["exports"],
    )
    def get(self, request: Request, export_format: str) -> StreamingHttpResponse:
        """Take away the recordings of every infant of whom that may be."""
        return self.sent(request, exported_infants(self.viewer), _format(export_format), "all")


def _format(name: str) -> Format:
    if name not in FORMATS:
        raise Http404
    return FORMATS[name]


async def _drawn(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Yield pieces as they are asked for, made in the request's own thread."""
    draw = sync_to_async(lambda: next(pieces, b""))
    while piece := await draw():
        yield piece
