"""Judgement in the admin, to be looked at only; the series itself has no single key to be here."""

from django.contrib import admin

from anomaly.models import (
    Episode,
    Event,
    GateDecision,
    PatientReview,
    PersonalModel,
    ReadingTask,
    VersionTrial,
)
from infants.admin import ReadOnlyAdmin


@admin.register(Episode)
class EpisodeAdmin(ReadOnlyAdmin):
    """Episodes."""

    list_display = ("id", "infant_id", "kind", "opened_at", "closed_at", "close_reason")
    list_filter = ("kind", ("closed_at", admin.EmptyFieldListFilter))


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    """Events."""

    list_display = ("id", "infant_id", "kind", "occurred_at")
    list_filter = ("kind",)


@admin.register(PersonalModel)
class PersonalModelAdmin(ReadOnlyAdmin):
    """Personal models; `manage.py rollback_model` puts an earlier one in force."""

    list_display = ("id", "infant_id", "number", "learnt_on", "n_days", "withdrawn_at")
    list_filter = (("withdrawn_at", admin.EmptyFieldListFilter),)


@admin.register(GateDecision)
class GateDecisionAdmin(ReadOnlyAdmin):
    """What the gate decided."""

    list_display = ("recording_id", "is_cry", "accepted", "confidence", "gate_version")
    list_filter = ("is_cry", "accepted", "gate_version")


@admin.register(VersionTrial)
class VersionTrialAdmin(ReadOnlyAdmin):
    """What a new build or encoder would change; `manage.py try_version` makes them."""

    list_display = ("id", "infant_id", "encoder", "made_at", "n_sessions", "adopted_at")
    list_filter = ("encoder", ("adopted_at", admin.EmptyFieldListFilter))


@admin.register(PatientReview)
class PatientReviewAdmin(ReadOnlyAdmin):
    """Who looked at which patient; the clinicians' list makes and undoes them."""

    list_display = ("id", "infant_id", "reviewer", "reviewed_at", "undone_at")
    list_filter = (("undone_at", admin.EmptyFieldListFilter),)


@admin.register(ReadingTask)
class ReadingTaskAdmin(ReadOnlyAdmin):
    """Studies of readings; their own pages make and close them."""

    list_display = ("id", "owner", "unit", "is_blinded", "created_at", "closed_at")
    list_filter = ("is_blinded", "unit")
