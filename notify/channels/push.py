"""Web Push: a notification on a device whose browser said where it can be reached (RFC 8030).

What comes in: the subscription that a browser gave. What goes out: a POST to the browser's push
service, encrypted for the browser alone (RFC 8291) and signed with the installation's own key
(VAPID, RFC 8292). Guaranteed: the push service reads nothing of it; the key is drawn once, into
`ICLAS_HOME`; a subscription that has ended switches its follower off.
"""

import base64
import binascii
import json
import time
from email.utils import parseaddr
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import http_ece
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings
from django.utils.translation import gettext as _
from py_vapid import Vapid02

from notify.channels.message import Message
from notify.channels.posting import AGAIN, post
from notify.errors import BadTargetError, GiveUpError, GoneError, TryAgainError
from notify.models import Follower

KEY_NAME = "vapid-key"
SIGNED_FOR_S = 12 * 3600
KEPT_FOR_S = 24 * 3600
MOST_BYTES = 3000
POINT_BYTES, AUTH_BYTES = 65, 16
ENDED = {f"HTTP {HTTPStatus.NOT_FOUND.value}"}
CLIENT_ERRORS = range(400, 500)


def send(follower: Follower, message: Message) -> None:
    """Send a message to a device."""
    subscription = json.loads(follower.target)
    endpoint = subscription["endpoint"]
    try:
        post(endpoint, encrypted(message, subscription), _headers(endpoint, message))
    except TryAgainError as error:
        if error.detail in ENDED:
            raise GoneError("gone", error.detail) from error
        if _is_final(error.detail):
            raise GiveUpError(error.reason, error.detail) from error
        raise


def encrypted(message: Message, subscription: dict[str, Any]) -> bytes:
    """Return what only the subscribed browser can read."""
    keys = subscription["keys"]
    body: bytes = http_ece.encrypt(
        _told(message),
        private_key=ec.generate_private_key(ec.SECP256R1()),
        dh=_decoded(keys["p256dh"]),
        auth_secret=_decoded(keys["auth"]),
        version="aes128gcm",
    )
    return body


def _told(message: Message) -> bytes:
    """Return what the service worker shows; push services take about 4 kB."""
    said = {
        "id": str(message.id),
        "title": message.title,
        "body": message.text,
        "path": urlsplit(message.link).path,
        "tag": str(message.topic or message.id),
        "lang": message.language,
        "silent": message.is_silent,
        "urgent": message.is_urgent,
    }
    body = json.dumps(said, ensure_ascii=False).encode()
    if len(body) <= MOST_BYTES:
        return body
    short = said | {"body": "\n".join((message.lines[0][:500], message.lines[-1]))}
    return json.dumps(short, ensure_ascii=False).encode()


def _headers(endpoint: str, message: Message) -> dict[str, str]:
    urgency = "high" if message.is_urgent else "low" if message.is_silent else "normal"
    headers = {
        "Content-Type": "application/octet-stream",
        "Content-Encoding": "aes128gcm",
        "TTL": str(KEPT_FOR_S),
        "Urgency": urgency,
    }
    if message.topic is not None:
        headers["Topic"] = message.topic.hex
    return headers | _signature(endpoint)


def _signature(endpoint: str) -> dict[str, str]:
    parts = urlsplit(endpoint)
    address = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    claims = {
        "aud": f"{parts.scheme}://{parts.netloc}",
        "exp": int(time.time()) + SIGNED_FOR_S,
        "sub": f"mailto:{address}",
    }
    signed: dict[str, str] = _key().sign(claims)
    return signed


def _is_final(detail: str) -> bool:
    """Tell whether a push service will give the same answer again."""
    status = detail.removeprefix("HTTP ")
    return status.isdigit() and int(status) in CLIENT_ERRORS and int(status) not in AGAIN


# --- keys -----------------------------------------------------------------------------------------


def public_key() -> str:
    """Return the installation's public key, as browsers take it."""
    point = _key().public_key.public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
    return _encoded(point)


def _key() -> Vapid02:
    return Vapid02.from_raw(settings.ICLAS_HOME.secret(KEY_NAME, _drawn_key).encode())


def _drawn_key() -> str:
    number = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
    return _encoded(number.to_bytes(32, "big"))


def checked_subscription(endpoint: str, p256dh: str, auth: str) -> tuple[str, str]:
    """Return a browser's subscription as it is kept, and whose push service it is."""
    try:
        parts = urlsplit(endpoint)
        point, secret = _decoded(p256dh), _decoded(auth)
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except (ValueError, binascii.Error) as error:
        raise BadTargetError(_("This browser gave no address for notifications.")) from error
    is_whole = len(point) == POINT_BYTES and len(secret) == AUTH_BYTES
    if parts.scheme not in _schemes() or not parts.hostname or not is_whole:
        raise BadTargetError(_("This browser gave no address for notifications."))
    kept = {"endpoint": endpoint, "keys": {"p256dh": p256dh, "auth": auth}}
    return json.dumps(kept, sort_keys=True), parts.hostname


def _schemes() -> tuple[str, ...]:
    return ("https", "http") if settings.ICLAS_NOTIFY_NETWORKS else ("https",)


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
