"""Whether there are traces, and which one this process is at; without them nothing is loaded."""

from collections.abc import Callable

_current: list[Callable[[], str]] = []


def trace_id() -> str:
    """Return the id of the trace at hand, as 32 hexadecimal digits; empty where there is none."""
    return _current[-1]() if _current else ""


def ask(current: Callable[[], str]) -> None:
    """Ask this for the trace at hand from now on."""
    _current.append(current)


def ask_no_more(current: Callable[[], str]) -> None:
    """Ask it no more."""
    _current.remove(current)
