"""Episodes as a viewer may read them."""

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet

from anomaly.models import Episode
from infants.access import Viewer, infants_for
from infants.models import Recording


def episodes_where(viewer: Viewer, chosen: Mapping[str, Any]) -> QuerySet[Episode]:
    """Return the visible episodes of an infant or a kind, open or closed, or opened in a span.

    Silences of monitors say nothing of the infant: they are there only where that kind is chosen.
    """
    columns = {
        "infant": "infant_id",
        "kind": "kind",
        "open": "closed_at__isnull",
        "from": "opened_at__gte",
        "to": "opened_at__lt",
    }
    wanted = {column: chosen[name] for name, column in columns.items() if name in chosen}
    is_of_monitor = chosen.get("kind") == Episode.Kind.MONITOR_SILENT
    rows = Episode.with_silences.all() if is_of_monitor else Episode.objects.all()
    return rows.filter(infant__in=infants_for(viewer), **wanted)


def recordings_of(episode: Episode) -> QuerySet[Recording]:
    """Return the cries of an episode's sessions, from its beginning by estimate, oldest first.

    Those of which somebody said that they are not the infant's are among them.
    """
    recordings = Recording.objects.filter(
        infant=episode.infant_id,
        session__started_at__gte=episode.began_at,
        session__started_at__lte=episode.last_at,
        gate_decision__is_cry=True,
        judgement__isnull=False,
    )
    return recordings.order_by("recorded_at", "id")
