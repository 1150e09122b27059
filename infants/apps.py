"""The infants application."""

from django.apps import AppConfig


class InfantsConfig(AppConfig):
    """Who and what."""

    name = "infants"
    default_auto_field = "django.db.models.BigAutoField"
