"""Devices as those who manage them read, set, revoke and reassign them."""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response

from devices.models import Device
from devices.selectors import settings_of
from devices.wishes import settings_document
from infants.access import devices_managed_by
from infants.api.base import ApiListView, ApiView, document
from infants.api.device_documents import (
    DeviceChangeSerializer,
    DeviceSerializer,
    SettingsChangeSerializer,
    SettingsSerializer,
    TokenSerializer,
)
from infants.api.filters import ListFilters
from infants.monitors import (
    monitor_named,
    reassign_monitor,
    rename_monitor,
    renew_token,
    revoke_monitor,
    set_monitor,
    try_out_monitor,
)


class DeviceFilters(ListFilters):
    """What devices may be narrowed by."""

    infant = serializers.UUIDField(required=False, help_text="Whom it serves, or served last.")


class DevicesView(ApiListView):
    """The devices that the viewer manages."""

    serializer_class = DeviceSerializer
    filters_class = DeviceFilters
    ordering = ("-created_at", "-id")

    def get_queryset(self) -> QuerySet[Device]:
        """Return the rows that the viewer manages and asks for."""
        chosen = self.chosen()
        wanted = {"infant_id": chosen["infant"]} if "infant" in chosen else {}
        return devices_managed_by(self.viewer).filter(**wanted)

    @extend_schema(operation_id="list_devices", parameters=[DeviceFilters], tags=["devices"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List devices, the newest first; revoked ones too."""
        return super().get(request, *args, **kwargs)


class DeviceView(ApiView):
    """One device."""

    parser_classes = (JSONParser,)

    @extend_schema(operation_id="read_device", responses=DeviceSerializer, tags=["devices"])
    def get(self, request: Request, device_id: UUID) -> Response:
        """Read a device: what it said of itself last, and whom it serves."""
        return self.shown(request, device_id)

    @extend_schema(
        operation_id="change_device",
        request=DeviceChangeSerializer,
        responses=DeviceSerializer,
        tags=["devices"],
    )
    def patch(self, request: Request, device_id: UUID) -> Response:
        """Rename a device, give it to another infant from now on, or try it out."""
        asked = DeviceChangeSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        said = asked.validated_data
        with transaction.atomic():
            if "name" in said:
                rename_monitor(self.viewer, device_id, said["name"])
            if "infant" in said:
                reassign_monitor(self.viewer, device_id, said["infant"])
            if "is_sandbox" in said:
                try_out_monitor(self.viewer, device_id, is_sandbox=said["is_sandbox"])
        return self.shown(request, device_id)

    def shown(self, request: Request, device_id: UUID) -> Response:
        """Answer with a device as it is now."""
        found = monitor_named(self.viewer, device_id)
        return Response(document(DeviceSerializer, found, request))


class DeviceRevokeView(DeviceView):
    """The end of a device."""

    http_method_names = ("post", "options")

    @extend_schema(
        operation_id="revoke_device", request=None, responses=DeviceSerializer, tags=["devices"]
    )
    def post(self, request: Request, device_id: UUID) -> Response:
        """Revoke a device: none of its tokens holds any more; what it sent stays."""
        revoke_monitor(self.viewer, device_id)
        return self.shown(request, device_id)


class DeviceCredentialView(ApiView):
    """A new token for a device whose token is set by hand."""

    @extend_schema(
        operation_id="rotate_device_credential",
        request=None,
        responses={201: OpenApiResponse(TokenSerializer, "Set it in the device.")},
        tags=["devices"],
    )
    def post(self, request: Request, device_id: UUID) -> Response:
        """Make a new token for a device; those before hold until this is first used."""
        del request
        return Response({"token": renew_token(self.viewer, device_id)}, status=201)


class DeviceSettingsView(ApiView):
    """What is asked of a device."""

    parser_classes = (JSONParser,)

    @extend_schema(
        operation_id="read_device_settings", responses=SettingsSerializer, tags=["devices"]
    )
    def get(self, request: Request, device_id: UUID) -> Response:
        """Read what is asked of a device."""
        del request
        held = settings_of(monitor_named(self.viewer, device_id))
        return Response(settings_document(held))

    @extend_schema(
        operation_id="change_device_settings",
        request=SettingsChangeSerializer,
        responses=SettingsSerializer,
        tags=["devices"],
    )
    def patch(self, request: Request, device_id: UUID) -> Response:
        """Ask something else of a device; it reads so with its next look. A version each."""
        monitor_named(self.viewer, device_id)
        asked = SettingsChangeSerializer(data=request.data, partial=True)
        asked.is_valid(raise_exception=True)
        held = set_monitor(self.viewer, device_id, asked.validated_data)
        return Response(settings_document(held))
