"""Episodes as a viewer may read them."""

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet

from anomaly.models import Episode
from infants.access import Viewer, infants_for


def episodes_where(viewer: Viewer, chosen: Mapping[str, Any]) -> QuerySet[Episode]:
    """Return the visible episodes of an infant or a kind, open or closed, or opened in a span."""
    columns = {
        "infant": "infant_id",
        "kind": "kind",
        "open": "closed_at__isnull",
        "from": "opened_at__gte",
        "to": "opened_at__lt",
    }
    wanted = {column: chosen[name] for name, column in columns.items() if name in chosen}
    return Episode.objects.filter(infant__in=infants_for(viewer)).filter(**wanted)
