"""The API's description: valid, complete, with examples that are what is really answered."""

import json
import warnings
from typing import Any

import jsonschema
import pytest
from django.test import Client
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

from devices.heartbeats import note_presence
from infants.access import Viewer
from infants.models import DiaryEntry
from notify.actions import acknowledge
from tests.builders import (
    START,
    a_decision,
    a_device,
    a_judgement,
    a_member,
    a_model,
    a_point,
    a_recording,
    a_rollup,
    a_session,
    an_episode,
    an_infant,
    as_device,
    as_user,
    some_cries,
)
from tests.notify.rows import VIEWS, an_alert
from tests.notify.told import a_follower
from tests.uploads import UPLOAD, audio, send_bulk

OPERATIONS = {
    ("get", "/api/v1/infants/"),
    ("get", "/api/v1/infants/{infant_id}/"),
    ("get", "/api/v1/infants/{infant_id}/timeline/"),
    ("post", "/api/v1/devices/pair/"),
    ("post", "/api/v1/devices/self/credential/"),
    ("post", "/api/v1/devices/self/heartbeat/"),
    ("get", "/api/v1/devices/self/settings/"),
    ("get", "/api/v1/devices/"),
    ("get", "/api/v1/devices/{device_id}/"),
    ("patch", "/api/v1/devices/{device_id}/"),
    ("post", "/api/v1/devices/{device_id}/credential/"),
    ("post", "/api/v1/devices/{device_id}/revoke/"),
    ("get", "/api/v1/devices/{device_id}/settings/"),
    ("patch", "/api/v1/devices/{device_id}/settings/"),
    ("get", "/api/v1/sessions/"),
    ("get", "/api/v1/sessions/{session_id}/"),
    ("get", "/api/v1/recordings/"),
    ("post", "/api/v1/recordings/"),
    ("post", "/api/v1/recordings/bulk/"),
    ("get", "/api/v1/recordings/{recording_id}/"),
    ("get", "/api/v1/episodes/"),
    ("post", "/api/v1/episodes/{episode_id}/review/"),
    ("post", "/api/v1/recordings/{recording_id}/review/"),
    ("get", "/api/v1/alerts/"),
    ("get", "/api/v1/alerts/{alert_id}/"),
    ("post", "/api/v1/alerts/{alert_id}/acknowledge/"),
    ("post", "/api/v1/alerts/{alert_id}/snooze/"),
    ("get", "/api/v1/followers/"),
    ("post", "/api/v1/followers/"),
    ("get", "/api/v1/followers/{follower_id}/"),
    ("patch", "/api/v1/followers/{follower_id}/"),
    ("delete", "/api/v1/followers/{follower_id}/"),
    ("post", "/api/v1/followers/{follower_id}/try/"),
    ("get", "/api/v1/diary-entries/"),
    ("post", "/api/v1/diary-entries/"),
    ("get", "/api/v1/diary-entries/{entry_id}/"),
    ("patch", "/api/v1/diary-entries/{entry_id}/"),
    ("delete", "/api/v1/diary-entries/{entry_id}/"),
    ("get", "/api/v1/infants/{infant_id}/exports/{export_format}/"),
    ("get", "/api/v1/exports/{export_format}/"),
    ("get", "/api/v1/health/"),
    ("get", "/api/v1/health/alive/"),
    ("get", "/api/v1/health/ready/"),
}
Schema = dict[str, Any]


@pytest.fixture(scope="module")
def schema() -> Schema:
    generated: Schema = SchemaGenerator().get_schema(request=None, public=True)
    return json.loads(json.dumps(generated))  # type: ignore[no-any-return]


def _operations(schema: Schema) -> dict[tuple[str, str], Schema]:
    return {
        (method, path): operation
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    }


def _holds(schema: Schema, described: Schema, said: object) -> None:
    """Hold a document against its description."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        jsonschema.Draft202012Validator(described | {"components": schema["components"]}).validate(
            said
        )


def _described(schema: Schema, method: str, path: str, status: int, kind: str) -> Schema:
    answer: Schema = schema["paths"][path][method]["responses"][str(status)]
    described: Schema = answer["content"][kind]["schema"]
    return described


def test_it_is_valid_openapi_3_1_without_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    generated = SchemaGenerator().get_schema(request=None, public=True)
    assert generated["openapi"].startswith("3.1")
    validate_schema(generated)
    said = capsys.readouterr().err
    assert "Warning" not in said
    assert "Error" not in said


def test_every_operation_is_described(schema: Schema) -> None:
    operations = _operations(schema)
    assert set(operations) == OPERATIONS
    assert len({operation["operationId"] for operation in operations.values()}) == len(OPERATIONS)
    assert all(operation["description"] for operation in operations.values())


def test_every_operation_names_its_problems_with_examples(schema: Schema) -> None:
    for (method, path), operation in _operations(schema).items():
        said = set(operation["responses"])
        assert "500" in said
        if path.endswith("/devices/pair/"):
            assert {"400", "403", "429", "503"} <= said
        elif "health" not in path:
            assert {"401", "403", "503"} <= said
        if "{" in path:
            assert "404" in said
        if (method, path) == ("post", "/api/v1/recordings/"):
            assert {"200", "201", "400", "413", "415", "422"} <= said
        for status, answer in operation["responses"].items():
            _is_answered_well(schema, path, status, answer)


def _is_answered_well(schema: Schema, path: str, status: str, answer: Schema) -> None:
    if status in ("204", "304"):
        assert "content" not in answer
        return
    content = answer["content"]
    if int(status) < 400 or ("health" in path and status == "503"):
        wanted = "text/csv" if "/exports/" in path else "application/json"
        assert wanted in content
        return
    [example] = content["application/problem+json"]["examples"].values()
    _holds(schema, content["application/problem+json"]["schema"], example["value"])
    assert example["value"]["status"] == int(status)


def test_every_example_is_what_its_description_says(schema: Schema) -> None:
    n_examples = 0
    for operation in _operations(schema).values():
        for answer in operation["responses"].values():
            for content in answer.get("content", {}).values():
                for example in content.get("examples", {}).values():
                    _holds(schema, content["schema"], example["value"])
                    n_examples += 1
    assert n_examples > 30


@pytest.mark.django_db
def test_real_answers_are_what_their_descriptions_say(schema: Schema) -> None:
    infant = an_infant(birth_date="2026-01-01")
    device = a_device(infant)
    model = a_model(infant)
    session = a_session(infant)
    first = a_recording(infant, START, device, session=session)
    second = a_recording(infant, START.replace(hour=10), device)
    for recording, judged_by in ((first, None), (second, model)):
        some_cries(recording)
        a_decision(recording)
        a_judgement(recording, judged_by)
        a_point(recording, judged_by)
    a_rollup(infant, START.date(), 0.4)
    an_episode(infant)
    alert = an_alert(infant, evidence={"views": VIEWS})
    acknowledge(Viewer(user=a_member(infant)), alert.id, alert.opened_at)
    entry = DiaryEntry.objects.create(infant=infant, kind="feed", starts_at=START)
    reader = a_member(infant)
    client, follower = as_user(reader), a_follower(infant, reader)
    note_presence(None, timezone.now())  # a worker is there
    span = "from=2026-02-27T00:00:00Z&to=2026-03-03T00:00:00Z"
    asked = {
        "/api/v1/infants/": [""],
        "/api/v1/infants/{infant_id}/": [""],
        "/api/v1/infants/{infant_id}/timeline/": [
            "",
            *(f"?bucket={bucket}&{span}" for bucket in ("hour", "day", "week")),
        ],
        "/api/v1/sessions/": [""],
        "/api/v1/sessions/{session_id}/": [""],
        "/api/v1/recordings/": [""],
        "/api/v1/recordings/{recording_id}/": [""],
        "/api/v1/episodes/": [""],
        "/api/v1/alerts/": [""],
        "/api/v1/alerts/{alert_id}/": [""],
        "/api/v1/followers/": ["", f"?infant={infant.id}"],
        "/api/v1/followers/{follower_id}/": [""],
        "/api/v1/diary-entries/": ["", "?kind=feed"],
        "/api/v1/diary-entries/{entry_id}/": [""],
        "/api/v1/devices/": ["", f"?infant={infant.id}"],
        "/api/v1/devices/{device_id}/": [""],
        "/api/v1/devices/{device_id}/settings/": [""],
        "/api/v1/health/": [""],
        "/api/v1/health/alive/": [""],
        "/api/v1/health/ready/": [""],
    }
    for path, queries in asked.items():
        described = _described(schema, "get", path, 200, "application/json")
        ids = {"infant_id": infant.id, "session_id": session.id, "recording_id": second.id}
        ids |= {"alert_id": alert.id, "entry_id": entry.id, "device_id": device.id}
        real = path.format(**ids, follower_id=follower.id)
        for query in queries:
            answer = client.get(real + query)
            assert answer.status_code == 200, answer.content
            _holds(schema, described, answer.json())
    refused = client.get("/api/v1/recordings/?state=lost")
    problem = _described(schema, "get", "/api/v1/recordings/", 400, "application/problem+json")
    _holds(schema, problem, refused.json())


@pytest.mark.django_db
def test_real_uploads_are_what_their_descriptions_say(schema: Schema) -> None:
    device = a_device(an_infant())
    for status in (201, 200):
        answer = as_device(device).post(UPLOAD, {"audio": audio()}, format="multipart")
        assert answer.status_code == status
        described = _described(schema, "post", UPLOAD, status, "application/json")
        _holds(schema, described, answer.json())
    bulk = send_bulk(device, [b"one", b""])
    path = "/api/v1/recordings/bulk/"
    _holds(schema, _described(schema, "post", path, 200, "application/json"), bulk.json())


@pytest.mark.django_db
def test_what_a_device_reads_of_itself_is_what_its_description_says(schema: Schema) -> None:
    client, own = as_device(a_device(an_infant())), "/api/v1/devices/self/"
    answers = {
        ("post", 200, f"{own}heartbeat/"): client.post(f"{own}heartbeat/", {}, format="json"),
        ("get", 200, f"{own}settings/"): client.get(f"{own}settings/"),
        ("post", 201, f"{own}credential/"): client.post(f"{own}credential/"),
    }
    for (method, status, path), answer in answers.items():
        assert answer.status_code == status
        _holds(schema, _described(schema, method, path, status, "application/json"), answer.json())


def test_it_is_served_and_so_are_its_pages_from_here_alone() -> None:
    client = Client()
    assert b"openapi: 3.1" in client.get("/api/v1/schema/").content
    page = client.get("/api/v1/docs/").content.decode()
    assert "/static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js" in page
    assert "https://" not in page
    assert "//cdn" not in page
