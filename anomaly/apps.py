"""The anomaly application."""

from django.apps import AppConfig


class AnomalyConfig(AppConfig):
    """Judgement as rows and policy."""

    name = "anomaly"
    default_auto_field = "django.db.models.BigAutoField"
