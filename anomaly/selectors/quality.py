"""How good the data of a stretch of time are, and which versions judged them.

What comes in: the viewer, a visible infant and the stretch. What goes out: what was refused and
rejected and why, faults of clocks, charges of batteries, and the encoder, gate, models and builds
behind the numbers. Guaranteed: a fixed number of queries; counts only, and nothing of the audio.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet

from anomaly.models import GateDecision, RecordingJudgement
from devices.models import Device
from infants.access import Viewer, infants_for
from infants.models import Infant, Recording
from infants.selectors import visible_recordings
from infants.states import ON_THE_WAY, State


@dataclass(frozen=True)
class Charge:
    """How full a monitor's battery was, at its lowest and when it was last told."""

    device: Device
    lowest_frac: float
    last_frac: float


@dataclass(frozen=True)
class Quality:
    """`fates` count recordings by state and reason, `clocks` by what was wrong with their time.

    `n_refused` cries were kept from the baseline by the gate, `n_not_cry` recordings are no cry.
    """

    n_received: int
    n_on_the_way: int
    n_judged: int
    n_refused: int
    n_not_cry: int
    fates: list[tuple[str, str, int]]
    clocks: list[tuple[str, int]]
    charges: list[Charge]


@dataclass(frozen=True)
class Versions:
    """What the stretch was judged by: fingerprints, versions and builds, each once, in order."""

    encoders: list[str]
    gates: list[str]
    builds: list[str]
    models: list[tuple[int, dt.date, int, int]]
    """Of each personal model: its number, when it was learnt, and its sessions and days."""


def quality_of(viewer: Viewer, infant: Infant, start: dt.datetime, end: dt.datetime) -> Quality:
    """Return how good the data between two moments are."""
    rows = _recordings(viewer, infant, start, end)
    totals = rows.order_by().aggregate(
        received=Count("id"),
        on_the_way=Count("id", filter=Q(state__in=ON_THE_WAY)),
        judged=Count("judgement"),
        refused=Count("id", filter=Q(gate_decision__is_cry=True, gate_decision__accepted=False)),
        not_cry=Count("id", filter=Q(gate_decision__is_cry=False)),
    )
    set_aside = rows.filter(state__in=(State.REJECTED, State.FAILED, State.HELD)).order_by()
    faulty = rows.exclude(clock=Recording.Clock.OK).order_by()
    return Quality(
        n_received=totals["received"],
        n_on_the_way=totals["on_the_way"],
        n_judged=totals["judged"],
        n_refused=totals["refused"],
        n_not_cry=totals["not_cry"],
        fates=sorted(set_aside.values_list("state", "reason").annotate(n=Count("id"))),
        clocks=sorted(faulty.values_list("clock").annotate(n=Count("id"))),
        charges=_charges(rows),
    )


def versions_of(viewer: Viewer, infant: Infant, start: dt.datetime, end: dt.datetime) -> Versions:
    """Return by what the recordings between two moments were judged."""
    within: dict[str, Any] = {
        "infant": infant,
        "infant__in": infants_for(viewer),
        "recording__recorded_at__gte": start,
        "recording__recorded_at__lt": end,
    }
    judged = RecordingJudgement.objects.filter(**within).order_by()
    gated = GateDecision.objects.filter(**within).order_by()
    models = judged.filter(model__isnull=False).values_list(
        *("model__number", "model__learnt_on", "model__n_sessions", "model__n_days")
    )
    return Versions(
        encoders=_distinct(judged, "encoder"),
        gates=_distinct(gated, "gate_version"),
        builds=_distinct(judged, "build"),
        models=sorted(models.distinct()),
    )


def _recordings(
    viewer: Viewer, infant: Infant, start: dt.datetime, end: dt.datetime
) -> QuerySet[Recording]:
    within = {"infant": infant, "recorded_at__gte": start, "recorded_at__lt": end}
    return visible_recordings(viewer).filter(**within)


def _charges(rows: QuerySet[Recording]) -> list[Charge]:
    """Return the batteries that said how full they are, in one query for them all."""
    told = rows.filter(battery_frac__isnull=False).select_related("device")
    told = told.only("battery_frac", "recorded_at", "device").order_by("recorded_at", "id")
    by_device: dict[Device, list[float]] = {}
    for row in told:
        by_device.setdefault(row.device, []).append(row.battery_frac or 0.0)
    return [Charge(device, min(fracs), fracs[-1]) for device, fracs in by_device.items()]


def _distinct(rows: QuerySet[Any], column: str) -> list[str]:
    return sorted(value for value in rows.values_list(column, flat=True).distinct() if value)
