"""What is counted and timed as it happens, for Prometheus.

What comes in: work as it ends, recordings as they move on, messages as they are tried. What goes
out: counters and histograms. Guaranteed: labels are of few values, and none of them an id or a
name; what was counted outlives the process that counted it, however that ends: each writes into a
file of its own in the home's folder `metrics`, which `manage.py run` empties at its start.

Loaded only where metrics are asked for.
"""

# mypy: allow-untyped-calls
# prometheus_client is published without some of its types.

import logging
import os
import re
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from prometheus_client import CollectorRegistry, Counter, Histogram, values
from prometheus_client.multiprocess import MultiProcessCollector

from anomaly.models import GateDecision, RecordingJudgement
from iclas.telemetry.work import Work, watches
from infants.models import Recording
from infants.signals import Move, recording_moved, recording_received
from infants.states import State
from notify.models import Delivery
from notify.signals import alert_raised, delivery_tried

log = logging.getLogger(__name__)
FILE_BYTES = {"counter": 2**18, "histogram": 2**21}
"""Room for all the series that there can be, taken up at once: it is mapped into memory, and a
process that wrote where the disk has no room left would be killed."""
QUICK_S = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
SLOW_S = (0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 300)
WAITED_S = (0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600, 6 * 3600, 24 * 3600)
P_VALUES = (0.01, 0.02, 0.05, *(round(0.1 * tenth, 1) for tenth in range(1, 11)))


@cache
def _process_name(pid: int) -> str:
    """Return what the files of this process are called; a container's processes have few numbers.

    Takes the room that its files will need: without it, raises OSError.
    """
    host = re.sub(r"[^A-Za-z0-9-]", "-", socket.gethostname())
    for kind, size in FILE_BYTES.items():
        path = settings.ICLAS_HOME.metrics / f"{kind}_{host}-{pid}.db"
        number = os.open(path, os.O_RDWR | os.O_CREAT, 0o640)
        try:
            os.posix_fallocate(number, 0, size)
        finally:
            os.close(number)
    return f"{host}-{pid}"


def has_room() -> bool:
    """Tell whether this process has the room to keep what it measures; else it measures nothing."""
    try:
        _process_name(os.getpid())
    except OSError as error:
        log.warning("nothing is measured: errno %s", error.errno)
        return False
    return True


class Measures:
    """Everything that is measured."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._measure_work()
        self._measure_recordings()
        self._measure_judgements()
        self._measure_telling()

    def _measure_work(self) -> None:
        self.requests = self._times(
            "iclas_http_request_seconds",
            "From a request's turn to the beginning of its answer.",
            ("method", "route", "status"),
            QUICK_S,
        )
        self.tasks = self._times(
            "iclas_task_seconds", "Tasks of workers.", ("task", "outcome"), SLOW_S
        )
        self.steps = self._times(
            "iclas_step_seconds", "One run of a step, on however many.", ("step", "outcome"), SLOW_S
        )

    def _measure_recordings(self) -> None:
        self.waited = self._times(
            "iclas_recording_waited_seconds",
            "How long a recording stood in a state before its last try began.",
            ("state",),
            WAITED_S,
        )
        self.worked = self._times(
            "iclas_recording_worked_seconds",
            "From the beginning of the last try of a recording to its next state.",
            ("state",),
            SLOW_S,
        )
        self.whole_way = self._times(
            "iclas_recording_whole_way_seconds",
            "From a recording's upload to its end.",
            (),
            WAITED_S,
        )
        self.received = self._count("iclas_recordings_received", "Recordings safely stored.", ())
        self.moved = self._count(
            "iclas_recordings_moved", "Recordings that reached a state.", ("state", "reason")
        )

    def _measure_judgements(self) -> None:
        self.p_values = self._times(
            "iclas_p_value",
            "Combined p-values of scored recordings; of usual crying 5 % lie at or under 0.05.",
            (),
            P_VALUES,
        )
        self.gated = self._count(
            "iclas_gate_decisions", "What the gate decided on recordings.", ("decision",)
        )
        self.scored = self._count(
            "iclas_judgements", "Recordings with a number, or still learning.", ("outcome",)
        )

    def _measure_telling(self) -> None:
        self.alerts = self._count("iclas_alerts_raised", "Alerts raised.", ())
        self.tries = self._count(
            "iclas_delivery_tries", "Tries to send messages.", ("channel", "outcome")
        )
        self.told = self._times(
            "iclas_delivery_seconds",
            "From a message's planning to its arrival; held: by quiet hours or a suspension.",
            ("channel", "held"),
            WAITED_S,
        )

    def _count(self, name: str, told: str, labels: Sequence[str]) -> Counter:
        return Counter(name, told, labels, registry=self.registry)

    def _times(
        self, name: str, told: str, labels: Sequence[str], buckets: Sequence[float]
    ) -> Histogram:
        return Histogram(name, told, labels, registry=self.registry, buckets=buckets)

    # --- what happens ----------------------------------------------------------------------------

    @contextmanager
    def watch(self, work: Work) -> Iterator[None]:
        """Time a piece of work."""
        began_s, outcome = time.perf_counter(), "error"
        try:
            yield
            outcome = "ok"
        finally:
            self._take_down(work, outcome, time.perf_counter() - began_s)

    def _take_down(self, work: Work, outcome: str, took_s: float) -> None:
        if not has_room():
            return
        if work.kind == "task":
            self.tasks.labels(work.name, outcome).observe(took_s)
        elif work.kind == "step":
            self.steps.labels(work.name, outcome).observe(took_s)
        elif "status" in work.facts:
            family = f"{work.facts['status'][0]}xx"
            labels = (work.facts["method"], work.facts["route"], family)
            self.requests.labels(*labels).observe(took_s)

    def on_received(self, **_signal: Any) -> None:
        """Count a recording, once it is committed."""
        transaction.on_commit(self.received.inc, robust=True)

    def on_moved(self, move: Move, **_signal: Any) -> None:
        """Take down how long a recording stood, what came of it, and what was judged."""
        if not has_room():
            return
        self.moved.labels(move.to.value, str(move.reason.value)).inc()
        waited = (move.began_at - move.entered_at).total_seconds()
        self.waited.labels(move.left.value).observe(max(0.0, waited))
        self.worked.labels(move.left.value).observe((move.moved_at - move.began_at).total_seconds())
        if move.left == State.EMBEDDED:
            self._gated(move)
        elif move.to == State.SCORED:
            self._scored(move)
        elif move.to == State.DONE:
            self._ended(move)

    def _gated(self, move: Move) -> None:
        found = GateDecision.objects.filter(recording=move.recording_id)
        for is_cry, accepted in found.values_list("is_cry", "accepted"):
            word = "accepted" if accepted else "refused"
            self.gated.labels(word if is_cry else "not_a_cry").inc()

    def _scored(self, move: Move) -> None:
        found = RecordingJudgement.objects.filter(recording=move.recording_id)
        for outcome, p_value in found.values_list("outcome", "p_value"):
            self.scored.labels(outcome).inc()
            if p_value is not None:
                self.p_values.observe(p_value)

    def _ended(self, move: Move) -> None:
        found = Recording.objects.filter(id=move.recording_id)
        for received_at in found.values_list("received_at", flat=True):
            self.whole_way.observe(max(0.0, (move.moved_at - received_at).total_seconds()))

    def on_alert(self, **_signal: Any) -> None:
        """Count an alert."""
        if has_room():
            self.alerts.inc()

    def on_delivery(self, deliveries: list[Delivery], outcome: str, **_signal: Any) -> None:
        """Count a try, and take down how long it was until a message arrived."""
        if not has_room():
            return
        first, now = deliveries[0], timezone.now()
        self.tries.labels(first.channel, outcome).inc()
        if outcome == "arrived":
            held = "yes" if first.is_held else "no"
            took_s = (now - first.created_at).total_seconds()
            self.told.labels(first.channel, held).observe(max(0.0, took_s))


def install() -> Measures | None:
    """Measure from now on, in this process and in those that it forks; not without room for it."""
    folder: Path = settings.ICLAS_HOME.metrics
    folder.mkdir(mode=0o750, exist_ok=True)
    if not has_room():
        return None
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
    values.ValueClass = values.MultiProcessValue(lambda: _process_name(os.getpid()))
    measures = Measures()
    watches.append(measures.watch)
    recording_received.connect(measures.on_received)
    recording_moved.connect(measures.on_moved)
    alert_raised.connect(measures.on_alert)
    delivery_tried.connect(measures.on_delivery)
    return measures


def uninstall(measures: Measures) -> None:
    """Measure no more."""
    watches.remove(measures.watch)
    recording_received.disconnect(measures.on_received)
    recording_moved.disconnect(measures.on_moved)
    alert_raised.disconnect(measures.on_alert)
    delivery_tried.disconnect(measures.on_delivery)


class FromFiles:
    """What all processes of this home have measured."""

    def collect(self) -> list[Any]:
        """Return it, added up."""
        found = settings.ICLAS_HOME.metrics.glob("*.db")
        files = [str(path) for path in found if path.stat().st_size]  # without, it had no room
        return list(MultiProcessCollector.merge(files))
