"""What people come for, from the first page to the last: a night at home, a round in a clinic."""

import datetime as dt
import re
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page

from anomaly.models import BaselineEntry, Episode, PatientReview
from infants.models import DiaryEntry, Infant, Membership, User
from notify.models import Alert
from notify.stages.alert import raise_alerts
from tests import judged
from tests.browser.conftest import DESKTOP, PHONE, Opener
from tests.browser.kept import keep_audio
from tests.builders import a_member

DAYS, SHIFT_FROM = 20, 14
LEFT_PX, STRIP_PX = 84, 73
AT_REST = """() => new Promise(done => setTimeout(done, 400))
    .then(() => !document.querySelector("[data-stage][aria-busy]"))"""


@pytest.fixture
def changed(monkeypatch: pytest.MonkeyPatch) -> Infant:
    """Return an infant whose crying has been another one for some days, and is so today."""
    start = timezone.now() - dt.timedelta(days=DAYS - 1, minutes=30)
    monkeypatch.setattr(judged, "START", start)
    infant, device = judged.an_infant_with_monitor()
    with judged.fitted_once():
        judged.live_through(infant, device, days=DAYS, shift_from=SHIFT_FROM)
    raise_alerts(timezone.now())
    return infant


def _is_shift_open(infant: Infant) -> bool:
    kind = Episode.Kind.PERSISTENT_SHIFT
    return infant.episodes.filter(kind=kind, closed_at=None).exists()


def test_a_caregiver_by_night(tab: Opener, changed: Infant) -> None:
    assert _is_shift_open(changed)
    mother, father = (
        a_member(changed, role) for role in (Membership.Role.OWNER, Membership.Role.CAREGIVER)
    )
    page = tab(mother, PHONE, theme="night").open("/")
    # The alert and the one sentence stand on the first screen of a phone.
    alert = page.locator(".open-alert-link").first
    sentence = page.locator(".big").first
    for seen in (alert, sentence):
        box = seen.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= PHONE[1]
    alert.click()
    page.get_by_role("button", name="30 min").click()
    page.locator("#standing.standing-snoozed").wait_for()
    row = Alert.objects.get(infant=changed, episode__kind=Episode.Kind.PERSISTENT_SHIFT)
    assert row.state(timezone.now()) == Alert.State.SNOOZED
    # It holds for the other parent too.
    other = tab(father, PHONE).open(f"/alerts/{row.id}/")
    assert other.locator("#standing.standing-snoozed").is_visible()
    # What she answers reaches the baseline, and the page shows the before and after.
    known = BaselineEntry.objects.filter(infant=changed, withdrawn_at=None).count()
    page.get_by_role("button", name="Expected").first.click()
    changes = page.locator("section.changed")
    changes.wait_for()
    before, after = changes.locator("tbody tr").last.locator("td").all_inner_texts()
    assert before != after
    assert not _is_shift_open(changed)
    # One recording was no cry at all: it leaves what is learnt from.
    heard = page.locator("li.heard").first
    heard.locator("summary").click()
    heard.get_by_role("button", name="Not a cry").click()
    page.locator("ol.log li", has_text=re.compile("not a cry", re.IGNORECASE)).first.wait_for()
    left = BaselineEntry.objects.filter(infant=changed, withdrawn_at=None).count()
    assert left == known - 1


def _rows(page: Page) -> str:
    return page.locator("main").inner_text()


def _brush(page: Page) -> None:
    """Draw the left end of the strip below the chart to its middle."""
    canvas = page.locator("[data-stage] canvas").first
    canvas.evaluate("canvas => canvas.scrollIntoView({block: 'end'})")
    box = canvas.bounding_box()
    assert box is not None
    bottom = box["y"] + box["height"] - STRIP_PX
    page.mouse.move(box["x"] + LEFT_PX, bottom)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, bottom, steps=10)
    page.mouse.up()


def _listen(panel: Locator) -> None:
    """Play what the panel offers, and see that the picture follows."""
    panel.locator("[data-wave]").wait_for()
    picture = panel.locator(".spectrogram img")
    picture.evaluate("image => image.decode()")
    panel.get_by_role("button", name=re.compile("^Play: ")).click()
    panel.locator("button.is-playing").wait_for()
    panel.page.wait_for_function(
        """() => {
            const head = document.querySelector("[data-panel] [data-playhead]");
            return Number.parseFloat(head.style.left) > 0;
        }"""
    )
    panel.locator("button.is-playing").click()


def test_a_clinicians_five_minutes(tab: Opener, changed: Infant, tmp_path: Path) -> None:
    keep_audio(changed, tmp_path)
    clinician: User = a_member(changed, Membership.Role.CLINICIAN)
    one = tab(clinician, DESKTOP)
    page = one.open("/")
    assert page.url.endswith("/patients/")
    page.get_by_role("link", name="Ada").first.wait_for()
    # Mark as reviewed, and take it back.
    page.get_by_role("button", name=re.compile("reviewed", re.IGNORECASE)).first.click()
    undo = page.get_by_role("button", name=re.compile("undo", re.IGNORECASE)).first
    undo.wait_for()
    review = PatientReview.objects.get(infant=changed)
    assert (review.reviewer, review.undone_at) == (clinician, None)
    undo.click()
    page.wait_for_function("() => !/undo/i.test(document.querySelector('main').innerText)")
    review.refresh_from_db()
    assert review.undone_at is not None
    # The timeline: closer, by keyboard, to one recording, with a note.
    page = one.open(f"/infants/{changed.id}/timeline/")
    page.locator("canvas").first.wait_for()
    wide = page.url
    _brush(page)
    page.wait_for_function("before => location.href !== before", arg=wide)
    wide = page.url
    stage = page.locator("[data-stage]")
    stage.focus()
    page.keyboard.press("+")
    page.wait_for_function("before => location.href !== before", arg=wide)
    page.wait_for_function(AT_REST)
    stage.focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    panel = page.locator("[data-panel]")
    panel.get_by_role("heading").first.wait_for()
    _listen(panel)
    panel.locator("textarea").fill("Hoarse, seen in the clinic.")
    panel.locator("form[data-note-form] button[type=submit]").click()
    page.get_by_text("The note was written.").wait_for()
    note = DiaryEntry.objects.get(infant=changed)
    assert (note.author, note.text) == (clinician, "Hoarse, seen in the clinic.")
    # The report on paper.
    answer = page.request.get(f"{one.address}/infants/{changed.id}/report.pdf")
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.body().startswith(b"%PDF")
