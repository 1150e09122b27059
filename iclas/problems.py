"""The one table from errors to problem documents (RFC 9457).

What comes in: whatever went wrong under `/api/`. What goes out: `application/problem+json` with
`type`, `title`, `status`, `detail`, `code` and `retry`, which tells a device what to do with its
recording: `never` (discard it), `after_pairing` (keep it, pair again) or `later` (keep it and send
it again, after `retry_after_s` where that is known). Guaranteed: `retry` follows from the status
alone, as the device contract says; nothing of an error's inside is told to strangers.
"""

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from django.core.exceptions import (
    BadRequest,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.views import defaults
from rest_framework.exceptions import APIException, ErrorDetail, ValidationError
from rest_framework.response import Response
from rest_framework.views import set_rollback

from anomaly.errors import AnomalyError, ArtefactLostError
from devices.errors import DeviceError, RevokedDeviceError
from infants.errors import (
    AudioCorruptError,
    AudioMissingError,
    BadEntryError,
    BadFieldError,
    DeviceGoneError,
    EnvelopeError,
    InfantError,
    LeaseLostError,
    LengthMissingError,
    LongBacklogError,
    NoAudioError,
    NotReviewableError,
    PairingCodeError,
    UnknownDeviceError,
    UnknownEntryError,
    UnknownInfantError,
    UploadTooLargeError,
)
from infants.shortages import Shortage, shortage
from notify.errors import (
    BadTargetError,
    NotifyError,
    TooManyTrialsError,
    UnknownFollowerError,
)

log = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:iclas:problem:"
API_PREFIX = "/api/"
CHALLENGE = 'Bearer realm="iclas"'
DISK_RETRY_S = 60
DATABASE_RETRY_S = 5
BACKLOG_RETRY_S = 120
TRIAL_RETRY_S = 3600
NEVER = (413, 415, 422)
AFTER_PAIRING = (401, 403)


def retry_of(status: int) -> str:
    """Return what a device should do after an answer with this status."""
    if status in NEVER:
        return "never"
    return "after_pairing" if status in AFTER_PAIRING else "later"


@dataclass(frozen=True)
class Problem:
    """One thing that went wrong, as clients are told of it."""

    status: int
    code: str
    title: str
    detail: str
    retry_after_s: int | None = None
    errors: tuple[dict[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """Return the problem document."""
        said: dict[str, Any] = {
            "type": f"{TYPE_PREFIX}{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "retry": retry_of(self.status),
        }
        if self.retry_after_s is not None:
            said["retry_after_s"] = self.retry_after_s
        if self.errors:
            said["errors"] = list(self.errors)
        return said

    def all_headers(self) -> dict[str, str]:
        """Return the headers that go with it."""
        headers = dict(self.headers)
        if self.retry_after_s is not None:
            headers["Retry-After"] = str(self.retry_after_s)
        if self.status == HTTPStatus.UNAUTHORIZED:
            headers.setdefault("WWW-Authenticate", CHALLENGE)
        return headers


@dataclass(frozen=True)
class Kind:
    """One row of the table; what has no detail of its own speaks for itself."""

    status: int
    title: str
    code: str | None = None
    detail: str | None = None
    retry_after_s: int | None = None


TOO_BIG = "The form around the recordings is too large; send fewer at once."
STORAGE_FULL = Kind(
    503,
    "Storage full",
    "storage_full",
    "There is no room for it at the moment: keep it, and send it again later.",
    DISK_RETRY_S,
)
NO_DATABASE = Kind(
    503, "Database unavailable", "database_unavailable", "Try again soon.", DATABASE_RETRY_S
)
TABLE: dict[type[Exception], Kind] = {
    # devices
    DeviceError: Kind(401, "The device is not known"),
    RevokedDeviceError: Kind(401, "The device was revoked"),
    # infants
    InfantError: Kind(400, "The request could not be met"),
    NoAudioError: Kind(422, "There is no audio in it"),
    UploadTooLargeError: Kind(413, "The recording is too large"),
    LongBacklogError: Kind(429, "Too much is waiting", retry_after_s=BACKLOG_RETRY_S),
    BadFieldError: Kind(422, "A field makes no sense"),
    EnvelopeError: Kind(400, "The request around the audio is faulty"),
    LengthMissingError: Kind(411, "The length is missing"),
    UnknownInfantError: Kind(404, "No such infant"),
    UnknownDeviceError: Kind(404, "No such device"),
    DeviceGoneError: Kind(409, "The device was revoked"),
    PairingCodeError: Kind(403, "This code cannot be used"),
    UnknownEntryError: Kind(404, "No such diary entry"),
    BadEntryError: Kind(422, "The diary entry makes no sense"),
    AudioMissingError: Kind(404, "The audio is gone"),
    AudioCorruptError: Kind(500, "The audio is damaged"),
    NotReviewableError: Kind(422, "There is nothing to review"),
    LeaseLostError: Kind(409, "Somebody else is at it"),
    # anomaly
    AnomalyError: Kind(404, "No such judgement"),
    ArtefactLostError: Kind(500, "A personal model is damaged"),
    # notify
    NotifyError: Kind(502, "A message did not arrive"),
    BadTargetError: Kind(422, "The address makes no sense"),
    UnknownFollowerError: Kind(404, "No such follower"),
    TooManyTrialsError: Kind(429, "Too many trials", retry_after_s=TRIAL_RETRY_S),
    # Django
    Http404: Kind(404, "Not found", "not_found", "There is nothing here; paths end with a slash."),
    PermissionDenied: Kind(403, "Not allowed", "permission_denied", "You may not do this."),
    BadRequest: Kind(400, "Bad request", "bad_request", "The request could not be read."),
    SuspiciousOperation: Kind(400, "Bad request", "bad_request", "The request was refused."),
    TooManyFilesSent: Kind(400, "Too many parts", "too_many_parts", TOO_BIG),
    TooManyFieldsSent: Kind(400, "Too many fields", "too_many_fields", TOO_BIG),
    RequestDataTooBig: Kind(400, "Too much text", "too_much_text", TOO_BIG),
    UnreadablePostError: Kind(
        400, "Broken off", "broken_off", "The request broke off before it was whole."
    ),
    # what passes
    OSError: Kind(
        503, "Storage unavailable", "storage_unavailable", "Try again later.", DISK_RETRY_S
    ),
    OperationalError: NO_DATABASE,
    InterfaceError: NO_DATABASE,
}
UNEXPECTED = Problem(500, "server_error", "Server error", "Something went wrong on our side.")


def problem_of(error: Exception) -> Problem | None:
    """Return what clients are told of an error, or None where it is a fault of ours."""
    if isinstance(error, APIException):
        return _of_framework(error)
    lack = shortage(error)
    if lack is Shortage.ROOM:
        return _of_table(error, STORAGE_FULL)
    if lack is not None and isinstance(error, DatabaseError):
        return _of_table(error, NO_DATABASE)
    for kind in type(error).__mro__:
        if kind in TABLE:
            return _of_table(error, TABLE[kind])
    return None


def _of_table(error: Exception, kind: Kind) -> Problem:
    return Problem(
        status=kind.status,
        code=kind.code or str(getattr(error, "code", "error")),
        title=kind.title,
        detail=kind.detail or str(error),
        retry_after_s=kind.retry_after_s,
        errors=_field_errors(error),
    )


def _field_errors(error: Exception) -> tuple[dict[str, str], ...]:
    if isinstance(error, BadFieldError):
        return ({"field": error.field, "detail": error.problem},)
    if isinstance(error, BadEntryError):
        return tuple({"field": name, "detail": said} for name, said in error.problems.items())
    return ()


def _of_framework(error: APIException) -> Problem:
    headers = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    status = HTTPStatus(error.status_code)
    if isinstance(error, ValidationError):
        errors = _flat(error.detail)
        names = ", ".join(dict.fromkeys(e["field"] for e in errors))
        detail = f"These values cannot be used: {names}."
        return Problem(status, "bad_value", "A value cannot be used", detail, errors=errors)
    code = str(getattr(error.detail, "code", error.default_code))
    wait = getattr(error, "wait", None)
    seconds = None if wait is None else math.ceil(wait)
    return Problem(status, code, status.phrase, str(error.detail), seconds, headers=headers)


def _flat(detail: object, path: str = "") -> tuple[dict[str, str], ...]:
    """Return every complaint with the name of its field."""
    if isinstance(detail, Mapping):
        parts = [_flat(value, f"{path}.{key}".strip(".")) for key, value in detail.items()]
        return tuple(complaint for part in parts for complaint in part)
    if isinstance(detail, list):
        return tuple(complaint for value in detail for complaint in _flat(value, path))
    said = {"field": path or "non_field", "detail": str(detail)}
    if isinstance(detail, ErrorDetail):
        said["code"] = str(detail.code)
    return (said,)


def problem_response(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """Answer an error that a view of the API raised; None leaves it to Django, which logs it."""
    del context
    problem = problem_of(error)
    if problem is None:
        return None
    set_rollback()
    if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        # An OSError's text holds the path of the audio; its number says enough.
        log.warning(
            "%s: %s %s", problem.code, type(error).__name__, getattr(error, "errno", "") or ""
        )
    return Response(
        problem.document(),
        status=problem.status,
        headers=problem.all_headers(),
        content_type=CONTENT_TYPE,
    )


def _answer(problem: Problem) -> HttpResponse:
    return JsonResponse(
        problem.document(),
        status=problem.status,
        headers=problem.all_headers(),
        content_type=CONTENT_TYPE,
    )


def is_api(request: HttpRequest) -> bool:
    """Tell whether a program asks, rather than a person's browser."""
    return request.path_info.startswith(API_PREFIX)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what Django itself refuses, before any view."""
    if not is_api(request):
        return defaults.bad_request(request, exception)
    return _answer(problem_of(exception) or _of_table(exception, TABLE[BadRequest]))


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what Django itself forbids."""
    if not is_api(request):
        return defaults.permission_denied(request, exception)
    return _answer(_of_table(exception, TABLE[PermissionDenied]))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what no view stands for."""
    if not is_api(request):
        return defaults.page_not_found(request, exception)
    return _answer(_of_table(exception, TABLE[Http404]))


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer a fault of ours."""
    if not is_api(request):
        return defaults.server_error(request)
    return _answer(UNEXPECTED)
