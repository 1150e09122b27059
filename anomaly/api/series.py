"""The documents in which clients read a timeline."""

from typing import Any, ClassVar

from drf_spectacular.utils import (
    OpenApiExample,
    PolymorphicProxySerializer,
    extend_schema_field,
    extend_schema_serializer,
)
from rest_framework import serializers

from anomaly.api import examples
from anomaly.api.filters import BUCKETS
from anomaly.api.serializers import (
    LearningSerializer,
    ModelReferenceSerializer,
    NoticeField,
    always,
    learning_so_far,
)
from anomaly.models import ScorePoint
from anomaly.models.judgement import Outcome
from anomaly.selectors.timeline import LearningBucket, Row, ScoredBucket
from infants.api.base import Document
from infants.api.filters import MomentField


class ScoredPointSerializer(serializers.ModelSerializer[ScorePoint]):
    """One scorer's word on one recording, with the versions that made it."""

    outcome = always(Outcome.SCORED.value)
    recording = serializers.UUIDField(source="recording_id")
    score = serializers.FloatField(help_text="High is anomalous; each scorer has its own measure.")
    p_value = serializers.FloatField(help_text="Small is unusual for this infant.")
    model = ModelReferenceSerializer()

    class Meta:
        model = ScorePoint
        fields: ClassVar = [
            "outcome",
            "time",
            "recording",
            "scorer",
            "score",
            "p_value",
            "model",
            "encoder",
            "gate_version",
            "gate_accepted",
        ]


class LearningPointSerializer(serializers.ModelSerializer[ScorePoint]):
    """A recording of the time in which the baseline was still being learnt: no number."""

    outcome = always(Outcome.LEARNING.value)
    recording = serializers.UUIDField(source="recording_id")
    learning = serializers.SerializerMethodField()

    class Meta:
        model = ScorePoint
        fields: ClassVar = [
            "outcome",
            "time",
            "recording",
            "scorer",
            "learning",
            "encoder",
            "gate_version",
            "gate_accepted",
        ]

    @extend_schema_field(LearningSerializer)
    def get_learning(self, point: ScorePoint) -> Document:
        """Return how far the learning had come."""
        return learning_so_far(point.baseline_days, point.baseline_days_needed)


class StretchSerializer(serializers.Serializer[Any]):
    """What every bucket has: where it lies, in the infant's own time."""

    start = MomentField(source="stretch.start")
    end = MomentField(source="stretch.end")


class AbsentBucketSerializer(StretchSerializer):
    """Nothing was judged: no crying, or nobody listening."""

    outcome = always("absent")


class HeardSerializer(StretchSerializer):
    """How much was heard."""

    n_recordings = serializers.IntegerField(source="heard.n_recordings")
    n_cries = serializers.IntegerField(source="heard.n_cries")
    cry_s = serializers.FloatField(source="heard.cry_s")
    n_accepted = serializers.IntegerField(
        source="heard.n_accepted", help_text="How many recordings the gate let the baseline learn."
    )


class ScoredBucketSerializer(HeardSerializer):
    """A bucket with numbers."""

    outcome = always(Outcome.SCORED.value)
    n_scored = serializers.IntegerField(source="heard.n_scored")
    p_value_min = serializers.FloatField()
    p_value_median = serializers.FloatField(
        help_text="Of the recordings; in a week, the median of its days' medians."
    )


class LearningBucketSerializer(HeardSerializer):
    """A bucket of the time in which the baseline was still being learnt: no number."""

    outcome = always(Outcome.LEARNING.value)
    learning = LearningSerializer()


def point_document(point: ScorePoint) -> Document:
    """Return a point as clients read it."""
    if point.outcome == Outcome.SCORED:
        return dict(ScoredPointSerializer(point).data)
    return dict(LearningPointSerializer(point).data)


def bucket_document(row: Row) -> Document:
    """Return a bucket as clients read it."""
    if isinstance(row, ScoredBucket):
        return dict(ScoredBucketSerializer(row).data)
    if isinstance(row, LearningBucket):
        return dict(LearningBucketSerializer(row).data)
    return dict(AbsentBucketSerializer(row).data)


@extend_schema_serializer(
    examples=[
        OpenApiExample("Point by point", examples.TIMELINE_RAW),
        OpenApiExample("By day, over a change of clocks", examples.TIMELINE_DAYS),
    ]
)
class TimelineSerializer(serializers.Serializer[Any]):
    """An infant's timeline: points where `bucket` is `raw`, otherwise buckets."""

    notice = NoticeField()
    infant = serializers.UUIDField()
    time_zone = serializers.CharField(help_text="The infant's own.")
    bucket = serializers.ChoiceField(choices=[str(bucket) for bucket in BUCKETS])
    scorer = serializers.ChoiceField(choices=ScorePoint.Scorer.choices)
    next = serializers.URLField(allow_null=True, help_text="The page that follows, or null.")
    previous = serializers.URLField(allow_null=True, help_text="The page before, or null.")
    results = serializers.SerializerMethodField()

    @extend_schema_field(
        PolymorphicProxySerializer(
            component_name="TimelineRow",
            serializers=[
                ScoredPointSerializer,
                LearningPointSerializer,
                ScoredBucketSerializer,
                LearningBucketSerializer,
                AbsentBucketSerializer,
            ],
            resource_type_field_name=None,
            many=True,
        )
    )
    def get_results(self, timeline: dict[str, Any]) -> list[Any]:
        """Return the rows."""
        return [
            point_document(row) if isinstance(row, ScorePoint) else bucket_document(row)
            for row in timeline["rows"]
        ]
