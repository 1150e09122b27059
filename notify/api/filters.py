"""What alerts may be narrowed by."""

from rest_framework import serializers

from infants.api.filters import SessionFilters


class AlertFilters(SessionFilters):
    """Which alerts."""

    open = serializers.BooleanField(required=False, help_text="Only open ones, or only closed.")
