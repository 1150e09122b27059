"""Uploads: what a monitor's firmware talks to.

The contract, in full: 201, or 200 on a replay, means durably stored, and the device may delete its
copy. 413, 415 and 422 mean that it will never be accepted: discard. 401 and 403 mean keep, and pair
again. Everything else means keep and retry; 503 says when, also while the disk is full
(`storage_full`), and so does 429, while more waits than can be judged soon (`long_backlog`).
Every problem document says the same in its member `retry`.
"""

import datetime as dt
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.core.files.base import File
from django.db import OperationalError
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from infants.api.base import ApiListView, ApiView, device_of, document
from infants.api.filters import RecordingFilters
from infants.api.forms import WholeFormParser, bulk_parts, described, one_upload, read_form
from infants.api.permissions import IsDevice, IsPersonOrDevice
from infants.api.serializers import (
    BulkResultsSerializer,
    BulkUploadSerializer,
    RecordingSerializer,
    UploadSerializer,
)
from infants.errors import InfantError
from infants.models import Recording
from infants.selectors import recordings_where
from infants.stages.upload import Stored, store_upload

LOCATION = OpenApiParameter(
    "Location",
    OpenApiTypes.URI,
    OpenApiParameter.HEADER,
    description="Where the recording can be asked for.",
    response=[200, 201],
)
KEY = OpenApiParameter(
    "Idempotency-Key",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="At most 200 characters; the same key answers with the first result.",
)


class RecordingsView(ApiListView):
    """The recordings: devices add them; people, and the device that made them, list them."""

    parser_classes = (WholeFormParser,)
    serializer_class = RecordingSerializer
    filters_class = RecordingFilters
    ordering = ("-recorded_at", "-id")

    def get_permissions(self) -> list[BasePermission]:
        """Let devices alone upload."""
        return [IsDevice() if self.request.method == "POST" else IsPersonOrDevice()]

    def get_queryset(self) -> QuerySet[Recording]:
        """Return the rows that the viewer may see and asks for."""
        return recordings_where(self.viewer, self.chosen())

    @extend_schema(
        operation_id="list_recordings", parameters=[RecordingFilters], tags=["recordings"]
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List recordings, newest first."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="upload_recording",
        parameters=[KEY, LOCATION],
        request={"multipart/form-data": UploadSerializer},
        responses={
            201: OpenApiResponse(RecordingSerializer, "Durably stored."),
            200: OpenApiResponse(RecordingSerializer, "It was stored before: a replay."),
        },
        tags=["recordings"],
    )
    def post(self, request: Request) -> Response:
        """Store one recording; 201 or 200 means that the device may delete its copy."""
        form = read_form(request, settings.ICLAS_MAX_UPLOAD_BYTES)
        said = one_upload(form, request.headers.get(KEY.name))
        stored = store_upload(device_of(request), said, settings.ICLAS_MAX_BACKLOG or None)
        where = {"Location": reverse("recording", args=[stored.recording.id])}
        shown = document(RecordingSerializer, stored.recording, request)
        return Response(shown, status=_status(stored), headers=where)


class BulkUploadView(ApiView):
    """A backlog in one request."""

    parser_classes = (WholeFormParser,)
    permission_classes = (IsDevice,)

    @extend_schema(
        operation_id="upload_recordings",
        request={"multipart/form-data": BulkUploadSerializer},
        responses={200: BulkResultsSerializer},
        tags=["recordings"],
    )
    def post(self, request: Request) -> Response:
        """Store many recordings, each by itself: one that is refused disturbs no other.

        What is wrong with the request as a whole answers 400: nothing was stored, keep them all.
        """
        parts = bulk_parts(read_form(request))
        now = timezone.now()
        return Response({"results": [self._one(audio, said, now) for audio, said in parts]})

    def _one(self, audio: File, said: object, arrived_at: dt.datetime) -> dict[str, Any]:
        try:
            upload = replace(described(audio, said), arrived_at=arrived_at)
            limit = settings.ICLAS_MAX_BACKLOG or None
            stored = store_upload(device_of(self.request), upload, limit)
        except (InfantError, OSError, OperationalError) as error:
            problem = self.get_exception_handler()(error, self.get_exception_handler_context())
            return {"status": problem.status_code, "problem": problem.data}
        shown = document(RecordingSerializer, stored.recording, self.request)
        return {"status": _status(stored), "recording": shown}


def _status(stored: Stored) -> int:
    return 200 if stored.replayed else 201
