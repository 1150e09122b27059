"""Reading a device's clock: any answer is accepted, a faulty one is flagged.

What comes in: what a device said of when it recorded, what is known of its clock, and the moment of
arrival. What goes out: when the recording was made, what is known of the clock that said so, and
what was taken off. Guaranteed: never later than the arrival by more than a tolerance; nothing is
refused; a recording that is stored stays where it is, whatever is learnt of the clock later.
"""

import datetime as dt
from dataclasses import dataclass

from devices.models import Device
from devices.moments import as_utc, said_moment
from devices.skew import FIRST_SET_YEAR
from infants.models import Recording

FUTURE_TOLERANCE = dt.timedelta(minutes=5)
FIRST_ARCHIVE_YEAR = 2001
"""Old recordings are imported too; a monitor's clock that says so was never set."""
LEAST_CORRECTED_S = 2.0
"""A message may be under way so long: what is less is not known to be the clock's fault."""
MUCH_S = 300.0
OLDEST = dt.timedelta(days=3650)
Clock = Recording.Clock


@dataclass(frozen=True)
class Saying:
    """What a device says of when it recorded, beside what it said of its clock.

    `age_s` is how long ago it recorded, by the device's own count; `clock` its present time.
    """

    recorded_at: str = ""
    age_s: float | None = None
    clock: str = ""


@dataclass(frozen=True)
class Reading:
    """When it was recorded, what is known of the clock, and what was taken off what it said."""

    at: dt.datetime
    clock: Clock
    skew_s: float | None = None


def read_clock(saying: Saying, arrived_at: dt.datetime, device: Device) -> Reading:
    """Return when a recording was made and what is known of the clock that said so.

    A usable time of the clock comes first, corrected by what is known of the clock; then how long
    ago it was; then the moment of arrival. The device's own words are kept beside it on the row.
    """
    read = _by_clock(saying, arrived_at, device)
    if read.clock in (Clock.OK, Clock.NO_ZONE, Clock.CORRECTED) or saying.age_s is None:
        return read
    age = dt.timedelta(seconds=saying.age_s)
    return Reading(arrived_at - age, Clock.RELATIVE)


def usable_age_s(age_s: float) -> float | None:
    """Return an age that can be one, or None: nothing was recorded later than it was sent."""
    return age_s if 0 <= age_s <= OLDEST.total_seconds() else None


def _by_clock(saying: Saying, arrived_at: dt.datetime, device: Device) -> Reading:
    if not saying.recorded_at.strip():
        return Reading(arrived_at, Clock.MISSING)
    said = said_moment(saying.recorded_at)
    if said is None:
        return Reading(arrived_at, Clock.UNREADABLE)
    at, is_archive = as_utc(said), device.kind == Device.Kind.ARCHIVE
    if at.year < (FIRST_ARCHIVE_YEAR if is_archive else FIRST_SET_YEAR):
        return Reading(arrived_at, Clock.UNSET)
    skew_s = None if is_archive else _skew_s(saying, arrived_at, device)
    corrected = at - dt.timedelta(seconds=skew_s or 0.0)
    if corrected > arrived_at + FUTURE_TOLERANCE:
        return Reading(arrived_at, Clock.FUTURE)
    if skew_s is not None:
        return Reading(corrected, Clock.CORRECTED, skew_s)
    return Reading(corrected, Clock.OK if said.tzinfo else Clock.NO_ZONE)


def _skew_s(saying: Saying, arrived_at: dt.datetime, device: Device) -> float | None:
    """Return what to take off: the estimate, or what came along where that says much else.

    What came along was said by the same clock at the same setting; it is late by the time that the
    message took, and so the estimate is the better one of two that agree.
    """
    skew_s, clock = device.clock_skew_s, said_moment(saying.clock) if saying.clock else None
    if clock is not None and as_utc(clock).year >= FIRST_SET_YEAR:
        own_s = (as_utc(clock) - arrived_at).total_seconds()
        if skew_s is None or abs(own_s - skew_s) > MUCH_S:
            skew_s = own_s
    return skew_s if skew_s is not None and abs(skew_s) >= LEAST_CORRECTED_S else None
