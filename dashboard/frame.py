"""What stands around every page: the theme that was chosen on this device, languages, where to go.

What comes in: a request. What goes out: values for the base template. Guaranteed: a cookie that
holds nonsense is taken for none; an error page, which may have no session, gets a frame too.
"""

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from infants.access import Viewer, cares_as_clinician

SYSTEM = "system"
THEMES = {
    SYSTEM: _("As the device"),
    "light": _("Light"),
    "dark": _("Dark"),
    "night": _("Red, for the night"),
}
THEME_COOKIE = "theme"


def frame(request: HttpRequest) -> dict[str, Any]:
    """Return what the base template shows."""
    chosen = request.COOKIES.get(THEME_COOKIE, SYSTEM)
    user = getattr(request, "user", None)
    viewer = Viewer.of(user)
    return {
        "theme": chosen if chosen in THEMES else SYSTEM,
        "themes": THEMES,
        "now_iso": timezone.now().isoformat(),
        "nonce": getattr(request, "csp_nonce", ""),
        "is_clinician": viewer.user is not None and cares_as_clinician(viewer.user),
    }
