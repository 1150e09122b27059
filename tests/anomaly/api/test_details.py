"""Infants, recordings and sessions in full, and episodes."""

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from anomaly.models import BaselineEntry, Episode
from anomaly.models.judgement import SessionJudgement
from anomaly.notice import NOTICE
from infants.models import Infant
from tests.builders import (
    ENCODER,
    START,
    a_decision,
    a_device,
    a_judgement,
    a_member,
    a_model,
    a_recording,
    a_session,
    an_episode,
    an_infant,
    as_user,
    some_cries,
)
from tests.uploads import assert_problem

SIGNED_IN = 2
DAY = dt.timedelta(days=1)

pytestmark = pytest.mark.django_db


@pytest.fixture
def infant() -> Infant:
    return an_infant(time_zone="Europe/Zurich")


@pytest.fixture
def client(infant: Infant) -> Client:
    return as_user(a_member(infant))


def _get(client: Client, path: str) -> dict[str, Any]:
    answer = client.get(f"/api/v1/{path}")
    assert answer.status_code == 200, answer.content
    said: dict[str, Any] = answer.json()
    return said


# --- infants -------------------------------------------------------------------------------------


def test_an_infant_never_heard_has_learnt_nothing(client: Client, infant: Infant) -> None:
    said = _get(client, f"infants/{infant.id}/")
    assert said["notice"] == NOTICE
    promised = said["baseline"].pop("promised")
    assert promised[0].startswith("No session is compared yet: crying was heard on 0 days.")
    assert said["baseline"] == {
        "outcome": "learning",
        "learning": {"days": 0, "needed": 9, "text": "learning, 0 of 9 days"},
    }


def test_an_infant_still_learning_tells_its_own_days(client: Client, infant: Infant) -> None:
    device = a_device(infant)
    # 22:30 and 23:30 in London are two days in Zurich; the last falls on the second of them.
    for hours in (0, 1, 2):
        when = dt.datetime(2026, 3, 1, 22, 30, tzinfo=dt.UTC) + hours * dt.timedelta(hours=1)
        recording = a_recording(infant, when, device, session=a_session(infant, when))
        some_cries(recording)
        recording.cries.update(encoder=ENCODER, embedding=b"\0" * 4)
        a_judgement(recording)
        BaselineEntry.objects.create(recording=recording, infant=infant, recorded_at=when)
    assert _get(client, f"infants/{infant.id}/")["baseline"]["learning"]["days"] == 2


def test_an_infant_with_a_model_names_the_newest_in_force(client: Client, infant: Infant) -> None:
    first, second = a_model(infant, 1), a_model(infant, 2)
    a_model(infant, 3, withdrawn_at=timezone.now())
    a_judgement(a_recording(infant), first)
    said = _get(client, f"infants/{infant.id}/")["baseline"]
    assert said["outcome"] == "in_force"
    assert (said["model"]["id"], said["model"]["number"]) == (str(second.id), 2)
    assert said["model"]["n_days"] == 9


# --- recordings ----------------------------------------------------------------------------------


def test_a_recording_shows_what_was_heard_and_decided(
    client: Client, infant: Infant, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    recording = a_recording(infant, quality={"level_dbfs": -20.0})
    some_cries(recording, 3)
    a_decision(recording)
    model = a_model(infant)
    a_judgement(recording, model)
    with django_assert_num_queries(SIGNED_IN + 2):
        said = _get(client, f"recordings/{recording.id}/")
    assert said["notice"] == NOTICE
    assert said["quality"] == {"level_dbfs": -20.0}
    assert [cry["index"] for cry in said["cries"]] == [0, 1, 2]
    assert said["cries"][1]["onset_s"] == 1.0
    assert said["cries"][1]["offset_s"] == 1.5
    assert said["cries"][1]["measures"] == {"duration_s": 0.5}
    assert said["gate_decision"]["accepted"] is True
    assert said["gate_decision"]["parts"] == [
        {"name": "arousal", "confidence": 0.9, "reason": "as usual"}
    ]
    judgement = said["judgement"]
    assert judgement["outcome"] == "scored"
    assert judgement["p_value"] == 0.5
    assert judgement["scores"] == {"gmm": 2.0}
    assert judgement["model"] == {"id": str(model.id), "number": 1}


def test_a_recording_of_the_learning_has_no_number(client: Client, infant: Infant) -> None:
    recording = a_recording(infant)
    a_decision(recording)
    a_judgement(recording)
    said = _get(client, f"recordings/{recording.id}/")["judgement"]
    assert said["outcome"] == "learning"
    assert said["learning"]["text"] == "learning, 4 of 9 days"
    assert not {"statistic", "p_value", "scores", "p_values", "model"} & set(said)


def test_a_recording_without_a_judgement_says_why(client: Client, infant: Infant) -> None:
    recording = a_recording(infant, state="rejected", reason="not_a_cry")
    said = _get(client, f"recordings/{recording.id}/")
    assert (said["judgement"], said["gate_decision"]) == (None, None)
    assert (said["state"], said["reason"], said["cries"]) == ("rejected", "not_a_cry", [])


def test_no_vector_and_no_place_of_the_audio_is_told(client: Client, infant: Infant) -> None:
    recording = a_recording(infant, audio="audio/ab/cd/abcd", gate_features=b"1234")
    some_cries(recording)
    for path in (f"recordings/{recording.id}/", "recordings/"):
        said = str(_get(client, path))
        for hidden in ("embedding", "gate_features", "audio/ab", "lease", "source_name"):
            assert hidden not in said


# --- sessions ------------------------------------------------------------------------------------


def test_a_session_shows_its_judgement_or_that_there_is_none(
    client: Client, infant: Infant
) -> None:
    session = a_session(infant)
    a_recording(infant, session=session)
    said = _get(client, f"sessions/{session.id}/")
    assert (said["judgement"], said["n_recordings"], said["notice"]) == (None, 1, NOTICE)
    SessionJudgement.objects.create(
        session=session,
        infant=infant,
        started_at=session.started_at,
        model=a_model(infant),
        statistic=1.5,
        p_value=0.1,
        n_recordings=1,
    )
    said = _get(client, f"sessions/{session.id}/")
    assert (said["judgement"]["p_value"], said["judgement"]["model"]["number"]) == (0.1, 1)


# --- episodes ------------------------------------------------------------------------------------


def _ids(client: Client, asked: str) -> list[str]:
    return [row["id"] for row in _get(client, f"episodes/{asked}")["results"]]


def test_episodes_are_narrowed_by_every_filter(client: Client, infant: Infant) -> None:
    odd = an_episode(infant, START)
    shift = an_episode(
        infant,
        START + DAY,
        kind=Episode.Kind.PERSISTENT_SHIFT,
        closed_at=START + 2 * DAY,
        close_reason="back_to_usual",
    )
    said = _get(client, "episodes/")
    assert said["notice"] == NOTICE
    assert [row["is_open"] for row in said["results"]] == [False, True]
    assert _ids(client, "") == [str(shift.id), str(odd.id)]
    assert _ids(client, f"?infant={infant.id}") == _ids(client, "")
    assert _ids(client, "?kind=persistent_shift") == [str(shift.id)]
    assert _ids(client, "?open=true") == [str(odd.id)]
    assert _ids(client, "?open=false") == [str(shift.id)]
    assert _ids(client, "?from=2026-03-02T00:00:00Z") == [str(shift.id)]
    assert _ids(client, "?to=2026-03-02T00:00:00Z") == [str(odd.id)]


@pytest.mark.parametrize("asked", ["open=perhaps", "kind=odd", "infant=Ada"])
def test_a_bad_filter_is_refused_by_its_name(client: Client, asked: str) -> None:
    said = assert_problem(client.get(f"/api/v1/episodes/?{asked}"), 400, "bad_value", "later")
    assert said["errors"][0]["field"] == asked.partition("=")[0]
