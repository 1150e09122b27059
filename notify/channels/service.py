"""Messaging services (ntfy, Telegram, Matrix and others) by the addresses that Apprise knows.

What comes in: an address such as `ntfys://host/topic`, which holds what the service needs to let
somebody in. What goes out: the message. Guaranteed: only services of the list are loaded, all of
which are called over HTTP, so that no address can start a program here or reach a socket of this
machine; what is shown of an address holds none of its secrets.
"""

from importlib import import_module
from typing import Any

from django.utils.translation import gettext as _

from notify.channels.message import Message
from notify.errors import BadTargetError, GiveUpError, TryAgainError
from notify.models import Follower
from notify.network import ForbiddenAddressError, outside_only

SERVICES = {
    ("ntfy", "ntfys"): ("ntfy", "NotifyNtfy"),
    ("tgram",): ("telegram", "NotifyTelegram"),
    ("signal", "signals"): ("signal_api", "NotifySignalAPI"),
    ("matrix", "matrixs"): ("matrix", "NotifyMatrix"),
    ("gotify", "gotifys"): ("gotify", "NotifyGotify"),
    ("pover",): ("pushover", "NotifyPushover"),
    ("slack",): ("slack", "NotifySlack"),
    ("discord",): ("discord", "NotifyDiscord"),
    ("mmost", "mmosts"): ("mattermost", "NotifyMattermost"),
    ("hassio", "hassios"): ("home_assistant", "NotifyHomeAssistant"),
    ("bark", "barks"): ("bark", "NotifyBark"),
    ("threema",): ("threema", "NotifyThreema"),
}
SCHEMES = {scheme: where for schemes, where in SERVICES.items() for scheme in schemes}


def send(follower: Follower, message: Message) -> None:
    """Send a message through a service."""
    try:
        service = _service(follower.target)
        with outside_only():
            is_sent = service.notify(
                title=message.title, body=f"{message.text}\n{message.link}", body_format="text"
            )
    except ForbiddenAddressError as error:
        raise GiveUpError("forbidden_address") from error
    except BadTargetError as error:
        raise GiveUpError("bad_address") from error
    if not is_sent:  # Apprise says no more than that
        raise TryAgainError("refused")


def checked_service(given: str) -> tuple[str, str]:
    """Return a service's address, and what of it may be shown."""
    address = given.strip()
    _service(address)
    scheme = address.partition("://")[0].lower()
    return address, f"{SCHEMES[scheme][0].replace('_', ' ').title()} ({scheme}://…)"


def _service(address: str) -> Any:  # noqa: ANN401  Apprise's classes have no type in common
    """Return what Apprise makes of an address."""
    scheme, _colon, rest = address.partition("://")
    where = SCHEMES.get(scheme.lower())
    if where is None or not rest:
        known = ", ".join(f"{scheme}://" for scheme in sorted(SCHEMES))
        raise BadTargetError(
            _("Give an address that begins with one of: %(known)s.") % {"known": known}
        )
    from apprise import plugins  # the web process rarely needs it

    module, name = where
    kind = getattr(import_module(f"{plugins.__name__}.{module}"), name)
    try:
        parsed = kind.parse_url(address)
        return kind(**parsed) if parsed else _unreadable()
    except TypeError:  # as Apprise says that something is missing
        return _unreadable()


def _unreadable() -> None:
    raise BadTargetError(_("The service’s address is not whole; its documentation says how."))
