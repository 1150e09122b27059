"""The timeline of one infant."""

from typing import Any
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from anomaly.api.filters import RAW, TimelineFilters
from anomaly.api.series import TimelineSerializer
from anomaly.selectors.timeline import Bucket, bucket_starts, timeline_buckets, timeline_points
from infants.api.base import ApiView
from infants.api.filters import checked
from infants.api.pagination import CURSOR, KeysetPagination
from infants.models import Infant
from infants.selectors import infant_named

Chosen = dict[str, Any]


class TimelineView(ApiView):
    """Scores and p-values over time, with the versions that made them."""

    ordering = ("-time", "-recording_id", "-scorer")

    @extend_schema(
        operation_id="read_timeline",
        parameters=[
            TimelineFilters,
            OpenApiParameter(
                CURSOR, OpenApiTypes.STR, description="Taken from a link; for `raw` only."
            ),
        ],
        responses=TimelineSerializer,
        tags=["timeline"],
    )
    def get(self, request: Request, infant_id: UUID) -> Response:
        """Read an infant's timeline, in pages of points or in buckets of the infant's own time."""
        infant = infant_named(self.viewer, str(infant_id))
        chosen = checked(TimelineFilters, request)
        read = self._points if chosen["bucket"] == RAW else self._buckets
        return Response(TimelineSerializer(self._named(infant, chosen) | read(infant, chosen)).data)

    @staticmethod
    def _named(infant: Infant, chosen: Chosen) -> dict[str, Any]:
        what = {"bucket": chosen["bucket"], "scorer": chosen["scorer"]}
        return {"infant": infant.id, "time_zone": infant.time_zone} | what

    def _points(self, infant: Infant, chosen: Chosen) -> dict[str, Any]:
        start, end = chosen.get("from"), chosen.get("to")
        points = timeline_points(self.viewer, infant, chosen["scorer"], start, end)
        pages = KeysetPagination()
        rows = pages.paginate_queryset(points, self.request, self)
        return pages.links() | {"rows": rows}

    def _buckets(self, infant: Infant, chosen: Chosen) -> dict[str, Any]:
        bucket = Bucket(chosen["bucket"])
        starts = list(bucket_starts(infant, bucket, chosen["from"], chosen["to"]))
        rows = timeline_buckets(self.viewer, infant, bucket, chosen["scorer"], starts)
        return {"next": None, "previous": None, "rows": rows}
