"""What a browser may load for a page: only what this server sends, and no inline script or style.

What comes in: any answer. What goes out: the same with a `Content-Security-Policy`, unless it has
one or belongs to the admin or the API, whose own pages need more. Guaranteed: text that somebody
slips into a name or a diary can run nothing.
"""

from django.http import HttpRequest, HttpResponseBase
from django.utils.deprecation import MiddlewareMixin

POLICY = "; ".join(
    [
        "default-src 'self'",
        "script-src 'none'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)
ROOMS_OF_OTHERS = ("/admin/", "/api/", "/static/")


class ContentPolicyMiddleware(MiddlewareMixin):
    """Send the policy with every page of this app, error pages included."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        """Add the header."""
        if not request.path_info.startswith(ROOMS_OF_OTHERS):
            response.headers.setdefault("Content-Security-Policy", POLICY)
        return response
