"""The documents in which clients read judgements.

What is still being learnt has a member `learning` and no number at all; the member `outcome` says
which kind of document it is.
"""

from typing import Any, ClassVar

from drf_spectacular.utils import (
    OpenApiExample,
    PolymorphicProxySerializer,
    extend_schema_field,
    extend_schema_serializer,
)
from rest_framework import serializers
from typing_extensions import override

from anomaly.api import examples
from anomaly.models import Episode, GateDecision, PersonalModel, RecordingJudgement
from anomaly.models.judgement import Outcome
from anomaly.notice import NOTICE
from anomaly.promise import promised
from anomaly.selectors.standing import baseline_standing
from infants.access import Viewer
from infants.api.base import Document
from infants.api.serializers import (
    CrySerializer,
    InfantSerializer,
    RecordingSerializer,
    SessionSerializer,
)
from infants.models import Infant, Recording, RecordingSession
from pipelines.score import Learning


class NoticeField(serializers.ReadOnlyField):
    """The notice that goes with every judgement."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**(kwargs | {"source": "*"}))

    @override
    def to_representation(self, value: object) -> str:
        """Say it."""
        return NOTICE


extend_schema_field({"type": "string", "const": NOTICE})(NoticeField)


def always(value: str) -> serializers.ReadOnlyField:
    """Return a field that has this one value in every document of its kind."""
    kind = type("AlwaysField", (serializers.ReadOnlyField,), {})
    described = extend_schema_field({"type": "string", "const": value})(kind)
    field: serializers.ReadOnlyField = described()
    return field


class LearningSerializer(serializers.Serializer[Learning]):
    """How far the learning of the baseline has come."""

    days = serializers.IntegerField(help_text="Days of this infant's own crying so far.")
    needed = serializers.IntegerField()
    text = serializers.CharField(help_text="The same in words.")


class ModelReferenceSerializer(serializers.ModelSerializer[PersonalModel]):
    """The version that made a number."""

    class Meta:
        model = PersonalModel
        fields: ClassVar = ["id", "number"]


class ModelSerializer(serializers.ModelSerializer[PersonalModel]):
    """A personal model: what it was learnt from, and with which encoder."""

    class Meta:
        model = PersonalModel
        fields: ClassVar = [
            "id",
            "number",
            "encoder",
            "learnt_on",
            "learnt_until",
            "in_force_after",
            "n_units",
            "n_recordings",
            "n_sessions",
            "n_days",
        ]


PROMISED = "What can be promised of its numbers, in sentences."


class BaselineLearningSerializer(serializers.Serializer[Any]):
    """The infant has no model yet."""

    outcome = always("learning")
    learning = LearningSerializer()
    promised = serializers.ListField(child=serializers.CharField(), help_text=PROMISED)


class BaselineInForceSerializer(serializers.Serializer[Any]):
    """The infant has a model."""

    outcome = always("in_force")
    model = ModelSerializer()
    promised = serializers.ListField(child=serializers.CharField(), help_text=PROMISED)


@extend_schema_serializer(examples=[OpenApiExample("Still learning", examples.INFANT)])
class InfantDetailSerializer(InfantSerializer):
    """An infant and how its baseline stands."""

    notice = NoticeField()
    baseline = serializers.SerializerMethodField()

    class Meta(InfantSerializer.Meta):
        fields: ClassVar = ["notice", *InfantSerializer.Meta.fields, "baseline"]

    @extend_schema_field(
        PolymorphicProxySerializer(
            component_name="Baseline",
            serializers={
                "learning": BaselineLearningSerializer,
                "in_force": BaselineInForceSerializer,
            },
            resource_type_field_name="outcome",
        )
    )
    def get_baseline(self, infant: Infant) -> Document:
        """Return the newest model, or how far the learning has come."""
        request = self.context["request"]
        standing = baseline_standing(Viewer.of(request.user, request.auth), infant)
        said = {"promised": promised(standing)}
        if isinstance(standing, Learning):
            return {"outcome": "learning", "learning": LearningSerializer(standing).data} | said
        return {"outcome": "in_force", "model": ModelSerializer(standing).data} | said


class GatePartSerializer(serializers.Serializer[Any]):
    """One of the gate's questions, with its answer."""

    name = serializers.CharField()
    confidence = serializers.FloatField()
    reason = serializers.CharField()


class GateDecisionSerializer(serializers.ModelSerializer[GateDecision]):
    """Is it a cry; may the baseline learn from it; and why."""

    parts = GatePartSerializer(many=True)
    answer = serializers.CharField(help_text="What a person says that it was; empty: nothing.")

    class Meta:
        model = GateDecision
        fields: ClassVar = [
            "is_cry",
            "cry_probability",
            "accepted",
            "confidence",
            "threshold",
            "arousal",
            "parts",
            "review",
            "answer",
            "reviewed_at",
            "gate_version",
            "decided_at",
        ]


class ScoredJudgementSerializer(serializers.ModelSerializer[RecordingJudgement]):
    """How far a recording is from the infant's own baseline; high scores are anomalous."""

    outcome = always(Outcome.SCORED.value)
    scores = serializers.DictField(child=serializers.FloatField(), help_text="By scorer.")
    p_values = serializers.DictField(child=serializers.FloatField(), help_text="By scorer.")
    room_p_value = serializers.FloatField(
        allow_null=True,
        help_text="How often a usual recording's background is as far from the known ones: small "
        "where the room or the monitor is another one. Part of no other p-value; null where too "
        "few backgrounds are known.",
    )
    model = ModelReferenceSerializer()

    class Meta:
        model = RecordingJudgement
        fields: ClassVar = [
            "outcome",
            "scores",
            "p_values",
            "statistic",
            "p_value",
            "room_p_value",
            "model",
            "encoder",
            "judged_at",
        ]


class LearningJudgementSerializer(serializers.ModelSerializer[RecordingJudgement]):
    """The baseline was still being learnt, so there is no number."""

    outcome = always(Outcome.LEARNING.value)
    learning = serializers.SerializerMethodField()

    class Meta:
        model = RecordingJudgement
        fields: ClassVar = ["outcome", "learning", "encoder", "judged_at"]

    @extend_schema_field(LearningSerializer)
    def get_learning(self, judgement: RecordingJudgement) -> Document:
        """Return how far the learning had come."""
        return learning_so_far(judgement.baseline_days, judgement.baseline_days_needed)


def learning_so_far(days: int, needed: int) -> Document:
    """Return the document of a learning state."""
    return dict(LearningSerializer(Learning(days, needed)).data)


@extend_schema_serializer(examples=[OpenApiExample("Judged", examples.RECORDING)])
class RecordingDetailSerializer(RecordingSerializer):
    """A recording with what was heard in it and what was decided on it, so far as it has come."""

    notice = NoticeField()
    cries = CrySerializer(many=True)
    gate_decision = serializers.SerializerMethodField()
    judgement = serializers.SerializerMethodField()

    class Meta(RecordingSerializer.Meta):
        fields: ClassVar = [
            "notice",
            *RecordingSerializer.Meta.fields,
            "source_format",
            "quality",
            "cries",
            "gate_decision",
            "judgement",
        ]

    @extend_schema_field(GateDecisionSerializer(allow_null=True))
    def get_gate_decision(self, recording: Recording) -> Document | None:
        """Return what the gate decided, or null where it has not."""
        decision = getattr(recording, "gate_decision", None)
        return None if decision is None else dict(GateDecisionSerializer(decision).data)

    @extend_schema_field(
        PolymorphicProxySerializer(
            component_name="Judgement",
            serializers={
                Outcome.SCORED.value: ScoredJudgementSerializer,
                Outcome.LEARNING.value: LearningJudgementSerializer,
            },
            resource_type_field_name="outcome",
            allow_null=True,
        )
    )
    def get_judgement(self, recording: Recording) -> Document | None:
        """Return the judgement, or null where there is none: `state` and `reason` say why."""
        judgement = getattr(recording, "judgement", None)
        if judgement is None:
            return None
        if judgement.outcome == Outcome.SCORED:
            return dict(ScoredJudgementSerializer(judgement).data)
        return dict(LearningJudgementSerializer(judgement).data)


class SessionJudgementSerializer(serializers.Serializer[Any]):
    """How far a whole session is from the baseline."""

    statistic = serializers.FloatField()
    p_value = serializers.FloatField()
    p_values = serializers.DictField(child=serializers.FloatField(), help_text="By scorer.")
    room_p_value = serializers.FloatField(allow_null=True, help_text="Of the background alone.")
    n_recordings = serializers.IntegerField(help_text="Of how many judged recordings.")
    model = ModelReferenceSerializer()
    judged_at = serializers.DateTimeField()


@extend_schema_serializer(
    component_name="SessionDetail", examples=[OpenApiExample("Judged", examples.SESSION)]
)
class SessionDetailSerializer(SessionSerializer):
    """A bout of crying and its judgement."""

    notice = NoticeField()
    judgement = serializers.SerializerMethodField()

    class Meta(SessionSerializer.Meta):
        fields: ClassVar = ["notice", *SessionSerializer.Meta.fields, "judgement"]

    @extend_schema_field(SessionJudgementSerializer(allow_null=True))
    def get_judgement(self, session: RecordingSession) -> Document | None:
        """Return the judgement, or null where no model has judged the session."""
        judgement = getattr(session, "judgement", None)
        return None if judgement is None else dict(SessionJudgementSerializer(judgement).data)


@extend_schema_serializer(examples=[OpenApiExample("An open one", examples.EPISODE)])
class EpisodeSerializer(serializers.ModelSerializer[Episode]):
    """A stretch of time in which the crying, or its surroundings, were unlike the baseline."""

    is_open = serializers.SerializerMethodField()
    close_reason = serializers.CharField(help_text="Empty while it is open.")
    verdict = serializers.CharField(help_text="What a reviewer said of a shift; empty: nothing.")
    evidence = serializers.DictField()

    class Meta:
        model = Episode
        fields: ClassVar = [
            "id",
            "infant",
            "kind",
            "is_open",
            "opened_at",
            "last_at",
            "closed_at",
            "close_reason",
            "evidence",
            "verdict",
            "reviewed_at",
        ]

    def get_is_open(self, episode: Episode) -> bool:
        """Tell whether it still goes on."""
        return episode.closed_at is None


@extend_schema_serializer(examples=[OpenApiExample("Usual", {"verdict": "usual"})])
class EpisodeReviewSerializer(serializers.Serializer[Episode]):
    """A word on a shift."""

    verdict = serializers.ChoiceField(
        choices=[("", "nothing"), *Episode.Verdict.choices],
        allow_blank=True,
        help_text="`usual`: its days are learnt. `unusual`: they never are. Empty: taken back.",
    )


@extend_schema_serializer(
    examples=[
        OpenApiExample("Not to be learnt", {"may_learn": False}),
        OpenApiExample("Another child", {"answer": "not_my_baby"}),
    ]
)
class CryReviewSerializer(serializers.Serializer[GateDecision]):
    """A word on a cry: whether it may be learnt, or what it was."""

    may_learn = serializers.BooleanField(
        required=False,
        allow_null=True,
        help_text="Whether the baseline may learn it; null: what the gate said.",
    )
    answer = serializers.ChoiceField(
        required=False,
        choices=[("", "nothing"), *GateDecision.Answer.choices],
        allow_blank=True,
        help_text="What it was. `expected`: it is learnt. `not_my_baby`, `not_a_cry`: it is not "
        "learnt, and counts in no session, day or episode. Empty: taken back.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Take one word, and not two that may contradict each other."""
        if len(attrs) != 1:
            raise serializers.ValidationError("Give either 'may_learn' or 'answer'.")
        return attrs
