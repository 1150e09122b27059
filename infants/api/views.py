"""Infants and sessions as lists."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from infants.api.base import ApiListView
from infants.api.filters import ListFilters, SessionFilters
from infants.api.serializers import InfantSerializer, SessionSerializer
from infants.models import Infant, RecordingSession
from infants.selectors import sessions_where, visible_infants


class InfantsView(ApiListView):
    """The infants whose records the viewer may see."""

    serializer_class = InfantSerializer
    filters_class = ListFilters
    ordering = ("-created_at", "-id")

    def get_queryset(self) -> QuerySet[Infant]:
        """Return the rows that the viewer may see."""
        self.chosen()
        return visible_infants(self.viewer)

    @extend_schema(operation_id="list_infants", parameters=[ListFilters], tags=["infants"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List infants, the newest entry first."""
        return super().get(request, *args, **kwargs)


class SessionsView(ApiListView):
    """Bouts of crying."""

    serializer_class = SessionSerializer
    filters_class = SessionFilters
    ordering = ("-started_at", "-id")

    def get_queryset(self) -> QuerySet[RecordingSession]:
        """Return the rows that the viewer may see and asks for."""
        return sessions_where(self.viewer, self.chosen())

    @extend_schema(operation_id="list_sessions", parameters=[SessionFilters], tags=["recordings"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List bouts of crying, newest first; `from` and `to` go by their start."""
        return super().get(request, *args, **kwargs)
