"""The documents in which clients read who is told, and say how."""

from typing import Any, ClassVar

from django.conf import settings
from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request

from infants.access import Viewer
from notify.api import examples
from notify.models import Delivery, Follower
from notify.models.followers import MOST_DELAY_MIN, MOST_REPEAT_MIN
from notify.people import named
from notify.severity import Severity

Channel = Follower.Channel
NEEDS_ADDRESS = (Channel.SERVICE, Channel.WEBHOOK)


@extend_schema_serializer(examples=[OpenApiExample("A webhook", examples.FOLLOWER)])
class FollowerSerializer(serializers.ModelSerializer[Follower]):
    """One way in which a person, or a program of that person's, is told of an infant's alerts."""

    person = serializers.SerializerMethodField(help_text="By which name the person goes.")
    is_own = serializers.SerializerMethodField(help_text="Whether it is the reader's.")
    shown_target = serializers.SerializerMethodField(
        help_text="What the reader may be reminded of; addresses are never answered in full."
    )
    secret = serializers.SerializerMethodField(
        help_text="A webhook's, in the answer to its adding alone; null at any other time."
    )

    class Meta:
        model = Follower
        fields: ClassVar = [
            *("id", "infant", "channel", "person", "is_own", "label", "shown_target", "secret"),
            *("least_severity", "delay_min", "repeat_min", "breaks_quiet", "says_name"),
            *("language", "is_on", "off_reason", "created_at"),
        ]

    def get_person(self, follower: Follower) -> str:
        """Return whose it is."""
        return named(follower.user) or ""

    def get_is_own(self, follower: Follower) -> bool:
        """Tell whether it is the reader's."""
        request: Request = self.context["request"]
        viewer = Viewer.of(request.user, request.auth)
        return viewer.user is not None and viewer.user.id == follower.user_id

    def get_shown_target(self, follower: Follower) -> str:
        """Return what may be shown of where."""
        return follower.shown_target if self.get_is_own(follower) else ""

    def get_secret(self, _follower: Follower) -> str | None:
        """Return nothing: it is put in once."""
        return None


class FollowerPatchSerializer(serializers.Serializer[Follower]):
    """Of what, when and how somebody is told."""

    label = serializers.CharField(  # type: ignore[assignment]
        max_length=80, required=False, allow_blank=True
    )
    least_severity = serializers.ChoiceField(
        Severity.choices, required=False, help_text="From which severity on."
    )
    delay_min = serializers.IntegerField(
        min_value=0,
        max_value=MOST_DELAY_MIN,
        required=False,
        help_text="Told so many minutes after an alert begins to call, where nobody took it.",
    )
    repeat_min = serializers.IntegerField(
        min_value=0,
        max_value=MOST_REPEAT_MIN,
        required=False,
        help_text="Reminded so often until somebody takes it, five times at most; 0: never.",
    )
    breaks_quiet = serializers.BooleanField(
        required=False, help_text="Whether strong evidence may disturb quiet hours."
    )
    says_name = serializers.BooleanField(
        required=False, help_text="Whether messages say the infant's name; webhooks never do."
    )
    language = serializers.ChoiceField([code for code, _ in settings.LANGUAGES], required=False)
    is_on = serializers.BooleanField(required=False)


class SubscriptionSerializer(serializers.Serializer[Follower]):
    """Where a browser can be pushed to, as its `PushSubscription` says."""

    endpoint = serializers.URLField(max_length=1000)
    p256dh = serializers.CharField(max_length=200)
    auth = serializers.CharField(max_length=100)


@extend_schema_serializer(examples=[OpenApiExample("A webhook", examples.NEW_FOLLOWER)])
class NewFollowerSerializer(FollowerPatchSerializer):
    """How to be told, of whom, and where."""

    infant = serializers.UUIDField()
    channel = serializers.ChoiceField(Channel.choices)
    address = serializers.CharField(
        max_length=1000, required=False, help_text="Of a webhook, or of a service as Apprise says."
    )
    subscription = SubscriptionSerializer(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Ask for what the channel needs."""
        needed = "address" if attrs["channel"] in NEEDS_ADDRESS else ""
        needed = "subscription" if attrs["channel"] == Channel.PUSH else needed
        if needed and not attrs.get(needed):
            raise serializers.ValidationError({needed: ["This field is required."]})
        return attrs


@extend_schema_serializer(examples=[OpenApiExample("It arrived", examples.TRIAL)])
class TrialSerializer(serializers.ModelSerializer[Delivery]):
    """How a trial message went."""

    class Meta:
        model = Delivery
        fields: ClassVar = ["id", "state", "reason", "detail"]
