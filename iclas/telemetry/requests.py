"""A request's id: in the log, in the answer, and in nothing that is stored.

What comes in: a request, perhaps with an `X-Request-ID` of the proxy before it. What goes out: the
answer with the same id, or with one that was made here where the given one makes no sense.
"""

import re
import secrets
from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from iclas.telemetry.work import Work, at

HEADER = "X-Request-ID"
SENSE = re.compile(r"[A-Za-z0-9._-]{8,64}")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
NO_ROUTE = "none"


class RequestMiddleware:
    """Names each request, and lets it be watched from its first middleware to its answer."""

    sync_capable, async_capable = True, False

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._answered = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer."""
        request_id = id_of(request)
        request.id_in_log = request_id  # type: ignore[attr-defined]  # for what logs it at the end
        method = request.method if request.method in METHODS else "OTHER"
        given = {"method": str(method), "traceparent": request.headers.get("traceparent", "")}
        with at(Work("request", "request", {"request": request_id}, given)) as work:
            answer = self._answered(request)
            work.facts.update(route=route_of(request), status=str(answer.status_code))
        answer[HEADER] = request_id
        return answer


def id_of(request: HttpRequest) -> str:
    """Return the id that a request came with, or a new one."""
    given = request.headers.get(HEADER, "")
    return given if SENSE.fullmatch(given) else secrets.token_hex(8)


def route_of(request: HttpRequest) -> str:
    """Return the name of what answered: one of few, whatever the path holds."""
    match = request.resolver_match
    if match is None:
        return NO_ROUTE
    return match.view_name if match.url_name else match.route or NO_ROUTE
