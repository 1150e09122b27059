"""What is written down without a network arrives once, at the time of the tap."""

import datetime as dt

from django.utils import timezone
from playwright.sync_api import Page

from infants.models import DiaryEntry
from tests.browser.conftest import PHONE, Opener, Tab
from tests.builders import a_member, an_infant


def _waits_for(page: Page, count: int) -> None:
    page.wait_for_function(
        """count => {
            const notice = document.querySelector('[data-queue]');
            if (!count) return notice.hidden;
            return !notice.hidden && notice.textContent.endsWith(': ' + count);
        }""",
        arg=count,
    )


def _without_network_errors(one: Tab) -> None:
    one.errors = [error for error in one.errors if "ERR_INTERNET_DISCONNECTED" not in error]


def test_a_tap_without_a_network_is_kept_and_sent_once(tab: Opener) -> None:
    infant = an_infant()
    one = tab(a_member(infant), PHONE)
    page = one.open(f"/infants/{infant.id}/")
    one.context.set_offline(True)
    before = timezone.now()
    page.get_by_role("button", name="Feed").click()
    _waits_for(page, 1)
    page.get_by_role("button", name="Nappy").click()
    _waits_for(page, 2)
    after = timezone.now()
    assert not DiaryEntry.objects.exists()
    one.context.set_offline(False)
    _waits_for(page, 0)
    rows = DiaryEntry.objects.filter(infant=infant).order_by("starts_at")
    assert [row.kind for row in rows] == ["feed", "nappy"]
    margin = dt.timedelta(seconds=2)
    assert all(before - margin <= row.starts_at <= after + margin for row in rows)
    _without_network_errors(one)


def test_the_page_for_no_network_writes_the_diary_too(tab: Opener) -> None:
    infant = an_infant(name="Zenobia")
    one = tab(a_member(infant), PHONE)
    page = one.open(f"/infants/{infant.id}/")
    page.wait_for_function("() => navigator.serviceWorker.controller !== null")
    one.context.set_offline(True)
    page.goto(f"{one.address}/infants/{infant.id}/")
    assert page.get_by_role("heading", name="Zenobia").is_visible()
    page.get_by_role("button", name="Feed").click()
    _waits_for(page, 1)
    one.context.set_offline(False)
    page = one.open(f"/infants/{infant.id}/")
    _waits_for(page, 0)
    assert [row.kind for row in DiaryEntry.objects.filter(infant=infant)] == ["feed"]
    _without_network_errors(one)


def test_who_signs_out_leaves_no_name_on_the_device(tab: Opener) -> None:
    infant = an_infant(name="Zenobia")
    one = tab(a_member(infant), PHONE)
    page = one.open(f"/infants/{infant.id}/")
    assert "Zenobia" in page.evaluate("localStorage.getItem('iclas.infants')")
    one.context.clear_cookies()
    page = one.open("/sign-in/")
    page.wait_for_function("() => localStorage.getItem('iclas.infants') === null")
