"""What can be wrong with the depot, where audio and models lie.

DepotError
├── BadAddressError   the address of the depot makes no sense
├── BadKeyError       what is given as a key is none
├── BrokenSealError   what lies there was changed, cut short, or put under another name
├── DepotAwayError    the depot does not answer, or refuses (OSError: it passes, or is mended)
└── KeyGoneError      what lies there was sealed with a key that is not given (OSError, likewise)

None of them ever holds a secret.
"""


class DepotError(Exception):
    """Root of the family."""


class BadAddressError(DepotError):
    """The address of the depot makes no sense; the words never repeat it."""


class BadKeyError(DepotError):
    """What is given as a key is none; the words never repeat it."""


class BrokenSealError(DepotError):
    """What lies there is not what was sealed under this name."""


class DepotAwayError(DepotError, OSError):
    """The depot does not answer, or refuses: no recording and no device is to blame."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        """Say it for people."""
        return f"The object store cannot be used now: {self.reason}."


class KeyGoneError(DepotError, OSError):
    """What lies there was sealed with a key that is not among those given."""

    def __init__(self, key_id: str) -> None:
        super().__init__(key_id)
        self.key_id = key_id

    def __str__(self) -> str:
        """Say it for people."""
        return f"It was sealed with the key {self.key_id}, which ICLAS_STORAGE_KEYS does not hold."
