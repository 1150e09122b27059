"""Writing the diary: what is refused, what is written once, who may change what."""

import datetime as dt
from uuid import uuid4

import pytest
from django.utils import timezone

from infants.access import Viewer
from infants.diary import (
    KEPT_AFTER_REMOVAL,
    Said,
    change_entry,
    erase_removed,
    problems_of,
    remove_entry,
    restore_entry,
    wake,
    write_entry,
)
from infants.errors import BadEntryError, UnknownEntryError, UnknownInfantError
from infants.models import DiaryEntry, Infant, Membership
from infants.selectors import diary_where, running_sleep
from tests.builders import START, a_device, a_member, an_infant

HOUR = dt.timedelta(hours=1)
MINUTE = dt.timedelta(minutes=1)
Role = Membership.Role

pytestmark = pytest.mark.django_db


@pytest.fixture
def infant() -> Infant:
    return an_infant(birth_date=dt.date(2026, 2, 1), time_zone="Europe/Zurich")


def _as(infant: Infant, role: str = Role.CAREGIVER) -> Viewer:
    return Viewer(user=a_member(infant, role))


# --- what makes sense ----------------------------------------------------------------------------

NOW = START + 10 * HOUR


@pytest.mark.parametrize(
    ("said", "fields"),
    [
        (Said("feed", NOW), set()),
        (Said("feed", NOW - HOUR, NOW), set()),
        (Said("feed", NOW + 59 * MINUTE), set()),
        (Said("feed", NOW + 61 * MINUTE), {"starts_at"}),
        (Said("sleep", NOW - HOUR, NOW + 61 * MINUTE), {"ends_at"}),
        (Said("sleep", NOW, NOW), {"ends_at"}),
        (Said("sleep", NOW, NOW - HOUR), {"ends_at"}),
        (Said("temperature", NOW, temperature_c=38.4), set()),
        (Said("temperature", NOW, temperature_c=30.0), set()),
        (Said("temperature", NOW, temperature_c=29.9), {"temperature_c"}),
        (Said("temperature", NOW, temperature_c=45.1), {"temperature_c"}),
        (Said("temperature", NOW, temperature_c=float("nan")), {"temperature_c"}),
        (Said("temperature", NOW), {"temperature_c"}),
        (Said("feed", NOW, temperature_c=38.0), {"temperature_c"}),
        (Said("song", NOW), {"kind"}),
        (Said("note", NOW, text="  "), {"text"}),
        (Said("note", NOW, text="a walk"), set()),
        (Said("note", NOW, text="a" * 2001), {"text"}),
        (Said("feed", dt.datetime(2026, 1, 31, 22, 59, tzinfo=dt.UTC)), {"starts_at"}),
        (Said("feed", dt.datetime(2026, 1, 31, 23, 1, tzinfo=dt.UTC)), set()),
        (Said("song", NOW + 2 * HOUR, temperature_c=1.0), {"kind", "starts_at", "temperature_c"}),
    ],
)
def test_what_makes_no_sense_is_said_field_by_field(
    infant: Infant, said: Said, fields: set[str]
) -> None:
    problems = problems_of(said, infant, NOW)
    assert set(problems) == fields
    assert all(problem.endswith(".") for problem in problems.values())


def test_nothing_is_written_of_what_makes_no_sense(infant: Infant) -> None:
    with pytest.raises(BadEntryError) as refused:
        write_entry(_as(infant), infant.id, Said("temperature", START, temperature_c=61.0))
    assert set(refused.value.problems) == {"temperature_c"}
    assert "45" in str(refused.value)
    assert not DiaryEntry.with_removed.exists()


# --- written once --------------------------------------------------------------------------------


def test_an_entry_names_its_author_and_is_trimmed(infant: Infant) -> None:
    viewer = _as(infant)
    written = write_entry(viewer, infant.id, Said("note", START, text="  a walk "))
    assert (written.entry.author, written.entry.text) == (viewer.user, "a walk")
    assert not written.replayed


def test_the_same_key_gives_the_same_entry(infant: Infant) -> None:
    viewer, key = _as(infant), uuid4()
    first = write_entry(viewer, infant.id, Said("feed", START), key)
    again = write_entry(_as(infant), infant.id, Said("nappy", START), key)
    assert (again.entry, again.replayed) == (first.entry, True)
    assert DiaryEntry.objects.get().kind == "feed"
    other = an_infant()
    elsewhere = write_entry(_as(other), other.id, Said("feed", START), key)
    assert not elsewhere.replayed


def test_what_was_removed_does_not_come_back_because_it_is_sent_again(infant: Infant) -> None:
    viewer, key = _as(infant), uuid4()
    entry = write_entry(viewer, infant.id, Said("feed", START), key).entry
    remove_entry(viewer, entry.id)
    assert write_entry(viewer, infant.id, Said("feed", START), key).replayed
    assert not DiaryEntry.objects.exists()


# --- sleep ---------------------------------------------------------------------------------------


def test_a_sleep_goes_on_until_somebody_wakes(infant: Infant) -> None:
    now = timezone.now()
    sleep = write_entry(_as(infant), infant.id, Said("sleep", now - HOUR)).entry
    assert running_sleep(infant, now) == sleep
    with pytest.raises(BadEntryError, match="going on already"):
        write_entry(_as(infant), infant.id, Said("sleep", now))
    woken = wake(_as(infant), infant.id, now)
    assert woken is not None
    assert woken.ends_at == now
    assert running_sleep(infant, now) is None
    assert wake(_as(infant), infant.id, now) is None


def test_a_sleep_that_was_forgotten_does_not_go_on(infant: Infant) -> None:
    now = timezone.now()
    write_entry(_as(infant), infant.id, Said("sleep", now - 25 * HOUR))
    assert running_sleep(infant, now) is None
    write_entry(_as(infant), infant.id, Said("sleep", now))


def test_a_sleep_lasts_a_minute_at_least(infant: Infant) -> None:
    now = timezone.now()
    write_entry(_as(infant), infant.id, Said("sleep", now))
    woken = wake(_as(infant), infant.id, now)
    assert woken is not None
    assert woken.ends_at == now + MINUTE


def test_a_sleep_that_goes_on_can_be_changed(infant: Infant) -> None:
    viewer, now = _as(infant), timezone.now()
    sleep = write_entry(viewer, infant.id, Said("sleep", now - HOUR)).entry
    changed = change_entry(viewer, sleep.id, Said("sleep", now - 2 * HOUR))
    assert changed.starts_at == now - 2 * HOUR


# --- who may what --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "may"),
    [(Role.OWNER, True), (Role.CAREGIVER, True), (Role.CLINICIAN, True), (Role.RESEARCHER, False)],
)
def test_who_may_write(infant: Infant, role: str, may: bool) -> None:
    viewer = _as(infant, role)
    if may:
        assert write_entry(viewer, infant.id, Said("feed", START)).entry.infant == infant
        return
    with pytest.raises(UnknownInfantError):
        write_entry(viewer, infant.id, Said("feed", START))
    with pytest.raises(UnknownInfantError):
        wake(viewer, infant.id, START)


def test_a_stranger_and_a_device_write_nothing(infant: Infant) -> None:
    for viewer in (Viewer(), Viewer(device=a_device(infant)), _as(an_infant(), Role.OWNER)):
        with pytest.raises(UnknownInfantError):
            write_entry(viewer, infant.id, Said("feed", START))


@pytest.mark.parametrize(
    ("role", "may"), [(Role.OWNER, True), (Role.CAREGIVER, False), (Role.CLINICIAN, False)]
)
def test_an_entry_is_changed_by_its_author_or_who_manages(
    infant: Infant, role: str, may: bool
) -> None:
    author, other = _as(infant), _as(infant, role)
    entry = write_entry(author, infant.id, Said("feed", START)).entry
    changed = change_entry(author, entry.id, Said("nappy", START))
    assert changed.kind == "nappy"
    for act in (
        lambda: change_entry(other, entry.id, Said("feed", START)),
        lambda: remove_entry(other, entry.id),
        lambda: restore_entry(other, entry.id),
    ):
        if may:
            assert act().id == entry.id
        else:
            with pytest.raises(UnknownEntryError):
                act()
    [read] = diary_where(other, {"infant": infant.id})
    assert read.is_changeable == may


def test_an_author_who_has_lost_the_right_changes_nothing(infant: Infant) -> None:
    author = _as(infant)
    entry = write_entry(author, infant.id, Said("feed", START)).entry
    Membership.objects.filter(user=author.user).update(revoked_at=timezone.now())
    with pytest.raises(UnknownEntryError):
        remove_entry(author, entry.id)


def test_a_change_that_makes_no_sense_changes_nothing(infant: Infant) -> None:
    viewer = _as(infant)
    entry = write_entry(viewer, infant.id, Said("feed", START)).entry
    with pytest.raises(BadEntryError):
        change_entry(viewer, entry.id, Said("feed", START, START - HOUR))
    entry.refresh_from_db()
    assert Said.of(entry) == Said("feed", START)


# --- removed -------------------------------------------------------------------------------------


def test_what_is_removed_is_nowhere_and_can_be_brought_back(infant: Infant) -> None:
    viewer = _as(infant)
    entry = write_entry(viewer, infant.id, Said("feed", START)).entry
    for _ in range(2):
        remove_entry(viewer, entry.id)
    assert not diary_where(viewer, {}).exists()
    assert not infant.diary.exists()
    with pytest.raises(UnknownEntryError):
        change_entry(viewer, entry.id, Said("nappy", START))
    for _ in range(2):
        restore_entry(viewer, entry.id)
    assert diary_where(viewer, {}).get() == entry


def test_what_was_removed_long_ago_is_erased_for_good(infant: Infant) -> None:
    viewer, now = _as(infant), timezone.now()
    kept, old = (write_entry(viewer, infant.id, Said("feed", START)).entry for _ in range(2))
    remove_entry(viewer, old.id)
    assert erase_removed(now + KEPT_AFTER_REMOVAL - HOUR) == 0
    assert erase_removed(now + KEPT_AFTER_REMOVAL + HOUR) == 1
    assert DiaryEntry.with_removed.get() == kept


def test_an_infants_erasure_takes_removed_entries_along(infant: Infant) -> None:
    viewer = _as(infant)
    remove_entry(viewer, write_entry(viewer, infant.id, Said("feed", START)).entry.id)
    infant.delete()
    assert not DiaryEntry.with_removed.exists()
