"""Work: what this process is at, for its log and for whoever watches it.

What comes in: the beginning and the end of a request, a task, or a step on recordings. What goes
out: the ids of all that it is inside of, and the same beginning and end to every watch. Guaranteed:
what a watch is told it is told once; without watches nothing is done but remembering the ids.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Literal

from infants.in_hand import recordings_in_hand


@dataclass(frozen=True)
class Work:
    """A piece of work: what kind, its name, its ids, and, at its end, what came of it."""

    kind: Literal["request", "task", "step"]
    name: str
    ids: dict[str, str] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)


Watch = Callable[[Work], AbstractContextManager[None]]
watches: list[Watch] = []
_ids: ContextVar[dict[str, str]] = ContextVar("_ids", default={})  # noqa: B039  never changed


@contextmanager
def at(work: Work) -> Iterator[Work]:
    """Do a piece of work inside: the log names it, and the watches see it begin and end."""
    named = {} if work.kind == "request" else {work.kind: work.name}
    with also_named(**named, **work.ids), ExitStack() as watched:
        for watch in watches:
            watched.enter_context(watch(work))
        yield work


@contextmanager
def also_named(**ids: str) -> Iterator[None]:
    """Let the log name these inside, beside what it is inside of already."""
    token = _ids.set(_ids.get() | ids)
    try:
        yield
    finally:
        _ids.reset(token)


def ids() -> dict[str, str]:
    """Return what this process is at: request, task, step, and the recording or infant in hand."""
    in_hand = recordings_in_hand.get()
    if len(in_hand) == 1:
        return _ids.get() | {"recording": str(in_hand[0])}
    return _ids.get()
