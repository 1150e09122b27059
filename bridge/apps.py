"""The application of the bridge."""

from django.apps import AppConfig


class BridgeConfig(AppConfig):
    """Who is published at the home's broker, and the program that publishes."""

    name = "bridge"
    default_auto_field = "django.db.models.BigAutoField"
