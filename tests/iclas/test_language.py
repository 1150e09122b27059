"""A page answers in the reader's language; a program reads the same whatever it asks for."""

from collections.abc import Mapping
from unittest.mock import patch

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.utils import translation

from iclas.language import LanguageMiddleware

FRENCH = {"Accept-Language": "fr"}


def _language_at(path: str, headers: Mapping[str, str]) -> str | None:
    heard: list[str | None] = []

    def answer(request: HttpRequest) -> HttpResponse:
        del request
        heard.append(translation.get_language())
        return HttpResponse()

    with translation.override("en"):
        response = LanguageMiddleware(answer)(RequestFactory().get(path, headers=headers))
    assert response.headers["Content-Language"] == heard[0]
    return heard[0]


def test_a_page_is_in_the_readers_language() -> None:
    assert _language_at("/", FRENCH) == "fr"


@pytest.mark.parametrize("path", ["/api/v1/infants/", "/api/nowhere"])
def test_the_api_is_in_english_whatever_is_asked_for(path: str) -> None:
    assert _language_at(path, FRENCH) == "en"


@pytest.mark.django_db
def test_a_problem_of_the_api_is_told_in_english(client: Client) -> None:
    with patch.dict(client.defaults, {"HTTP_ACCEPT_LANGUAGE": "fr"}):
        told = client.get("/api/v1/infants/")
    assert told.headers["Content-Language"] == "en"
    assert told.json()["detail"] == client.get("/api/v1/infants/").json()["detail"]
    assert "credentials" in told.json()["detail"]
