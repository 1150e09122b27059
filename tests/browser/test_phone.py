"""A phone as a monitor: one that hears nothing any more says so."""

import time

from playwright.sync_api import Page

from devices.models import Device
from tests.browser.conftest import PHONE, Opener
from tests.builders import a_member, an_infant

COMES_BACK_WITHIN_MS = 3000
OVERHEARD = """
const Own = AudioContext;
globalThis.AudioContext = class extends Own {
    constructor() { super(); globalThis.heardBy = this; }
};
"""


def _listening(tab: Opener) -> Page:
    """Return a phone that listens, and whose hearing the test can reach."""
    infant = an_infant()
    one = tab(a_member(infant), PHONE, permissions=["microphone"])
    one.page.add_init_script(OVERHEARD)
    one.page.clock.install()
    page = one.open(f"/infants/{infant.id}/listen/")
    page.locator("[data-toggle]").click()
    page.locator("[data-recorder][data-doing=listening]").wait_for()
    return page


def test_a_phone_that_is_held_for_a_moment_listens_on(tab: Opener) -> None:
    page = _listening(tab)
    page.evaluate("heardBy.suspend()")
    page.wait_for_function("() => heardBy.state === 'running'")
    page.clock.fast_forward(COMES_BACK_WITHIN_MS)
    assert page.locator("[data-recorder]").get_attribute("data-doing") != "idle"


def test_a_phone_whose_microphone_is_held_says_that_it_does_not_listen(tab: Opener) -> None:
    page = _listening(tab)
    page.evaluate("() => { heardBy.resume = () => Promise.reject(new Error('a call')); }")
    page.evaluate("heardBy.suspend()")
    page.clock.fast_forward(COMES_BACK_WITHIN_MS)
    page.get_by_text("The microphone was taken away").wait_for()
    assert page.locator("[data-recorder]").get_attribute("data-doing") == "idle"


def _device_when(told: str) -> Device:
    """Return the phone's row as soon as it tells of this."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        found = Device.objects.filter(**{f"{told}__isnull": False}).first()
        if found is not None:
            return found
        time.sleep(0.05)
    message = f"no device has a {told}"
    raise AssertionError(message)


def test_a_phone_that_listens_is_missed_unless_somebody_stops_it(tab: Opener) -> None:
    page = _listening(tab)
    device = _device_when("last_heartbeat_at")
    assert (device.kind, device.queue_length, device.left_at) == (Device.Kind.PHONE, 0, None)
    assert device.clock_skew_s is not None
    page.locator("[data-toggle]").click()
    assert _device_when("left_at").id == device.id
