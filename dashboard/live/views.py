"""A stream that tells an open page when to look again.

What comes in: somebody signed in, and the time at which the page was made. What goes out:
server-sent events: `changed` with the infants of whom anything changed since, `beat` every few
seconds so that a page knows that it is not cut off. Guaranteed: no judgement travels here, only
that there is something to fetch, through the page's own address and its own rights; what the viewer
may see is asked anew each time; the stream ends after a while by itself, so that a lost right ends;
who comes back is told of what changed meanwhile.
"""

import asyncio
import datetime as dt
import json
import time
from collections.abc import AsyncIterator
from uuid import UUID

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from anomaly.selectors.pulse import pulse
from infants.access import Viewer
from notify.selectors import acted_on_at

LOOKS_EVERY_S = 2.0
BEATS_EVERY_S = 15.0
LASTS_S = 300.0
RETRY_MS = 3000
MARGIN = dt.timedelta(seconds=5)
"""What changed so shortly before a page was made may have been committed after it."""


@require_safe
@never_cache
async def live(request: HttpRequest) -> HttpResponseBase:
    """Stream what changes; 204 tells a page of somebody who signed out to ask no more."""
    user = await request.auser()
    if not user.is_authenticated:
        return HttpResponse(status=204)
    # A browser that comes back says which event it heard last, and those are named by their times.
    seen = _moment(request.headers.get("Last-Event-ID") or request.GET.get("seen", ""))
    stream = _stream(Viewer.of(user), seen)
    answer = StreamingHttpResponse(stream, content_type="text/event-stream")
    answer.headers["X-Accel-Buffering"] = "no"  # a proxy that waits for more would keep it all
    return answer


async def _stream(viewer: Viewer, seen: dt.datetime) -> AsyncIterator[str]:
    look = sync_to_async(_changes)
    now, known = timezone.now(), await look(viewer)
    changed = {infant for infant, newest in known.items() if newest > seen - MARGIN}
    started = beaten = time.monotonic()
    yield f"retry: {RETRY_MS}\n\n"
    yield _event("beat", now)
    while time.monotonic() - started < LASTS_S:
        if changed:
            yield _event("changed", now, infants=sorted(map(str, changed)))
        if time.monotonic() - beaten >= BEATS_EVERY_S:
            beaten = time.monotonic()
            yield _event("beat", now)
        await asyncio.sleep(LOOKS_EVERY_S)
        now, found = timezone.now(), await look(viewer)
        changed = {infant for infant, _ in found.items() ^ known.items()}
        known = found


def _changes(viewer: Viewer) -> dict[UUID, dt.datetime]:
    """Return when each infant last changed, or an alert of it was acted on."""
    acted = acted_on_at(viewer)
    return {infant: max(at, acted.get(infant, at)) for infant, at in pulse(viewer).items()}


def _event(name: str, now: dt.datetime, **data: object) -> str:
    return f"id: {now.isoformat()}\nevent: {name}\ndata: {json.dumps(data)}\n\n"


def _moment(text: str) -> dt.datetime:
    """Return the time that a page gave; now, where it gave none that can be read."""
    try:
        given = parse_datetime(text)
    except ValueError:
        given = None
    return timezone.now() if given is None or timezone.is_naive(given) else given
