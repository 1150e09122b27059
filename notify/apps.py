"""The notifying application."""

from django.apps import AppConfig


class NotifyConfig(AppConfig):
    """Alerts and quiet hours."""

    name = "notify"
    default_auto_field = "django.db.models.BigAutoField"
