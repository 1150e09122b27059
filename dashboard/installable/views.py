"""The manifest, the service worker and the page for when there is no network.

What comes in: anybody, signed in or not. What goes out: files that a browser asks for at the root
of the site. Guaranteed: none of them holds anything of anybody; the worker keeps the pages' own
scripts and styles and the offline page, and never a page that judges.
"""

from pathlib import Path

from django.contrib.auth.models import AnonymousUser
from django.contrib.staticfiles import finders
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import get_language, get_language_bidi
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

ICON_SIZES = (192, 512)
GROUND = "#0e1418"


@require_safe
def manifest(_request: HttpRequest) -> JsonResponse:
    """Describe the application to a phone that installs it."""
    icons = [
        {
            "src": static(f"dashboard/icon-{size}.png"),
            "sizes": f"{size}x{size}",
            "type": "image/png",
            "purpose": "any maskable",
        }
        for size in ICON_SIZES
    ]
    described = {
        "id": "/",
        "name": _("ICLAS: how your infant cries"),
        "short_name": "ICLAS",
        "description": _("Compares each infant’s crying with that infant’s own."),
        "lang": get_language(),
        "dir": "rtl" if get_language_bidi() else "ltr",
        "start_url": reverse("dashboard:home"),
        "scope": "/",
        "display": "standalone",
        "background_color": GROUND,
        "theme_color": GROUND,
        "icons": icons,
    }
    return JsonResponse(described, content_type="application/manifest+json")


@require_safe
@never_cache
def worker(_request: HttpRequest) -> HttpResponse:
    """Send the service worker from the root, since it may only serve what lies below it."""
    found = finders.find("dashboard/built/worker.js")
    if not found:
        raise Http404  # nothing was bundled: the pages work without it
    return HttpResponse(Path(found).read_bytes(), content_type="text/javascript")


@require_safe
def offline(request: HttpRequest) -> HttpResponse:
    """Show what is shown where there is no network: kept by the browser, so of nobody."""
    request.user = AnonymousUser()
    return render(request, "dashboard/offline.html")
