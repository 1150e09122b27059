"""Reading the time that a device says, whatever it says."""

import datetime as dt

from django.utils.dateparse import parse_datetime


def said_moment(text: str) -> dt.datetime | None:
    """Return the moment that a text says, or None where it says none that exists in UTC.

    It has no zone where the text has none.
    """
    try:
        said = parse_datetime(text.strip())
        if said is not None and said.tzinfo:
            said.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None
    return said


def as_utc(said: dt.datetime) -> dt.datetime:
    """Return a moment in UTC; one without a zone is taken to be in UTC."""
    return (said if said.tzinfo else said.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
