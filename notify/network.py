"""Where a telling may go: public addresses, and the networks that the operator allows.

What comes in: addresses that people typed in, which could name the server itself or its neighbours.
What goes out: connections, or `ForbiddenAddressError`. Guaranteed: inside `outside_only` no socket
of the calling thread is connected to an address that is not public, whatever a name resolves to at
that moment, wherever a redirect leads, and whichever library opens it, since the interpreter asks
here before each connection.
"""

import ipaddress
import socket
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from django.conf import settings

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
TRANSLATED = ipaddress.ip_network("64:ff9b::/96")
"""IPv6 addresses whose last 32 bits a gateway takes for an IPv4 address (RFC 6052)."""
CONNECTING = {"socket.connect", "socket.sendto", "socket.sendmsg"}


class ForbiddenAddressError(PermissionError):
    """A connection was to go to an address that is not public and not allowed."""


@dataclass
class Reach:
    """What may be reached beside public addresses, and whether anything else was tried."""

    networks: tuple[Network, ...]
    refused: list[str] = field(default_factory=list)


_reach: ContextVar[Reach | None] = ContextVar("_reach", default=None)


def allowed_networks() -> tuple[Network, ...]:
    """Return the networks that the operator allows; raise `ValueError` on what is none."""
    return tuple(ipaddress.ip_network(one) for one in settings.ICLAS_NOTIFY_NETWORKS)


def may_be_called(host: str, networks: Iterable[Network]) -> bool:
    """Tell whether an address, as numbers, is public or in one of the networks."""
    try:
        address = _meant(ipaddress.ip_address(host.partition("%")[0]))
    except ValueError:  # a name: nobody has looked up yet where it leads
        return False
    is_public = address.is_global and not address.is_multicast
    return is_public or any(address in network for network in networks)


def _meant(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 address stands for, where it stands for one."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in TRANSLATED:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


@contextmanager
def outside_only() -> Iterator[None]:
    """Let this thread connect to where people may send things, and nowhere else.

    Raises
    ------
    ForbiddenAddressError
        When something inside tried another address, whatever it made of being refused.

    """
    _watch_connections()
    reach = Reach(allowed_networks())
    token = _reach.set(reach)
    try:
        yield
    except Exception as error:
        if reach.refused:
            raise ForbiddenAddressError(reach.refused[0]) from error
        raise
    finally:
        _reach.reset(token)
    if reach.refused:
        raise ForbiddenAddressError(reach.refused[0])


@cache
def _watch_connections() -> None:
    """Have the interpreter ask before each connection, from now on until it ends."""
    sys.addaudithook(_ask)


def _ask(event: str, given: tuple[Any, ...]) -> None:
    if event not in CONNECTING:
        return
    reach = _reach.get()
    if reach is None:
        return
    where = given[1]
    if where is None and event == "socket.sendmsg":  # on a connection that was allowed
        return
    of_internet = given[0].family in (socket.AF_INET, socket.AF_INET6)
    host = str(where[0]) if of_internet else "a socket of this machine"
    if not may_be_called(host, reach.networks):
        reach.refused.append(host)
        raise ForbiddenAddressError(host)
