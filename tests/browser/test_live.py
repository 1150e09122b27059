"""An open page follows what happens, and is honest where it cannot."""

import datetime as dt
from pathlib import Path

from django.utils import timezone

from tests.browser.conftest import Opener, serving
from tests.builders import a_member, a_recording, an_infant
from tests.installation import free_port

CUT_OFF_S, A_NIGHT_S = 41, 8 * 3600


def test_a_new_recording_appears_without_a_reload(tab: Opener) -> None:
    infant = an_infant()
    page = tab(a_member(infant)).open(f"/infants/{infant.id}/")
    page.evaluate("window.stayed = true")
    assert page.get_by_text("Nothing heard yet").is_visible()
    a_recording(infant, timezone.now() - dt.timedelta(minutes=2))
    page.get_by_text("Nothing heard yet").wait_for(state="detached")
    assert page.evaluate("window.stayed")


def test_a_page_left_open_says_that_it_is_cut_off_and_recovers(tab: Opener, tmp_path: Path) -> None:
    infant, port = an_infant(), free_port()
    opened = None
    with serving(port, tmp_path / "log") as address:
        opened = tab(a_member(infant), at=address)
        opened.page.clock.install()
        page = opened.open(f"/infants/{infant.id}/")
        page.evaluate("window.stayed = true")
        notice = page.locator(".cut-off-notice")
        assert not notice.is_visible()
    page.clock.fast_forward(1000 * CUT_OFF_S)
    notice.wait_for()
    page.clock.fast_forward(1000 * A_NIGHT_S)
    assert notice.is_visible()
    a_recording(infant, timezone.now() - dt.timedelta(minutes=2))
    with serving(port, tmp_path / "log"):
        page.get_by_text("Nothing heard yet").wait_for(state="detached")
        notice.wait_for(state="hidden")
        assert page.evaluate("window.stayed")
        opened.forgive("net::ERR_", "htmx:error")
        opened.page.close()
