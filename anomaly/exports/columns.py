"""The columns of a recording in tables: one list for CSV and Parquet, and for their description.

What comes in: a recording with all that was decided on it. What goes out: its values, in the order
of `COLUMNS`. Guaranteed: what is not known is None, and nothing stands in for it; no name, no
address and no free text is in any column; `docs/exports.md` describes each.
"""

import datetime as dt
import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter

from anomaly.exports.absences import absence_of, decision_of, judgement_of
from anomaly.selectors.exported import Subject
from infants.models import Recording
from pipelines.acoustics import CHANNELS
from pipelines.score import SCORERS

Value = str | float | int | bool | dt.datetime | None


class Kind(enum.StrEnum):
    """What the values of a column are."""

    TEXT = "text"
    TIME = "time"
    REAL = "real"
    COUNT = "count"
    FLAG = "flag"


@dataclass(frozen=True)
class Column:
    """One column: its name, the kind of its values, and where they come from."""

    name: str
    kind: Kind
    read: Callable[[Subject, Recording], Value]


def values_of(subject: Subject, recording: Recording) -> list[Value]:
    """Return a recording's values, in the order of the columns."""
    return [column.read(subject, recording) for column in COLUMNS]


def _own(name: str, kind: Kind, path: str | None = None) -> Column:
    """Return a column of the recording itself, or of what always goes with it."""
    read = attrgetter(path or name)
    return Column(name, kind, lambda _subject, recording: _plain(read(recording), kind))


def _of(part: Callable[[Recording], object], name: str, kind: Kind, path: str = "") -> Column:
    """Return a column of what a recording may lack."""
    read = attrgetter(path or name)

    def value(_subject: Subject, recording: Recording) -> Value:
        found = part(recording)
        return None if found is None else _plain(read(found), kind)

    return Column(name, kind, value)


def _plain(value: object, kind: Kind) -> Value:
    """Return a value as tables hold it; an empty text says nothing."""
    if value is None or value == "":
        return None
    return str(value) if kind is Kind.TEXT else value  # type: ignore[return-value]


def _model_of(recording: Recording) -> object:
    judgement = judgement_of(recording)
    return None if judgement is None else judgement.model


def _session_judgement_of(recording: Recording) -> object:
    return getattr(recording.session, "judgement", None)


def _by_scorer(prefix: str, member: str) -> list[Column]:
    def column(scorer: str) -> Column:
        def value(_subject: Subject, recording: Recording) -> Value:
            given: dict[str, float] = getattr(judgement_of(recording), member, {})
            return given.get(scorer)

        return Column(f"{prefix}_{scorer}", Kind.REAL, value)

    return [column(scorer) for scorer in SCORERS]


def _channel(name: str, member: str, kind: Kind, ending: str) -> Column:
    def value(_subject: Subject, recording: Recording) -> Value:
        answer: dict[str, Value] = recording.channels.get(name, {})
        return answer.get(member)

    return Column(f"channel_{name}{ending}", kind, value)


def _channels() -> list[Column]:
    return [
        column
        for channel in CHANNELS
        for column in (
            _channel(channel.name, "value", Kind.REAL, ""),
            _channel(channel.name, "confidence", Kind.REAL, "_confidence"),
            _channel(channel.name, "missing", Kind.TEXT, "_missing"),
        )
    ]


def _age_days(subject: Subject, recording: Recording) -> Value:
    return subject.infant.age_days(recording.recorded_at)


def _corrected_age_days(subject: Subject, recording: Recording) -> Value:
    return subject.infant.corrected_age_days(recording.recorded_at)


COLUMNS: Sequence[Column] = (
    # whose, when, by what
    Column("infant", Kind.TEXT, lambda subject, _recording: str(subject.id)),
    _own("recording", Kind.TEXT, "id"),
    _own("session", Kind.TEXT, "session_id"),
    Column("device", Kind.TEXT, lambda subject, one: str(subject.device_id(one.device))),
    _own("device_kind", Kind.TEXT, "device.kind"),
    _own("device_hardware", Kind.TEXT, "device.hardware"),
    _own("recorded_at", Kind.TIME),
    _own("received_at", Kind.TIME),
    Column("time_zone", Kind.TEXT, lambda subject, _recording: subject.infant.time_zone),
    _own("clock", Kind.TEXT),
    Column("age_days", Kind.COUNT, _age_days),
    Column("corrected_age_days", Kind.COUNT, _corrected_age_days),
    # what was heard
    _own("sha256", Kind.TEXT),
    _own("duration_s", Kind.REAL),
    _own("state", Kind.TEXT),
    _own("reason", Kind.TEXT),
    _own("n_cries", Kind.COUNT),
    _own("cry_s", Kind.REAL),
    # the gate
    _of(decision_of, "is_cry", Kind.FLAG),
    _of(decision_of, "cry_probability", Kind.REAL),
    _of(decision_of, "gate_accepted", Kind.FLAG, "accepted"),
    _of(decision_of, "gate_confidence", Kind.REAL, "confidence"),
    _of(decision_of, "gate_threshold", Kind.REAL, "threshold"),
    _of(decision_of, "arousal", Kind.REAL),
    _of(decision_of, "review", Kind.FLAG),
    _of(decision_of, "answer", Kind.TEXT),
    _of(decision_of, "gate_version", Kind.TEXT),
    # the judgement
    _of(judgement_of, "outcome", Kind.TEXT),
    Column("no_score_because", Kind.TEXT, lambda _subject, one: absence_of(one) or None),
    _of(judgement_of, "baseline_days", Kind.COUNT),
    _of(judgement_of, "baseline_days_needed", Kind.COUNT),
    _of(judgement_of, "statistic", Kind.REAL),
    _of(judgement_of, "p_value", Kind.REAL),
    *_by_scorer("score", "scores"),
    *_by_scorer("p_value", "p_values"),
    _of(judgement_of, "room_score", Kind.REAL),
    _of(judgement_of, "room_p_value", Kind.REAL),
    _of(_session_judgement_of, "session_p_value", Kind.REAL, "p_value"),
    _of(_model_of, "model", Kind.TEXT, "id"),
    _of(_model_of, "model_number", Kind.COUNT, "number"),
    _of(judgement_of, "encoder", Kind.TEXT),
    _of(judgement_of, "build", Kind.TEXT),
    # the acoustic channels
    *_channels(),
)
