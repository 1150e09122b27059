"""Errors of the monitor: whatever ends one of its commands, in words for whoever set it up.

The tree::

    MonitorError                      1  anything else that ends a command
    +-- ConfigError                   2  an argument, or a setting in the file, that cannot be used
    +-- NotPairedError                3  no credential, or one that the server does not take
    +-- SourceError                   4  no sound: a program, a microphone, a file is missing
    +-- SpoolBusyError                5  another monitor runs on the same spool
    +-- ServerError                   6  the server did not answer, or not as one
    +-- DamagedItemError              -  an item whose bytes are not those that were written

Guaranteed: each has the exit status of the command that it ends, and its text says what to do.
"""

from typing import ClassVar


class MonitorError(Exception):
    """Root of the tree; caught by the command line alone."""

    exit_status: ClassVar[int] = 1


class ConfigError(MonitorError):
    """A setting or an argument that cannot be used."""

    exit_status: ClassVar[int] = 2


class NotPairedError(MonitorError):
    """The server does not know this device, or no longer."""

    exit_status: ClassVar[int] = 3


class SourceError(MonitorError):
    """There is no sound to be had."""

    exit_status: ClassVar[int] = 4


class SpoolBusyError(MonitorError):
    """Somebody else works on this spool."""

    exit_status: ClassVar[int] = 5


class ServerError(MonitorError):
    """No server answered, or something that is none."""

    exit_status: ClassVar[int] = 6


class DamagedItemError(MonitorError):
    """The disk gives back other bytes than were written."""
