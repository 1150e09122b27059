"""Traces by OpenTelemetry: a recording's way from its upload to who was told.

    upload -> segment -> embed -> gate -> score -> learn -> timeline -> episode -> alert -> delivery

What comes in: work, moves of recordings, alerts and tries of messages. What goes out: spans, to the
collector at `OTEL_EXPORTER_OTLP_ENDPOINT`, over HTTP. Guaranteed: a recording's trace is a function
of its id, and an alert's place in it of the rows, so that neither a message that was lost nor a
worker that was killed parts a trace. Each step of a recording is a span of its trace, linked to the
request or the task that did it, which has a trace of its own, for it may handle many.

Loaded only where traces are asked for.
"""

import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from anomaly.models import Episode
from iclas import __version__
from iclas.flow import STEPS
from iclas.telemetry import traced
from iclas.telemetry.work import Work, watches
from infants.in_hand import recordings_in_hand
from infants.models import Recording
from infants.signals import Move, recording_moved, recording_received
from infants.states import State
from notify.models import Alert, Delivery
from notify.signals import alert_raised, delivery_tried

EXPORTED_EVERY_MS = 1000.0
SERVER_ERROR = 500
STEP_FROM = {step.takes: step.name for step in STEPS}
TICK = dt.timedelta(milliseconds=1)
"""What SQLite leaves out of a time that it notes itself."""


@dataclass(frozen=True)
class Place:
    """A span as its ids know it; both follow from rows."""

    trace_id: int
    span_id: int


def _number(of: str, n_bytes: int) -> int:
    digest = hashlib.blake2b(of.encode(), digest_size=n_bytes).digest()
    return int.from_bytes(digest) or 1


def upload_of(recording_id: UUID) -> Place:
    """Return where a recording's trace begins."""
    return Place(_number(f"trace {recording_id}", 16), _number(f"upload {recording_id}", 8))


def place_of(alert: Alert) -> tuple[Place, Place | None]:
    """Return an alert's place and its parent's: the recording that was judged last before it.

    An alert that no recording led to, of a silent monitor say, has a trace of its own.
    """
    span_id = _number(f"alert {alert.id}", 8)
    is_of_sound = alert.kind != Episode.Kind.MONITOR_SILENT
    parent = _last_judged(alert) if is_of_sound else None
    if parent is None:
        return Place(_number(f"trace {alert.id}", 16), span_id), None
    return Place(parent.trace_id, span_id), parent


def _last_judged(alert: Alert) -> Place | None:
    judged = Recording.objects.filter(infant=alert.infant_id, state=State.DONE)
    before = judged.filter(state_changed_at__lte=alert.raised_at + TICK)
    last = before.order_by("-state_changed_at").values_list("id", flat=True).first()
    return None if last is None else upload_of(last)


class GivenIds(RandomIdGenerator):
    """Random ids, but where a span is to be at a place."""

    def __init__(self) -> None:
        self.place: ContextVar[Place | None] = ContextVar("place", default=None)

    def generate_trace_id(self) -> int:
        """Return the trace of the place, or a new one."""
        place = self.place.get()
        return super().generate_trace_id() if place is None else place.trace_id

    def generate_span_id(self) -> int:
        """Return the place's own id, or a new one."""
        place = self.place.get()
        return super().generate_span_id() if place is None else place.span_id


@dataclass(frozen=True)
class Stretch:
    """A span whose beginning and end are known."""

    name: str
    began_at: dt.datetime
    ended_at: dt.datetime
    facts: Mapping[str, Any]
    is_error: bool = False


class Traces:
    """What is traced, and where it goes."""

    def __init__(self, provider: TracerProvider, ids: GivenIds) -> None:
        self.provider, self._ids = provider, ids
        self._tracer = provider.get_tracer("iclas", __version__)
        self._incoming = TraceContextTextMapPropagator()

    @contextmanager
    def watch(self, work: Work) -> Iterator[None]:
        """Trace a request, a task, or a step; a request may go on with its caller's trace."""
        kind, given = SpanKind.INTERNAL, None
        if work.kind == "request":
            kind = SpanKind.SERVER
            given = self._incoming.extract({"traceparent": work.facts["traceparent"]})
        elif work.kind == "task":
            kind = SpanKind.CONSUMER
        with self._tracer.start_as_current_span(
            f"{work.kind} {work.name}", given, kind, record_exception=False
        ) as span:
            yield
            if work.kind == "request":
                _describe(span, work.facts)

    def on_received(self, recording: Recording, **_signal: Any) -> None:
        """Begin a recording's trace, once it is committed."""
        transaction.on_commit(lambda: self._begin(recording), robust=True)

    def _begin(self, recording: Recording) -> None:
        facts = {"iclas.recording": str(recording.id), "iclas.bytes": recording.byte_size}
        stretch = Stretch("upload", recording.received_at, timezone.now(), facts)
        self._write(stretch, place=upload_of(recording.id))

    def on_moved(self, move: Move, **_signal: Any) -> None:
        """Write down the step that moved a recording."""
        facts = {"iclas.recording": str(move.recording_id), "iclas.state": move.to.value}
        if move.reason:
            facts["iclas.reason"] = move.reason.value
        waited_s = (move.began_at - move.entered_at).total_seconds()
        stretch = Stretch(
            STEP_FROM.get(move.left, "move"),
            move.began_at,
            move.moved_at,
            facts | {"iclas.waited_s": waited_s},
            is_error=move.to == State.FAILED,
        )
        self._write(stretch, parent=upload_of(move.recording_id))

    def on_alert(self, alert_id: UUID, **_signal: Any) -> None:
        """Write down that an alert was raised, in the trace of what it was raised for."""
        alert = Alert.objects.get(id=alert_id)
        place, parent = place_of(alert)
        facts = {"iclas.alert": str(alert.id), "iclas.kind": alert.kind}
        stretch = Stretch("alert", alert.raised_at, timezone.now(), facts)
        self._write(stretch, place=place, parent=parent)

    def on_delivery(
        self, deliveries: list[Delivery], outcome: str, began_at: dt.datetime, **_signal: Any
    ) -> None:
        """Write down a try of a message, under its alert, and linked to the others it told of."""
        alerts = {one.news.alert_id: one.news.alert for one in deliveries if one.news is not None}
        places = [place_of(alert)[0] for alert in alerts.values()]
        first = deliveries[0]
        facts = {
            "iclas.delivery": str(first.id),
            "iclas.channel": str(first.channel),
            "iclas.outcome": outcome,
            "iclas.try": first.attempts,
        }
        is_error = outcome != "arrived"
        stretch = Stretch("delivery", began_at, timezone.now(), facts, is_error)
        self._write(stretch, parent=places[0] if places else None, others=places[1:])

    def _write(
        self,
        stretch: Stretch,
        place: Place | None = None,
        parent: Place | None = None,
        others: Sequence[Place] = (),
    ) -> None:
        at_hand = trace.get_current_span().get_span_context()
        linked = [*([at_hand] if at_hand.is_valid else []), *map(self._context, others)]
        token = self._ids.place.set(place)
        try:
            span = self._tracer.start_span(
                stretch.name,
                self._below(parent),
                attributes=dict(stretch.facts),
                links=[Link(context) for context in linked],
                start_time=_ns(stretch.began_at),
            )
        finally:
            self._ids.place.reset(token)
        if stretch.is_error:
            span.set_status(Status(StatusCode.ERROR))
        span.end(max(_ns(stretch.ended_at), _ns(stretch.began_at)))

    def _below(self, parent: Place | None) -> Context:
        """Return the context of a span below a place, or of one that is below nothing."""
        known = None if parent is None else trace.NonRecordingSpan(self._context(parent))
        return trace.set_span_in_context(known or trace.INVALID_SPAN)

    def _context(self, place: Place) -> SpanContext:
        """Return a place as what a span may be a child of, or linked to.

        Whether a trace is kept follows from its id: every part of it gets the same answer.
        """
        answer = self.provider.sampler.should_sample(None, place.trace_id, "upload")
        is_kept = answer.decision == Decision.RECORD_AND_SAMPLE
        flags = TraceFlags.SAMPLED if is_kept else TraceFlags.DEFAULT
        return SpanContext(place.trace_id, place.span_id, True, TraceFlags(flags))  # noqa: FBT003

    def at_hand(self) -> str:
        """Return the id of the trace at hand: of the one recording in hand, or of the work."""
        in_hand = recordings_in_hand.get()
        if len(in_hand) == 1:
            return trace.format_trace_id(upload_of(in_hand[0]).trace_id)
        context = trace.get_current_span().get_span_context()
        return trace.format_trace_id(context.trace_id) if context.is_valid else ""


def _ns(at: dt.datetime) -> int:
    return round(at.timestamp() * 1e9)


def _describe(span: trace.Span, facts: Mapping[str, str]) -> None:
    """Say of a request what is known at its end, in OpenTelemetry's own words."""
    span.update_name(f"{facts['method']} {facts['route']}")
    span.set_attribute("http.request.method", facts["method"])
    span.set_attribute("http.route", facts["route"])
    span.set_attribute("http.response.status_code", int(facts["status"]))
    if int(facts["status"]) >= SERVER_ERROR:
        span.set_status(Status(StatusCode.ERROR))


def install(endpoint: str | None = None) -> Traces:
    """Trace from now on, in this process and in those that it forks."""
    base = (endpoint or settings.ICLAS_TRACES_ENDPOINT).rstrip("/")
    named = Resource.create({"service.name": "iclas", "service.version": __version__})
    ids = GivenIds()
    provider = TracerProvider(resource=named, id_generator=ids)
    exporter = OTLPSpanExporter(endpoint=f"{base}/v1/traces")
    provider.add_span_processor(
        BatchSpanProcessor(exporter, schedule_delay_millis=EXPORTED_EVERY_MS)
    )
    traces = Traces(provider, ids)
    watches.append(traces.watch)
    traced.ask(traces.at_hand)
    recording_received.connect(traces.on_received)
    recording_moved.connect(traces.on_moved)
    alert_raised.connect(traces.on_alert)
    delivery_tried.connect(traces.on_delivery)
    return traces


def uninstall(traces: Traces) -> None:
    """Trace no more; what was traced is sent before."""
    watches.remove(traces.watch)
    traced.ask_no_more(traces.at_hand)
    recording_received.disconnect(traces.on_received)
    recording_moved.disconnect(traces.on_moved)
    alert_raised.disconnect(traces.on_alert)
    delivery_tried.disconnect(traces.on_delivery)
    traces.provider.shutdown()
