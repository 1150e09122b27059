"""The pictures of the README, taken of the demonstration: `python -m tests.browser.pictures`.

What comes in: the home folder of a demonstration that has run (`make demo` leaves it in var/demo).
What goes out: docs/*.png, pages as they are at the moment of the demonstration's newest recording.
Guaranteed: the home itself is left as it is; a copy is opened.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Browser, Error, sync_playwright

from tests.installation import ROOT, free_port
from tests.services import chromium

DOCS = ROOT / "docs"
PHONE, DESK = (390, 844), (1280, 900)
WAITS_MS = 1500
ASKED = """
from allauth.account.models import EmailAddress
from django.test import Client
from infants.models import Infant, Membership, User
from notify.models import Alert, Follower
from notify.stages.alert import raise_alerts
from anomaly.stages.episode import refresh_episodes
from django.utils import timezone
for infant in Infant.objects.all():
    refresh_episodes(infant, timezone.now())
raise_alerts(timezone.now())
alert = Alert.objects.filter(closed_at=None).first()
parent, clinician = (User.objects.create(username=name) for name in ("parent", "clinician"))
Membership.objects.create(user=parent, infant=alert.infant, role="owner")
for infant in Infant.objects.all():
    Membership.objects.create(user=clinician, infant=infant, role="clinician")
for name, delay_min in (("parent", 0), ("grandmother", 15)):
    user, _ = User.objects.get_or_create(username=name)
    Membership.objects.get_or_create(user=user, infant=alert.infant, defaults={"role": "caregiver"})
    address = {"email": f"{name}@example.org", "verified": True, "primary": True}
    EmailAddress.objects.create(user=user, **address)
    told = {"channel": "email", "delay_min": delay_min, "repeat_min": 10, "says_name": True}
    Follower.objects.create(infant=alert.infant, user=user, **told)
sessions = []
for user in (parent, clinician):
    client = Client()
    client.force_login(user)
    sessions.append(client.cookies["sessionid"].value)
print("TOLD", *sessions, alert.infant_id, alert.id)
"""


def _manage(environment: dict[str, str], *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def _take(browser: Browser, address: str, told: Sequence[str]) -> None:
    parent, clinician, infant, alert = told
    for name, path, size, theme in (
        ("home-phone", f"/infants/{infant}/", PHONE, "light"),
        ("home-night", f"/infants/{infant}/", PHONE, "night"),
        ("home", f"/infants/{infant}/", DESK, "light"),
        ("alert-phone", f"/alerts/{alert}/", PHONE, "dark"),
        ("alert", f"/alerts/{alert}/", DESK, "light"),
        ("told-phone", f"/infants/{infant}/told/", PHONE, "light"),
        ("patients", "/patients/", DESK, "light"),
        ("patients-phone", "/patients/", PHONE, "light"),
        ("timeline", f"/infants/{infant}/timeline/", DESK, "light"),
        ("timeline-phone", f"/infants/{infant}/timeline/", PHONE, "dark"),
    ):
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, reduced_motion="reduce"
        )
        session = clinician if name.startswith(("patients", "timeline")) else parent
        cookies = {"sessionid": session, "theme": theme}
        context.add_cookies(
            [{"name": key, "value": value, "url": address} for key, value in cookies.items()]
        )
        page = context.new_page()
        page.goto(f"{address}{path}")
        page.wait_for_timeout(WAITS_MS)
        page.screenshot(path=DOCS / f"{name}.png")
        context.close()


def main() -> None:
    """Take the pictures."""
    home = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        copy = shutil.copytree(home, Path(folder) / "home", symlinks=True)
        environment = os.environ | {"ICLAS_HOME": str(copy)}
        _manage(environment, "migrate", "--verbosity", "0")
        said = _manage(environment, "shell", "--command", ASKED)
        told = said[said.index("TOLD") :].split()[1:5]
        port = free_port()
        words = ["-m", "uvicorn", "iclas.asgi:application", "--port", str(port)]
        words += ["--lifespan", "off", "--timeout-graceful-shutdown", "1"]
        server = subprocess.Popen([sys.executable, *words], cwd=ROOT, env=environment)
        try:
            with sync_playwright() as driver:
                browser = driver.chromium.launch(
                    executable_path=str(chromium.PROGRAM), args=list(chromium.QUIET)
                )
                _wait(browser, f"http://127.0.0.1:{port}")
                _take(browser, f"http://127.0.0.1:{port}", told)
                browser.close()
        finally:
            server.terminate()
            server.wait(30)


def _wait(browser: Browser, address: str) -> None:
    page = browser.new_page()
    for _ in range(60):
        try:
            page.goto(address)
        except Error:  # it does not answer yet
            page.wait_for_timeout(500)
        else:
            return


if __name__ == "__main__":
    main()
