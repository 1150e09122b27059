"""Webhooks as Standard Webhooks describes them, signed with a secret that only the two sides know.

What goes out: a POST of a JSON document with `webhook-id`, `webhook-timestamp` and
`webhook-signature` (`v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`). Guaranteed: the
id is the same on every try, so that a receiver can tell doubles; the timestamp is that of the try,
and a receiver shall refuse one that is more than five minutes away from its own clock; the document
names nobody. Whatever is no 2xx is tried again; 410 switches the webhook off.
"""

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from notify.channels.message import Message
from notify.channels.posting import post
from notify.errors import BadTargetError
from notify.models import Follower

PREFIX = "whsec_"
SECRET_BYTES = 32
TOLERANCE_S = 300
"""How far a receiver's clock may be away from the timestamp."""


def send(follower: Follower, message: Message) -> None:
    """Send a message's document."""
    body = encoded(message.document or {})
    said_at = int(time.time())
    post(follower.target, body, headers_of(f"msg_{message.id}", said_at, body, follower.secret))


def encoded(document: Mapping[str, Any]) -> bytes:
    """Return the bytes of a document, the same ones on every try."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def headers_of(name: str, said_at: int, body: bytes, secret: str) -> dict[str, str]:
    """Return the headers that sign a body."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = f"{name}.{said_at}.".encode() + body
    signature = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    return {
        "Content-Type": "application/json",
        "User-Agent": "ICLAS",
        "webhook-id": name,
        "webhook-timestamp": str(said_at),
        "webhook-signature": f"v1,{signature}",
    }


def new_secret() -> str:
    """Draw a secret."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def checked_address(given: str) -> tuple[str, str]:
    """Return a webhook's address, and what of it may be shown: path and query can hold secrets.

    Without TLS it may be called only where the operator allows networks of the house.
    """
    try:
        parts = urlsplit(given.strip())
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise BadTargetError(_("This is no address of a web service.")) from error
    schemes = ("https", "http") if settings.ICLAS_NOTIFY_NETWORKS else ("https",)
    if parts.scheme not in schemes or not host or parts.username or parts.password:
        raise BadTargetError(
            _("Give an address that begins with https:// and holds no user name or password.")
        )
    shown = f"{parts.scheme}://{host}" + (f":{port}" if port else "")
    return given.strip(), shown + ("/…" if parts.path.strip("/") or parts.query else "")
