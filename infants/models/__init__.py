"""Rows of who and what: people, infants, devices' assignments, recordings, cries, diary."""

from infants.models.diary import DiaryEntry
from infants.models.people import DeviceAssignment, Household, Infant, Membership, User
from infants.models.recordings import Cry, Recording, RecordingSession

__all__ = [
    "Cry",
    "DeviceAssignment",
    "DiaryEntry",
    "Household",
    "Infant",
    "Membership",
    "Recording",
    "RecordingSession",
    "User",
]
