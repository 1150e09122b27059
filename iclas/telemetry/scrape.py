"""`/metrics`: what is measured, in Prometheus' text, for whoever has the token.

Guaranteed: without `ICLAS_METRICS_TOKEN` there is no such page. Who asks from the same machine
needs the token too: behind a proxy everybody does.
"""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_safe

UNAUTHORISED = 401


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer with all that is measured, by every process of this home."""
    token = settings.ICLAS_METRICS_TOKEN
    if not token:
        raise Http404
    if not constant_time_compare(request.headers.get("Authorization", ""), f"Bearer {token}"):
        answer = HttpResponse("A token is needed.\n", "text/plain", UNAUTHORISED)
        answer["WWW-Authenticate"] = 'Bearer realm="iclas-metrics"'
        return answer
    return _everything(request.headers.get("Accept", ""))


def _everything(accept: str) -> HttpResponse:
    from prometheus_client import CollectorRegistry
    from prometheus_client.exposition import choose_encoder

    from iclas.telemetry.measured import FromFiles
    from iclas.telemetry.rows import FromRows

    registry = CollectorRegistry()
    registry.register(FromFiles())
    registry.register(FromRows())
    encode, content_type = choose_encoder(accept)
    answer = HttpResponse(encode(registry), content_type)
    answer["Cache-Control"] = "no-store"
    return answer
