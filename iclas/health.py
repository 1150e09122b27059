"""Is this installation well? For probes a word, for its operators what stands in the queues.

Guaranteed: 200 means that database and storage can be written to at this moment (of an
object store: that it answers, and knows us and the bucket); nothing that
names a person, a password or a path is told.
"""

import datetime as dt
import shutil
import tempfile
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, transaction
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from bridge.selectors import bridge_word
from iclas import __version__
from infants.access import Viewer
from infants.api.base import ApiView
from infants.backlog import Backlog, backlog
from infants.models import Recording
from infants.storage import depot

NOBODY = UUID(int=0)


class DeadLetterSerializer(serializers.Serializer[Any]):
    """A recording that was set aside, and why."""

    recording = serializers.UUIDField()
    reason = serializers.CharField()
    detail = serializers.CharField()
    failed_at = serializers.DateTimeField()


class HealthSerializer(serializers.Serializer[Any]):
    """How the installation is; the rest is for signed-in staff only."""

    status = serializers.ChoiceField(choices=["ok", "failing"])
    version = serializers.CharField()
    failing = serializers.ListField(
        child=serializers.ChoiceField(choices=["database", "storage"]), required=False
    )
    backlog = serializers.DictField(
        child=serializers.IntegerField(), required=False, help_text="Recordings on their way."
    )
    oldest_waiting_s = serializers.FloatField(
        required=False, help_text="How long the longest has stood still; absent where none does."
    )
    in_hand = serializers.DictField(
        child=serializers.IntegerField(), required=False, help_text="Of these, held by workers."
    )
    failed = serializers.IntegerField(required=False, help_text="Dead letters.")
    failed_by_reason = serializers.DictField(child=serializers.IntegerField(), required=False)
    dead_letters = DeadLetterSerializer(many=True, required=False, help_text="The newest.")
    last_end_at = serializers.DateTimeField(
        required=False, help_text="When a recording last came to its end; absent where none has."
    )
    broker = serializers.CharField(required=False, help_text="Its kind, not its address.")
    bridge = serializers.ChoiceField(
        choices=["off", "connected", "cut_off", "silent"],
        required=False,
        help_text="The bridge to the home's MQTT broker: not set up, there, away from its broker, "
        "or not heard from.",
    )
    encoder = serializers.CharField(required=False)
    disk_free_bytes = serializers.IntegerField(required=False)


class HealthView(ApiView):
    """For probes and operators; a device may ask too, whatever has become of its token."""

    authentication_classes = (SessionAuthentication,)
    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="health",
        tags=["health"],
        responses={
            200: OpenApiResponse(
                HealthSerializer,
                "It is well.",
                [OpenApiExample("For a probe", {"status": "ok", "version": __version__})],
            ),
            503: OpenApiResponse(HealthSerializer, "Something cannot be written to."),
        },
    )
    def get(self, request: Request) -> Response:
        """Tell how the installation is; 503 where database or storage cannot be written to."""
        failing = failing_parts()
        said: dict[str, Any] = {"status": "failing" if failing else "ok", "version": __version__}
        if "database" not in failing and getattr(request.user, "is_staff", False):
            said |= {"failing": failing} | details(timezone.now())
        return Response(said, status=503 if failing else 200)


def failing_parts() -> list[str]:
    """Return which parts cannot be written to."""
    parts = {"database": _is_database_writable, "storage": is_storage_writable}
    return [name for name, is_writable in parts.items() if not is_writable()]


def _is_database_writable() -> bool:
    """Tell by a write that changes nothing: a full disk or a read-only replica refuses it."""
    try:
        with transaction.atomic():
            Recording.objects.filter(id=NOBODY).update(attempts=0)
    except DatabaseError:
        return False
    return True


def is_storage_writable() -> bool:
    """Tell by a small file in the folder of uploads and in the storage's; a bucket is asked for."""
    try:
        with tempfile.TemporaryFile(dir=settings.ICLAS_HOME.uploads) as probe:
            probe.write(b"written")
            probe.flush()
        depot().probe()
    except OSError:
        return False
    return True


def details(now: dt.datetime) -> dict[str, Any]:
    """Return what operators want to know of the queues and of the disk."""
    return {
        **spoken_backlog(backlog(Viewer.system(), now)),
        "broker": settings.CELERY_BROKER_URL.partition(":")[0],
        "bridge": bridge_word(now),
        "encoder": settings.ICLAS_ENCODER,
        "disk_free_bytes": shutil.disk_usage(settings.ICLAS_HOME.root).free,
    }


def spoken_backlog(found: Backlog) -> dict[str, Any]:
    """Return the backlog as JSON says it; what is not there is absent."""
    said: dict[str, Any] = {
        "backlog": {s.state.value: s.waiting for s in found.steps} | {"held": found.held},
        "in_hand": {s.state.value: s.leased for s in found.steps},
        "failed": found.n_dead,
        "failed_by_reason": {reason.value: n for reason, n in found.dead_by_reason.items()},
        "dead_letters": [
            {
                "recording": str(letter.recording_id),
                "reason": letter.reason.value,
                "detail": letter.detail,
                "failed_at": letter.failed_at.isoformat(),
            }
            for letter in found.dead
        ],
    }
    if found.oldest_s is not None:
        said["oldest_waiting_s"] = found.oldest_s
    if found.last_end_at is not None:
        said["last_end_at"] = found.last_end_at.isoformat()
    return said
