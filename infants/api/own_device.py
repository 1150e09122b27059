"""What a device does of itself: heartbeats, reading its settings, a new token."""

from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.http import parse_etags
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response

from devices.credentials import rotate_token
from devices.heartbeats import Beat, note_heartbeat
from devices.selectors import settings_of
from devices.wishes import settings_document, tag_of
from infants.api.base import ApiView, device_of
from infants.api.device_documents import (
    HeardSerializer,
    HeartbeatSerializer,
    SettingsSerializer,
    TokenSerializer,
)
from infants.api.permissions import IsDevice

IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="The `ETag` of the settings that the device has.",
)
ETAG = OpenApiParameter(
    "ETag", OpenApiTypes.STR, OpenApiParameter.HEADER, description="For the next look.",
    response=[200, 304],
)  # fmt: skip


class OwnHeartbeatView(ApiView):
    """Where a device says that it is there."""

    permission_classes = (IsDevice,)
    parser_classes = (JSONParser,)

    @extend_schema(
        operation_id="send_heartbeat",
        request=HeartbeatSerializer,
        responses=HeardSerializer,
        tags=["devices"],
    )
    def post(self, request: Request) -> Response:
        """Say that the device is there and how it is; the answer tells the time and what is new.

        One that cannot be sent is not kept: the next one tells more.
        """
        now, device = timezone.now(), device_of(request)
        said = HeartbeatSerializer(data=request.data)
        said.is_valid(raise_exception=True)
        note_heartbeat(device, Beat(**said.validated_data), now)
        return Response(
            {
                "received_at": now,
                "clock_skew_s": device.clock_skew_s,
                "settings_version": settings_of(device).version,
                "heartbeat_every_s": settings.ICLAS_HEARTBEAT_EVERY_S,
                "is_sandbox": device.is_sandbox,
            }
        )


class OwnSettingsView(ApiView):
    """What is asked of the device that asks."""

    permission_classes = (IsDevice,)

    @extend_schema(
        operation_id="read_own_settings",
        parameters=[IF_NONE_MATCH, ETAG],
        responses={
            200: SettingsSerializer,
            304: OpenApiResponse(description="The device has them already."),
        },
        tags=["devices"],
    )
    def get(self, request: Request) -> Response:
        """Read the device's settings; with `If-None-Match`, only where they have changed."""
        document = settings_document(settings_of(device_of(request)))
        tag = tag_of(document)
        headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
        if tag in _known(request):
            return Response(status=304, headers=headers)
        return Response(document, headers=headers)


class OwnCredentialView(ApiView):
    """Where a device gets a new token."""

    permission_classes = (IsDevice,)
    parser_classes = (JSONParser,)

    @extend_schema(
        operation_id="rotate_own_credential",
        request=None,
        responses={201: OpenApiResponse(TokenSerializer, "Store it, then use it.")},
        tags=["devices"],
    )
    def post(self, request: Request) -> Response:
        """Give the device a new token, this once; the old one holds until the new one is used.

        A device that lost the answer asks again, with the token that it has.
        """
        token = rotate_token(device_of(request), timezone.now())
        return Response({"token": token}, status=201)


def _known(request: Request) -> set[str]:
    """Return the tags that a device names, weak ones as strong."""
    said: list[Any] = parse_etags(request.headers.get("If-None-Match", ""))
    return {str(tag).removeprefix("W/") for tag in said}
