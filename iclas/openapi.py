"""What the API's description needs beside the views: the device's token and the problems."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from typing_extensions import override

from devices.errors import UnknownTokenError
from iclas.problems import CONTENT_TYPE, UNEXPECTED, Problem, problem_of
from infants.errors import (
    BadEntryError,
    BadFieldError,
    DeviceGoneError,
    LongBacklogError,
    NoAudioError,
    PairingCodeError,
    TruncatedUploadError,
    UnknownDeviceError,
    UnknownInfantError,
    UploadTooLargeError,
)
from notify.errors import BadTargetError

Schema = dict[str, Any]
REFERENCE = {"$ref": "#/components/schemas/Problem"}
PROBLEM: Schema = {
    "type": "object",
    "description": "A problem document (RFC 9457).",
    "required": ["type", "title", "status", "detail", "code", "retry"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "For people."},
        "code": {"type": "string", "description": "For programs."},
        "retry": {
            "type": "string",
            "enum": ["never", "after_pairing", "later"],
            "description": "What a device does with its recording: `never`: discard it; "
            "`after_pairing`: keep it and pair again; `later`: keep it and send it again.",
        },
        "retry_after_s": {"type": "integer", "description": "When, where that is known."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "detail"],
                "properties": {
                    "field": {"type": "string"},
                    "detail": {"type": "string"},
                    "code": {"type": "string"},
                },
            },
        },
    },
}
BAD_FILTER = Problem(
    400,
    "bad_value",
    "A value cannot be used",
    "These values cannot be used: to.",
    errors=({"field": "to", "detail": "must be later than 'from'."},),
)
TOO_OFTEN = Problem(
    429, "throttled", "Too Many Requests", "Request was throttled.", retry_after_s=42
)
ALIVE = "/health/alive/"
"""It touches nothing that could be away."""
PAIRING = "/devices/pair/"
AS_SEEN = "RecordingAsSeen"
ABOUT_SOMEBODY = ("write_diary_entry", "add_follower")
EXAMPLE_ID = "01998f3a-1c2d-7e3f-9041-62738495a6b7"
NOT_ALLOWED = Problem(
    403, "devices_only", "Forbidden", "Only a device may do this, with its own token."
)
NOT_JSON = Problem(
    415,
    "unsupported_media_type",
    "Unsupported Media Type",
    'Unsupported media type "text/plain" in request.',
)
BAD_HEARTBEAT = Problem(
    400,
    "bad_value",
    "A value cannot be used",
    "These values cannot be used: battery_frac.",
    errors=(
        {
            "field": "battery_frac",
            "detail": "Ensure this value is less than or equal to 1.",
            "code": "max_value",
        },
    ),
)
NOT_MULTIPART = Problem(
    415,
    "unsupported_media_type",
    "Unsupported Media Type",
    'Unsupported media type "application/json" in request.',
)


class DeviceTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Describes how a device shows its token."""

    target_class = "devices.authentication.DeviceTokenAuthentication"
    name = "deviceToken"

    @override
    def get_security_definition(self, auto_schema: object) -> Schema:
        """Return the security scheme."""
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A device's own token, given once when it was paired.",
        }


def add_problems(result: Schema, generator: object, **_given: Any) -> Schema:
    """Add to every operation the problems that it may answer with, each with an example."""
    del generator
    schemas = result.setdefault("components", {}).setdefault("schemas", {})
    schemas["Problem"] = PROBLEM
    if seen := schemas.get(AS_SEEN):  # what people see holds all that a device sees, and fits both
        seen["anyOf"] = seen.pop("oneOf")
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            for problem in _problems(path, method, named=_names_somebody(path, operation)):
                operation["responses"].setdefault(str(problem.status), _described(problem))
    return result


def _described(problem: Problem) -> Schema:
    example = {"value": problem.document()}
    content = {"schema": REFERENCE, "examples": {problem.code: example}}
    return {"description": problem.title, "content": {CONTENT_TYPE: content}}


def _names_somebody(path: str, operation: Schema) -> bool:
    """Tell whether a request says of whom or what it is: in its path, a filter or its body."""
    filters = {parameter["name"] for parameter in operation.get("parameters", [])}
    return "{" in path or "infant" in filters or operation["operationId"] in ABOUT_SOMEBODY


def _problems(path: str, method: str, *, named: bool) -> Iterator[Problem]:
    """Yield what may go wrong with an operation."""
    if path.endswith(PAIRING):
        yield from _problems_of_pairing()
        return
    if "/devices/" in path:
        yield from _problems_of_devices(path, method, named=named)
        return
    known: list[Exception] = [] if path.endswith(ALIVE) else [OSError()]
    if "/diary-entries/" in path and method in ("post", "patch"):
        known.append(BadEntryError({"ends_at": "The end must come after the start."}))
    if path.endswith("/followers/") and method == "post":
        known.append(BadTargetError("Give an address that begins with https://."))
    if "/health/" not in path:
        known.append(UnknownTokenError())
        yield NOT_ALLOWED
    if named:
        known.append(UnknownInfantError(EXAMPLE_ID))
    if method == "post":
        known += _errors_of_posting(path)
        yield NOT_MULTIPART
    else:
        yield BAD_FILTER
    yield from (problem for error in known if (problem := problem_of(error)) is not None)
    yield UNEXPECTED


def _errors_of_posting(path: str) -> Iterator[Exception]:
    """Yield what may be wrong with what is posted."""
    yield TruncatedUploadError()
    if path.endswith("/recordings/"):
        yield LongBacklogError(10_000)
    if not path.endswith("/bulk/"):
        yield NoAudioError()
        yield BadFieldError("battery_frac", "must be a number")
        yield UploadTooLargeError(25 * 2**20)


def _problems_of_pairing() -> Iterator[Problem]:
    """Yield what may go wrong where a device has no token yet."""
    errors = [{"field": "code", "detail": "This field is required.", "code": "required"}]
    detail = "These values cannot be used: code."
    yield Problem(400, "bad_value", "A value cannot be used", detail, errors=tuple(errors))
    yield TOO_OFTEN
    for error in (PairingCodeError(), OSError()):
        if (problem := problem_of(error)) is not None:
            yield problem
    yield UNEXPECTED


def _problems_of_devices(path: str, method: str, *, named: bool) -> Iterator[Problem]:
    """Yield what may go wrong with what concerns a device as such."""
    yield NOT_ALLOWED
    if method in ("post", "patch"):
        yield NOT_JSON
        yield BAD_HEARTBEAT
    elif "{" not in path and "/self/" not in path:
        yield BAD_FILTER
    known: list[Exception] = [UnknownTokenError(), OSError()]
    if named and "{" not in path:
        known.append(UnknownInfantError(EXAMPLE_ID))
    if "{" in path:
        known.append(UnknownDeviceError(UUID("01998f3a-2d3e-7f40-8152-738495a6b7c8")))
        if method != "get":
            known.append(DeviceGoneError())
    yield from (problem for error in known if (problem := problem_of(error)) is not None)
    yield UNEXPECTED
