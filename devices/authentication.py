"""How a request shows that it comes from a device: `Authorization: Bearer <token>`."""

from django.contrib.auth.models import AnonymousUser
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.request import Request

from devices.credentials import note_use
from devices.errors import UnknownTokenError
from devices.models import TOKEN_PREFIX, Device
from devices.selectors import credential_of_token


class DeviceTokenAuthentication(BaseAuthentication):
    """Authenticate a device; `request.auth` is the device and `request.user` stays anonymous.

    A bearer token without the device prefix is nobody's: there are no others. That a token is in
    use is written down, and the first use of a new one ends those before it.
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
        credential = credential_of_token(text)
        note_use(credential, timezone.now())
        return AnonymousUser(), credential.device

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002  the framework's name
        """Name the scheme in `WWW-Authenticate`."""
        return 'Bearer realm="iclas"'
