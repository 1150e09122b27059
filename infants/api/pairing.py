"""Pairing over HTTP: what a device does first, once, with a code that a person reads to it."""

from typing import Any, ClassVar

from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiResponse,
    extend_schema,
    extend_schema_serializer,
)
from rest_framework import serializers
from rest_framework.parsers import JSONParser
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView
from typing_extensions import override

from devices.models import Device
from infants.api import examples
from infants.api.base import ApiView
from infants.pairing import Newcomer, pair_device

JOINING = (Device.Kind.MONITOR, Device.Kind.PHONE)


class PairingThrottle(SimpleRateThrottle):
    """So many tries a minute from one address: nobody guesses a code in its ten minutes."""

    scope = "pairing"
    rate = "10/min"

    @override
    def get_cache_key(self, request: Request, view: APIView) -> str:
        """Return whose tries are counted."""
        return self.cache_format % {"scope": self.scope, "ident": self.get_ident(request)}


class PairingSerializer(serializers.Serializer[Any]):
    """What a device sends to pair."""

    code = serializers.CharField(
        max_length=40, help_text="As shown; case, blanks and hyphens do not matter."
    )
    name = serializers.CharField(max_length=120, help_text="What people will call it.")
    hardware = serializers.CharField(
        max_length=120, required=False, allow_blank=True, help_text="Maker and model."
    )
    kind = serializers.ChoiceField(choices=[*JOINING], required=False)


@extend_schema_serializer(examples=[OpenApiExample("A monitor has joined", examples.PAIRED)])
class PairedSerializer(serializers.ModelSerializer[Device]):
    """A device that has joined, and its own token, given this once."""

    token = serializers.CharField(help_text="Its bearer token; it can never be read again.")

    class Meta:
        model = Device
        fields: ClassVar = ["id", "name", "kind", "token"]


class PairingView(ApiView):
    """Where devices join; nobody has a token yet who comes here."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    parser_classes = (JSONParser,)
    throttle_classes = (PairingThrottle,)

    @extend_schema(
        operation_id="pair_device",
        request=PairingSerializer,
        responses={201: OpenApiResponse(PairedSerializer, "Paired.")},
        auth=[],
        tags=["devices"],
    )
    def post(self, request: Request) -> Response:
        """Pair by a one-time code; the answer holds the device's own token, this once."""
        asked = PairingSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        said = dict(asked.validated_data)
        paired = pair_device(said.pop("code"), Newcomer(**said))
        paired.device.token = paired.token  # type: ignore[attr-defined]
        return Response(PairedSerializer(paired.device).data, status=201)
