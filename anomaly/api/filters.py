"""What timelines and episodes may be narrowed by."""

from typing import Any

from django.utils import timezone
from rest_framework import serializers

from anomaly.models import Episode, ScorePoint
from anomaly.selectors.timeline import LENGTH, Bucket
from infants.api.filters import ListFilters, SessionFilters, span_fields

RAW = "raw"
BUCKETS = [RAW, *Bucket]
MAX_BUCKETS = 1000
COMBINED = ScorePoint.Scorer.COMBINED.value
USUAL_BUCKETS = {Bucket.HOUR: 48, Bucket.DAY: 90, Bucket.WEEK: 52}


class EpisodeFilters(SessionFilters):
    """What episodes may be narrowed by."""

    kind = serializers.ChoiceField(required=False, choices=Episode.Kind.choices)
    open = serializers.BooleanField(required=False, help_text="Only open ones, or only closed.")


class TimelineFilters(ListFilters):
    """Which stretch of a timeline, how fine, and in whose words."""

    bucket = serializers.ChoiceField(
        required=False,
        choices=[str(bucket) for bucket in BUCKETS],
        default=RAW,
        help_text="`raw`: point by point, in pages, newest first. Otherwise one row for each "
        "hour, day or week (from Monday) of the infant's own time, oldest first, in one answer.",
    )
    scorer = serializers.ChoiceField(
        required=False,
        choices=ScorePoint.Scorer.choices,
        default=COMBINED,
        help_text="Whose word; days and weeks are kept for `combined` only.",
    )

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Return the declared fields and the span's."""
        return super().get_fields() | span_fields()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse what cannot be summed up, and complete the span of what can."""
        if attrs["bucket"] == RAW:
            return super().validate(attrs)
        bucket = Bucket(attrs["bucket"])
        if attrs["scorer"] != COMBINED and bucket is not Bucket.HOUR:
            raise serializers.ValidationError({"scorer": ["days and weeks are 'combined' only."]})
        attrs.setdefault("to", timezone.now())
        attrs.setdefault("from", attrs["to"] - USUAL_BUCKETS[bucket] * LENGTH[bucket])
        super().validate(attrs)
        if attrs["to"] - attrs["from"] > MAX_BUCKETS * LENGTH[bucket]:
            problem = f"at most {MAX_BUCKETS} buckets come in one answer; ask for a shorter span."
            raise serializers.ValidationError({"from": [problem]})
        return attrs
