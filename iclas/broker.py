"""The embedded broker: kombu's folder of small files, whole files only.

What comes in: messages for queues. What goes out: each of them once, as long as its file is whole.
Guaranteed: a disk that was full, or a power cut, leaves no file that stops a worker. A message that
could not be written is an error to its sender; one that was torn is dropped, for the sweeper finds
what it was about.
"""

# mypy: allow-untyped-calls
# kombu is published without most of its types.

import json
import logging
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kombu.exceptions import ChannelError
from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.json import dumps

log = logging.getLogger(__name__)
DRAFT = ".part"


class Channel(filesystem.Channel):
    """kombu's, but that a file of it is never half there, and torn ones are passed over."""

    def _put(  # type: ignore[override]  # kombu's own classes name the second differently
        self, queue: str, payload: Mapping[str, Any], **_given: Any
    ) -> None:
        """Write a message in full beside its place and rename it; names sort by time."""
        name = f"{time.time_ns():020}_{secrets.token_hex(8)}.{queue}.msg"
        draft = Path(self.data_folder_out, f"{name}{DRAFT}")
        try:
            draft.write_text(dumps(payload))
            draft.rename(draft.with_name(name))
        except OSError as error:
            draft.unlink(missing_ok=True)
            reason = "a message cannot be written to the broker's folder"
            raise ChannelError(reason) from error

    def _get(self, queue: str, timeout: float | None = None) -> Any:  # noqa: ANN401
        """Return the next whole message; raise `Empty` at once where there is none."""
        del timeout
        while True:
            try:
                return super()._get(queue)
            except json.JSONDecodeError:
                log.warning("a torn message was dropped from the queue %s", queue)

    def get_table(self, exchange: str) -> list[Any]:
        """Return the queues that are bound to an exchange."""
        try:
            return list(super().get_table(exchange))
        except json.JSONDecodeError as error:
            reason = "the broker's table of queues is torn; the next worker begins it anew"
            raise ChannelError(reason) from error

    def _queue_bind(self, exchange: str, *where: Any) -> None:
        """Bind a queue to an exchange; a torn table of them is begun anew."""
        try:
            super()._queue_bind(exchange, *where)
        except json.JSONDecodeError:
            self._exchange_file(exchange).unlink(missing_ok=True)
            super()._queue_bind(exchange, *where)


class Transport(filesystem.Transport):
    """kombu's, with these channels."""

    Channel = Channel


def install() -> None:
    """Let every `filesystem:` URL of this process mean this broker."""
    TRANSPORT_ALIASES["filesystem"] = f"{Transport.__module__}:{Transport.__qualname__}"
