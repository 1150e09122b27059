"""What the rows tell at this moment, for Prometheus: queues, dead letters, monitors, the outbox.

What comes in: the moment. What goes out: gauges. Guaranteed: a fixed number of queries, each over
what is on its way or set aside, or a count; labels are of few values, and none of them an id or a
name. A database that is away leaves one gauge, which says so.
"""

import datetime as dt
import shutil
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Count, Max, Min, Q, QuerySet
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily

from anomaly.models import Episode, PersonalModel, SessionJudgement
from bridge.selectors import bridge_word
from devices.models import Presence
from iclas import __version__
from infants.models import DeviceAssignment, Infant, Recording
from infants.states import ON_THE_WAY, Reason, State
from notify.models import Alert, Delivery, Follower
from notify.stages.alert import HEARD_OF

DEAD_FOR = (Reason.AUDIO_MISSING.value, Reason.AUDIO_CORRUPT.value, Reason.GAVE_UP.value)
Channel = Follower.Channel
BRIDGE_WORDS = ("off", "connected", "cut_off", "silent")


class FromRows:
    """What the database says when it is asked."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Ask, and yield what it says."""
        now = timezone.now()
        yield _gauges("iclas_info", "The version that answers.", "version", {__version__: 1.0})
        free = shutil.disk_usage(settings.ICLAS_HOME.root).free
        yield _gauge("iclas_disk_free_bytes", "Room on the disk of the home folder.", free)
        try:
            found = [*_recordings(now), *_telling(now), *_knowledge(), *_presence(now)]
        except DatabaseError:
            found = []
        yield _gauge("iclas_database_up", "Whether the database answered.", bool(found))
        yield from found


def _gauge(name: str, told: str, value: float) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, told)
    family.add_metric((), float(value))
    return family


def _gauges(name: str, told: str, label: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, told, labels=(label,))
    for word, value in values.items():
        family.add_metric((word,), float(value))
    return family


def _counted(rows: QuerySet[Any], field: str, words: Iterable[str]) -> dict[str, float]:
    """Count rows by a field; what there is none of counts 0, or nobody could see it begin."""
    counted = dict(rows.order_by().values_list(field).annotate(n=Count("pk")))
    return dict.fromkeys(words, 0.0) | counted


def _age_s(now: dt.datetime, since: dt.datetime | None) -> float:
    return 0.0 if since is None else max(0.0, (now - since).total_seconds())


def _recordings(now: dt.datetime) -> Iterator[GaugeMetricFamily]:
    waiting = (*ON_THE_WAY, State.HELD)
    rows = Recording.objects.filter(state__in=waiting).order_by().values_list("state")
    found = rows.annotate(n=Count("id"), oldest=Min("state_changed_at"))
    by_state = {state: (n, oldest) for state, n, oldest in found}
    standing = {one.value: by_state.get(one, (0, None)) for one in waiting}
    yield _gauges(
        "iclas_recordings",
        "Recordings on their way, or held.",
        "state",
        {state: n for state, (n, _oldest) in standing.items()},
    )
    yield _gauges(
        "iclas_recordings_oldest_seconds",
        "How long the longest has stood in this state; 0 where none does.",
        "state",
        {state: _age_s(now, oldest) for state, (_n, oldest) in standing.items()},
    )
    dead = _counted(Recording.objects.filter(state=State.FAILED), "reason", DEAD_FOR)
    yield _gauges("iclas_dead_letters", "Recordings that were set aside.", "reason", dead)


def _telling(now: dt.datetime) -> Iterator[GaugeMetricFamily]:
    due = Q(due_at__lte=now)
    waiting = Delivery.objects.filter(state=Delivery.State.WAITING).aggregate(
        n=Count("id"), n_due=Count("id", filter=due), oldest=Min("due_at", filter=due)
    )
    standing = {"due": waiting["n_due"], "later": waiting["n"] - waiting["n_due"]}
    yield _gauges("iclas_deliveries_waiting", "Messages that are not sent.", "standing", standing)
    yield _gauge(
        "iclas_deliveries_oldest_due_seconds",
        "How long the longest has been due; 0 where none is.",
        _age_s(now, waiting["oldest"]),
    )
    dead = _counted(Delivery.objects.filter(state=Delivery.State.DEAD), "channel", Channel.values)
    yield _gauges("iclas_deliveries_dead", "Messages that were given up.", "channel", dead)
    going = _counted(Alert.objects.filter(closed_at=None), "kind", HEARD_OF)
    yield _gauges("iclas_alerts_open", "Alerts that go on.", "kind", going)


def _knowledge() -> Iterator[GaugeMetricFamily]:
    counts: Iterable[tuple[str, str, QuerySet[Any]]] = (
        ("iclas_infants", "Infants.", Infant.objects.all()),
        ("iclas_sessions_judged", "Sessions with a p-value.", SessionJudgement.objects.all()),
        (
            "iclas_personal_models",
            "Versions of personal models that are kept and not withdrawn.",
            PersonalModel.objects.filter(withdrawn_at=None),
        ),
    )
    for name, told, rows in counts:
        yield _gauge(name, told, rows.count())


def _presence(now: dt.datetime) -> Iterator[GaugeMetricFamily]:
    serving = DeviceAssignment.objects.filter(
        ends_at=None,
        device__revoked_at=None,
        device__is_sandbox=False,
        device__last_heartbeat_at__isnull=False,
    )
    n_serving = serving.values("device").distinct().count()
    silent = Episode.with_silences.filter(kind=Episode.Kind.MONITOR_SILENT, closed_at=None)
    yield _gauge("iclas_monitors", "Monitors that send heartbeats.", n_serving)
    yield _gauge("iclas_monitors_silent", "Monitors from which nothing comes.", silent.count())
    seen_at = Presence.objects.filter(device=None).aggregate(at=Max("ends_at"))["at"]
    age_s = float("inf") if seen_at is None else _age_s(now, seen_at)
    yield _gauge("iclas_worker_last_seen_seconds", "Since a worker has last swept.", age_s)
    word = bridge_word(now)
    standing = {one: float(one == word) for one in BRIDGE_WORDS}
    yield _gauges("iclas_bridge", "How the bridge stands: 1 for that.", "standing", standing)
