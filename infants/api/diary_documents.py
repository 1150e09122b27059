"""The documents in which clients read and write the diary."""

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request

from infants.api import examples
from infants.api.filters import MomentField, SessionFilters
from infants.diary import HIGHEST_C, LOWEST_C, MOST_CHARACTERS
from infants.errors import BadEntryError
from infants.models import DiaryEntry


class DiaryFilters(SessionFilters):
    """What the diary may be narrowed by."""

    kind = serializers.ChoiceField(required=False, choices=DiaryEntry.Kind.choices)


@extend_schema_serializer(examples=[OpenApiExample("A temperature", examples.DIARY_ENTRY)])
class DiaryEntrySerializer(serializers.ModelSerializer[DiaryEntry]):
    """An entry; without `text` for viewers who may not identify the infant: it can name people."""

    is_changeable = serializers.SerializerMethodField(
        help_text="Whether the viewer may change it: as its author, or as who manages the infant."
    )

    class Meta:
        model = DiaryEntry
        fields: ClassVar = [
            "id",
            "infant",
            "kind",
            "starts_at",
            "ends_at",
            "temperature_c",
            "text",
            "is_changeable",
            "created_at",
            "updated_at",
        ]
        extra_kwargs: ClassVar = {
            "ends_at": {"help_text": "Null where it was no matter of length, or still goes on."},
            "text": {"required": False},
        }

    def get_is_changeable(self, entry: DiaryEntry) -> bool:
        """Tell whether the viewer may change it."""
        return bool(getattr(entry, "is_changeable", False))

    def to_representation(self, instance: DiaryEntry) -> dict[str, Any]:
        """Leave out what this viewer may not know."""
        shown = super().to_representation(instance)
        if not getattr(instance, "is_identified", False):
            shown.pop("text")
        return shown


@extend_schema_serializer(examples=[OpenApiExample("Fever", examples.DIARY_CHANGE)])
class DiaryEntryPatchSerializer(serializers.Serializer[Any]):
    """What is to be changed of an entry; every member may be left out."""

    kind = serializers.ChoiceField(required=False, choices=DiaryEntry.Kind.choices)
    starts_at = MomentField(required=False)
    ends_at = MomentField(required=False, allow_null=True)
    temperature_c = serializers.FloatField(
        required=False,
        allow_null=True,
        help_text=f"From {LOWEST_C:g} to {HIGHEST_C:g}; of a temperature, and of nothing else.",
    )
    text = serializers.CharField(required=False, allow_blank=True, max_length=MOST_CHARACTERS)


@extend_schema_serializer(examples=[OpenApiExample("A feed", examples.NEW_DIARY_ENTRY)])
class NewDiaryEntrySerializer(DiaryEntryPatchSerializer):
    """What happened."""

    infant = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=DiaryEntry.Kind.choices)
    starts_at = MomentField()


def said_in(form: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """Return what a request says, or refuse it for good, by the names of the faulty fields."""
    asked = form(data=request.data)
    if not asked.is_valid():
        errors = {name: " ".join(map(str, said)) for name, said in asked.errors.items()}
        raise BadEntryError(errors)
    return dict(asked.validated_data)
