"""The API under requests that nobody would write: no fault of ours, no undocumented answer.

Every operation of the served description is called with generated requests, valid ones and others,
by a device, by an owner and by a stranger, half of them about what is really there.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, strategies
from hypothesis import seed as seeded
from hypothesis import settings as examples
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.openapi import from_wsgi
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from devices.heartbeats import note_presence
from devices.models import issue_token
from infants.models import DiaryEntry
from tests.builders import (
    START,
    a_device,
    a_member,
    a_recording,
    a_session,
    an_episode,
    an_infant,
)
from tests.notify.rows import an_alert

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]
SCHEMA = "/api/v1/schema/"
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
REQUESTS = 2_400
CALLED = examples(
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
CSRF = "a" * 32
CREDENTIALS = {"Authorization", settings.SESSION_COOKIE_NAME}


@dataclass(frozen=True)
class World:
    """Who calls, and what there is to call for, by the name of the path's parameter."""

    callers: Mapping[str, Mapping[str, dict[str, str]]]
    there: Mapping[str, UUID]


@pytest.fixture(autouse=True)
def _one_connection() -> Iterator[None]:
    """Let requests leave the test's own connection open, as Django's test client does."""
    signals = request_started, request_finished
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture
def world() -> World:
    infant = an_infant()
    device = a_device(infant)
    recording = a_recording(infant, device=device)
    entry = DiaryEntry.objects.create(infant=infant, kind="note", text="a note", starts_at=START)
    note_presence(None, timezone.now())  # a worker is there
    client = Client()
    client.force_login(a_member(infant))
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    cookies = {settings.SESSION_COOKIE_NAME: session, settings.CSRF_COOKIE_NAME: CSRF}
    return World(
        callers={
            "device": {"headers": {"Authorization": f"Bearer {issue_token(device)}"}},
            "owner": {"headers": {"X-CSRFToken": CSRF}, "cookies": cookies},
            "stranger": {},
        },
        there={
            "infant_id": infant.id,
            "recording_id": recording.id,
            "session_id": a_session(infant).id,
            "episode_id": an_episode(infant).id,
            "alert_id": an_alert(infant).id,
            "entry_id": entry.id,
        },
    )


def _point_at(case: Case, world: World) -> None:
    """Let a request be about what is there."""
    for name, known in world.there.items():
        if name in case.path_parameters:
            case.path_parameters[name] = str(known)
    if isinstance(case.body, dict) and "infant" in case.body:
        case.body["infant"] = str(world.there["infant_id"])


def _calling(
    operation: APIOperation[Any, Any, Any, Any],
    world: World,
    who: Mapping[str, dict[str, str]],
    answered: Counter[int],
) -> Callable[[], None]:
    """Return what calls an operation with all that hypothesis makes up, and counts the answers."""

    @given(case=operation.as_strategy(), is_there=strategies.booleans())
    def call(case: Case, is_there: bool) -> None:
        for made_up in case.headers, case.cookies:
            for name in CREDENTIALS & set(made_up):
                del made_up[name]
        if is_there:
            _point_at(case, world)
        answer = case.call(**who)
        answered[answer.status_code] += 1
        case.validate_response(answer, checks=CHECKS)

    return call


def test_no_request_is_answered_in_a_way_that_is_not_described(
    world: World,
    campaign_scale: float,
    campaign_seed: int,
    campaign_report: Callable[[str], None],
) -> None:
    schema = from_wsgi(SCHEMA, get_wsgi_application())
    operations = [found.ok() for found in schema.get_all_operations()]
    least = round(REQUESTS * campaign_scale)
    times = -(-least // (len(operations) * len(world.callers)))
    answered: Counter[int] = Counter()
    for operation in operations:
        for who in world.callers.values():
            call = _calling(operation, world, who, answered)
            seeded(campaign_seed)(examples(CALLED, max_examples=times)(call))()
    by_status = ", ".join(f"{status}: {n}" for status, n in sorted(answered.items()))
    said = f"requests={answered.total()} of nobody's making, answered {by_status}"
    campaign_report(f"{said}; undocumented=0, faults of ours=0, seed={campaign_seed}")
    assert answered.total() >= 2_000 * campaign_scale
    assert {200, 400, 401, 403, 404} <= set(answered)
