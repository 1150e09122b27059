"""Every page in every theme, on phone and desk: no error, nothing from outside, accessible."""

import datetime as dt
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from anomaly.models import ReadingTask
from bridge.publications import turn_on
from infants.access import Viewer
from infants.invitations import Terms, invite
from infants.models import Infant, Membership, User
from notify.suspensions import suspend
from tests import judged
from tests.anomaly.studied import a_clinician, a_task
from tests.browser.conftest import DESKTOP, PHONE, Opener, Tab
from tests.browser.kept import keep_audio
from tests.builders import a_device, a_member, an_infant
from tests.house import project
from tests.notify.rows import an_alert
from tests.notify.told import a_follower

AXE = (project.ROOT / "frontend/node_modules/axe-core/axe.min.js").read_text()
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
FIRST_LOAD_BYTES = 350_000
NARROWEST = (360, 740)
OF_INFANTS = (
    *("", "history/", "recordings/", "diary/", "protocol/", "report/", "timeline/"),
    *("settings/", "particulars/", "monitors/", "monitors/pair/", "listen/", "people/"),
    *("people/invite/", "audio-policy/", "erase/", "quiet-hours/", "take-data/"),
    *("told/", "told/service/", "told/webhook/", "told/{follower}/", "home-assistant/"),
)
PATHS = [
    *("/", "/status/", "/start/", "/start/infant/", "/start/{infant}/", "/start/{infant}/listen/"),
    *("/account/email/", "/account/password/", "/offline/"),
    *(
        "/alerts/",
        "/alerts/{alert}/",
        "/patients/",
        "/patients/{infant}/",
        "/recordings/{recording}/",
        "/diary/{entry}/",
        "/monitors/{monitor}/",
    ),
    *("/readings/", "/readings/new/", "/readings/{task}/", "/readings/{task}/items/1/"),
    "/infants/{unknown}/",
    *("/infants/{infant}/timeline/recordings/{recording}/", "/infants/{infant}/timeline/compare/"),
    "/infants/{infant}/timeline/similar/{recording}/",
    "/infants/{infant}/timeline/tables/recordings/",
    *(f"/infants/{{infant}}/{page}" for page in OF_INFANTS),
]
SIGNED_OUT = [
    *("/sign-in/", "/sign-up/", "/account/password/forgotten/"),
    *("/account/password/forgotten/sent/", "/invitations/{invitation}/", "/invitations/none/"),
]
DAY = dt.timedelta(days=1)


@pytest.fixture
def infant(tmp_path: Path) -> Infant:
    """Return an infant who is known by now and can be heard, with a diary and a shift."""
    with judged.fitted_once():
        infant, _ = judged.a_life(days=12)
    keep_audio(infant, tmp_path)
    infant.diary.create(kind="note", starts_at=judged.START, text="a note")
    a_device(infant, name="Bedroom", last_seen_at=timezone.now(), clock_skew_s=90.0)
    an_alert(infant)
    now = timezone.now()
    suspend(Viewer.system(), infant.id, 60, now)
    turn_on(Viewer.system(), infant.id, now)
    return infant


@pytest.fixture
def somebody(infant: Infant) -> User:
    """Return the infant's owner, who has another one, reads for a study and is of the staff."""
    user = a_member(infant)
    a_follower(infant, user)
    a_member(an_infant(name="Bo"), user=user)
    a_task(a_clinician(infant), [infant], [user], start=judged.START, end=judged.START + 30 * DAY)
    user.is_staff = user.is_superuser = True
    user.save()
    return user


def _violations(one: Tab, path: str) -> list[str]:
    page = one.open(path)
    if page.locator("[data-listen]").count():
        page.locator("[data-wave]").wait_for()
    # A page that is not there says so to the console too, and so does axe of what it tries.
    of_the_page = [error for error in one.errors if "404" not in error]
    page.evaluate(AXE)
    found: dict[str, Any] = page.evaluate(
        "standards => axe.run({runOnly: {type: 'tag', values: standards}})", STANDARDS
    )
    one.errors = of_the_page
    return [
        f"{rule['id']} ({rule['help']}): {json.dumps([n['html'][:200] for n in rule['nodes']])}"
        for rule in found["violations"]
    ]


def _paths(infant: Infant, paths: Sequence[str] = PATHS) -> list[str]:
    """Return paths with what they are about in its place."""
    owner = Viewer(user=infant.memberships.get(role=Membership.Role.OWNER).user)
    terms = Terms(Membership.Role.CAREGIVER)
    there: dict[str, object] = {
        "infant": infant.id,
        "unknown": UUID(int=0),
        "recording": infant.recordings.latest("recorded_at").id,
        "entry": infant.diary.get().id,
        "task": ReadingTask.objects.get().id,
        "monitor": infant.assignments.earliest("starts_at").device_id,
        "follower": infant.followers.get().id,
        "alert": infant.alerts.earliest("raised_at").id,
        "invitation": invite(owner, owner.user, [infant.id], terms).secret,
    }
    return [path.format(**there) for path in paths]


@pytest.mark.parametrize(("theme", "size"), [("light", PHONE), ("dark", DESKTOP), ("night", PHONE)])
def test_every_page_can_be_used_by_everybody(
    tab: Opener, infant: Infant, somebody: User, theme: str, size: tuple[int, int]
) -> None:
    inside, outside = tab(somebody, size, theme), tab(None, size, theme)
    found = {
        path: _violations(one, path)
        for one, paths in ((inside, _paths(infant)), (outside, _paths(infant, SIGNED_OUT)))
        for path in paths
    }
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
