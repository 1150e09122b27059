"""Where everything is found."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.http import Http404
from django.urls import URLPattern, URLResolver, include, path, re_path
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from typing_extensions import override

from iclas import openapi
from iclas.health import HealthView
from iclas.readiness import AliveView, ReadyView
from iclas.telemetry.scrape import metrics
from infants.api.base import ApiView

__all__ = ["openapi"]  # imported for what it registers


@extend_schema(exclude=True)
class NothingHereView(ApiView):
    """Answers whatever under `/api/` has no view.

    Without it a device that leaves out the last slash would be redirected, would lose its
    recording on the way and would take the answer to a GET for a receipt.
    """

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @override
    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        """Refuse, whatever the method."""
        raise Http404


# Whoever comes in by the admin's door has to wait as long after wrong passwords as anybody else.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

handler400 = "iclas.problems.bad_request"
handler403 = "iclas.problems.permission_denied"
handler404 = "iclas.problems.not_found"
handler500 = "iclas.problems.server_error"

api: list[URLPattern | URLResolver] = [
    path("", include("infants.api.urls")),
    path("", include("anomaly.api.urls")),
    path("", include("notify.api.urls")),
    path("health/", HealthView.as_view(), name="health"),
    path("health/alive/", AliveView.as_view(), name="alive"),
    path("health/ready/", ReadyView.as_view(), name="ready"),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", SpectacularSwaggerView.as_view(url_name="schema"), name="docs"),
]
urlpatterns = [
    path("", include("dashboard.start.account_urls")),
    path("", include("dashboard.urls")),
    path("language/", include("django.conf.urls.i18n")),
    path("admin/", admin.site.urls),
    path("metrics", metrics, name="metrics"),
    path("api/v1/", include(api)),
    re_path(r"^api/", NothingHereView.as_view()),
]
