"""Account: an explanation as a person reads it, a block a stage in the order of the way.

What comes in: an `Explanation`. What goes out: rich tables, times in the infant's own zone.
"""

import datetime as dt
import zoneinfo
from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from anomaly.charts import UNUSUAL
from anomaly.evidence import change_words, movement_words
from anomaly.explain import EpisodePart, Explanation, GatePart, ModelPart, Passage, ScorePart
from anomaly.models import Episode, Event
from anomaly.provenance import Agreement, Recomputation
from infants.models import Recording
from infants.states import State

LABEL_WIDTH = 16
Line = tuple[str, str | Text]
STYLES = {
    Agreement.IDENTICAL: "green",
    Agreement.CLOSE: "yellow",
    Agreement.NOT_POSSIBLE: "dim",
    Agreement.DIFFERS: "bold red",
}
UNITS_SHOWN = 12
CLOCK = {Recording.Clock.OK.value: "as the device gave it"}
SIDES = {"timeline": ("on the timeline", "in the judgement")}
AUDIO = {
    "intact": "kept, and intact",
    "missing": "not in the storage",
    "changed": "in the storage, but not as it was uploaded",
    "erased": "erased by the infant's policy",
}


def account(shown: Explanation) -> Group:
    """Return the whole account."""
    return Group(*_Account(shown).blocks())


class _Account:
    """The blocks of one account, in the infant's own time."""

    def __init__(self, shown: Explanation) -> None:
        self.shown = shown
        self.zone = zoneinfo.ZoneInfo(shown.time_zone)

    def blocks(self) -> Iterator[RenderableType]:
        """Yield the title, the stages in the order of the way, the end, and the recomputation."""
        shown = self.shown
        whose = shown.infant_name or shown.infant or "no infant yet"
        yield Text(f"Recording {shown.recording} of {whose} ({shown.time_zone})", style="bold")
        yield self.block("upload", self.upload(), State.RECEIVED, State.HELD)
        yield self.block("segment", self.segment(), State.SEGMENTED)
        yield self.block("embed", self.embed(), State.EMBEDDED)
        yield self.block("gate", self.gate(), State.GATED)
        yield self.block("score", self.score(), State.SCORED)
        yield self.block("learn", self.learn(), State.LEARNT)
        yield self.block("timeline", self.timeline(), State.ON_TIMELINE)
        yield self.block("session", self.session())
        yield self.block("episode", self.episodes(), State.DONE)
        yield self.block("end", self.stands(), State.REJECTED, State.FAILED)
        if shown.recomputed:
            yield self.block("recomputed", self.recomputed())
        yield Text(f"\n{shown.notice}", style="dim")

    def block(self, name: str, lines: Iterator[Line], *states: State) -> RenderableType:
        """Return a stage with what it found; nothing where it was not reached."""
        found = list(lines)
        passages = [passage for passage in self.shown.passed if passage.state in states]
        if not found and not passages:
            return Group()
        table = Table.grid(padding=(0, 1))
        table.add_column(style="dim", min_width=LABEL_WIDTH)
        table.add_column()
        for label, value in found:
            # Text, so that no bracket in a name or a reason is taken for markup.
            table.add_row(f"  {label}", Text(value) if isinstance(value, str) else value)
        reached = ", then ".join(self.reached(passage) for passage in passages)
        title = Text.assemble("\n", (f"{name:<{LABEL_WIDTH}} ", "bold"), reached)
        return Group(title, table) if found else Group(title)

    def reached(self, passage: Passage) -> str:
        """Say when a state was reached, at which try and how long after the one before."""
        words = f"{passage.state} at {self.local(passage.at)}, try {passage.attempt}"
        return words if passage.took_s is None else f"{words}, after {_lasting(passage.took_s)}"

    def local(self, moment: dt.datetime | None) -> str:
        """Return a time where the infant lives."""
        if moment is None:
            return "-"
        return moment.astimezone(self.zone).strftime("%Y-%m-%d %H:%M:%S")

    def made_in(self, build: str) -> str:
        """Name the build in which something was computed; the present one is named at the end."""
        return "the present one" if build == self.shown.build else build or "not kept at that time"

    def upload(self) -> Iterator[Line]:
        """Yield what came in."""
        part = self.shown.upload
        named = f"{part.device_name} ({part.device})" if part.device_name else str(part.device)
        yield "device", named
        yield "received", self.local(part.received_at)
        given = f", given as {part.recorded_at_raw!r}" if part.recorded_at_raw else ""
        yield "recorded", f"{self.local(part.recorded_at)}{given}"
        yield "clock", CLOCK.get(part.clock) or str(Recording.Clock(part.clock).label)
        yield "SHA-256", part.sha256
        erased = f", at {self.local(part.audio_erased_at)}" if part.audio_erased_at else ""
        yield "audio", f"{part.byte_size} bytes, {AUDIO[part.audio]}{erased}"

    def segment(self) -> Iterator[Line]:
        """Yield what was heard."""
        part = self.shown.segment
        if part is None:
            return
        yield "duration", f"{part.duration_s:.2f} s"
        if part.source_format:
            yield "format", _facts(part.source_format, without=("duration_s",))
        if part.quality:
            yield "quality", _facts(part.quality)
        spans = [f"{unit.onset_s:.2f}-{unit.offset_s:.2f}" for unit in part.units]
        more = f" and {len(spans) - UNITS_SHOWN} more" if len(spans) > UNITS_SHOWN else ""
        at = f", at {', '.join(spans[:UNITS_SHOWN])}{more} s" if spans else ""
        yield "cries", f"{len(spans)}{at}"

    def embed(self) -> Iterator[Line]:
        """Yield what was embedded, and how."""
        part = self.shown.embed
        if part is None:
            return
        yield "encoder", ", ".join(part.encoders) or "none: the embeddings are not stored"
        yield "embeddings", f"{part.n_embeddings} of {part.n_units} cries"

    def gate(self) -> Iterator[Line]:
        """Yield the gate's decision and every reason."""
        part = self.shown.gate
        if part is None:
            return
        yield "decision", _decision(part)
        yield "at", f"{self.local(part.decided_at)}, by {part.version}"
        for voice in part.parts:
            yield voice["name"], f"{voice['confidence']:.4f}  {voice['reason']}"
        for voice in part.abstained:
            yield voice["name"], f"abstains: {voice['reason']}"
        yield "given", _given(part.given)
        yield "build", self.made_in(part.build)

    def score(self) -> Iterator[Line]:
        """Yield the scores and p-values, and the version that they come from."""
        part = self.shown.score
        if part is None:
            return
        yield "outcome", _outcome(part)
        if part.model is not None:
            yield from self.model(part.model)
        yield "encoder", part.encoder
        for name, score in part.scores.items():
            yield name, f"score {score:.6g}, p = {part.p_values[name]:.6g}"
        if part.statistic is not None and part.p_value is not None:
            verdict = _verdict(part.p_value)
            yield "combined", f"statistic {part.statistic:.6g}, p = {part.p_value:.6g}: {verdict}"
        if part.room_score is not None and part.room_p_value is not None:
            yield "room", f"distance {part.room_score:.6g}, p = {part.room_p_value:.6g}"
        yield "at", self.local(part.judged_at)
        yield "build", self.made_in(part.build)

    def model(self, model: ModelPart) -> Iterator[Line]:
        """Yield which version it was and what that rests on."""
        withdrawn = f", withdrawn {self.local(model.withdrawn_at)}" if model.withdrawn_at else ""
        yield "model", f"{model.number} ({model.id}){withdrawn}"
        yield "artefact", f"SHA-256 {model.sha256}"
        until, after = self.local(model.learnt_until), self.local(model.in_force_after)
        yield "learnt", f"on {model.learnt_on} from sessions until {until}; in force after {after}"
        yield (
            "rests on",
            f"{_counted(model.n_recordings, 'recording')} ({model.n_units} cries) of "
            f"{_counted(model.n_sessions, 'session')} on {_counted(model.n_days, 'day')}",
        )
        if model.smallest_p_value is not None:
            yield "smallest p", f"{model.smallest_p_value:.2g} is the smallest that it can give"

    def learn(self) -> Iterator[Line]:
        """Yield what became of it in the baseline."""
        part = self.shown.learn
        if part is None:
            return
        yield "baseline", _baseline(self.shown, self.local(part.admitted_at))
        numbers = ", ".join(map(str, part.rest_on_it))
        yield "rest on it", f"models {numbers}" if numbers else "no version"

    def timeline(self) -> Iterator[Line]:
        """Yield its points, and its session."""
        shown = self.shown
        for point in shown.timeline:
            numbers = "no number: learning"
            if point.score is not None and point.p_value is not None:
                numbers = f"{point.score:.6g}, p = {point.p_value:.6g}"
            yield point.scorer, f"{self.local(point.time)}  {numbers}"

    def session(self) -> Iterator[Line]:
        """Yield the bout of crying that it belongs to, and what was said of that."""
        part = self.shown.session
        if part is None:
            return
        span = f"{self.local(part.started_at)} to {self.local(part.ended_at)}"
        yield "session", f"{part.id}, {_counted(part.n_recordings, 'recording')}, {span}"
        judged = part.judgement
        if judged is not None:
            yield (
                "judgement",
                f"statistic {judged.statistic:.6g}, p = {judged.p_value:.6g} of "
                f"{_counted(judged.n_recordings, 'recording')} by model {judged.model_number}: "
                f"{_verdict(judged.p_value)}",
            )
            yield "at", self.local(judged.judged_at)
            yield "build", self.made_in(judged.build)

    def episodes(self) -> Iterator[Line]:
        """Yield the episodes that cover it, and the events about it."""
        for episode in self.shown.episodes:
            yield "episode", self.episode(episode)
            for words in (change_words(episode.evidence), movement_words(episode.evidence)):
                if words:
                    yield "", words
        for event in self.shown.events:
            facts = {name: value for name, value in event.facts.items() if name != "reasons"}
            told = f"{self.local(event.occurred_at)}  {Event.Kind(event.kind).label}"
            yield "event", f"{told}: {_facts(facts)}" if facts else told

    def episode(self, episode: EpisodePart) -> str:
        """Say what kind of episode it is, and from when to when."""
        kind = Episode.Kind(episode.kind).label
        words = f"{kind}, from {self.local(episode.opened_at)}"
        if episode.closed_at is None:
            return f"{words}, open"
        ended = Episode.CloseReason(episode.close_reason).label
        return f"{words} to {self.local(episode.closed_at)}, because {ended}"

    def stands(self) -> Iterator[Line]:
        """Yield where it stands now."""
        standing = self.shown.standing
        yield "now", Text(standing.words, style="bold")
        yield "since", self.local(standing.since)
        if not self.shown.passed:
            yield "stages", "passed before their times were kept"

    def recomputed(self) -> Iterator[Line]:
        """Yield whether every judgement came out again, with both values of what did not."""
        for one in self.shown.recomputed:
            yield one.of, _recomputed(one)
            for value in one.changed:
                there, here = SIDES.get(one.of, ("stored", "now"))
                words = f"{value.name}: {there} {value.stored}, {here} {value.again}"
                yield "", Text(words, STYLES[value.agreement])
        yield "build", self.shown.build


def _lasting(seconds: float) -> str:
    if seconds < 60.0:
        return f"{seconds:.2f} s"
    return str(dt.timedelta(seconds=round(seconds)))


def _facts(facts: Mapping[str, Any], without: tuple[str, ...] = ()) -> str:
    """Return facts in words; a number with no more digits than say something."""
    return ", ".join(
        f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in facts.items()
        if name not in without
    )


def _counted(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def _decision(part: GatePart) -> str:
    if not part.is_cry:
        return f"not a cry (probability {part.cry_probability:.4f})"
    side, word = ("at least", "accepted") if part.accepted else ("under", "refused: not learnt")
    held = f"confidence {part.confidence:.4f} is {side} the threshold {part.threshold:.4f}"
    return f"a cry, {word}: {held}"


def _given(given: Mapping[str, Any]) -> str:
    if not given:
        return "not kept at that time"
    usual, age_days = given["usual"], given["age_days"]
    age = "age unknown" if age_days is None else f"age {age_days:g} days"
    if not usual["n"]:
        return f"{age}; no accepted recording before"
    return (
        f"{age}; usual arousal {usual['median']:.4f} (median distance {usual['mad']:.4f}) "
        f"of {_counted(usual['n'], 'recording')}"
    )


def _outcome(part: ScorePart) -> str:
    if part.model is None:
        return f"learning, {part.baseline_days} of {part.baseline_days_needed} days: no number yet"
    if part.baseline_days < part.baseline_days_needed:
        known = f"{part.baseline_days} of {part.baseline_days_needed} days"
        return f"scored by what other infants teach; learning, {known}"
    return "scored"


def _verdict(p_value: float) -> str:
    return "unusual for this infant" if p_value <= UNUSUAL else "within the usual range"


def _baseline(shown: Explanation, admitted: str) -> str:
    part = shown.learn
    if part is not None and part.withdrawn_at is not None:
        return f"admitted {admitted}, withdrawn when the model was rolled back"
    if part is not None and part.in_baseline:
        return f"in the baseline since {admitted}"
    if shown.gate is not None and not shown.gate.accepted:
        return "not learnt: the gate refused it"
    return "no longer in the baseline: the buffer keeps a bounded choice"


def _recomputed(one: Recomputation) -> Text:
    words = str(one.agreement).replace("_", " ")
    if one.reason:
        return Text.assemble((words, STYLES[one.agreement]), f": {one.reason}")
    other = "another build" if one.stored_build else "a build that was not kept"
    build = "the same build" if one.same_build else other
    apart = f", at most {one.largest_difference:.1e} apart" if one.largest_difference else ""
    rest = f": {len(one.values)} values{apart}; {build}"
    return Text.assemble((words, STYLES[one.agreement]), rest)
