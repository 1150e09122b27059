"""What the views of this room share: who asks, and what stands around the answer.

Guaranteed: nobody sees a page without signing in; what the person may not manage answers like what
does not exist; nothing of a page is kept between here and the browser.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from dashboard.start.steps import steps
from infants.access import Viewer
from infants.errors import UnknownDeviceError, UnknownInfantError
from infants.models import Infant, User

View = Callable[..., HttpResponse]
STARTING = "start"
"""In the query string: the page is one of the steps of getting started."""


def page_for(*methods: str) -> Callable[[View], View]:
    """Return a decorator for a page that answers these methods to people who have signed in."""

    def decorate(view: View) -> View:
        @wraps(view)
        def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            try:
                return view(request, *args, **kwargs)
            except (UnknownDeviceError, UnknownInfantError) as error:
                raise Http404 from error

        guarded: View = never_cache(login_required(answer))
        return require_http_methods(list(methods))(guarded)

    return decorate


def person_of(request: HttpRequest) -> User:
    """Return who has signed in; the decorator has let nobody else through."""
    if not isinstance(request.user, User):
        message = "a page of this room without a person"
        raise TypeError(message)
    return request.user


def viewer_of(request: HttpRequest) -> Viewer:
    """Return who is asking."""
    return Viewer.of(person_of(request))


def is_starting(request: HttpRequest) -> bool:
    """Tell whether the person is on the way through the steps."""
    return STARTING in request.GET


def page(
    request: HttpRequest,
    name: str,
    shown: dict[str, Any],
    step: str | None = None,
    status: int = 200,
) -> HttpResponse:
    """Render a page, with the steps where the person is on the way through them."""
    infant = shown.get("infant")
    starting = step is not None and (is_starting(request) or request.path.startswith("/start/"))
    known = infant if isinstance(infant, Infant) else None
    way = steps(known, str(step)) if starting else []
    frame = {"steps": way, "starting": starting}
    return render(request, f"dashboard/start/{name}.html", frame | shown, status=status)


def back_of(request: HttpRequest) -> str:
    """Return the page of ours that a form stood on, where it names one."""
    back = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(
        back, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return back if is_ours else ""


def absolute(request: HttpRequest, path: str) -> str:
    """Return a link for other devices; behind a proxy that ends TLS it says so too."""
    link = request.build_absolute_uri(path)
    if settings.SESSION_COOKIE_SECURE:
        return link.replace("http://", "https://", 1)
    return link
