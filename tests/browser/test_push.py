"""A device that is told: the switch on the page, and what the service worker makes of a message."""

import json
import time

from notify.models import Follower
from tests.browser.conftest import PATIENCE_MS, PHONE, Opener
from tests.builders import a_member, an_infant

TOLD = {
    "id": "1",
    "title": "Ada’s crying is different from usual",
    "body": "Since today, 12:59.\nResearch use only; not a medical device.",
    "path": "/alerts/",
    "tag": "an-alert",
    "lang": "en",
    "silent": False,
    "urgent": False,
}
# A headless browser has no push service to ask; what it would answer stands in here.
SUBSCRIBED = """
PushManager.prototype.subscribe = async function (wanted) {
  if (!wanted.userVisibleOnly || wanted.applicationServerKey.length !== 87) throw new Error("key");
  const keys = {
    p256dh: "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6"
      + "-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
    auth: "BTBZMqHH6r4Tts7J_aSIgg",
  };
  const endpoint = "https://push.example.org/1";
  const made = {endpoint, toJSON: () => ({endpoint, keys})};
  sessionStorage.setItem("made", "1");
  return made;
};
PushManager.prototype.getSubscription = async function () {
  return sessionStorage.getItem("made") ? {endpoint: "https://push.example.org/1"} : null;
};
"""


def test_a_device_is_told_from_the_switch_on(tab: Opener) -> None:
    infant = an_infant()
    user = a_member(infant)
    one = tab(user, PHONE, permissions=["notifications"])
    one.page.add_init_script(SUBSCRIBED)
    page = one.open(f"/infants/{infant.id}/told/")
    page.get_by_role("button", name="Notify on this device").click()
    page.get_by_text("This device is told now. Try it below.").wait_for()
    page.get_by_text("· this device").wait_for()
    page.get_by_text("This device is told already.").wait_for()
    follower = Follower.objects.get()
    assert (follower.user, follower.channel, follower.language) == (user, "push", "en")
    assert json.loads(follower.target)["endpoint"] == "https://push.example.org/1"


def test_a_message_is_shown_while_no_page_is_asked(tab: Opener) -> None:
    infant = an_infant()
    one = tab(a_member(infant), PHONE, permissions=["notifications"])
    page = one.open(f"/infants/{infant.id}/")
    page.wait_for_function("() => navigator.serviceWorker.controller !== null")
    session = one.context.new_cdp_session(page)
    registrations: list[str] = []
    session.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda said: registrations.extend(row["registrationId"] for row in said["registrations"]),
    )
    session.send("ServiceWorker.enable")
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while not registrations and time.monotonic() < deadline:
        page.wait_for_timeout(20)
    for title in (TOLD["title"], "Ada’s crying was different from usual"):
        message = {
            "origin": one.address,
            "registrationId": registrations[-1],
            "data": json.dumps(TOLD | {"title": title}),
        }
        session.send("ServiceWorker.deliverPushMessage", message)
        page.wait_for_function(
            """async (title) => {
                const worker = await navigator.serviceWorker.ready;
                const shown = await worker.getNotifications();
                return shown.length === 1 && shown[0].title === title
                    && shown[0].body.includes("not a medical device");
            }""",
            arg=title,
        )


def test_where_notifications_are_refused_the_page_says_so(tab: Opener) -> None:
    infant = an_infant()
    one = tab(a_member(infant), PHONE)
    one.page.add_init_script(
        "Object.defineProperty(Notification, 'permission', {get: () => 'denied'})"
    )
    page = one.open(f"/infants/{infant.id}/told/")
    page.get_by_text("Notifications are refused for these pages.").wait_for()
    assert not page.get_by_role("button", name="Notify on this device").is_visible()
