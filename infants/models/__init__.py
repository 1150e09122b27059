"""Rows of who and what: people, infants, devices' assignments, recordings, cries, diary."""

from infants.models.agreements import Consent, Erasure
from infants.models.diary import DiaryEntry
from infants.models.feeds import CalendarFeed
from infants.models.joining import Invitation, PairingCode
from infants.models.people import DeviceAssignment, Household, Infant, Membership, User
from infants.models.recordings import Cry, Recording, RecordingSession

__all__ = [
    "CalendarFeed",
    "Consent",
    "Cry",
    "DeviceAssignment",
    "DiaryEntry",
    "Erasure",
    "Household",
    "Infant",
    "Invitation",
    "Membership",
    "PairingCode",
    "Recording",
    "RecordingSession",
    "User",
]
