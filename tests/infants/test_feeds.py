"""Calendar addresses: shown once, revocable, and no stronger than whoever made them."""

import datetime as dt

import pytest
import time_machine
from django.utils import timezone

from infants.access import Viewer
from infants.errors import UnknownInfantError
from infants.feeds import feed_at, feeds_of, offer_feed, revoke_feed
from infants.models import CalendarFeed, Infant, Membership
from tests.builders import a_member, an_infant

Role = Membership.Role
pytestmark = pytest.mark.django_db


@pytest.fixture
def infant() -> Infant:
    return an_infant()


def _offered(infant: Infant, role: str = Role.OWNER) -> tuple[Viewer, CalendarFeed, str]:
    person = a_member(infant, role)
    offered = offer_feed(Viewer.of(person), person, infant.id, "de")
    return Viewer.of(person), offered.feed, offered.secret


def test_an_address_leads_to_its_infant_and_only_its_digest_is_kept(infant: Infant) -> None:
    _, feed, secret = _offered(infant)
    assert feed_at(secret) == feed
    assert feed_at(secret + "x") is None
    assert secret not in str(vars(CalendarFeed.objects.get()))


def test_a_revoked_address_leads_nowhere(infant: Infant) -> None:
    viewer, feed, secret = _offered(infant)
    assert revoke_feed(viewer, infant.id, feed.id)
    assert feed_at(secret) is None
    assert not revoke_feed(viewer, infant.id, feed.id)
    assert not feeds_of(viewer, infant.id)


def test_an_address_ends_with_the_right_of_who_made_it(infant: Infant) -> None:
    viewer, _, secret = _offered(infant, Role.CLINICIAN)
    Membership.objects.filter(user=viewer.user).update(revoked_at=timezone.now())
    assert feed_at(secret) is None


@pytest.mark.parametrize("role", [Role.CAREGIVER, Role.RESEARCHER])
def test_who_may_not_take_data_away_gets_no_address(infant: Infant, role: str) -> None:
    person = a_member(infant, role)
    with pytest.raises(UnknownInfantError):
        offer_feed(Viewer.of(person), person, infant.id, "en")


def test_owners_revoke_everybodys_address_and_others_their_own(infant: Infant) -> None:
    owner, owners, _ = _offered(infant)
    clinician, clinicians, _ = _offered(infant, Role.CLINICIAN)
    assert list(feeds_of(clinician, infant.id)) == [clinicians]
    assert set(feeds_of(owner, infant.id)) == {owners, clinicians}
    assert not revoke_feed(clinician, infant.id, owners.id)
    assert not revoke_feed(owner, an_infant().id, clinicians.id)
    assert revoke_feed(owner, infant.id, clinicians.id)


def test_being_asked_is_noted_now_and_then(infant: Infant) -> None:
    _, feed, secret = _offered(infant)
    start = timezone.now()
    for minutes, noted in ((0, 0), (5, 0), (11, 11)):
        with time_machine.travel(start + dt.timedelta(minutes=minutes), tick=False):
            feed_at(secret)
        feed.refresh_from_db()
        assert feed.last_read_at == start + dt.timedelta(minutes=noted)
