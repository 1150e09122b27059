"""The sheet of an alert and the list of alerts: what they say, and what can be done on them."""

import datetime as dt
import re
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.template import Context, Template
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from anomaly.models import Episode, GateDecision, SessionJudgement
from anomaly.notice import NOTICE
from infants.access import Viewer
from infants.models import Infant, Membership, Recording
from notify.actions import Hours, acknowledge, set_quiet_hours
from notify.models import Alert, AlertAction
from notify.selectors import open_alerts
from notify.stages.alert import raise_alerts
from tests.builders import a_member, a_user, an_infant, as_user, some_cries
from tests.dashboard.reading import Page
from tests.dashboard.rows import a_heard_infant, a_judged, a_judged_session
from tests.notify.rows import DAY, HOUR, VIEWS, an_alert

pytestmark = pytest.mark.django_db
Role = Membership.Role
MINUTE = dt.timedelta(minutes=1)


def _an_infant(name: str = "Ada") -> Infant:
    return a_heard_infant(name=name, time_zone="Europe/Zurich")


def _a_shift(
    infant: Infant, n_recordings: int = 2, p_value: float | None = 0.01, **given: Any
) -> tuple[Alert, list[Recording]]:
    """Return the alert of a shift with its evidence, and its recordings, newest first."""
    now = timezone.now()
    recordings = []
    for n in range(n_recordings):
        one = a_judged(infant, now - (n + 1) * HOUR, p_value)
        some_cries(one, 3)
        recordings.append(one)
    evidence = {
        "since": (now - 2 * DAY).isoformat(),
        "since_earliest": (now - 4 * DAY).isoformat(),
        "since_latest": (now - DAY).isoformat(),
        "n_sessions": n_recordings,
        "n_recordings": n_recordings,
        "n_days": 1,
        "severity": "clear",
        "peak_statistic": 6.2,
        "threshold": 3.34,
        "room": "unchanged",
        "views": VIEWS,
    }
    described = {"evidence": evidence, "last_at": now} | given
    return an_alert(infant, n_recordings * HOUR, **described), recordings


def _client(infant: Infant, role: str = Role.CAREGIVER, **given: Any) -> Client:
    return as_user(a_member(infant, role, user=a_user(**given)))


def _page(client: Client, path: str) -> Page:
    answer = client.get(path)
    assert answer.status_code == 200, answer.content[:300]
    return Page(answer.content.decode())


def _path(alert: Alert, *act: object) -> str:
    return "/".join(["/alerts", str(alert.id), *map(str, act), ""])


# --- what it says ---------------------------------------------------------------------------------


def test_a_shift_is_told_in_plain_words_with_figures() -> None:
    infant = _an_infant()
    alert, _ = _a_shift(infant)
    said = _page(_client(infant), _path(alert)).text
    for words in (
        "Ada’s crying is different from usual",
        "Since about",
        "noticed",
        "It began between",
        "Nobody has acknowledged it yet",
        "Pitch 14 % above usual; Unsteadiness (jitter) 20 % below usual",
        "Pitch 14 % above Ada’s usual 95 % interval +9 % to +19 %",
        "Unsteadiness (jitter) 20 % below Ada’s usual",
        "Unchanged: Length of cries.",
        "Sound as a whole (embedding) unchanged",
        "Room and monitor unchanged",
        "6 cries in 2 recordings on 1 day",
        "Clear evidence statistic 6.2; an alert begins at 3.3",
        "Times are those of Europe/Zurich",
        NOTICE,
    ):
        assert words in said


def test_an_odd_session_is_told_by_how_rare_it_is() -> None:
    infant = _an_infant()
    one = a_judged(infant, timezone.now() - HOUR, 0.012)
    session = a_judged_session(one, 0.012)
    p_values = {"gmm": 0.3, "ocsvm": 0.2, "acoustics": 0.01}
    SessionJudgement.objects.filter(pk=session.pk).update(p_values=p_values)
    evidence = {"smallest_p_value": 0.012, "n_sessions": 1, "room_changed_frac": 0.0}
    given = {"kind": Episode.Kind.SINGLE_EXTREME, "evidence": evidence}
    alert = an_alert(infant, HOUR + MINUTE, last_at=timezone.now(), **given)
    said = _page(_client(infant), _path(alert)).text
    for words in (
        "One session was unlike Ada’s others",
        "about one in 83 usual sessions sounds so unusual (p = 0.012)",
        "Sound as a whole (embedding) as usual (p = 0.200)",
        "other acoustic channels unusual (p = 0.010)",
        "Room and monitor unchanged",
        "These recordings are learnt from",
    ):
        assert words in said


def test_the_newest_recordings_can_be_listened_to() -> None:
    infant = _an_infant()
    alert, recordings = _a_shift(infant, 7)
    page = _page(_client(infant), _path(alert))
    links = [str(one["href"]) for one in page.all("a", **{"class": "listen"})]
    assert links == [f"/recordings/{one.id}/" for one in recordings]
    assert "2 older recordings" in page.text


def test_a_researcher_reads_no_name_and_may_do_nothing() -> None:
    infant = _an_infant("Adelheid")
    alert, _ = _a_shift(infant)
    acknowledge(Viewer(user=a_member(infant, user=a_user(first_name="Benedikt"))), alert.id, _now())
    for path in (_path(alert), "/alerts/"):
        page = _page(_client(infant, Role.RESEARCHER), path)
        assert "Adelheid" not in page.text
        assert "Benedikt" not in page.text
        assert "Acknowledged by somebody" in page.text
        posting = [one["action"] for one in page.all("form", method="post")]
        assert posting == ["/sign-out/", "/language/setlang/"]


def _now() -> dt.datetime:
    return timezone.now()


def test_foreign_alerts_answer_like_none() -> None:
    alert, _ = _a_shift(_an_infant())
    client = _client(an_infant())
    assert client.get(_path(alert)).status_code == 404
    for act in ("acknowledge", "give-back", "snooze", "answer", f"actions/{uuid4()}/undo"):
        given = {"minutes": "30", "answer": "expected"}
        assert client.post(_path(alert, act), given).status_code == 404
        assert client.get(_path(alert, act)).status_code == 405
        answer = Client().post(_path(alert, act), given)
        assert answer.headers["Location"].startswith("/sign-in/")
    assert not AlertAction.objects.exists()


def test_pages_of_alerts_are_well_made() -> None:
    infant = _an_infant()
    alert, recordings = _a_shift(infant, 6)
    client = _client(infant)
    client.post(_path(alert, "recordings", recordings[0].id, "answer"), {"answer": "expected"})
    paths = [_path(alert), "/alerts/", f"/infants/{infant.id}/quiet-hours/"]
    for path in paths:
        page = _page(client, path)
        assert page.faults == []
        assert len(page.all("h1")) == 1
        ids = [given["id"] for _, given in page.elements if "id" in given]
        assert len(ids) == len(set(ids))
        assert all(page.titled)
        assert all("style" not in given for _, given in page.elements)
        assert page.all("link", href="/static/dashboard/alerts.css")
        assert "no-store" in client.get(path).headers["Cache-Control"]


def test_the_stylesheet_of_alerts_names_no_colour_of_its_own() -> None:
    answer = Client().get("/static/dashboard/alerts.css")
    css = b"".join(answer).decode()  # type: ignore[arg-type]
    answer.close()
    assert re.findall(r"#[0-9a-f]{3,8}\b(?=[;\s])|rgb|hsl", css) == []
    assert "url(" not in css


def test_a_sheet_costs_the_same_however_much_was_heard() -> None:
    infant = _an_infant()
    alert, _ = _a_shift(infant, 2)
    client = _client(infant)
    costs = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as captured:
            client.get(_path(alert))
        costs.append(len(captured))
        for n in range(6):
            a_judged(infant, timezone.now() - n * MINUTE, 0.01)
    assert costs[0] == costs[1] <= 14


# --- what is done on it ---------------------------------------------------------------------------


def test_an_alert_is_taken_on_its_sheet_and_given_back() -> None:
    infant = _an_infant()
    alert, _ = _a_shift(infant)
    client = _client(infant, first_name="Ben")
    assert client.post(_path(alert, "acknowledge")).headers["Location"] == _path(alert)
    time = f"{_now().astimezone(infant.zone):%H:%M}"
    assert f"Acknowledged by Ben at {time}" in _page(client, _path(alert)).text
    client.post(_path(alert, "give-back"))
    said = _page(client, _path(alert)).text
    assert "Nobody has acknowledged it yet" in said
    assert "Ben took the acknowledgement back" in said


def test_an_alert_is_put_off_and_let_come_back() -> None:
    infant = _an_infant()
    alert, _ = _a_shift(infant)
    client = _client(infant, first_name="Ben")
    client.post(_path(alert, "snooze"), {"minutes": "60"})
    until = f"{(_now() + HOUR).astimezone(infant.zone):%H:%M}"
    said = _page(client, _path(alert)).text
    assert "Put off by Ben; comes back at" in said
    assert until in said
    client.post(_path(alert, "snooze"), {"minutes": "0"})
    assert "Nobody has acknowledged it yet" in _page(client, _path(alert)).text


@pytest.mark.parametrize(
    ("act", "given"),
    [
        ("snooze", {"minutes": "31"}),
        ("snooze", {"minutes": "long"}),
        ("snooze", {}),
        ("answer", {"answer": "hungry"}),
        ("answer", {}),
    ],
)
def test_what_no_form_offers_is_refused(act: str, given: dict[str, str]) -> None:
    infant = _an_infant()
    alert, _ = _a_shift(infant)
    assert _client(infant).post(_path(alert, act), given).status_code == 400
    assert not AlertAction.objects.exists()


@pytest.mark.parametrize(
    ("back", "to"),
    [("/", "/"), ("/infants/", "/infants/"), ("https://example.org/", None), ("//x.org", None)],
)
def test_a_form_leads_back_to_a_page_of_ours(back: str, to: str | None) -> None:
    infant = _an_infant()
    alert, _ = _a_shift(infant)
    answer = _client(infant).post(_path(alert, "acknowledge"), {"next": back})
    assert answer.headers["Location"] == (to or _path(alert))


def test_forms_need_their_token() -> None:
    infant = _an_infant()
    alert, _ = _a_shift(infant)
    client = Client(enforce_csrf_checks=True)
    client.force_login(a_member(infant))
    assert client.post(_path(alert, "acknowledge")).status_code == 403
    form = _page(client, _path(alert)).all("input", name="csrfmiddlewaretoken")[0]
    given = {"csrfmiddlewaretoken": form["value"]}
    assert client.post(_path(alert, "acknowledge"), given).status_code == 302


def test_a_recording_is_answered_and_the_answer_undone() -> None:
    infant = _an_infant()
    alert, recordings = _a_shift(infant, p_value=None)
    client = _client(infant, first_name="Ben")
    path = _path(alert, "recordings", recordings[0].id, "answer")
    client.post(path, {"answer": "not_a_cry"})
    assert GateDecision.objects.get(recording=recordings[0]).answer == "not_a_cry"
    alert.refresh_from_db()
    page = _page(client, _path(alert))
    assert "Ben answered: Not a cry, of 1 recording" in page.text
    assert re.search(r"Recordings learnt from \d+ \d+ This episode (not )?open", page.text)
    [undo] = [one for one in page.all("form", method="post") if "/undo/" in str(one["action"])]
    client.post(str(undo["action"]))
    assert GateDecision.objects.get(recording=recordings[0]).answer == ""
    after = _page(client, _path(alert))
    assert "Ben took back: Not a cry" in after.text
    assert not [one for one in after.all("form") if "/undo/" in str(one["action"])]


def test_what_is_no_cry_for_the_gate_is_not_answered() -> None:
    infant = _an_infant()
    alert, recordings = _a_shift(infant)
    GateDecision.objects.filter(recording=recordings[0]).update(is_cry=False, accepted=False)
    path = _path(alert, "recordings", recordings[0].id, "answer")
    assert _client(infant).post(path, {"answer": "expected"}).status_code == 404


def test_quiet_hours_are_named_on_the_sheet() -> None:
    infant = _an_infant()
    alert, _ = _a_shift(infant)
    user = a_member(infant)
    local = _now().astimezone(infant.zone)
    ends = (local + 2 * HOUR).time().replace(second=0, microsecond=0)
    starts = (local - 2 * HOUR).time().replace(second=0, microsecond=0)
    set_quiet_hours(Viewer(user=user), infant, Hours(starts, ends, frozenset(range(1, 8))))
    said = _page(as_user(user), _path(alert)).text
    assert "You have quiet hours until" in said
    assert f"{ends:%H:%M}; recording goes on" in said
    assert "You have quiet hours" not in _page(_client(infant), _path(alert)).text


# --- the section that other pages include, and the list -------------------------------------------


def _section(viewer: Viewer) -> Page:
    """Return the section as any page includes it."""
    text = '{% include "dashboard/alerts/_open.html" with alerts=alerts %}'
    shown = {"alerts": open_alerts(viewer, timezone.now())}
    return Page(Template(text).render(Context(shown)))


def test_the_section_stands_by_itself_and_is_empty_where_nothing_calls() -> None:
    infant = _an_infant()
    viewer = Viewer(user=a_member(infant))
    assert _section(viewer).text == ""
    alert, _ = _a_shift(infant)
    page = _section(viewer)
    assert "Ada’s crying is different from usual" in page.text
    assert page.all("a", href=_path(alert))
    assert page.all("form", action=_path(alert, "acknowledge"))
    acknowledge(viewer, alert.id, _now())
    assert not _section(viewer).all("form")


def test_the_list_holds_what_is_open_and_what_is_over() -> None:
    infant = _an_infant()
    client = _client(infant)
    assert "Nothing calls for anybody" in _page(client, "/alerts/").text
    alert, _ = _a_shift(infant)
    assert "Nobody has acknowledged it yet" in _page(client, "/alerts/").text
    Episode.objects.update(closed_at=_now(), close_reason="back_to_usual")
    raise_alerts(_now())
    for path in ("/alerts/", _path(alert)):
        said = _page(client, path).text
        assert "Ada’s crying was different from usual" in said
        assert "Over: the crying is back to usual" in said
    Episode.objects.all().delete()
    Alert.objects.update(closed_at=_now())
    page = _page(client, _path(alert))
    assert "Withdrawn" in page.text
    assert not page.all("button", value="expected")


def test_words_go_through_translation() -> None:
    infant = _an_infant()
    alert, _ = _a_shift(infant)
    with translation.override("de"):
        page = _client(infant).get(_path(alert), headers={"accept-language": "de"})
    assert 'lang="de"' in page.content.decode()
