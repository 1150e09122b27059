"""Embed: unit vectors that name their encoder; audio erased where the policy says so."""

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import default_storage

from infants.arrays import from_bytes
from infants.models import Infant, Recording
from infants.stages import embed as stage
from infants.stages.embed import embed_recordings, encoder
from infants.stages.segment import segment_recordings
from infants.states import State
from tests import received, sounds

pytestmark = pytest.mark.django_db


def _vectors(recording: Recording) -> np.ndarray:
    return np.stack([from_bytes(cry.embedding) for cry in recording.cries.order_by("index")])


def test_every_cry_gets_a_unit_vector_of_the_configured_encoder(tmp_path: Path) -> None:
    recording = received.a_received_recording(sounds.cry_bytes(tmp_path))
    segment_recordings([recording.id])
    embed_recordings([recording.id])
    recording.refresh_from_db()
    assert recording.state == State.EMBEDDED
    vectors = _vectors(recording)
    assert vectors.shape[1] == 192
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    assert {cry.encoder for cry in recording.cries.all()} == {encoder().fingerprint}


def test_the_configured_runtime_is_the_one_that_runs(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(stage, "load_encoder", lambda *_, runtime, **__: asked.append(runtime))
    for runtime in ("onnxruntime", "torch"):
        settings.ICLAS_ENCODER_RUNTIME = runtime
        encoder.__wrapped__()
    assert asked == ["onnxruntime", "torch"]


def test_an_embedding_does_not_depend_on_its_batch(tmp_path: Path) -> None:
    device = received.a_monitor()
    recordings = [
        received.a_received_recording(
            sounds.cry_bytes(tmp_path, seed), device, received.START + dt.timedelta(minutes=seed)
        )
        for seed in range(3)
    ]
    ids = [recording.id for recording in recordings]
    segment_recordings(ids)
    embed_recordings(ids)
    together = _vectors(recordings[0])
    Recording.objects.filter(id=ids[0]).update(state=State.SEGMENTED)
    embed_recordings(ids[:1])
    np.testing.assert_allclose(_vectors(recordings[0]), together, atol=1e-4)


@pytest.mark.parametrize(
    ("policy", "kept"),
    [(Infant.AudioPolicy.KEEP, True), (Infant.AudioPolicy.EMBEDDING_ONLY, False)],
)
def test_the_audio_policy_holds(
    tmp_path: Path,
    policy: Infant.AudioPolicy,
    *,
    kept: bool,
    django_capture_on_commit_callbacks: object,
) -> None:
    device = received.a_monitor(audio_policy=policy)
    recording = received.a_received_recording(sounds.cry_bytes(tmp_path), device)
    segment_recordings([recording.id])
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        embed_recordings([recording.id])
    recording.refresh_from_db()
    assert default_storage.exists(recording.audio) is kept
    assert (recording.audio_erased_at is None) is kept
