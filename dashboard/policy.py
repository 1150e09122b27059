"""What a browser may load for a page: only what this server sends, and no script without a nonce.

What comes in: any answer. What goes out: the same with a `Content-Security-Policy`, unless it has
one or belongs to the admin or the API, whose own pages need more. Guaranteed: text that somebody
slips into a name or a diary can run nothing, since it cannot know the nonce, which is another one
for every answer.
"""

import secrets

from django.http import HttpRequest, HttpResponseBase
from django.utils.deprecation import MiddlewareMixin

POLICY = "; ".join(
    [
        "default-src 'self'",
        "script-src 'nonce-{nonce}' 'strict-dynamic'",
        "style-src 'self' 'nonce-{nonce}'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "worker-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)
ROOMS_OF_OTHERS = ("/admin/", "/api/", "/static/")


class ContentPolicyMiddleware(MiddlewareMixin):
    """Give every request a nonce, and send the policy with every page, error pages included."""

    def process_request(self, request: HttpRequest) -> None:
        """Draw the nonce, for templates as `request.csp_nonce`."""
        request.csp_nonce = secrets.token_urlsafe(16)  # type: ignore[attr-defined]

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        """Add the header."""
        if not request.path_info.startswith(ROOMS_OF_OTHERS):
            nonce = getattr(request, "csp_nonce", "")
            policy = POLICY.format(nonce=nonce)
            response.headers.setdefault("Content-Security-Policy", policy)
        return response
