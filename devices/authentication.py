"""How a request shows that it comes from a device: `Authorization: Bearer <token>`."""

from django.contrib.auth.models import AnonymousUser
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.request import Request

from devices.errors import UnknownTokenError
from devices.models import TOKEN_PREFIX, Device
from devices.selectors import device_of_token


class DeviceTokenAuthentication(BaseAuthentication):
    """Authenticate a device; `request.auth` is the device and `request.user` stays anonymous.

    A bearer token without the device prefix is nobody's: there are no others.
    """

    keyword = b"bearer"

    def authenticate(self, request: Request) -> tuple[AnonymousUser, Device] | None:
        """Return the device, None where no token was shown, or raise what is wrong with it."""
        scheme, _, token = get_authorization_header(request).partition(b" ")
        if scheme.lower() != self.keyword:
            return None
        text = token.strip().decode("latin-1")
        if not text.startswith(TOKEN_PREFIX):
            raise UnknownTokenError
        return AnonymousUser(), device_of_token(text)

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002  the framework's name
        """Name the scheme in `WWW-Authenticate`."""
        return 'Bearer realm="iclas"'
