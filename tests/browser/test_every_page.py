"""Every page in every theme, on phone and desk: no error, nothing from outside, accessible."""

import json
from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import Page

from infants.models import Infant, User
from tests import judged
from tests.browser.conftest import DESKTOP, PHONE, Opener
from tests.builders import a_member
from tests.house import project
from tests.notify.rows import an_alert

AXE = (project.ROOT / "frontend/node_modules/axe-core/axe.min.js").read_text()
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
FIRST_LOAD_BYTES = 350_000
NARROWEST = (360, 740)
OF_INFANTS = (
    *("", "history/", "recordings/", "diary/", "protocol/", "report/", "timeline/"),
    *("settings/", "particulars/", "monitors/", "monitors/pair/", "listen/", "people/"),
    *("people/invite/", "audio-policy/", "erase/", "quiet-hours/"),
)
PATHS = [
    *("/status/", "/start/", "/start/infant/", "/alerts/", "/patients/", "/patients/{infant}/"),
    *("/readings/", "/readings/new/", "/recordings/{recording}/", "/offline/"),
    "/infants/{unknown}/",
    *(f"/infants/{{infant}}/{page}" for page in OF_INFANTS),
]
SIGNED_OUT = ["/sign-in/", "/sign-up/", "/account/password/forgotten/"]


@pytest.fixture
def infant() -> Infant:
    """Return an infant who is known by now, with a diary and a shift."""
    infant, device = judged.an_infant_with_monitor()
    with judged.fitted_once():
        judged.live_through(infant, device, days=12)
    an_alert(infant)
    return infant


@pytest.fixture
def somebody(infant: Infant) -> User:
    """Return the infant's owner, who runs the installation too."""
    user = a_member(infant)
    user.is_staff = user.is_superuser = True
    user.save()
    return user


def _violations(page: Page) -> list[str]:
    page.evaluate(AXE)
    found: dict[str, Any] = page.evaluate(
        "standards => axe.run({runOnly: {type: 'tag', values: standards}})", STANDARDS
    )
    return [
        f"{one['id']} ({one['help']}): {json.dumps([node['html'][:200] for node in one['nodes']])}"
        for one in found["violations"]
    ]


def _paths(infant: Infant) -> list[str]:
    newest = infant.recordings.order_by("-recorded_at").values_list("id", flat=True)[0]
    ids = {"infant": infant.id, "recording": newest, "unknown": UUID(int=0)}
    alerts = [f"/alerts/{one}/" for one in infant.alerts.values_list("id", flat=True)[:1]]
    return [*(path.format(**ids) for path in PATHS), *alerts]


@pytest.mark.parametrize(("theme", "size"), [("light", PHONE), ("dark", DESKTOP), ("night", PHONE)])
def test_every_page_can_be_used_by_everybody(
    tab: Opener, infant: Infant, somebody: User, theme: str, size: tuple[int, int]
) -> None:
    inside, outside = tab(somebody, size, theme), tab(None, size, theme)
    found = {
        path: _violations(one.open(path))
        for one, paths in ((inside, _paths(infant)), (outside, SIGNED_OUT))
        for path in paths
    }
    # A page that is not there says so to the console too.
    inside.errors = [error for error in inside.errors if "404" not in error]
    assert {path: said for path, said in found.items() if said} == {}


def test_no_page_is_wider_than_the_narrowest_phone(
    tab: Opener, infant: Infant, somebody: User
) -> None:
    one = tab(somebody, NARROWEST)
    widths = {
        path: one.open(path).evaluate("document.documentElement.scrollWidth")
        for path in _paths(infant)
    }
    one.errors = [error for error in one.errors if "404" not in error]
    assert {path: width for path, width in widths.items() if width > NARROWEST[0]} == {}


@pytest.mark.parametrize("language", ["en", "ar"])
def test_a_page_reads_in_the_direction_of_its_language(
    tab: Opener, infant: Infant, somebody: User, language: str
) -> None:
    page = tab(somebody, PHONE, language=language).open(f"/infants/{infant.id}/")
    direction = page.evaluate("getComputedStyle(document.body).direction")
    assert direction == {"en": "ltr", "ar": "rtl"}[language]


def test_the_first_page_of_a_caregiver_is_light(
    tab: Opener, infant: Infant, somebody: User
) -> None:
    one = tab(somebody, PHONE)
    one.open(f"/infants/{infant.id}/").wait_for_timeout(500)
    assert 5_000 < sum(one.received.values()) < FIRST_LOAD_BYTES
