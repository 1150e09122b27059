"""Alerts over the API: who reads and who takes them, as machines and phones will."""

import datetime as dt
import uuid

import pytest
from django.utils import timezone

from anomaly.models import Episode
from anomaly.notice import NOTICE
from infants.models import Infant, Membership
from notify.models import Alert
from notify.stages.alert import raise_alerts
from tests.builders import a_device, a_member, a_user, an_infant, as_device, as_user
from tests.notify.rows import DAY, an_alert
from tests.uploads import assert_problem

pytestmark = pytest.mark.django_db
ALERTS = "/api/v1/alerts/"
Role = Membership.Role
ACTS = {"acknowledge": {"is_acknowledged": True}, "snooze": {"minutes": 30}}


@pytest.fixture
def infant() -> Infant:
    return an_infant()


@pytest.fixture
def alert(infant: Infant) -> Alert:
    return an_alert(infant)


def _path(alert: Alert, act: str = "") -> str:
    return f"{ALERTS}{alert.id}/{act}/" if act else f"{ALERTS}{alert.id}/"


def test_alerts_are_listed_and_narrowed(infant: Infant, alert: Alert) -> None:
    ended = an_alert(infant, 3 * DAY)
    Episode.objects.filter(alert=ended).update(closed_at=timezone.now(), close_reason="reviewed")
    raise_alerts(timezone.now())
    client = as_user(a_member(infant))

    def ids(**asked: object) -> list[str]:
        said = client.get(ALERTS, asked).json()
        assert said["notice"] == NOTICE
        return [row["id"] for row in said["results"]]

    assert ids() == [str(alert.id), str(ended.id)]
    assert ids(open=True) == [str(alert.id)]
    assert ids(open=False, infant=infant.id) == [str(ended.id)]
    assert ids(to=(timezone.now() - 2 * DAY).isoformat()) == [str(ended.id)]
    assert_problem(client.get(ALERTS, {"kind": "x"}), 400, "bad_value", "later")
    stranger = as_user(a_member(an_infant()))
    assert stranger.get(ALERTS).json()["results"] == []
    assert_problem(stranger.get(ALERTS, {"infant": infant.id}), 404, "unknown_infant", "later")


def test_an_alert_is_read_with_its_episode_and_log(infant: Infant, alert: Alert) -> None:
    ben = as_user(a_member(infant, Role.CAREGIVER, user=a_user(first_name="Ben")))
    ben.post(_path(alert, "snooze"), {"minutes": 30}, "json")
    said = as_user(a_member(infant)).get(_path(alert)).json()
    assert (said["notice"], said["state"], said["snoozed_by"]) == (NOTICE, "snoozed", "Ben")
    assert said["episode"]["id"] == str(alert.episode_id)
    [action] = said["actions"]
    assert (action["kind"], action["by"], action["facts"]) == ("snoozed", "Ben", {"minutes": 30})


def test_a_researcher_reads_no_names_and_takes_nothing(infant: Infant, alert: Alert) -> None:
    ben = as_user(a_member(infant, user=a_user(first_name="Ben")))
    ben.post(_path(alert, "acknowledge"), {}, "json")
    client = as_user(a_member(infant, Role.RESEARCHER))
    said = client.get(_path(alert)).json()
    assert (said["state"], said["acknowledged_by"]) == ("acknowledged", None)
    assert [action["by"] for action in said["actions"]] == [None]
    for act, given in ACTS.items():
        assert client.post(_path(alert, act), given, "json").status_code == 404


def test_an_alert_is_taken_given_back_and_put_off(infant: Infant, alert: Alert) -> None:
    client = as_user(a_member(infant, Role.CAREGIVER))
    steps = [
        ("acknowledge", {}, "acknowledged"),
        ("acknowledge", {"is_acknowledged": False}, "calling"),
        ("snooze", {"minutes": 90}, "snoozed"),
        ("snooze", {"minutes": 0}, "calling"),
        ("snooze", {"minutes": 60}, "snoozed"),
        ("acknowledge", {"is_acknowledged": True}, "acknowledged"),
    ]
    for act, given, state in steps:
        answer = client.post(_path(alert, act), given, "json")
        assert (answer.status_code, answer.json()["state"]) == (200, state)
    assert len(client.get(_path(alert)).json()["actions"]) == len(steps)


@pytest.mark.parametrize(
    ("act", "given", "field"),
    [
        ("snooze", {"minutes": 31}, "minutes"),
        ("snooze", {}, "minutes"),
        ("snooze", {"minutes": "soon"}, "minutes"),
        ("acknowledge", {"is_acknowledged": "perhaps"}, "is_acknowledged"),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_name(
    infant: Infant, alert: Alert, act: str, given: dict[str, object], field: str
) -> None:
    answer = as_user(a_member(infant)).post(_path(alert, act), given, "json")
    said = assert_problem(answer, 400, "bad_value", "later")
    assert [one["field"] for one in said["errors"]] == [field]
    assert alert.actions.count() == 0


def test_what_has_ended_answers_that_it_has(infant: Infant, alert: Alert) -> None:
    ended = timezone.now() - dt.timedelta(minutes=1)
    Episode.objects.update(closed_at=ended, close_reason="back_to_usual")
    raise_alerts(timezone.now())
    client = as_user(a_member(infant))
    for act, given in ACTS.items():
        answer = client.post(_path(alert, act), given, "json")
        assert (answer.status_code, answer.json()["state"]) == (200, "ended")


@pytest.mark.parametrize("act", ["", *ACTS])
def test_foreign_alerts_answer_like_none(infant: Infant, alert: Alert, act: str) -> None:
    client = as_user(a_member(an_infant()))
    answers = []
    for path in (_path(alert, act), _path(Alert(id=uuid.uuid4()), act)):
        answer = client.post(path, ACTS[act], "json") if act else client.get(path)
        answers.append(assert_problem(answer, 404, "not_found", "later"))
    assert answers[0] == answers[1]
    device = as_device(a_device(infant))
    refused = device.post(_path(alert, act), {}, "json") if act else device.get(_path(alert))
    assert_problem(refused, 403, "people_only", "after_pairing")
    assert as_user(a_member(infant)).get(_path(alert, "snooze")).status_code == 405
