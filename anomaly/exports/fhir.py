"""FHIR R4: a Bundle of infant and monitors, an Observation each recording, a report each month.

What comes in: what is taken away. What goes out: one JSON document, entry by entry. Guaranteed: the
codes are of a system of our own, none of LOINC is claimed; name and birth date only where the
viewer may know them; an Observation without a score has a reason and no number; that all of it is
for research stands in every Observation and report. Recordings are referred to by identifier: they
are not part of the Bundle.
"""

import datetime as dt
import itertools
import json
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any
from uuid import UUID

from anomaly.exports.absences import ON_ITS_WAY, STILL_LEARNING, absence_of, decision_of
from anomaly.exports.tables import utc
from anomaly.models import RecordingJudgement
from anomaly.notice import NOTICE
from anomaly.selectors.exported import Subject, Taken
from devices.models import Device
from infants.models import Recording
from infants.pseudonyms import pseudonym
from infants.states import Reason

CODES = "urn:iclas:fhir:codes"
IDENTIFIERS = "urn:iclas:fhir:identifiers"
ABSENCES = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
UNITS = "http://unitsofmeasure.org"
DEVIATION = "cry-deviation"
TITLES = {
    DEVIATION: "Deviation of crying from the infant's own baseline",
    "cry-deviation-month": "Deviation of crying from the infant's own baseline, by month",
    "p-value": "How often a usual recording of this infant is as far from the baseline",
    "room-p-value": "How often a usual background of this infant is as far from the known ones",
}
REASONS: Mapping[str, str] = {
    STILL_LEARNING: "temp-unknown",
    ON_ITS_WAY: "temp-unknown",
    Reason.NOT_A_CRY: "not-applicable",
    Reason.NO_CRY_UNITS: "not-applicable",
    Reason.SILENT: "not-applicable",
    "not_my_baby": "not-applicable",
}
"""Our reasons in the words of the standard's list; whatever is not here is an error there."""
Resource = dict[str, Any]


def fhir_of(taken: Taken) -> Iterator[bytes]:
    """Yield a Bundle of the kind `collection`."""
    about = {"resourceType": "Bundle", "type": "collection", "timestamp": utc(taken.as_of)}
    head = json.dumps(about)
    before = f'{head[:-1]}, "entry": [\n'
    ends = head
    for resource in _resources(taken):
        entry = {"fullUrl": _urn(resource["id"]), "resource": resource}
        yield f"{before}{json.dumps(entry, ensure_ascii=False)}".encode()
        before, ends = ",\n", "\n]}\n"
    yield ends.encode()


def _resources(taken: Taken) -> Iterator[Resource]:
    for subject in taken.subjects:
        yield _patient(subject)
        for device in taken.devices(subject):
            yield _device(subject, device)
        by_month = itertools.groupby(taken.recordings(subject), partial(_month, subject))
        for month, recordings in by_month:
            ids = []
            for recording in recordings:
                yield _observation(subject, recording)
                ids.append(recording.id)
            yield _report(subject, taken, month, ids)


def _patient(subject: Subject) -> Resource:
    infant = subject.infant
    patient: Resource = {
        "resourceType": "Patient",
        "id": str(subject.id),
        "identifier": [_identifier("infant", subject.id)],
    }
    if subject.is_identified:
        patient["name"] = [{"text": infant.name}]
        if infant.birth_date is not None:
            patient["birthDate"] = infant.birth_date.isoformat()
    return patient


def _device(subject: Subject, device: Device) -> Resource:
    shown: Resource = {
        "resourceType": "Device",
        "id": str(subject.device_id(device)),
        "identifier": [_identifier("device", subject.device_id(device))],
        "status": "active" if device.revoked_at is None else "inactive",
        "type": {"coding": [{"system": CODES, "code": device.kind}], "text": device.kind},
    }
    if device.hardware:
        shown["modelNumber"] = device.hardware
    if subject.is_identified:
        shown["deviceName"] = [{"name": device.name, "type": "user-friendly-name"}]
    return shown


def _observation(subject: Subject, recording: Recording) -> Resource:
    decision, because = decision_of(recording), absence_of(recording)
    if decision is not None and not decision.is_counted:
        because = decision.answer
    observation: Resource = {
        "resourceType": "Observation",
        "id": str(recording.id),
        "identifier": [_identifier("observation", recording.id)],
        "status": "preliminary" if because == ON_ITS_WAY else "final",
        "code": _code(DEVIATION),
        "subject": _reference(subject.id),
        "effectivePeriod": {"start": utc(recording.recorded_at), "end": utc(recording.ended_at)},
        "device": _reference(subject.device_id(recording.device)),
        "derivedFrom": [{"type": "Media", "identifier": _identifier("recording", recording.id)}],
        "note": [{"text": NOTICE}],
    }
    found = _absent(because) if because else _numbers(recording.judgement)
    return observation | found


def _absent(because: str) -> Resource:
    code = REASONS.get(because, "error")
    codings = [{"system": ABSENCES, "code": code}, {"system": CODES, "code": because}]
    return {"dataAbsentReason": {"coding": codings, "text": because.replace("_", " ")}}


def _numbers(judgement: RecordingJudgement) -> Resource:
    components = [_component(f"p-value-{name}", p) for name, p in judgement.p_values.items()]
    components += [_component(f"score-{name}", score) for name, score in judgement.scores.items()]
    if judgement.room_p_value is not None:
        components.append(_component("room-p-value", judgement.room_p_value))
    return {
        "issued": utc(judgement.judged_at),
        "valueQuantity": _quantity(judgement.p_value),
        "method": _method(judgement),
        "component": components,
    }


def _method(judgement: RecordingJudgement) -> Resource:
    number = 0 if judgement.model is None else judgement.model.number
    said = f"personal model {number}, encoder {judgement.encoder}, build {judgement.build}"
    return {
        "coding": [{"system": CODES, "code": f"model-{judgement.model_id}"}],
        "text": f"p-value, small is unusual for this infant; {said}",
    }


def _component(code: str, value: float) -> Resource:
    return {"code": _code(code), "valueQuantity": _quantity(value)}


def _quantity(value: float | None) -> Resource:
    return {"value": value, "unit": "1", "system": UNITS, "code": "1"}


def _report(subject: Subject, taken: Taken, month: dt.datetime, ids: list[UUID]) -> Resource:
    following = (month + dt.timedelta(days=32)).replace(day=1)
    start = month if taken.start is None else max(month, taken.start)
    end = following if taken.end is None else min(following, taken.end)
    key = pseudonym(f"report:{start.isoformat()}:{end.isoformat()}", subject.infant.id)
    return {
        "resourceType": "DiagnosticReport",
        "id": str(key),
        "status": "final" if end <= taken.as_of else "preliminary",
        "code": _code("cry-deviation-month"),
        "subject": _reference(subject.id),
        "effectivePeriod": {"start": utc(start), "end": utc(end)},
        "issued": utc(taken.as_of),
        "result": [_reference(one) for one in ids],
        "conclusion": NOTICE,
    }


def _month(subject: Subject, recording: Recording) -> dt.datetime:
    """Return where the month of a recording starts where the infant lives."""
    local = recording.recorded_at.astimezone(subject.infant.zone)
    return local.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _code(code: str) -> Resource:
    title = TITLES.get(code, code.replace("-", " ").replace("_", " "))
    return {"coding": [{"system": CODES, "code": code, "display": title}], "text": title}


def _identifier(kind: str, known: UUID) -> Resource:
    return {"system": f"{IDENTIFIERS}:{kind}", "value": str(known)}


def _reference(known: UUID) -> Resource:
    return {"reference": _urn(known)}


def _urn(known: object) -> str:
    return f"urn:uuid:{known}"
