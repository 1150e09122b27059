"""What can be wrong with telling somebody.

NotifyError
├── BadTargetError        an address that nobody can be told at; the person who gave it mends it
├── UnknownFollowerError  no such follower, or none that this viewer may change
├── TooManyTrialsError    many trial messages went out within the hour
└── DeliveryError         a telling did not arrive
    ├── TryAgainError     it may arrive later
    ├── GiveUpError       it will not, whatever the wait
    └── GoneError         the address itself is gone: its follower is switched off
"""

from typing import ClassVar


class NotifyError(Exception):
    """Root of the family; `code` names the kind to programs."""

    code: ClassVar[str] = "notify_error"


class BadTargetError(NotifyError):
    """An address that cannot be told at; `problem` is for the person who gave it."""

    code = "bad_target"

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem

    def __str__(self) -> str:
        """Say it for people."""
        return self.problem


class UnknownFollowerError(NotifyError):
    """No such follower, or none that this viewer may change."""

    code = "unknown_follower"

    def __str__(self) -> str:
        """Say it for people."""
        return "There is no such follower that you may see or change."


class TooManyTrialsError(NotifyError):
    """Many trial messages went out within the hour."""

    code = "too_many_trials"

    def __str__(self) -> str:
        """Say it for people."""
        return "There were many trials within the hour; wait for a while."


class DeliveryError(NotifyError):
    """A telling did not arrive; `reason` is one word, `detail` never holds an address or secret."""

    code = "delivery_error"

    def __init__(self, reason: str, detail: str = "", retry_after_s: float | None = None) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail
        self.retry_after_s = retry_after_s


class TryAgainError(DeliveryError):
    """It may arrive later."""

    code = "try_again"


class GiveUpError(DeliveryError):
    """It will not arrive, whatever the wait."""

    code = "give_up"


class GoneError(GiveUpError):
    """The address is gone for good."""

    code = "gone"
