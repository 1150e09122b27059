"""Wiring only: settings, the Celery application, URLs, the spine, error documents, checks."""

from iclas.celery import app as celery_app

__all__ = ["celery_app"]
__version__ = "0.1.0"
