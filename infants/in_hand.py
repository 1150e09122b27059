"""What this process tries at the moment: the recordings whose try has begun, for its log.

Apart from the rows, so that the log can be set up before there are any.
"""

from contextvars import ContextVar
from uuid import UUID

recordings_in_hand: ContextVar[tuple[UUID, ...]] = ContextVar("recordings_in_hand", default=())
