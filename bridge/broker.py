"""Where the home's broker is, read from `ICLAS_MQTT_URL`; pure.

What comes in: the address. What goes out: a `Broker`, None where none is set, or `BadBrokerError`,
which never says a password.
"""

from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

PORTS = {"mqtt": 1883, "mqtts": 8883}


class BadBrokerError(ValueError):
    """The address is none of a broker."""


@dataclass(frozen=True)
class Broker:
    """A broker's address, and who we are there."""

    host: str
    port: int
    is_encrypted: bool = False
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def place(self) -> str:
        """Where it is, without who we are there."""
        return f"{self.host}:{self.port}"


def broker_at(url: str) -> Broker | None:
    """Return the broker at an address."""
    if not url:
        return None
    try:
        parts = urlsplit(url)
        port = parts.port or PORTS[parts.scheme]
    except (KeyError, ValueError) as error:
        message = "it is no address of the form mqtt://user:password@host:1883"
        raise BadBrokerError(message) from error
    if not parts.hostname or parts.path.strip("/") or parts.query or parts.fragment:
        message = "it names no host, or more than a host"
        raise BadBrokerError(message)
    return Broker(
        host=parts.hostname,
        port=port,
        is_encrypted=parts.scheme == "mqtts",
        user=None if parts.username is None else unquote(parts.username),
        password=None if parts.password is None else unquote(parts.password),
    )
