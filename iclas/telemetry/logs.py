"""Log lines as JSON, one object a line, with the ids of what they are about.

What comes in: a record of Python's `logging`, from any package. What goes out: a line with time,
level, logger and message; the request, task, step, recording or infant at hand; the trace, where
there is one; of an error its type and where it was raised. Guaranteed: nothing else. What packages
hang on to a record is left out, a request is told by its route and not by its path, and of an error
the words are left out: paths hold tokens, and words hold what people typed.
"""

import datetime as dt
import logging
import logging.config
import traceback
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from pythonjsonlogger.json import JsonFormatter
from typing_extensions import override

from iclas.telemetry import traced, work

MOST_ERRORS, MOST_FRAMES = 5, 30


class Lines(JsonFormatter):
    """Records as objects of JSON."""

    @override
    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        return self.serialize_log_record(said(record))


def said(record: logging.LogRecord) -> dict[str, Any]:
    """Return what is told of a record."""
    request = getattr(record, "request", None)
    line: dict[str, Any] = {
        "at": dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname.lower(),
        "logger": record.name,
        "message": record.getMessage() if request is None else _without_path(record, request),
        "process": record.process,
        **work.ids(),
    }
    if request is not None and (request_id := getattr(request, "id_in_log", "")):
        line["request"] = request_id
    if trace := traced.trace_id():
        line["trace"] = trace
    if record.exc_info and record.exc_info[1] is not None:
        line["errors"] = list(_errors(record.exc_info[1]))
    return line


def _without_path(record: logging.LogRecord, request: Any) -> str:  # noqa: ANN401  Django's, or not
    """Return what Django says of a request, with its route in place of its path."""
    route = getattr(getattr(request, "resolver_match", None), "route", "no route")
    status = getattr(record, "status_code", "")
    return f"{getattr(request, 'method', '')} {route} {status}".strip()


def _errors(error: BaseException) -> Iterator[dict[str, Any]]:
    """Yield an error and what it came of, newest first: the type, and the innermost frames."""
    found: BaseException | None = error
    for _error in range(MOST_ERRORS):
        if found is None:
            return
        frames = traceback.extract_tb(found.__traceback__)[-MOST_FRAMES:]
        kind = type(found)
        yield {
            "type": f"{kind.__module__}.{kind.__qualname__}",
            "frames": [f"{one.filename}:{one.lineno} {one.name}" for one in frames],
        }
        found = found.__cause__ or (None if found.__suppress_context__ else found.__context__)


def let_workers_log_alike(loglevel: int | None = None, **_signal: object) -> None:
    """Set up the log of a worker or the scheduler as that of all others, at the level asked for."""
    logging.config.dictConfig(settings.LOGGING)
    root = logging.getLogger()
    root.setLevel(max(root.level, loglevel or 0))
