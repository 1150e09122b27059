"""From an empty installation to the first judged cry, recorded by a phone's own microphone."""

from django.conf import settings

from iclas import flow
from infants.models import Infant, Membership, Recording
from infants.states import State
from tests.browser.conftest import PHONE, Opener

PASS_PHRASE = "four words that nobody guesses"


def test_a_first_evening(tab: Opener) -> None:
    assert settings.SIGN_UP == "open"
    one = tab(size=PHONE, permissions=["microphone"], timezone_id="Europe/Zurich", is_mobile=True)
    page = one.open("/")
    page.get_by_role("link", name="Make an account").click()
    page.fill("[name=username]", "ada")
    page.fill("[name=password1]", PASS_PHRASE)
    page.locator("main button[type=submit]").click()
    page.get_by_role("link", name="Add an infant").click()
    page.wait_for_function(
        "() => document.querySelector('[name=time_zone]').value === 'Europe/Zurich'"
    )
    page.fill("[name=name]", "Mia")
    page.get_by_role("button", name="Save and go on").click()
    page.get_by_role("link", name="This phone").click()
    page.locator("[data-toggle]").click()
    page.wait_for_function(
        "() => Number(document.querySelector('[data-sent]').textContent) >= 1", timeout=60_000
    )
    page.locator("[data-toggle]").click()
    infant = Infant.objects.get()
    assert infant.memberships.get().role == Membership.Role.OWNER
    flow.drive(list(Recording.objects.values_list("id", flat=True)))
    heard = Recording.objects.filter(state=State.DONE, gate_decision__is_cry=True)
    assert heard.exists()
    page = one.open(f"/infants/{infant.id}/")
    page.get_by_text("Still learning").first.wait_for()
    assert page.locator(".clips audio").count() >= 1
