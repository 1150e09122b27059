"""What is told: a message in the words of its reader, or a document for a program."""

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID


@dataclass(frozen=True)
class Message:
    """One message; `id` goes along with it, the same one on every try.

    `lines` end with the notice that it is research; `topic` is the alert, whose older messages a
    newer one may replace; `is_silent`: it shall make no sound.
    """

    id: UUID
    at: dt.datetime
    title: str
    lines: tuple[str, ...]
    link: str
    settings_link: str
    language: str
    topic: UUID | None = None
    is_urgent: bool = False
    is_silent: bool = False
    document: dict[str, Any] | None = None

    @property
    def text(self) -> str:
        """The lines below the title."""
        return "\n".join(self.lines)
