"""Writing a note: who may, and what is kept."""

import datetime as dt

import pytest

from infants.access import Viewer
from infants.models import DiaryEntry, Membership
from infants.notes import may_write, write_note
from tests.builders import START, a_member, an_infant

pytestmark = pytest.mark.django_db


def test_a_note_is_kept_with_its_moment_and_its_author() -> None:
    infant = an_infant()
    user = a_member(infant, Membership.Role.CLINICIAN)
    written = write_note(Viewer.of(user), infant.id, START, "  very hoarse \n")
    assert written is not None
    kept = DiaryEntry.objects.get()
    assert (kept.text, kept.starts_at, kept.kind) == ("very hoarse", START, "note")
    assert kept.author == user


@pytest.mark.parametrize("text", ["", "  \n"])
def test_nothing_but_blanks_is_no_note(text: str) -> None:
    infant = an_infant()
    assert write_note(Viewer.of(a_member(infant)), infant.id, START, text) is None
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
        assert write_note(Viewer.of(user), infant.id, START, "hoarse") is None
    assert not DiaryEntry.objects.exists()
