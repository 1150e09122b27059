"""A recording on its whole way, as it is counted and as it is traced."""

import datetime as dt
import errno
import os
import signal
from collections import Counter
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.utils import timezone
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import DjangoCaptureOnCommitCallbacks

from iclas import flow
from iclas.telemetry import measured, otel
from iclas.telemetry.work import Work, at, ids
from infants.leases import leased
from infants.models import Infant, Recording
from infants.signals import Move
from infants.stages.upload import Upload, store_upload
from infants.states import Reason, State
from notify.models import Delivery
from notify.stages.send import tell_due
from tests import sounds
from tests.builders import START, a_decision, a_device, a_judgement, a_model, a_recording, an_infant
from tests.iclas.telemetry.conftest import TOKEN, Collector
from tests.notify.rows import SHIFT, a_told_episode
from tests.notify.told import EVIDENCE, a_follower, a_reachable

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]
Found = dict[tuple[str, frozenset[tuple[str, str]]], float]


def scraped() -> Found:
    answer = Client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    families = text_string_to_metric_families(answer.content.decode())
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def moved(before: Found, after: Found, name: str, **labels: str) -> float:
    key = (name, frozenset(labels.items()))
    return after.get(key, 0.0) - before.get(key, 0.0)


def test_a_driven_recording_is_counted_and_traced(
    measures: measured.Measures,
    traces: otel.Traces,
    collector: Collector,
    tmp_path: Path,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    before, device = scraped(), a_device(an_infant())
    upload = Upload(
        audio=ContentFile(sounds.cry_bytes(tmp_path), name="x.wav"), recorded_at=START.isoformat()
    )
    with flow.kept_back() as ids, django_capture_on_commit_callbacks(execute=True):
        recording = store_upload(device, upload).recording
        flow.drive([recording.id, *ids])
    recording.refresh_from_db()
    assert recording.state == State.DONE
    after = scraped()
    assert moved(before, after, "iclas_recordings_received_total") == 1
    for state in (*State.values[1:8],):
        n = moved(before, after, "iclas_recordings_moved_total", state=state, reason="")
        assert n == 1, state
    for state in State.values[:7]:
        for name in ("waited", "worked"):
            assert moved(before, after, f"iclas_recording_{name}_seconds_count", state=state) == 1
    for step in flow.STEPS:
        n = moved(before, after, "iclas_step_seconds_count", step=step.name, outcome="ok")
        assert n >= 1, step.name
    assert moved(before, after, "iclas_judgements_total", outcome="learning") == 1
    assert moved(before, after, "iclas_recording_whole_way_seconds_count") == 1
    decided = ("accepted", "refused", "not_a_cry")
    n_gated = [moved(before, after, "iclas_gate_decisions_total", decision=d) for d in decided]
    assert sorted(n_gated) == [0, 0, 1]
    assert traces.provider.force_flush()
    assert_one_trace(recording, collector.spans())


def assert_one_trace(recording: Recording, spans: list[Span]) -> None:
    begin = otel.upload_of(recording.id)
    own = [span for span in spans if span.trace_id == begin.trace_id.to_bytes(16)]
    assert sorted(span.name for span in own) == sorted(["upload", *flow.STEP])
    [root] = [span for span in own if span.name == "upload"]
    assert root.span_id == begin.span_id.to_bytes(8)
    assert not root.parent_span_id
    for span in own:
        assert span.end_time_unix_nano >= span.start_time_unix_nano
        said = {one.key: one.value.string_value for one in span.attributes}
        assert said["iclas.recording"] == str(recording.id)
        if span is not root:
            assert span.parent_span_id == root.span_id


def test_an_alert_and_its_delivery_are_of_the_recording_judged_last(
    traces: otel.Traces,
    collector: Collector,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    infant = an_infant()
    a_follower(infant, a_reachable(infant, "Ben"))
    an_hour_ago = timezone.now() - dt.timedelta(hours=1)
    recording = a_recording(infant, state_changed_at=an_hour_ago)
    with django_capture_on_commit_callbacks(execute=True):
        a_told_episode(infant, dt.timedelta(minutes=1), kind=SHIFT, evidence=EVIDENCE)
        tell_due(timezone.now())
    assert Delivery.objects.get().state == Delivery.State.SENT
    assert traces.provider.force_flush()
    spans = {span.name: span for span in collector.spans()}
    begin = otel.upload_of(recording.id)
    assert spans["alert"].trace_id == begin.trace_id.to_bytes(16)
    assert spans["alert"].parent_span_id == begin.span_id.to_bytes(8)
    assert spans["delivery"].trace_id == spans["alert"].trace_id
    assert spans["delivery"].parent_span_id == spans["alert"].span_id


def test_a_step_is_linked_to_the_task_that_did_it(
    traces: otel.Traces,
    collector: Collector,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    recording = a_recording(an_infant(), state=State.SEGMENTED)
    with at(Work("task", "run_step")):
        with (
            django_capture_on_commit_callbacks(execute=True),
            leased([recording.id], State.SEGMENTED) as lease,
        ):
            for one in lease.begun():
                assert ids() == {"task": "run_step", "recording": str(recording.id)}
                trace_id = otel.upload_of(recording.id).trace_id
                assert int(traces.at_hand(), 16) == trace_id
                lease.fail(one, Reason.AUDIO_MISSING)
        assert int(traces.at_hand(), 16) != trace_id
    assert traces.at_hand() == ""
    assert traces.provider.force_flush()
    spans = {span.name: span for span in collector.spans()}
    [link] = spans["embed"].links
    assert (link.trace_id, link.span_id) == (
        spans["task run_step"].trace_id,
        spans["task run_step"].span_id,
    )
    assert spans["embed"].status.code == Status.STATUS_CODE_ERROR


@pytest.mark.parametrize(("ratio", "n_spans"), [("0", 0), ("1", 2)])
def test_a_trace_is_kept_whole_or_not_at_all(
    collector: Collector, monkeypatch: pytest.MonkeyPatch, ratio: str, n_spans: int
) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", ratio)
    installed = otel.install(f"http://127.0.0.1:{collector.port}")
    recording, now = a_recording(an_infant()), timezone.now()
    installed._begin(recording)
    move = Move(recording.id, State.RECEIVED, State.SEGMENTED, now, now, now, Reason.NONE)
    installed.on_moved(move)
    otel.uninstall(installed)
    assert len(collector.spans()) == n_spans


def test_a_request_goes_on_with_its_callers_trace(
    traces: otel.Traces, collector: Collector
) -> None:
    theirs = "0af7651916cd43dd8448eb211c80319c"
    Client().get(
        "/api/v1/health/alive/", headers={"traceparent": f"00-{theirs}-b7ad6b7169203331-01"}
    )
    Client().get("/api/v1/health/alive/", headers={"traceparent": "nonsense"})
    assert traces.provider.force_flush()
    first, second = sorted(collector.spans(), key=lambda span: span.trace_id.hex() != theirs)
    assert first.name == second.name == "GET alive"
    assert first.trace_id.hex() == theirs
    assert second.trace_id.hex() != theirs
    assert not second.parent_span_id


def test_what_a_killed_process_has_counted_is_not_lost(measures: measured.Measures) -> None:
    before = scraped()
    child = os.fork()
    if child == 0:  # pragma: no cover  it ends as a pool's process may
        measures.on_alert()
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    measures.on_alert()
    assert moved(before, scraped(), "iclas_alerts_raised_total") == 2


def test_p_values_and_the_gate_are_counted_once_a_move(measures: measured.Measures) -> None:
    infant, before = an_infant(), scraped()
    recording = a_recording(infant)
    a_decision(recording, accepted=False)
    a_judgement(recording, a_model(infant), p_value=0.03)
    now = timezone.now()
    for left, to in ((State.EMBEDDED, State.GATED), (State.GATED, State.SCORED)):
        measures.on_moved(Move(recording.id, left, to, now, now, now, Reason.NONE))
    after = scraped()
    assert moved(before, after, "iclas_gate_decisions_total", decision="refused") == 1
    assert moved(before, after, "iclas_judgements_total", outcome="scored") == 1
    under = {le: moved(before, after, "iclas_p_value_bucket", le=le) for le in ("0.02", "0.05")}
    assert under == {"0.02": 0, "0.05": 1}


def test_without_room_nothing_is_measured_and_nothing_breaks(
    measures: measured.Measures, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_given: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    before = scraped()
    monkeypatch.setattr(os, "posix_fallocate", full)
    measured._process_name.cache_clear()
    with at(Work("task", "sweep")):
        pass
    assert measured.install() is None
    monkeypatch.undo()
    name = "iclas_task_seconds_count"
    assert moved(before, scraped(), name, task="sweep", outcome="ok") == 0


def test_no_label_names_anybody(measures: measured.Measures) -> None:
    infant = an_infant(name="Zebedee")
    a_recording(infant, state=State.FAILED, reason="gave_up")
    Client().get(f"/infants/{infant.id}/")
    Client().get("/no/such/Zebedee/")
    labels: Counter[str] = Counter()
    for name, given in scraped():
        for _key, value in given:
            assert "Zebedee" not in value
            assert str(infant.id) not in value
        labels[name] += 1
    assert Infant.objects.count() == 1
    assert ("iclas_dead_letters", frozenset({("reason", "gave_up")})) in scraped()
    assert max(n for name, n in labels.items() if "http" not in name) < 200
