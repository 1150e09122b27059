"""Reading a device's clock: any answer is accepted, a faulty one is flagged."""

import datetime as dt

from django.utils.dateparse import parse_datetime

from infants.models import Recording

FUTURE_TOLERANCE = dt.timedelta(minutes=5)
FIRST_YEAR = 2001
"""Clocks that nobody has set start in 1970, 1980 or 2000."""
Clock = Recording.Clock


def read_clock(raw: str, received_at: dt.datetime) -> tuple[dt.datetime, Clock]:
    """Return when a recording was made and what is known of the clock that said so.

    Without a usable time the moment of arrival stands in; the device's own words are kept beside
    it on the row.
    """
    if not raw.strip():
        return received_at, Clock.MISSING
    said = _parsed(raw.strip())
    if said is None:
        return received_at, Clock.UNREADABLE
    at = (said if said.tzinfo else said.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
    if at.year < FIRST_YEAR:
        return received_at, Clock.UNSET
    if at > received_at + FUTURE_TOLERANCE:
        return received_at, Clock.FUTURE
    return at, Clock.OK if said.tzinfo else Clock.NO_ZONE


def _parsed(text: str) -> dt.datetime | None:
    """Return what the text says, or None where it says no moment that exists in UTC."""
    try:
        said = parse_datetime(text)
        if said is not None and said.tzinfo:
            said.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None
    return said
