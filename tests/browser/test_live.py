"""An open page follows what happens, and is honest where it cannot."""

import datetime as dt

from django.utils import timezone

from tests.browser.conftest import Opener
from tests.builders import a_member, a_recording, an_infant


def test_a_new_recording_appears_without_a_reload(tab: Opener) -> None:
    infant = an_infant()
    page = tab(a_member(infant)).open(f"/infants/{infant.id}/")
    page.evaluate("window.stayed = true")
    assert page.get_by_text("Nothing heard yet").is_visible()
    a_recording(infant, timezone.now() - dt.timedelta(minutes=2))
    page.get_by_text("Nothing heard yet").wait_for(state="detached")
    assert page.evaluate("window.stayed")
