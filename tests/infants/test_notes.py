"""Notes of the care team: written by who may, read by who may know whom they name."""

import datetime as dt

import pytest

from infants.access import Viewer
from infants.models import DiaryEntry, Membership
from infants.notes import LONGEST, may_write, newest_notes, write_note
from tests.builders import START, a_member, an_infant

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("role", "writes"), [("owner", True), ("caregiver", True), ("clinician", True)]
)
def test_the_care_team_writes_and_reads(role: str, writes: bool) -> None:
    infant = an_infant()
    viewer = Viewer(user=a_member(infant, role))
    note = write_note(viewer, infant.id, "Slept badly.")
    assert (note is not None) == writes
    assert newest_notes(viewer, infant) == [note]


def test_researchers_neither_write_nor_read() -> None:
    infant = an_infant()
    DiaryEntry.objects.create(infant=infant, kind="note", starts_at=START, text="Ada slept badly.")
    viewer = Viewer(user=a_member(infant, Membership.Role.RESEARCHER))
    assert write_note(viewer, infant.id, "x") is None
    assert newest_notes(viewer, infant) == []


def test_nothing_said_is_no_note_and_a_long_one_is_cut() -> None:
    infant = an_infant()
    viewer = Viewer(user=a_member(infant))
    assert write_note(viewer, infant.id, " \n") is None
    note = write_note(viewer, infant.id, "a" * (LONGEST + 9))
    assert note is not None
    assert len(note.text) == LONGEST


def test_a_note_is_kept_with_its_moment_and_its_author() -> None:
    infant = an_infant()
    user = a_member(infant, Membership.Role.CLINICIAN)
    written = write_note(Viewer.of(user), infant.id, "  very hoarse \n", START)
    assert written is not None
    kept = DiaryEntry.objects.get()
    assert (kept.text, kept.starts_at, kept.kind) == ("very hoarse", START, "note")
    assert kept.author == user


@pytest.mark.parametrize("text", ["", "  \n"])
def test_nothing_but_blanks_is_no_note(text: str) -> None:
    infant = an_infant()
    assert write_note(Viewer.of(a_member(infant)), infant.id, text, START) is None
    assert not DiaryEntry.objects.exists()


def test_who_may_not_write_writes_nothing() -> None:
    infant = an_infant()
    ended = START - dt.timedelta(days=1)
    for user in (
        a_member(infant, Membership.Role.RESEARCHER),
        a_member(infant, expires_at=ended),
        a_member(an_infant(name="Bo")),
    ):
        assert not may_write(Viewer.of(user), infant.id)
        assert write_note(Viewer.of(user), infant.id, "hoarse", START) is None
    assert not DiaryEntry.objects.exists()
