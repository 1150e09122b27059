"""Which language answers: that of the reader for pages, English for programs.

What comes in: a request. What goes out: the active language. Guaranteed: whatever a client of the
API asks for, what it reads stays the same.
"""

from django.http import HttpRequest
from django.middleware.locale import LocaleMiddleware
from django.utils import translation
from typing_extensions import override

from iclas.problems import is_api

LANGUAGE_OF_THE_API = "en"


class LanguageMiddleware(LocaleMiddleware):
    """Activates a page's language by the reader's choice, and English for the API."""

    @override
    def process_request(self, request: HttpRequest) -> None:
        """Activate the language of the answer."""
        if is_api(request):
            translation.activate(LANGUAGE_OF_THE_API)
            request.LANGUAGE_CODE = LANGUAGE_OF_THE_API
        else:
            super().process_request(request)
