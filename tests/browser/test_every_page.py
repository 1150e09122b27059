"""Every page in every theme, on phone and desk: no error, nothing from outside, accessible."""

from tests.browser.conftest import PHONE, Opener
from tests.builders import a_member
from tests.house import project
from tests.judged import an_infant_with_monitor, live_through

AXE = project.ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def test_one_page(tab: Opener) -> None:
    infant, device = an_infant_with_monitor()
    live_through(infant, device, days=12)
    one = tab(a_member(infant), PHONE)
    page = one.open("/")
    assert page.locator("h1").count() == 1
