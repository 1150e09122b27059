"""Alerts: which there are, what they tell, and taking or putting off one."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from anomaly.api.base import JudgedPagination
from infants.api.base import ApiListView, ApiView, document
from notify.actions import acknowledge, end_snooze, snooze, take_back_acknowledgement
from notify.api.filters import AlertFilters
from notify.api.serializers import (
    AcknowledgeSerializer,
    AlertDetailSerializer,
    AlertSerializer,
    SnoozeSerializer,
)
from notify.models import Alert
from notify.selectors import alert_of, alerts_where


class AlertsView(ApiListView):
    """Alerts."""

    serializer_class = AlertSerializer
    pagination_class = JudgedPagination
    filters_class = AlertFilters
    ordering = ("-opened_at", "-id")

    def get_queryset(self) -> QuerySet[Alert]:
        """Return the rows that the viewer may see and asks for."""
        return alerts_where(self.viewer, self.chosen())

    @extend_schema(operation_id="list_alerts", parameters=[AlertFilters], tags=["alerts"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List alerts, newest first; `from` and `to` go by their opening."""
        return super().get(request, *args, **kwargs)


class AlertView(ApiView):
    """One alert."""

    @extend_schema(operation_id="read_alert", responses=AlertDetailSerializer, tags=["alerts"])
    def get(self, request: Request, alert_id: UUID) -> Response:
        """Read an alert: its episode with the evidence, and who did what with it."""
        alert = alert_of(self.viewer, alert_id)
        if alert is None:
            raise NotFound("There is no such alert that you may see.")
        return Response(document(AlertDetailSerializer, alert, request))

    def after(self, request: Request, done: Alert | None, alert_id: UUID) -> Response:
        """Answer with an alert as it is after something was done with it."""
        if done is None:
            raise NotFound("There is no such alert that you may take or put off.")
        alert = alert_of(self.viewer, alert_id)
        return Response(document(AlertDetailSerializer, alert, request))


class AcknowledgeView(AlertView):
    """Taking an alert, and giving it back."""

    http_method_names = ("post", "options")

    @extend_schema(
        operation_id="acknowledge_alert",
        request=AcknowledgeSerializer,
        responses=AlertDetailSerializer,
        tags=["alerts"],
    )
    def post(self, request: Request, alert_id: UUID) -> Response:
        """Take an alert for all who care for the infant, or give it back.

        Owners, caregivers and clinicians may. The first who takes it has it; what has ended is
        left as it is, and the answer says so.
        """
        asked = AcknowledgeSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        is_taken = asked.validated_data["is_acknowledged"]
        do = acknowledge if is_taken else take_back_acknowledgement
        return self.after(request, do(self.viewer, alert_id, timezone.now()), alert_id)


class SnoozeView(AlertView):
    """Putting an alert off."""

    http_method_names = ("post", "options")

    @extend_schema(
        operation_id="snooze_alert",
        request=SnoozeSerializer,
        responses=AlertDetailSerializer,
        tags=["alerts"],
    )
    def post(self, request: Request, alert_id: UUID) -> Response:
        """Put an alert off for all who care for the infant; it comes back by itself.

        Owners, caregivers and clinicians may. What has ended is left as it is, and does not come
        back.
        """
        asked = SnoozeSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        minutes, now = asked.validated_data["minutes"], timezone.now()
        if minutes:
            done = snooze(self.viewer, alert_id, minutes, now)
        else:
            done = end_snooze(self.viewer, alert_id, now)
        return self.after(request, done, alert_id)
