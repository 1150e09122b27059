"""What a device and those who manage it send and read of the device itself."""

import math
from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from devices.models import Device, DeviceSettings
from infants.api import examples

MOST_QUEUED = 2**31 - 1


class NumberField(serializers.FloatField):
    """A number that is one: neither infinite nor `NaN`, which JSON has not."""

    def to_internal_value(self, data: Any) -> float:  # noqa: ANN401  whatever was sent
        """Return the number, or refuse it."""
        number = super().to_internal_value(data)
        if not math.isfinite(number):
            self.fail("invalid")
        return number


@extend_schema_serializer(examples=[OpenApiExample("A monitor is well", examples.HEARTBEAT)])
class HeartbeatSerializer(serializers.Serializer[Any]):
    """What a device says of itself; everything may be left out."""

    battery_frac = NumberField(required=False, allow_null=True, min_value=0, max_value=1)
    firmware = serializers.CharField(
        required=False, allow_blank=True, max_length=64, help_text="The version that runs."
    )
    clock = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=64,
        help_text="The device's present time (RFC 3339). A faulty one is accepted.",
    )
    uptime_s = NumberField(
        required=False, allow_null=True, min_value=0, help_text="Seconds since it started."
    )
    round_trip_s = NumberField(
        required=False,
        allow_null=True,
        min_value=0,
        help_text="How long the heartbeat before this one took, from sending to its answer.",
    )
    queue_length = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=0,
        max_value=MOST_QUEUED,
        help_text="How many recordings wait on it to be sent.",
    )
    is_leaving = serializers.BooleanField(
        required=False,
        default=False,
        help_text="It is being switched off on purpose: until its next heartbeat, its silence "
        "alarms nobody.",
    )


@extend_schema_serializer(examples=[OpenApiExample("Heard", examples.HEARD)])
class HeardSerializer(serializers.Serializer[Any]):
    """The answer to a heartbeat."""

    received_at = serializers.DateTimeField(help_text="The present time, by ICLAS' clock.")
    clock_skew_s = serializers.FloatField(
        allow_null=True,
        help_text="By how much the device's clock is ahead, as far as is known: so much is taken "
        "off the times of what it sends.",
    )
    settings_version = serializers.IntegerField(
        help_text="Another one than before: read the settings."
    )
    heartbeat_every_s = serializers.IntegerField(help_text="When the next one is expected.")
    is_sandbox = serializers.BooleanField(
        help_text="The device is being tried out: what it sends is stored and never judged."
    )


class SettingsFields(serializers.ModelSerializer[DeviceSettings]):
    """What can be asked of a device."""

    class Meta:
        model = DeviceSettings
        fields: ClassVar = ["sensitivity", "upload", "is_wifi_only", "suspended_until"]
        extra_kwargs: ClassVar = {
            "sensitivity": {
                "help_text": "Beside the device's own threshold: `low` records what is 6 dB "
                "louder, `high` what is 6 dB quieter."
            },
            "upload": {"help_text": "`cries`: keep back what the device takes for no crying."},
            "is_wifi_only": {"help_text": "Wait with uploads while on a mobile network."},
            "suspended_until": {
                "help_text": "Record nothing until then; heartbeats go on. Null: listen."
            },
        }


@extend_schema_serializer(examples=[OpenApiExample("Suspend it", examples.SETTINGS_CHANGE)])
class SettingsChangeSerializer(SettingsFields):
    """What is to change of a device's settings; what is not named stays."""

    class Meta(SettingsFields.Meta):
        pass


@extend_schema_serializer(examples=[OpenApiExample("As first set", examples.SETTINGS)])
class SettingsSerializer(SettingsFields):
    """What is asked of a device."""

    version = serializers.IntegerField(help_text="Counts up with each change; 0: never changed.")
    heartbeat_every_s = serializers.IntegerField(help_text="Send a heartbeat so often.")

    class Meta(SettingsFields.Meta):
        fields: ClassVar = ["version", *SettingsFields.Meta.fields, "heartbeat_every_s"]


@extend_schema_serializer(examples=[OpenApiExample("A new token", examples.NEW_TOKEN)])
class TokenSerializer(serializers.Serializer[Any]):
    """A new token, given this once."""

    token = serializers.CharField(
        help_text="Store it before using it: with its first use all older ones are void."
    )


@extend_schema_serializer(examples=[OpenApiExample("A monitor", examples.DEVICE)])
class DeviceSerializer(serializers.ModelSerializer[Device]):
    """A device, as those who manage it read it."""

    infant = serializers.UUIDField(
        source="infant_id", help_text="Whom it serves, or served last.", allow_null=True
    )
    is_serving = serializers.BooleanField(help_text="Whether it still serves that infant.")
    clock_skew_s = serializers.FloatField(
        allow_null=True, help_text="By how much its clock is ahead; null: it never said its time."
    )

    class Meta:
        model = Device
        fields: ClassVar = [
            "id",
            "name",
            "kind",
            "hardware",
            "firmware",
            "infant",
            "is_serving",
            "is_sandbox",
            "created_at",
            "revoked_at",
            "last_seen_at",
            "last_heartbeat_at",
            "left_at",
            "battery_frac",
            "queue_length",
            "clock_skew_s",
            "clock_bound_s",
        ]


@extend_schema_serializer(
    examples=[OpenApiExample("To another infant", {"infant": examples.INFANT_ID})]
)
class DeviceChangeSerializer(serializers.Serializer[Any]):
    """What is to change of a device; what is not named stays."""

    name = serializers.CharField(required=False, max_length=120, help_text="What people call it.")
    infant = serializers.UUIDField(
        required=False, help_text="Let it serve this infant from now on; history is kept."
    )
    is_sandbox = serializers.BooleanField(
        required=False, help_text="Try it out: what it sends is stored and never judged."
    )
