"""The documents in which clients read infants, sessions and recordings."""

from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from infants.api import examples
from infants.models import Cry, Infant, Recording, RecordingSession
from infants.states import Reason
from pipelines.acoustics import Absence

REASONS = [reason for reason in Reason if reason]
IDENTIFYING = ("name", "birth_date")


@extend_schema_serializer(examples=[OpenApiExample("A preterm infant", examples.INFANT)])
class InfantSerializer(serializers.ModelSerializer[Infant]):
    """An infant; without `name` and `birth_date` for viewers who may not identify the infant."""

    age_days = serializers.SerializerMethodField(help_text="Days since birth.")
    corrected_age_days = serializers.SerializerMethodField(
        help_text="Age corrected for prematurity, until the second birthday."
    )

    class Meta:
        model = Infant
        fields: ClassVar = [
            "id",
            "household",
            "name",
            "source_key",
            "time_zone",
            "birth_date",
            "gestational_age_weeks",
            "age_days",
            "corrected_age_days",
            "audio_policy",
        ]
        extra_kwargs: ClassVar = {name: {"required": False} for name in IDENTIFYING}

    def get_age_days(self, infant: Infant) -> int | None:
        """Return the age today."""
        return infant.age_days(timezone.now())

    def get_corrected_age_days(self, infant: Infant) -> int | None:
        """Return the corrected age today."""
        return infant.corrected_age_days(timezone.now())

    def to_representation(self, instance: Infant) -> dict[str, Any]:
        """Leave out what this viewer may not know."""
        shown = super().to_representation(instance)
        if not getattr(instance, "is_identified", False):
            for name in IDENTIFYING:
                shown.pop(name)
        return shown


@extend_schema_serializer(
    component_name="Session", examples=[OpenApiExample("A bout of crying", examples.SESSION)]
)
class SessionSerializer(serializers.ModelSerializer[RecordingSession]):
    """A bout of crying: recordings with no longer gap of quiet between them."""

    n_recordings = serializers.IntegerField(read_only=True)

    class Meta:
        model = RecordingSession
        fields: ClassVar = ["id", "infant", "started_at", "ended_at", "closed_at", "n_recordings"]


class ChannelSerializer(serializers.Serializer[Any]):
    """What one acoustic channel says: a value and how sure it is, or why there is none."""

    value = serializers.FloatField(required=False)
    confidence = serializers.FloatField(required=False, min_value=0, max_value=1)
    missing = serializers.ChoiceField(required=False, choices=[*map(str, Absence)])


@extend_schema_serializer(examples=[OpenApiExample("Just received", examples.RECORDING)])
class RecordingSerializer(serializers.ModelSerializer[Recording]):
    """A recording: what its device said of it, and where it stands."""

    reason = serializers.SerializerMethodField(
        help_text="Why it is held, rejected or failed; null where it is none of these."
    )
    channels = serializers.DictField(
        child=ChannelSerializer(),
        read_only=True,
        help_text="Acoustic channels of the whole recording by name; none before it is segmented.",
    )

    class Meta:
        model = Recording
        fields: ClassVar = [
            "id",
            "device",
            "infant",
            "session",
            "state",
            "reason",
            "detail",
            "recorded_at",
            "recorded_at_raw",
            "clock",
            "clock_skew_s",
            "said_age_s",
            "received_at",
            "device_session",
            "battery_frac",
            "sha256",
            "byte_size",
            "duration_s",
            "channels",
            "audio_erased_at",
        ]
        extra_kwargs: ClassVar = {
            "session": {"help_text": "The bout of crying in which ICLAS has put it."},
            "device_session": {"help_text": "What the device sent as `session`."},
            "recorded_at_raw": {"help_text": "What the device sent as `recorded_at`."},
            "clock": {"help_text": "What is known of the clock that gave the time."},
            "clock_skew_s": {
                "help_text": "By how much the device's clock was taken to be ahead: so much was "
                "taken off `recorded_at_raw`. Null: nothing was."
            },
            "said_age_s": {"help_text": "How long ago it was recorded, as the device said."},
            "sha256": {"help_text": "Digest of the stored bytes."},
        }

    @extend_schema_field({"type": ["string", "null"], "enum": [*map(str, REASONS), None]})
    def get_reason(self, recording: Recording) -> str | None:
        """Return the reason, or null where there is none."""
        return recording.reason or None


class CrySerializer(serializers.ModelSerializer[Cry]):
    """One unit of crying (an expiration) in a recording."""

    measures = serializers.DictField(
        child=serializers.FloatField(),
        help_text="Acoustic measures by name; one that could not be taken is absent.",
    )

    class Meta:
        model = Cry
        fields: ClassVar = ["id", "index", "onset_s", "offset_s", "measures"]


class UploadSerializer(serializers.Serializer[Any]):
    """The form of an upload."""

    audio = serializers.FileField(
        help_text="The recording, as a file part with a file name. WAV, FLAC, Ogg/Opus, MP3, "
        "M4A/AAC, CAF, 3GP/AMR; whatever it is, it is stored."
    )
    recorded_at = serializers.CharField(
        required=False, help_text="RFC 3339 time. A faulty one is accepted and flagged."
    )
    age_s = serializers.FloatField(
        required=False,
        help_text="How long ago it was recorded, for devices without a clock; used where "
        "`recorded_at` is missing or cannot be right.",
    )
    recorded_uptime_s = serializers.FloatField(
        required=False,
        help_text="The same by the device's uptime: what it was at the recording.",
    )
    uptime_s = serializers.FloatField(
        required=False, help_text="What the device's uptime is now; goes with the former."
    )
    session = serializers.CharField(
        required=False, help_text="The device's own name for its session."
    )
    battery_frac = serializers.FloatField(required=False, min_value=0, max_value=1)
    clock = serializers.CharField(
        required=False,
        help_text="The device's present time (RFC 3339): ICLAS measures by it how far the clock "
        "is off, and corrects what comes in.",
    )


class BulkUploadSerializer(serializers.Serializer[Any]):
    """The form of a bulk upload."""

    audio = serializers.ListField(
        child=serializers.FileField(), help_text="The recordings: one part named `audio` each."
    )
    items = serializers.CharField(
        help_text="A JSON array with an object for each part, in the same order: `recorded_at`, "
        "`age_s`, `recorded_uptime_s`, `session`, `battery_frac`, `idempotency_key`, each optional."
    )
    clock = serializers.CharField(
        required=False, help_text="The device's present time (RFC 3339), once for all."
    )
    uptime_s = serializers.FloatField(
        required=False, help_text="What the device's uptime is now, once for all."
    )


class BulkResultSerializer(serializers.Serializer[Any]):
    """What became of one recording of a bulk upload."""

    status = serializers.IntegerField(help_text="As if it had been uploaded by itself.")
    recording = RecordingSerializer(required=False)
    problem = serializers.DictField(
        required=False, help_text="A problem document; what to do stands in its `retry`."
    )


@extend_schema_serializer(examples=[OpenApiExample("One stored, one refused", examples.BULK)])
class BulkResultsSerializer(serializers.Serializer[Any]):
    """What became of a bulk upload, in the order in which its parts came."""

    results = BulkResultSerializer(many=True)
