"""Which kind of caller an endpoint serves; what they may see is `infants.access`' business."""

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView
from typing_extensions import override

from infants.access import Viewer


class IsDevice(BasePermission):
    """Devices only: a recording is nobody's word but a device's."""

    code = "devices_only"
    message = "Only a device may do this, with its own token."

    @override
    def has_permission(self, request: Request, view: APIView) -> bool:
        """Tell whether a device is asking."""
        return Viewer.of(request.user, request.auth).device is not None


class IsPerson(BasePermission):
    """People only: a device's token opens no records."""

    code = "people_only"
    message = "Only a person who has signed in may do this."

    @override
    def has_permission(self, request: Request, view: APIView) -> bool:
        """Tell whether a person is asking."""
        return Viewer.of(request.user, request.auth).user is not None


class IsPersonOrDevice(BasePermission):
    """Anybody whom ICLAS knows."""

    @override
    def has_permission(self, request: Request, view: APIView) -> bool:
        """Tell whether a person or a device is asking."""
        viewer = Viewer.of(request.user, request.auth)
        return viewer.user is not None or viewer.device is not None
