"""Trials: an unchanged build differs in nothing, and what another one changes is told."""

import dataclasses
import datetime as dt
import hashlib
import io
import itertools
import json
import wave
from collections.abc import Callable, Iterator, Sequence
from io import StringIO
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import override_settings
from django.utils import timezone
from numpy.typing import NDArray

from anomaly.models import (
    Episode,
    Event,
    PersonalModel,
    RecordingJudgement,
    SessionJudgement,
    VersionTrial,
)
from anomaly.provenance import Agreement, recomputations
from anomaly.replay import History, Replay, baseline_of, stored_embeddings
from anomaly.reviews import answer_cry, review_cry, review_episode
from anomaly.rollback import roll_back
from anomaly.selectors.baseline import baseline_arrays
from anomaly.trial import Trial, differences, keep_trial, report_of, try_on_history
from devices.models import Device
from infants.access import Viewer
from infants.arrays import to_bytes
from infants.models import Cry, Infant, Recording
from pipelines.acoustics import CHANNELS, Measured, to_json
from pipelines.baseline import Baseline
from pipelines.build import build
from pipelines.prior import bundled_priors
from pipelines.room import ROOM_WIDTH
from pipelines.score import Learning, RecordingScore, SessionScore
from pipelines.score import PersonalModel as Fitted
from pipelines.sound import Sound
from tests import judged, remembered
from tests.builders import a_user, an_infant, as_user

pytestmark = pytest.mark.django_db

SYSTEM = Viewer.system()
DAY = dt.timedelta(days=1)


# --- infants with a history -----------------------------------------------------------------------


def a_cry(
    infant: Infant, device: Device, day: float, *, shift: float = 0.0, **given: Any
) -> Recording:
    """Return a gated recording of this day with channels and a room, as the real ones have."""
    seed = round(1000 * day)
    vectors = judged.voice(infant, seed=seed, shift=shift)
    when = judged.START + day * DAY
    recording = judged.a_gated_recording(infant, device, when, vectors, **given)
    chance = np.random.default_rng(seed)
    recording.channels = _usual_channels(chance, shift)
    room = bundled_priors("").views["room"].mean + 0.1 * chance.normal(size=ROOM_WIDTH)
    recording.room = to_bytes(room)
    recording.save()
    recording.gate_decision.given = {"age_days": 40.0 + day}
    recording.gate_decision.save()
    return recording


def _usual_channels(chance: np.random.Generator, shift: float) -> dict[str, Any]:
    """Return channels as they are in the population, give or take, or so far away from it."""
    prior = bundled_priors("").views["acoustics"]
    spread = 0.5 / np.diag(prior.turn)
    values = prior.mean + spread * (chance.normal(size=len(CHANNELS)) + shift)
    answers = {
        channel.name: Measured(float(2.0**value if channel.is_log else value), 0.9)
        for channel, value in zip(CHANNELS, values, strict=True)
    }
    return to_json(answers)


def live(infant: Infant, device: Device, days: Sequence[float], **given: Any) -> list[Recording]:
    """Let an infant cry on these days, judged as it comes."""
    cries = []
    for day in days:
        cries.append(a_cry(infant, device, day, **given))
        judged.judge(cries[-1:])
    return cries


@pytest.fixture
def known() -> tuple[Infant, Device]:
    """Return an infant that is known for thirteen days, and its monitor."""
    return a_known_infant()


def a_known_infant() -> tuple[Infant, Device]:
    """Return one with a second cry on every third day, and one that was refused."""
    return remembered.once("known for thirteen days", _become_known)


def _become_known() -> tuple[Infant, Device]:
    infant, device = judged.an_infant_with_monitor(time_zone="Europe/Berlin")
    for day in range(13):
        live(infant, device, [day], accepted=day != 4)
        live(infant, device, [day + 0.003] if day % 3 == 0 else [])
    return infant, device


def assert_nothing_differs(infant: Infant) -> Trial:
    """Hold the replay of an unchanged build against what is stored, to the bit."""
    trial = try_on_history(infant)
    stored = SessionJudgement.objects.filter(infant=infant).in_bulk()
    assert stored
    assert {pair.session: pair.new for pair in trial.sessions if pair.new is not None} == {
        session: row.p_value for session, row in stored.items()
    }
    kept = infant.episodes.order_by("opened_at", "kind")
    told = [(one.kind, one.opened_at, one.closed_at, one.close_reason) for one in kept]
    assert [dataclasses.astuple(one) for one in trial.new_episodes] == told
    found = differences(trial)
    assert found.is_none
    assert found.n_sessions == len(stored)
    assert found.largest_difference == found.median_difference == 0.0
    assert found.untried == 0
    return trial


# --- an unchanged build differs in nothing --------------------------------------------------------


def test_the_replay_of_a_shift_gives_what_is_stored() -> None:
    infant, _device = judged.a_life(days=20, shift_from=14)
    trial = assert_nothing_differs(infant)
    assert [one.kind for one in trial.new_episodes] == ["persistent_shift"]
    assert len(trial.sessions) == 20
    assert all(pair.n_recordings == pair.n_tried == 2 for pair in trial.sessions)


def test_everything_of_every_verdict_is_that_which_is_stored(known: tuple[Infant, Device]) -> None:
    infant, device = known
    live(infant, device, [13, 14])
    history = History.of(infant)
    again = Replay(history, stored_embeddings(history.recordings)).go()
    for session, row in history.verdicts.items():
        verdict = again.sessions[session].verdict
        assert verdict is not None
        assert verdict.p_values == row.p_values
        assert verdict.statistic == row.statistic
        assert verdict.room_p_value == row.room_p_value
        assert row.room_p_value is not None
    for row in RecordingJudgement.objects.filter(p_value__isnull=False).select_related("model"):
        version, score = again.sessions[row.recording.session_id].scores[row.recording_id]
        assert (score.p_value, score.scores) == (row.p_value, row.scores)
        assert version.number == row.model.number
    models = PersonalModel.objects.filter(infant=infant).order_by("number")
    assert [[str(id_) for id_ in version.recordings] for version in again.versions] == [
        model.facts["recordings"] for model in models
    ]


def test_a_version_is_fitted_on_the_very_same_arrays(known: tuple[Infant, Device]) -> None:
    infant, _ = known
    live(infant, Device.objects.create(name="Another"), [11.4])
    recordings = list(Recording.objects.filter(infant=infant).order_by("recorded_at"))
    mine = baseline_of(infant, recordings, stored_embeddings(recordings))
    theirs = baseline_arrays(infant, recordings)
    for name in ("embeddings", "recording", "session", "day", "device"):
        np.testing.assert_array_equal(getattr(mine, name), getattr(theirs, name))
    assert mine.views is not None
    assert theirs.views is not None
    for name in ("embeddings", "channels", "room", "age_days"):
        np.testing.assert_array_equal(getattr(mine.views, name), getattr(theirs.views, name))


def _comes_late(infant: Infant, device: Device) -> None:
    """Let cries come after those of later days, and one that belongs to an earlier session."""
    live(infant, device, [14, 15, 13.2, 2.5, 14.01, 16, 17, 18])


def _changes_its_monitor(infant: Infant, _device: Device) -> None:
    live(infant, Device.objects.create(name="Another"), [13.5, 14.5, 15.5, 16.5, 17.5, 18.5])


def _is_ill(infant: Infant, device: Device) -> None:
    """Let a shift last until its first days would be ripe, were they not held back."""
    live(infant, device, [13, 14, 15, 16, 17, 18, 23, 24, 25], shift=6.0)


def _is_ill_and_reviewed(infant: Infant, device: Device) -> None:
    """Call a shift usual while it is open, so that its days are learnt."""
    live(infant, device, [13, 14, 15, 16, 17, 18], shift=6.0)
    shift = infant.episodes.get(kind=Episode.Kind.PERSISTENT_SHIFT)
    review_episode(SYSTEM, shift.id, "usual")
    live(infant, device, [23, 24, 25], shift=6.0)


def _has_cries_reviewed(infant: Infant, device: Device) -> None:
    """Withdraw a cry that was learnt, and let one be learnt that was refused."""
    heard = list(Recording.objects.filter(infant=infant).order_by("recorded_at"))
    live(infant, device, [13.5])
    review_cry(SYSTEM, heard[2].id, may_learn=False)
    refused = next(one for one in heard if not one.gate_decision.accepted)
    live(infant, device, [17])
    review_cry(SYSTEM, refused.id, may_learn=True)
    live(infant, device, [18, 19, 20])


def _has_cries_answered(infant: Infant, device: Device) -> None:
    """Say of some cries that they are not the infant's: of one of two, and of a whole session."""
    live(infant, device, [14, 14.01, 15, 16])
    heard = list(Recording.objects.filter(infant=infant).order_by("-recorded_at"))
    answer_cry(SYSTEM, heard[2].id, "not_a_cry")
    answer_cry(SYSTEM, heard[1].id, "not_my_baby")
    answer_cry(SYSTEM, heard[4].id, "not_my_baby")
    answer_cry(SYSTEM, heard[4].id, "")
    live(infant, device, [17, 24])


def _is_rolled_back(infant: Infant, device: Device) -> None:
    live(infant, device, [15, 16, 17, 18])
    roll_back(infant, 2)
    live(infant, device, [19, 20, 27, 28])


@pytest.mark.parametrize(
    "lives_on",
    [
        _is_ill_and_reviewed,
        _has_cries_reviewed,
        pytest.param(_comes_late, marks=pytest.mark.embedded),
        pytest.param(_changes_its_monitor, marks=pytest.mark.embedded),
        pytest.param(_is_ill, marks=pytest.mark.embedded),
        pytest.param(_has_cries_answered, marks=pytest.mark.embedded),
        pytest.param(_is_rolled_back, marks=pytest.mark.embedded),
    ],
)
def test_whatever_happened_an_unchanged_build_differs_in_nothing(
    known: tuple[Infant, Device], lives_on: Callable[[Infant, Device], None]
) -> None:
    infant, device = known
    lives_on(infant, device)
    assert_nothing_differs(infant)


@override_settings(ICLAS_BUFFER_RECORDINGS=11)
def test_the_buffer_is_bounded_in_a_replay_too() -> None:
    infant, device = _become_known()
    live(infant, device, [13, 17, 18, 19, 20])
    assert infant.baseline.count() == 11
    assert_nothing_differs(infant)


# --- what another build changes -------------------------------------------------------------------


def another_scorer(p_value: Callable[[float], float]) -> Any:
    """Return a patch that stands for a build whose sessions get other p-values."""
    judge = Fitted.score_session

    def changed(self: Fitted, recordings: Sequence[RecordingScore]) -> SessionScore:
        said = judge(self, recordings)
        return dataclasses.replace(said, p_value=p_value(said.p_value))

    return mock.patch.object(Fitted, "score_session", changed)


def test_another_scorer_shows_as_what_it_changes(known: tuple[Infant, Device]) -> None:
    infant, device = known
    live(infant, device, [13])
    old = list(SessionJudgement.objects.order_by("started_at").values_list("p_value", flat=True))
    assert len(old) == 3
    assert min(old) > 0.05
    with another_scorer(lambda p_value: 0.03 if p_value == old[1] else p_value):
        trial = try_on_history(infant)
    found = differences(trial)
    assert [pair.is_newly_unusual for pair in trial.sessions] == [False] * 12 + [True, False]
    assert (found.n_sessions, found.newly_unusual, found.no_longer_unusual) == (3, 1, 0)
    assert (found.largest_difference, found.median_difference) == (old[1] - 0.03, 0.0)
    assert (found.only_in_old, found.only_in_new) == (0, 0)
    assert not found.is_none
    SessionJudgement.objects.update(p_value=0.02)
    back = differences(try_on_history(infant))
    assert (back.newly_unusual, back.no_longer_unusual) == (0, 3)


def test_a_number_in_one_only_is_no_change_of_a_verdict(known: tuple[Infant, Device]) -> None:
    infant, _ = known
    first, second = SessionJudgement.objects.order_by("started_at")
    first.delete()
    found = differences(try_on_history(infant))
    assert (found.n_sessions, found.only_in_old, found.only_in_new) == (1, 0, 1)
    with mock.patch.object(Fitted, "fit", return_value=Learning(8, 9)):
        found = differences(try_on_history(infant))
    assert (found.n_sessions, found.only_in_old, found.only_in_new) == (0, 1, 0)
    assert found.largest_difference is None
    assert second.p_value > 0.05


def test_episodes_are_paired_by_kind_and_time(known: tuple[Infant, Device]) -> None:
    infant, device = known
    live(infant, device, [13, 14])
    old = list(SessionJudgement.objects.order_by("started_at").values_list("p_value", flat=True))
    with another_scorer(lambda p_value: 0.01 if p_value in (old[1], old[2]) else p_value):
        trial = try_on_history(infant)
    (single,) = differences(trial).episodes_only_in_new
    assert (single.kind, single.close_reason) == ("single_extreme", "back_to_usual")
    assert single.opened_at == judged.START + 12 * DAY
    begun = {"infant": infant, "kind": "single_extreme", "opened_at": judged.START + 11.5 * DAY}
    Episode.objects.create(**begun, last_at=judged.START + 12 * DAY)
    shift = {"infant": infant, "kind": "persistent_shift", "opened_at": judged.START + 12 * DAY}
    Episode.objects.create(**shift, last_at=judged.START + 13 * DAY)
    with another_scorer(lambda p_value: 0.01 if p_value in (old[1], old[2]) else p_value):
        found = differences(try_on_history(infant))
    (both,) = found.episodes_in_both
    assert (both.kind, both.hours_later, found.n_moved_episodes) == ("single_extreme", 12.0, 1)
    assert [one.kind for one in found.episodes_only_in_old] == ["persistent_shift"]
    assert found.episodes_only_in_new == ()


def test_fewer_versions_are_learnt_where_fewer_are_asked_for(known: tuple[Infant, Device]) -> None:
    infant, device = known
    live(infant, device, [16.2, 17.2, 18.2])
    history = History.of(infant)
    embedded = stored_embeddings(history.recordings)
    daily = Replay(history, embedded).go()
    weekly = Replay(history, embedded, refit_every_days=7).go()
    assert len(daily.versions) == PersonalModel.objects.count() == 3
    gaps = [b.learnt_on - a.learnt_on for a, b in itertools.pairwise(weekly.versions)]
    assert gaps == [7 * DAY]


def test_trying_writes_nothing(known: tuple[Infant, Device]) -> None:
    infant, _ = known
    models = (PersonalModel, SessionJudgement, RecordingJudgement, Episode, Event, Cry, Recording)
    before = [list(model.objects.order_by("pk").values()) for model in models]
    report = report_of(trial := try_on_history(infant), differences(trial))
    assert [list(model.objects.order_by("pk").values()) for model in models] == before
    assert VersionTrial.objects.count() == 0
    row = keep_trial(trial)
    row.refresh_from_db()
    assert (row.encoder, row.build, row.n_sessions, row.adopted_at) == ("", build(), 2, None)
    assert row.report == report
    assert len(row.report["sessions"]) == 13
    assert row.report["sessions"][-1]["old"] == row.report["sessions"][-1]["new"]


# --- another encoder ------------------------------------------------------------------------------


@dataclasses.dataclass
class OtherEncoder:
    """An encoder that knows recordings by their length, and may hear them as something else."""

    vectors: dict[int, NDArray[np.float32]]
    fingerprint: str = "other"
    n_embedded: int = 0

    def embed(self, items: Sequence[tuple[Sound, Sequence[Any]]]) -> list[NDArray[np.float32]]:
        self.n_embedded += len(items)
        found = [self.vectors[sound.samples.size] for sound, _ in items]
        assert [len(units) for _, units in items] == [len(vectors) for vectors in found]
        return found


@pytest.fixture(autouse=True)
def _fits_name_their_encoder(_fitted_once: None) -> Iterator[None]:
    """Let a fit that is shared between tests carry the encoder that it is asked for by."""
    shared = Fitted.fit

    def named(baseline: Baseline, encoder: str, **given: Any) -> Fitted | Learning:
        fitted = shared(baseline, encoder, **given)
        if isinstance(fitted, Learning):
            return fitted
        return dataclasses.replace(fitted, facts=fitted.facts | {"encoder_fingerprint": encoder})

    with mock.patch.object(Fitted, "fit", named):
        yield


@pytest.fixture
def other(known: tuple[Infant, Device]) -> OtherEncoder:
    """Give the known infant's recordings audio, and return an encoder that hears just the same."""
    vectors = {}
    recordings = Recording.objects.filter(infant=known[0]).order_by("recorded_at")
    for number, recording in enumerate(recordings):
        samples = 4000 + number
        keep_audio_of(recording, samples)
        vectors[samples] = np.stack([cry.vector for cry in recording.cries.order_by("index")])
    return OtherEncoder(vectors)


def keep_audio_of(recording: Recording, samples: int) -> None:
    """Store a hiss of so many samples as a recording's audio."""
    hiss = np.random.default_rng(samples).normal(scale=0.1, size=samples)
    content = wav_bytes(hiss)
    recording.sha256 = hashlib.sha256(content).hexdigest()
    recording.audio = default_storage.save(f"audio/{recording.sha256}", ContentFile(content))
    recording.save()


def wav_bytes(samples: NDArray[np.float64]) -> bytes:
    stream = io.BytesIO()
    with wave.open(stream, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(16_000)
        writer.writeframes((samples * 2**15).astype("<i2").tobytes())
    return stream.getvalue()


def test_an_encoder_that_hears_the_same_changes_nothing(
    known: tuple[Infant, Device], other: OtherEncoder
) -> None:
    trial = try_on_history(known[0], other)
    assert trial.encoder == "other"
    assert trial.untried == ()
    assert other.n_embedded == trial.n_recordings == 18
    assert differences(trial).is_none
    assert differences(trial).n_sessions == 2
    assert set(Cry.objects.values_list("encoder", flat=True)) == {judged.ENCODER}


def test_an_encoder_that_hears_something_else_shows_where(
    known: tuple[Infant, Device], other: OtherEncoder
) -> None:
    infant, _ = known
    other.vectors[max(other.vectors)] = judged.voice(Infant(name="Zoe"), seed=1)
    trial = try_on_history(infant, other)
    *same, last = trial.sessions
    assert all(pair.old == pair.new for pair in same)
    assert last.new < last.old
    assert differences(trial).largest_difference == last.old - last.new


def test_what_has_no_audio_is_counted_and_named_and_never_guessed(
    known: tuple[Infant, Device], other: OtherEncoder
) -> None:
    infant, _ = known
    erased, missing, damaged, *_, last = Recording.objects.order_by("recorded_at")
    Recording.objects.filter(id=erased.id).update(audio_erased_at=timezone.now())
    default_storage.delete(missing.audio)
    with default_storage.open(damaged.audio, "r+b") as stored:
        stored.write(b"not what was uploaded")
    default_storage.delete(last.audio)
    trial = try_on_history(infant, other)
    assert {one.recording: one.reason for one in trial.untried} == {
        erased.id: "audio_erased",
        missing.id: "audio_missing",
        damaged.id: "audio_corrupt",
        last.id: "audio_missing",
    }
    first, *_ = trial.sessions
    assert (first.n_recordings, first.n_tried) == (2, 0)
    assert [pair.new for pair in trial.sessions] == [None] * 13  # the ninth day is the twelfth now
    found = differences(trial)
    assert (found.untried, found.n_sessions, found.only_in_old) == (4, 0, 2)


# --- the commands ---------------------------------------------------------------------------------


def said(*words: str, **options: Any) -> str:
    """Run a command, and return what it printed."""
    out = StringIO()
    call_command(*words, stdout=out, **options)
    return out.getvalue()


@pytest.fixture
def named(other: OtherEncoder) -> Iterator[OtherEncoder]:
    """Let both commands find the other encoder, whatever it is called."""
    commands = "anomaly.management.commands"
    with (
        mock.patch(f"{commands}.try_version.encoder_named", return_value=other),
        mock.patch(f"{commands}.adopt_encoder.encoder_named", return_value=other),
    ):
        yield other


def test_trying_a_build_says_that_nothing_would_change(known: tuple[Infant, Device]) -> None:
    infant, _ = known
    judged.an_infant_with_monitor("Zoe")
    text = said("try_version")
    assert f"Ada ({infant.id}): 13 sessions from 2026-03-01 to 2026-03-13" in text
    assert "Nothing would change." in text
    assert "Zoe" in text
    assert "nothing has been judged yet" in text
    assert "In all: for 1 of 1 infant nothing would change. Of 2 sessions compared" in text
    assert VersionTrial.objects.get().infant == infant


def test_trying_an_encoder_names_what_would_change(
    known: tuple[Infant, Device], named: OtherEncoder, tmp_path: Path
) -> None:
    infant, _ = known
    Recording.objects.filter(id=infant.recordings.earliest("recorded_at").id).update(audio="")
    with another_scorer(lambda p_value: p_value / 100):
        text = said("try_version", str(infant.id), encoder="x", json=tmp_path / "found.json")
    assert "2 newly unusual" in text
    assert text.count(", newly unusual") == 2
    assert "in the new only: one session unlike the others, noticed 2026-03-12 10:00" in text
    assert "1 recording could not be tried, audio_missing" in text
    assert "manage.py adopt_encoder x" in text
    (report,) = json.loads((tmp_path / "found.json").read_text())
    assert report == VersionTrial.objects.get().report
    assert report["encoder"] == "other"
    assert report["differences"]["newly_unusual"] == 2


def test_what_cannot_be_tried_is_refused_in_words(tmp_path: Path) -> None:
    for words, told in (
        (["try_version", "nobody"], "no infant 'nobody'"),
        (["try_version", "--encoder", "nowhere"], "'nowhere' cannot be used"),
        (["try_version", "--json", str(tmp_path / "no" / "file")], "no folder"),
        (["try_version", "--refit-every-days", "0"], "at least 1"),
        (["adopt_encoder", "nowhere"], "'nowhere' cannot be used"),
    ):
        with pytest.raises(CommandError, match=told):
            call_command(*words)
    assert said("try_version").startswith("Nothing was tried.")


@pytest.mark.parametrize("tried", ["never", "by another build", "with another encoder"])
def test_what_was_not_tried_is_not_adopted(
    known: tuple[Infant, Device], named: OtherEncoder, tried: str
) -> None:
    infant, _ = known
    if tried != "never":
        trial = try_on_history(infant, named)
        keep_trial(
            dataclasses.replace(
                trial,
                **{
                    "by another build": {"build": "code of yesterday"},
                    "with another encoder": {"encoder": "a third one"},
                }[tried],
            )
        )
    with pytest.raises(CommandError, match=rf"Nothing was changed.*Ada \({infant.id}\)"):
        said("adopt_encoder", "x")
    assert set(Cry.objects.values_list("encoder", flat=True)) == {judged.ENCODER}
    assert not VersionTrial.objects.exclude(adopted_at=None).exists()


def test_an_adopted_encoder_learns_at_the_next_cry_and_alters_no_judgement(
    known: tuple[Infant, Device], named: OtherEncoder
) -> None:
    infant, device = known
    keep_trial(try_on_history(infant, named))
    before = list(RecordingJudgement.objects.order_by("pk").values())
    silent = infant.recordings.earliest("recorded_at")
    default_storage.delete(silent.audio)
    text = said("adopt_encoder", "x")
    assert "of the baseline 16 recordings embedded anew, 0 already were; 1 without audio" in text
    assert "set ICLAS_ENCODER=x" in text
    assert list(RecordingJudgement.objects.order_by("pk").values()) == before
    assert VersionTrial.objects.get().adopted_at is not None
    with mock.patch.object(judged, "ENCODER", "other"):
        live(infant, device, [13, 13.5])
    model = PersonalModel.objects.get(encoder="other")
    assert str(silent.id) not in model.facts["recordings"]
    last = infant.recordings.latest("recorded_at")
    assert last.judgement.model == model


def test_adopting_goes_on_where_it_was_stopped(
    known: tuple[Infant, Device], named: OtherEncoder
) -> None:
    keep_trial(try_on_history(known[0], named))
    named.n_embedded = 0
    first = known[0].recordings.earliest("recorded_at")
    Cry.objects.filter(recording=first).update(encoder="other")
    said("adopt_encoder", "x")
    assert named.n_embedded == 16
    adopted_at = VersionTrial.objects.get().adopted_at
    assert "0 recordings embedded anew, 17 already were" in said("adopt_encoder", "x")
    assert named.n_embedded == 16
    assert VersionTrial.objects.get().adopted_at == adopted_at


def test_what_was_embedded_anew_cannot_be_recomputed_and_says_so(
    known: tuple[Infant, Device], named: OtherEncoder
) -> None:
    infant, _ = known
    keep_trial(try_on_history(infant, named))
    said("adopt_encoder", "x")
    last = infant.recordings.latest("recorded_at")
    last.gate_features = b"features"
    with mock.patch("anomaly.provenance.bundled_heads", return_value=mock.Mock(version="numbers")):
        made = {one.of: one for one in recomputations(last)}
    assert made.pop("timeline").agreement is Agreement.IDENTICAL
    assert set(made) == {"gate", "score", "session"}
    for one in made.values():
        assert one.agreement is Agreement.NOT_POSSIBLE
        assert one.reason == "its embeddings are of encoder other, and numbers was judged"


def test_trials_are_shown_in_the_admin_and_cannot_be_changed() -> None:
    client = as_user(a_user(is_staff=True, is_superuser=True))
    given = {"build": "code 1", "made_at": timezone.now(), "n_sessions": 3}
    row = VersionTrial.objects.create(infant=an_infant(), encoder="other", **given)
    assert "other" in str(row)
    assert client.get("/admin/anomaly/versiontrial/").status_code == 200
    page = f"/admin/anomaly/versiontrial/{row.pk}/change/"
    assert client.get(page).status_code == 200
    assert client.post(page, {}).status_code == 403
