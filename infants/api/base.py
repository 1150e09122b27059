"""What every view of the API shares: who is asking, and which errors may be met."""

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest
from rest_framework import generics
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.permissions import BasePermission
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from devices.models import Device
from infants.access import Viewer, infants_for
from infants.api.filters import ListFilters, checked
from infants.api.pagination import KeysetPagination
from infants.api.permissions import IsPerson
from infants.errors import UnknownInfantError

Document = dict[str, Any]


class JsonWhateverIsAsked(BaseContentNegotiation):
    """Answer in JSON, whatever a device's firmware puts into `Accept`.

    A 406 would make a device keep and resend a recording for ever for want of a header.
    """

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        """Return the parser of the request's media type, or None where there is none."""
        wanted = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == wanted), None)

    def select_renderer(
        self,
        request: HttpRequest,
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,
    ) -> tuple[BaseRenderer, str]:
        """Return the one renderer."""
        del request, format_suffix
        renderer = next(iter(renderers))
        return renderer, renderer.media_type


class ApiView(APIView):
    """A view that knows its viewer; people only, unless it says otherwise."""

    content_negotiation_class = JsonWhateverIsAsked
    permission_classes: tuple[type[BasePermission], ...] = (IsPerson,)

    @property
    def viewer(self) -> Viewer:
        """Who is asking."""
        return Viewer.of(self.request.user, self.request.auth)


class ApiListView(ApiView, generics.ListAPIView):
    """Pages of rows, newest first, narrowed by the filters that the query string names."""

    pagination_class = KeysetPagination
    filters_class: type[ListFilters]
    ordering: tuple[str, ...]

    def chosen(self) -> dict[str, Any]:
        """Return the checked filters; a bad or unknown one is refused by name."""
        chosen = checked(self.filters_class, self.request)
        infant = chosen.get("infant")
        if infant is not None and not infants_for(self.viewer).filter(id=infant).exists():
            raise UnknownInfantError(str(infant))
        return chosen


def device_of(request: Request) -> Device:
    """Return the device that the permission has let in."""
    device = request.auth
    if not isinstance(device, Device):
        message = "a device's endpoint without a device"
        raise TypeError(message)
    return device


def document(serializer: type[Serializer[Any]], row: object, request: Request) -> Document:
    """Return a row as the document that clients read."""
    return dict(serializer(row, context={"request": request}).data)
