"""Explain: every recording tells its way, whatever became of it, to those who may know."""

import datetime as dt
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.test import override_settings
from django.utils import timezone

from anomaly.account import account
from anomaly.explain import Explanation, explain, recordings_named
from anomaly.models import Event, PersonalModel, RecordingJudgement
from anomaly.models.judgement import Outcome
from anomaly.notice import NOTICE
from anomaly.provenance import Agreement
from devices.models import Device
from infants.access import Viewer
from infants.leases import leased
from infants.models import Infant, Recording
from infants.states import State
from pipelines.build import build
from pipelines.score import SCORERS
from tests import builders, judged, lived, received, sounds

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]
STAGES = ("segment", "embed", "gate", "score", "learn", "session")


def told(recording: Recording, viewer: Viewer | None = None) -> Explanation:
    """Return the explanation, of which the account can be given too."""
    shown = explain(viewer or Viewer.system(), recording.id)
    assert shown is not None
    assert account(shown).renderables
    return shown


def reached(shown: Explanation) -> list[str]:
    return [stage for stage in STAGES if getattr(shown, stage) is not None]


# --- the whole way ------------------------------------------------------------------------------


def test_a_scored_recording_tells_its_whole_way(tmp_path: Path) -> None:
    recording = lived.a_known_infant(tmp_path)[1][-1]
    shown = told(recording)
    assert [passage.state for passage in shown.passed] == [
        *("received", "segmented", "embedded", "gated", "scored", "learnt", "on_timeline", "done")
    ]
    assert {passage.attempt for passage in shown.passed} == {1}
    assert shown.passed[0].took_s is None
    assert all((passage.took_s or 0.0) >= 0.0 for passage in shown.passed[1:])
    assert reached(shown) == list(STAGES)
    assert (shown.standing.state, shown.standing.words) == ("done", "done: it is on the timeline")
    assert (shown.agreement, shown.notice) == (Agreement.IDENTICAL, NOTICE)
    assert [one.of for one in shown.recomputed] == ["gate", "score", "timeline", "session"]


def test_what_came_in_and_what_was_heard(tmp_path: Path) -> None:
    recording = lived.a_known_infant(tmp_path, days=1)[1][0]
    shown = told(recording)
    assert shown.upload.sha256 == recording.sha256
    assert (shown.upload.audio, shown.upload.clock) == ("intact", "ok")
    assert shown.upload.recorded_at_raw == received.START.isoformat()
    assert shown.segment is not None
    assert shown.segment.source_format["codec"] == "pcm_s16le"
    assert shown.segment.duration_s == pytest.approx(5.0)
    assert len(shown.segment.units) == recording.cries.count()
    assert shown.embed is not None
    assert shown.embed.n_embeddings == shown.embed.n_units == len(shown.segment.units)


def test_a_score_names_the_version_and_what_it_rests_on(tmp_path: Path) -> None:
    score = told(lived.a_known_infant(tmp_path)[1][-1]).score
    assert score is not None
    model = PersonalModel.objects.get(PersonalModel.WHOLE)
    assert score.model is not None
    assert (score.model.id, score.model.number, score.model.sha256) == (model.id, 7, model.sha256)
    assert (score.model.n_days, score.model.n_sessions) == (9, 9)
    assert score.model.smallest_p_value == pytest.approx(9 / 29 / 10)
    assert set(score.scores) == set(score.p_values) == set(SCORERS)
    assert score.build == build()


def test_what_was_learnt_names_the_versions_that_rest_on_it() -> None:
    judged.a_life(days=11)
    first, *_, last = Recording.objects.order_by("recorded_at")
    learn = told(first).learn
    assert learn is not None
    assert (learn.in_baseline, learn.rest_on_it) == (True, (1,))
    learn = told(last).learn
    assert learn is not None
    assert (learn.in_baseline, learn.rest_on_it) == (True, ())


def test_the_recording_at_which_a_version_is_learnt_tells_of_it() -> None:
    judged.a_life(days=10)
    event = Event.objects.get(kind=Event.Kind.MODEL_LEARNT)
    occasion = Recording.objects.get(recorded_at=event.occurred_at)
    assert [one.id for one in told(occasion).events] == [event.id]


def test_episodes_that_cover_it_and_their_events_are_told() -> None:
    infant = builders.an_infant()
    recording = builders.a_recording(infant)
    covering = builders.an_episode(infant)
    day = dt.timedelta(days=1)
    closed = {"closed_at": builders.START - day, "close_reason": "back_to_usual"}
    before = {"when": builders.START - 2 * day, "last_at": builders.START - 2 * day}
    builders.an_episode(infant, kind="persistent_shift", **before, **closed)
    builders.an_episode(infant, when=builders.START + day)
    event = Event.objects.create(
        infant=infant, kind="episode_opened", key="1", occurred_at=builders.START, episode=covering
    )
    shown = told(recording)
    assert [episode.id for episode in shown.episodes] == [covering.id]
    assert [one.id for one in shown.events] == [event.id]


# --- those that did not get so far --------------------------------------------------------------


def test_a_recording_of_a_baseline_still_being_learnt_has_no_number(tmp_path: Path) -> None:
    shown = told(lived.a_known_infant(tmp_path, days=1)[1][0])
    assert reached(shown) == list(STAGES)
    assert shown.score is not None
    assert (shown.score.outcome, shown.score.model, shown.score.p_value) == ("learning", None, None)
    assert [point.score for point in shown.timeline] == [None]
    assert shown.agreement is Agreement.NOT_POSSIBLE


def test_what_is_no_cry_says_why_it_ended(tmp_path: Path) -> None:
    hum = sounds.a_hum(tmp_path / "hum.wav").read_bytes()
    shown = told(lived.driven(received.a_received_recording(hum)))
    assert shown.standing.words == "rejected: what was heard is not crying"
    assert reached(shown) == ["segment", "embed", "gate", "session"]
    assert shown.gate is not None
    assert not shown.gate.is_cry
    assert "does not sound like crying" in shown.gate.parts[0]["reason"]
    assert shown.passed[-1].state == "rejected"
    assert shown.agreement is Agreement.IDENTICAL


def test_what_cannot_be_decoded_says_so() -> None:
    shown = told(lived.driven(received.a_received_recording(b"this is no sound")))
    assert shown.standing.words.startswith("rejected: no decoder could read it")
    assert (reached(shown), shown.recomputed, shown.agreement) == ([], (), None)


def test_silence_was_heard_but_has_no_cries() -> None:
    shown = told(lived.driven(received.a_received_recording(sounds.silence_bytes())))
    assert shown.standing.words == "rejected: nothing but silence"
    assert shown.segment is not None
    assert shown.segment.units == ()


@override_settings(ICLAS_GATE_THRESHOLD=1.01)
def test_a_refused_cry_is_not_learnt_and_its_event_is_told(tmp_path: Path) -> None:
    shown = told(lived.a_known_infant(tmp_path, days=1)[1][0])
    assert shown.gate is not None
    assert (shown.gate.accepted, shown.gate.threshold) == (False, 1.01)
    assert shown.learn is not None
    assert not shown.learn.in_baseline
    assert [event.kind for event in shown.events] == ["cry_not_learnt"]
    assert {one.of: one.agreement for one in shown.recomputed}["gate"] is Agreement.IDENTICAL


@override_settings(ICLAS_MAX_ATTEMPTS=2)
def test_what_failed_says_in_which_stage_after_how_many_tries() -> None:
    recording = received.a_received_recording(b"whatever")
    for _ in range(3):
        with leased([recording.id], State.RECEIVED) as lease:
            list(lease.begun())
    shown = told(recording)
    assert shown.standing.words == "failed in segment: gave up after 2 tries"
    assert shown.passed[-1].attempt == 2


def test_what_waits_says_for_what_and_whether_it_is_in_hand() -> None:
    recording = received.a_received_recording(b"whatever")
    assert told(recording).standing.words == "waits for segment"
    with leased([recording.id], State.RECEIVED) as lease:
        list(lease.begun())
        assert told(recording).standing.words == "is in segment, 1 tries so far"


def test_what_has_no_infant_yet_is_held() -> None:
    recording = received.a_received_recording(b"whatever", builders.a_device())
    shown = told(recording)
    assert shown.standing.words == "held: its device serves no infant at that time"
    assert (shown.infant, shown.time_zone) == (None, "UTC")


def test_rows_that_kept_no_times_are_told_without() -> None:
    shown = told(builders.a_recording(builders.an_infant()))
    assert shown.passed == ()


@pytest.mark.parametrize("state", [state for state in State if state != State.HELD])
def test_every_state_can_be_told(state: State) -> None:
    shown = told(builders.a_recording(builders.an_infant(), state=state))
    assert state in shown.standing.words or "for" in shown.standing.words


def test_audio_that_is_gone_changed_or_erased_is_said() -> None:
    recording = received.a_received_recording(b"whatever")
    path = Path(default_storage.path(recording.audio))
    path.write_bytes(b"otherwise")
    assert told(recording).upload.audio == "changed"
    path.unlink()
    assert told(recording).upload.audio == "missing"
    Recording.objects.update(audio_erased_at=timezone.now())
    assert told(recording).upload.audio == "erased"


# --- who may know -------------------------------------------------------------------------------


@pytest.fixture
def scored() -> Recording:
    """Return a recording that carries a judgement."""
    infant = builders.an_infant()
    recording = builders.a_recording(infant)
    builders.a_decision(recording)
    builders.a_judgement(recording)
    return recording


def test_a_stranger_is_told_nothing(scored: Recording) -> None:
    stranger = Viewer(user=builders.a_member(builders.an_infant()))
    assert explain(stranger, scored.id) is None
    assert not recordings_named(stranger, str(scored.id)).exists()
    assert explain(Viewer(), scored.id) is None


def test_a_researcher_is_told_no_name(scored: Recording) -> None:
    assert scored.infant is not None
    shown = told(scored, Viewer(user=builders.a_member(scored.infant, "researcher")))
    assert (shown.infant_name, shown.upload.device_name) == (None, None)
    assert shown.score is not None
    known = told(scored, Viewer(user=builders.a_member(scored.infant, "caregiver")))
    assert (known.infant_name, known.upload.device_name) == ("Ada", "A monitor")


def test_a_device_is_told_where_its_recording_stands_and_no_more(scored: Recording) -> None:
    shown = told(scored, Viewer(device=scored.device))
    assert shown.standing.state == "done"
    assert reached(shown) == []
    assert (shown.infant_name, shown.recomputed, shown.events) == (None, (), ())
    assert explain(Viewer(device=Device.objects.create(name="Another")), scored.id) is None


# --- by name ------------------------------------------------------------------------------------


def a_named(recording_id: str, infant: Infant, **given: Any) -> Recording:
    return builders.a_recording(infant, id=recording_id, **given)


def test_a_recording_is_found_by_the_beginning_of_its_id_or_of_its_digest() -> None:
    infant = builders.an_infant()
    one = a_named("01a1fd95-eb70-7ae5-b275-6d92cbd0d4bd", infant, sha256="ab" * 32)
    other = a_named("01a1fd95-ebc7-7f48-bf16-bd0b93493d90", infant, sha256="cd" * 32)

    def named(name: str) -> set[str]:
        return {str(found.id) for found in recordings_named(Viewer.system(), name)}

    for name in (one.id, "01a1fd95-eb70", "01A1FD95EB7", "abababab", "ab" * 20, "ab" * 32):
        assert named(str(name)) == {str(one.id)}
    assert named("01a1fd95") == {str(one.id), str(other.id)}
    for name in ("", "01a1fd9", "01a1fd95-ec", "ab" * 32 + "a", "not an id at all", "zzzzzzzz"):
        assert named(name) == set()


def test_an_explanation_holds_only_what_json_can_hold(scored: Recording) -> None:
    def walk(value: object) -> None:
        if isinstance(value, dict):
            for name, inner in value.items():
                assert isinstance(name, str)
                walk(inner)
        elif isinstance(value, list | tuple):
            for inner in value:
                walk(inner)
        else:
            plain = (str, int, float, bool, type(None), dt.date)
            assert isinstance(value, plain) or type(value).__name__ == "UUID"

    RecordingJudgement.objects.filter(outcome=Outcome.LEARNING).update(encoder="numbers")
    walk(asdict(told(scored)))
