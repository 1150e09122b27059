"""Whether this process is alive, and this installation ready to take in recordings and judge them.

What comes in: a probe. What goes out: for `alive`, an answer from the process itself, which fails
only where starting it again would help; for `ready`, the parts that are needed, each with a word.
Guaranteed: a stranger is told which parts fail, staff what is wrong with each; nothing that names
a person, a password, an address or a path is told.
"""

import datetime as dt
import tempfile
from pathlib import Path
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from kombu.exceptions import OperationalError as BrokerError
from rest_framework import serializers
from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from devices.models import Presence
from iclas.database import is_up_to_date
from iclas.health import is_storage_writable
from infants.api.base import ApiView

OK = "ok"
BROKER_WITHIN_S = 2.0
ROUNDS_MISSED = 3
"""A worker that lets so many sweeps go by is at something long, or is not there."""
PARTS = ("database", "storage", "broker", "worker")
WORDS = (OK, "unreachable", "not_migrated", "read_only", "silent", "unknown")


class AliveSerializer(serializers.Serializer[Any]):
    """That this process answers."""

    status = serializers.ChoiceField(choices=["ok"])


class ReadySerializer(serializers.Serializer[Any]):
    """Whether all is there that is needed; `parts` are for signed-in staff only."""

    status = serializers.ChoiceField(choices=["ready", "not_ready"])
    failing = serializers.ListField(child=serializers.ChoiceField(choices=PARTS))
    parts = serializers.DictField(child=serializers.ChoiceField(choices=WORDS), required=False)


class AliveView(ApiView):
    """For whoever starts again what hangs."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="alive",
        tags=["health"],
        responses={200: OpenApiResponse(AliveSerializer, "It answers.")},
    )
    def get(self, request: Request) -> Response:
        """Answer; what starting this process again cannot mend does not matter here."""
        del request
        return Response({"status": "ok"})


class ReadyView(ApiView):
    """For whoever sends requests here, and for operators."""

    authentication_classes = (SessionAuthentication,)
    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="ready",
        tags=["health"],
        responses={
            200: OpenApiResponse(
                ReadySerializer,
                "All is there.",
                [OpenApiExample("For a probe", {"status": "ready", "failing": []})],
            ),
            503: OpenApiResponse(ReadySerializer, "A part is not there."),
        },
    )
    def get(self, request: Request) -> Response:
        """Tell whether recordings are taken in and judged; 503 where a part of that fails."""
        parts = standing(timezone.now())
        failing = [name for name, word in parts.items() if word != OK]
        said: dict[str, Any] = {"status": "not_ready" if failing else "ready", "failing": failing}
        if parts["database"] == OK and getattr(request.user, "is_staff", False):
            said["parts"] = parts
        return Response(said, status=503 if failing else 200)


def standing(now: dt.datetime) -> dict[str, str]:
    """Return how each part stands, in a word."""
    parts = {"database": _database(), "storage": _storage(), "broker": _broker()}
    is_there = parts["database"] == OK
    return parts | {"worker": _worker(now) if is_there else "unknown"}


def _database() -> str:
    try:
        connection.ensure_connection()
        return OK if is_up_to_date() else "not_migrated"
    except DatabaseError:
        return "unreachable"


def _storage() -> str:
    return OK if is_storage_writable() else "read_only"


def _broker() -> str:
    if settings.CELERY_BROKER_URL.startswith("filesystem:"):
        return OK if _is_folder_writable(settings.ICLAS_HOME.broker) else "unreachable"
    try:
        with current_app.connection_for_write(connect_timeout=BROKER_WITHIN_S) as broker:
            broker.ensure_connection(max_retries=1, timeout=BROKER_WITHIN_S)
    except (BrokerError, OSError):
        return "unreachable"
    return OK


def _is_folder_writable(folder: Path) -> bool:
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _worker(now: dt.datetime) -> str:
    """Tell by what each sweep writes down: that somebody was there."""
    every_s = max(settings.ICLAS_SWEEP_EVERY_S, settings.CELERY_TASK_TIME_LIMIT / ROUNDS_MISSED)
    lately = now - dt.timedelta(seconds=ROUNDS_MISSED * every_s)
    try:
        heard = Presence.objects.filter(device=None, ends_at__gt=lately).exists()
    except DatabaseError:
        return "unknown"
    return OK if heard else "silent"
