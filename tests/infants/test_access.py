"""Who has which right on whom."""

import datetime as dt

import pytest
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from devices.models import Device
from infants.access import RIGHTS, Right, Role, Viewer, infants_for, sees_everything
from infants.errors import UnknownInfantError
from infants.models import Membership
from infants.selectors import (
    cries_of,
    infant_named,
    visible_infants,
    visible_recordings,
    visible_sessions,
)
from tests.builders import (
    a_device,
    a_member,
    a_recording,
    a_session,
    a_user,
    an_infant,
    some_cries,
)

HOUR = dt.timedelta(hours=1)

pytestmark = pytest.mark.django_db


def test_every_role_sees_and_only_owners_manage() -> None:
    assert set(RIGHTS) == set(Role)
    assert all(Right.SEE in rights for rights in RIGHTS.values())
    assert [role for role, rights in RIGHTS.items() if Right.MANAGE in rights] == [Role.OWNER]
    assert RIGHTS[Role.RESEARCHER] == {Right.SEE}


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("right", list(Right))
def test_a_role_gives_its_rights_on_its_infant_alone(role: Role, right: Right) -> None:
    infant = an_infant()
    an_infant(household=infant.household)
    viewer = Viewer(user=a_member(infant, role))
    expected = [infant] if right in RIGHTS[role] else []
    assert list(infants_for(viewer, right)) == expected


def test_roles_around_several_infants_do_not_mix() -> None:
    own, seen = an_infant(), an_infant()
    user = a_member(own, Role.OWNER)
    a_member(seen, Role.RESEARCHER, user=user)
    viewer = Viewer(user=user)
    assert set(infants_for(viewer)) == {own, seen}
    assert list(infants_for(viewer, Right.LISTEN)) == [own]
    named = {infant.id: infant.is_identified for infant in visible_infants(viewer)}  # type: ignore[attr-defined]
    assert named == {own.id: True, seen.id: False}


def test_memberships_end() -> None:
    infant, now = an_infant(), timezone.now()
    for ended in ({"expires_at": now}, {"revoked_at": now - HOUR}, {"revoked_at": now + HOUR}):
        assert not infants_for(Viewer(user=a_member(infant, **ended)))
    user = a_member(infant, expires_at=now + HOUR)
    assert infants_for(Viewer(user=user)).exists()
    Membership.objects.filter(user=user).update(expires_at=now - HOUR)
    assert not infants_for(Viewer(user=user)).exists()
    a_member(infant, revoked_at=now, user=user)
    assert not infants_for(Viewer(user=user)).exists()


def test_a_viewer_is_who_is_behind_the_request() -> None:
    user, device = a_user(), a_device()
    assert Viewer.of(user) == Viewer(user=user)
    assert Viewer.of(AnonymousUser(), device) == Viewer(device=device)
    assert Viewer.of(user, device) == Viewer(device=device)
    assert Viewer.of(user, "a token of another kind") == Viewer(user=user)
    assert Viewer.of(AnonymousUser()) == Viewer.of(None) == Viewer()
    user.is_active = False
    assert Viewer.of(user) == Viewer()


def test_nobody_and_devices_see_no_infant_and_some_see_all() -> None:
    infant = an_infant()
    device = a_device(infant)
    superuser = a_user(is_superuser=True)
    for viewer in (Viewer(), Viewer(device=device)):
        assert not visible_infants(viewer)
        assert not sees_everything(viewer)
    for viewer in (Viewer.system(), Viewer(user=superuser)):
        assert list(visible_infants(viewer)) == [infant]
        assert sees_everything(viewer)


def test_records_follow_their_infant_and_a_device_sees_its_own_recordings() -> None:
    infant = an_infant()
    device, other = a_device(infant), a_device(infant)
    a_session(infant)
    own = a_recording(infant, device=device)
    foreign = a_recording(infant, device=other)
    held = a_recording(None, device=device, state="held")
    some_cries(own)
    some_cries(foreign)
    member, stranger = Viewer(user=a_member(infant)), Viewer(user=a_user())
    assert set(visible_recordings(member)) == {own, foreign}
    assert set(visible_recordings(Viewer(device=device))) == {own, held}
    assert set(visible_recordings(Viewer.system())) == {own, foreign, held}
    assert visible_sessions(member).count() == 1
    assert cries_of(member, [own.id]).count() == 2
    assert cries_of(Viewer(device=device), [own.id, foreign.id]).count() == 2
    for nobody in (stranger, Viewer()):
        assert not visible_recordings(nobody)
        assert not visible_sessions(nobody)
        assert not cries_of(nobody, [own.id])


def test_an_infant_is_found_by_id_and_by_source_key_if_it_may_be_seen() -> None:
    key = "0D1AD73E-4C5E-45F3-85C4-9A3CB71E8856"  # a source key that has the form of an id
    infant = an_infant(source_key=key)
    plain = an_infant(source_key="infant-7")
    viewer = Viewer(user=a_member(infant))
    assert infant_named(viewer, str(infant.id)) == infant
    assert infant_named(viewer, key) == infant
    assert infant_named(Viewer.system(), "infant-7") == plain
    for unseen in (str(plain.id), "infant-7", "nobody", str(Device().id)):
        with pytest.raises(UnknownInfantError):
            infant_named(viewer, unseen)


def test_no_name_is_nobodys_name() -> None:
    an_infant(source_key="")
    with pytest.raises(UnknownInfantError):
        infant_named(Viewer.system(), "")
