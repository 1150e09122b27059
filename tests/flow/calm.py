"""The same recordings judged once more in peace, and what both runs said of them.

What comes in: an installation at rest, and the test's own empty database. What goes out: verdicts,
plain values by a name that both runs share. Guaranteed: the same infants (their ids seed the fits),
the same bytes, oldest recording first, in one process without a queue.
"""

from collections.abc import Iterator
from typing import Any

from django.core.files.base import ContentFile

from anomaly.models import DailyRollup, Episode, PersonalModel, SessionJudgement
from devices.models import Device
from iclas import flow
from infants.models import DeviceAssignment, Household, Infant, Recording
from infants.stages.upload import Upload, store_upload
from tests.installation import Installation

Verdicts = dict[tuple[Any, ...], dict[str, Any]]
OF_RECORDING = ("state", "reason", "recorded_at", "duration_s", "quality", "source_format")
OF_CRY = ("index", "onset_s", "offset_s", "measures", "encoder")
OF_DECISION = (
    *("is_cry", "cry_probability", "accepted", "confidence", "threshold", "arousal"),
    *("parts", "abstained", "given", "gate_version"),
)
OF_JUDGEMENT = (
    *("outcome", "scores", "p_values", "statistic", "p_value", "room_p_value", "baseline_days"),
    *("baseline_days_needed", "encoder"),
)
OF_MODEL = (
    *("encoder", "learnt_on", "learnt_until", "in_force_after", "sha256"),
    *("n_units", "n_recordings", "n_sessions", "n_days"),
)
OF_SESSION = ("statistic", "p_value", "p_values", "room_p_value", "n_recordings")
OF_ROLLUP = ("n_recordings", "n_cries", "cry_s", "n_accepted", "n_scored", "p_value_min")
OF_EPISODE = ("last_at", "closed_at", "close_reason", "evidence")


def judged_in_peace(installation: Installation) -> None:
    """Judge what the installation has stored in the test's own database."""
    for model in (Household, Infant, Device, DeviceAssignment):
        model._default_manager.using("default").bulk_create(installation.rows(model))
    devices = {device.id: device for device in Device.objects.all()}
    with flow.kept_back() as ids:
        for recording in installation.rows(Recording).order_by("recorded_at", "id"):
            content = (installation.home / "storage" / recording.audio).read_bytes()
            audio = ContentFile(content, name=recording.source_name)
            key = recording.idempotency_key
            upload = Upload(audio, recording.recorded_at.isoformat(), idempotency_key=key)
            store_upload(devices[recording.device_id], upload)
    flow.drive(list(ids))


def verdicts(alias: str) -> Verdicts:
    """Return everything that was said in a database, by names that do not depend on the run."""
    return dict(_verdicts(alias))


def _verdicts(alias: str) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
    for recording in Recording.objects.using(alias):
        name = (recording.device_id, recording.sha256)
        yield ("recording", *name), _values(recording, OF_RECORDING)
        yield ("session", *name), _session(recording)
        for cry in recording.cries.all():
            said = _values(cry, OF_CRY) | {"embedding": bytes(cry.embedding or b"").hex()}
            yield ("cry", *name, cry.index), said
        yield ("decision", *name), _values(getattr(recording, "gate_decision", None), OF_DECISION)
        judgement = getattr(recording, "judgement", None)
        number = judgement.model.number if judgement and judgement.model else None
        yield ("judgement", *name), _values(judgement, OF_JUDGEMENT) | {"version": number}
    for model in PersonalModel.objects.using(alias):
        yield ("model", model.infant_id, model.number), _values(model, OF_MODEL)
    for rollup in DailyRollup.objects.using(alias):
        rollup.cry_s = round(rollup.cry_s, 6)  # the server adds up in an order of its own
        yield ("rollup", rollup.infant_id, rollup.day), _values(rollup, OF_ROLLUP)
    for episode in Episode.objects.using(alias):
        name = (episode.infant_id, episode.kind, episode.opened_at)
        yield ("episode", *name), _values(episode, OF_EPISODE)


def _session(recording: Recording) -> dict[str, Any]:
    session = recording.session
    if session is None:
        return {}
    judgement: SessionJudgement | None = getattr(session, "judgement", None)
    bounds = {"started_at": session.started_at, "ended_at": session.ended_at}
    return bounds | _values(judgement, OF_SESSION)


def _values(row: Any, names: tuple[str, ...]) -> dict[str, Any]:
    return {} if row is None else {name: getattr(row, name) for name in names}


def differences(first: Verdicts, second: Verdicts) -> list[str]:
    """Return in sentences where two runs do not say the same."""
    said = [f"{name} is in one run only" for name in first.keys() ^ second.keys()]
    for name in first.keys() & second.keys():
        for word in first[name].keys() | second[name].keys():
            one, other = first[name].get(word), second[name].get(word)
            if one != other:
                said.append(f"{name}: {word} is {_short(one)}, in peace {_short(other)}")
    return sorted(said)


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) < 300 else f"{text[:300]}..."
