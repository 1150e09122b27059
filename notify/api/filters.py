"""What alerts and followers may be narrowed by."""

from rest_framework import serializers

from infants.api.filters import ListFilters, SessionFilters


class AlertFilters(SessionFilters):
    """Which alerts."""

    open = serializers.BooleanField(required=False, help_text="Only open ones, or only closed.")


class FollowerFilters(ListFilters):
    """Which followers."""

    infant = serializers.UUIDField(required=False, help_text="Of which infant.")
