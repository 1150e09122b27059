"""ChildProject: the layout in which studies of children's days are shared, as a zip file.

`metadata/children.csv`, `metadata/recordings.csv`, `metadata/annotations.csv`, and under
`annotations/iclas/converted/` a file of cries for each recording that was heard, with what kind of
annotations these are (`annotations/iclas/metannots.yml`). Guaranteed: the
columns that the layout requires are all there, under its names, in its units (milliseconds, local
time); without sound, whose file names are only said; a birth date that may not be told is NA.
"""

import csv
import datetime as dt
import zipfile
from collections.abc import Iterator, Sequence
from io import StringIO

from anomaly.exports.absences import absence_of, decision_of, judgement_of
from anomaly.exports.sink import Sink
from anomaly.models import GateDecision
from anomaly.notice import NOTICE
from anomaly.selectors.exported import Subject, Taken
from infants.models import Recording

EXPERIMENT = SET = "iclas"
UNKNOWN = "NA"
CHILDREN = ("experiment", "child_id", "child_dob", "dob_accuracy")
RECORDINGS = (
    *("experiment", "child_id", "date_iso", "start_time", "recording_device_type"),
    *("recording_filename", "duration", "session_id", "session_offset", "recording_device_id"),
    *("start_time_accuracy", "p_value", "no_score_because", "gate_accepted"),
)
ANNOTATIONS = (
    *("set", "recording_filename", "time_seek", "range_onset", "range_offset", "raw_filename"),
    *("format", "annotation_filename", "imported_at", "package_version", "error"),
)
SEGMENTS = ("segment_onset", "segment_offset", "speaker_type", "vcm_type", "raw_filename")
README = f"""{NOTICE}

Recordings and cries as ICLAS heard them, in the layout of ChildProject. The sound itself is not
part of it. p_value says how usual a recording is for this infant: small is unusual.
"""
METANNOTS = f"""segmentation: {SET}
segmentation_type: restrictive
method: automated
sampling_method: none
has_speaker_type: Y
"""

Line = Sequence[object]


def childproject_of(taken: Taken) -> Iterator[bytes]:
    """Yield a zip file of the layout."""
    sink = Sink()
    with zipfile.ZipFile(sink.as_file(), "w", zipfile.ZIP_DEFLATED) as folder:
        folder.writestr("README.md", README)
        folder.writestr("metadata/children.csv", _csv([CHILDREN, *map(_child, taken.subjects)]))
        yield from _table(folder, sink, "metadata/recordings.csv", RECORDINGS, _recordings(taken))
        folder.writestr(f"annotations/{SET}/metannots.yml", METANNOTS)
        about = _annotations(taken)
        yield from _table(folder, sink, "metadata/annotations.csv", ANNOTATIONS, about)
        for subject, recording in taken.rows(with_cries=True):
            if recording.duration_s is not None:
                name = f"annotations/{SET}/converted/{_name(subject, recording)}.csv"
                folder.writestr(name, _csv([SEGMENTS, *_segments(subject, recording)]))
                yield sink.taken()
    yield sink.taken()


def _table(
    folder: zipfile.ZipFile, sink: Sink, name: str, headings: Line, lines: Iterator[Line]
) -> Iterator[bytes]:
    """Write a table line by line, and yield what comes of it."""
    with folder.open(name, "w", force_zip64=True) as file:
        file.write(_csv([headings]).encode())
        for line in lines:
            file.write(_csv([line]).encode())
            if piece := sink.taken():
                yield piece


def _child(subject: Subject) -> Line:
    born = subject.infant.birth_date if subject.is_identified else None
    return (EXPERIMENT, subject.id, born or UNKNOWN, "day" if born else UNKNOWN)


def _recordings(taken: Taken) -> Iterator[Line]:
    for subject, recording in taken.rows():
        local = recording.recorded_at.astimezone(subject.infant.zone)
        judgement, decision = judgement_of(recording), decision_of(recording)
        yield (
            *(EXPERIMENT, subject.id, local.date(), local.strftime("%H:%M:%S"), "unknown"),
            *(f"{_name(subject, recording)}.wav", _ms(recording.duration_s)),
            *(recording.session_id or UNKNOWN, _offset_ms(recording)),
            *(subject.device_id(recording.device), _accuracy(recording)),
            UNKNOWN if judgement is None or judgement.p_value is None else judgement.p_value,
            absence_of(recording) or UNKNOWN,
            UNKNOWN if decision is None else int(decision.accepted),
        )


def _annotations(taken: Taken) -> Iterator[Line]:
    made = taken.as_of.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S")
    for subject, recording in taken.rows():
        if recording.duration_s is not None:
            name = _name(subject, recording)
            covered = (0, 0, _ms(recording.duration_s))
            files = (f"{name}.csv", UNKNOWN, f"{name}.csv")
            yield (SET, f"{name}.wav", *covered, *files, made, UNKNOWN, UNKNOWN)


def _segments(subject: Subject, recording: Recording) -> Iterator[Line]:
    speaker, kind = _who_cries(decision_of(recording))
    for cry in recording.cries.all():
        ends = (_ms(cry.onset_s), _ms(cry.offset_s))
        yield (*ends, speaker, kind, f"{_name(subject, recording)}.csv")


def _who_cries(decision: GateDecision | None) -> tuple[str, str]:
    """Return the speaker and the maturity of a voice in the layout's words."""
    if decision is None or not decision.is_cry or decision.answer == GateDecision.Answer.NOT_A_CRY:
        return UNKNOWN, UNKNOWN
    is_other = decision.answer == GateDecision.Answer.NOT_MY_BABY
    return ("OCH" if is_other else "CHI"), "Y"


def _name(subject: Subject, recording: Recording) -> str:
    return f"{subject.id}/{recording.id}"


def _ms(seconds: float | None) -> int | str:
    return UNKNOWN if seconds is None else round(1000 * seconds)


def _offset_ms(recording: Recording) -> int | str:
    if recording.session is None:
        return UNKNOWN
    return _ms((recording.recorded_at - recording.session.started_at).total_seconds())


def _accuracy(recording: Recording) -> str:
    """Return how sure the time is: the layout has no word for a clock that nobody has set."""
    return "second" if recording.clock == Recording.Clock.OK else UNKNOWN


def _csv(lines: Sequence[Line]) -> str:
    file = StringIO()
    csv.writer(file, lineterminator="\n").writerows(lines)
    return file.getvalue()
