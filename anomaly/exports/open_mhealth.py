"""Open mHealth: a data point each recording, one JSON document a line.

A data point has a header and a body. The header is the standard's; the body is of a schema of our
own (`docs/schemas/iclas-cry-deviation-1.0.json`), in a namespace of our own. Guaranteed: the body
has a p-value or a reason why there is none, never both.
"""

import json
from collections.abc import Iterator
from typing import Any

from anomaly.exports.absences import absence_of, decision_of, judgement_of
from anomaly.exports.tables import utc
from anomaly.models import RecordingJudgement
from anomaly.notice import NOTICE
from anomaly.selectors.exported import Subject, Taken
from infants.models import Recording

SCHEMA_ID = {"namespace": "iclas", "name": "cry-deviation", "version": "1.0"}
Document = dict[str, Any]


def open_mhealth_of(taken: Taken) -> Iterator[bytes]:
    """Yield the data points."""
    for subject, recording in taken.rows():
        point = {"header": _header(subject, recording), "body": _body(recording)}
        yield f"{json.dumps(point)}\n".encode()


def _header(subject: Subject, recording: Recording) -> Document:
    return {
        "id": str(recording.id),
        "creation_date_time": utc(recording.received_at),
        "schema_id": SCHEMA_ID,
        "acquisition_provenance": {
            "source_name": "ICLAS",
            "source_data_point_id": str(recording.id),
            "modality": "sensed",
        },
        "user_id": str(subject.id),
    }


def _body(recording: Recording) -> Document:
    ends = {
        "start_date_time": utc(recording.recorded_at),
        "end_date_time": utc(recording.ended_at),
    }
    decision = decision_of(recording)
    body: Document = {
        "effective_time_frame": {"time_interval": ends},
        "n_cries": recording.n_cries,  # type: ignore[attr-defined]
        "cry_duration": {"value": recording.cry_s, "unit": "sec"},  # type: ignore[attr-defined]
        "notice": NOTICE,
    }
    if decision is not None:
        body |= {"gate_accepted": decision.accepted, "answer": decision.answer or None}
    judgement, because = judgement_of(recording), absence_of(recording)
    if because or judgement is None:
        return body | {"no_score_because": because}
    return body | _numbers(judgement)


def _numbers(judgement: RecordingJudgement) -> Document:
    return {
        "p_value": judgement.p_value,
        "p_values": judgement.p_values,
        "scores": judgement.scores,
        "room_p_value": judgement.room_p_value,
        "model": str(judgement.model_id),
        "encoder": judgement.encoder,
    }
