"""What operators see of the outbox, sending again what was given up, and trying followers."""

import io
import json
import uuid

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.utils import timezone

from infants.models import Infant, User
from notify.models import Delivery
from notify.stages.send import tell_due
from tests.builders import an_infant
from tests.notify.told import a_follower, a_new_alert, a_reachable

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]


@pytest.fixture
def infant() -> Infant:
    return an_infant()


@pytest.fixture
def ben(infant: Infant) -> User:
    return a_reachable(infant, "Ben")


@pytest.fixture
def dead(infant: Infant, ben: User) -> Delivery:
    """Return a telling that was given up, since there was no confirmed address."""
    a_follower(infant, ben)
    ben.emailaddress_set.update(verified=False)
    a_new_alert(infant)
    tell_due(timezone.now())
    return Delivery.objects.get()


def _said(name: str, *given: str) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command(name, *given, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_dead_letters_are_shown_and_sent_again(dead: Delivery, ben: User) -> None:
    out, _ = _said("deliveries")
    assert "Dead letters: 1" in out
    assert f"{dead.id}" in out
    assert "email to" in out
    assert "no_confirmed_address, 1 tries" in out
    assert "Ada" not in out
    assert "example.org" not in out
    other = uuid.uuid4()
    out, err = _said("deliveries", "--json", "--replay", str(dead.id), str(other))
    assert f"1 sent on their way again.\n{other}: not a dead letter" in err
    assert json.loads(out)["waiting"] == 1
    ben.emailaddress_set.update(verified=True)
    tell_due(timezone.now())
    assert len(mail.outbox) == 1
    assert json.loads(_said("deliveries", "--json", "--replay-all")[0])["sent_in_a_day"] == 1


def test_an_id_that_is_none_is_named(dead: Delivery) -> None:
    with pytest.raises(CommandError, match="full id"):
        _said("deliveries", "--replay", "x")


def test_followers_are_tried(infant: Infant, ben: User) -> None:
    follower = a_follower(infant, ben)
    a_follower(infant, a_reachable(infant, "Cleo"), is_on=False, off_reason="own_choice")
    for given in (("--follower", str(follower.id)), ("--infant", str(infant.id))):
        out, _ = _said("test_fire", *given)
        assert out == f"{follower.id}  email  sent\n"
    assert [letter.subject for letter in mail.outbox] == ["A trial message from ICLAS"] * 2
    ben.emailaddress_set.all().delete()
    with pytest.raises(CommandError, match="1 of 1 did not arrive"):
        _said("test_fire", "--follower", str(follower.id))
    with pytest.raises(CommandError, match="no such follower"):
        _said("test_fire", "--infant", str(uuid.uuid4()))
