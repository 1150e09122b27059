"""The documents in which clients read alerts, and say what they do with them."""

from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from anomaly.api.serializers import EpisodeSerializer, NoticeField
from infants.api.base import Document
from infants.models import User
from notify.actions import SNOOZES_MIN
from notify.api import examples
from notify.models import Alert, AlertAction
from notify.people import named
from notify.selectors import actions_of

WHO = "By which name; null: nobody, or somebody whose name the reader may not know."


class AlertSerializer(serializers.ModelSerializer[Alert]):
    """An episode that somebody must hear of, and who has taken it."""

    state = serializers.SerializerMethodField()
    acknowledged_by = serializers.SerializerMethodField(help_text=WHO)
    snoozed_by = serializers.SerializerMethodField(help_text=WHO)

    class Meta:
        model = Alert
        fields: ClassVar = [
            "id",
            "infant",
            "kind",
            "state",
            "opened_at",
            "closed_at",
            "acknowledged_at",
            "acknowledged_by",
            "snoozed_until",
            "snoozed_by",
        ]

    @extend_schema_field(serializers.ChoiceField(choices=Alert.State.choices))
    def get_state(self, alert: Alert) -> str:
        """Return where it stands now."""
        return alert.state(timezone.now()).value

    def get_acknowledged_by(self, alert: Alert) -> str | None:
        """Return who has taken it."""
        return self._who(alert, alert.acknowledged_by)

    def get_snoozed_by(self, alert: Alert) -> str | None:
        """Return who has put it off."""
        return self._who(alert, alert.snoozed_by)

    def _who(self, alert: Alert, user: User | None) -> str | None:
        return named(user) if getattr(alert, "is_identified", False) else None


class AlertActionSerializer(serializers.ModelSerializer[AlertAction]):
    """What somebody did with an alert."""

    by = serializers.SerializerMethodField(help_text=WHO)
    facts = serializers.DictField()

    class Meta:
        model = AlertAction
        fields: ClassVar = ["kind", "at", "by", "facts"]

    def get_by(self, action: AlertAction) -> str | None:
        """Return who it was."""
        return named(action.by) if self.context["is_identified"] else None


@extend_schema_serializer(examples=[OpenApiExample("Taken by somebody", examples.DETAIL)])
class AlertDetailSerializer(AlertSerializer):
    """An alert with its episode, and what was done with it, newest first."""

    notice = NoticeField()
    episode = EpisodeSerializer(
        allow_null=True, help_text="Null: withdrawn; there is no such episode any more."
    )
    actions = serializers.SerializerMethodField()

    class Meta(AlertSerializer.Meta):
        fields: ClassVar = ["notice", *AlertSerializer.Meta.fields, "episode", "actions"]

    @extend_schema_field(AlertActionSerializer(many=True))
    def get_actions(self, alert: Alert) -> list[Document]:
        """Return the log."""
        context = {"is_identified": getattr(alert, "is_identified", False)}
        return [dict(one) for one in self._logged(alert, context)]

    def _logged(self, alert: Alert, context: dict[str, Any]) -> list[Document]:
        return list(AlertActionSerializer(actions_of(alert), many=True, context=context).data)


@extend_schema_serializer(examples=[OpenApiExample("Taken", {"is_acknowledged": True})])
class AcknowledgeSerializer(serializers.Serializer[Alert]):
    """Whether somebody takes an alert."""

    is_acknowledged = serializers.BooleanField(
        default=True, help_text="`false`: give it back, so that it calls again."
    )


@extend_schema_serializer(examples=[OpenApiExample("For half an hour", {"minutes": 30})])
class SnoozeSerializer(serializers.Serializer[Alert]):
    """For how long an alert is put off."""

    minutes = serializers.ChoiceField(
        choices=[(0, "end the snooze"), *((one, f"{one} minutes") for one in SNOOZES_MIN)],
        help_text="It comes back by itself; 0: at once.",
    )
