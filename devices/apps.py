"""The devices application."""

from django.apps import AppConfig


class DevicesConfig(AppConfig):
    """Monitors as such."""

    name = "devices"
    default_auto_field = "django.db.models.BigAutoField"
