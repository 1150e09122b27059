"""The catalogues of the languages: whole, sure, and true to what the code fills in."""

import io
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from gettext import GNUTranslations

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.conf import settings

from tests.house.project import ROOT

PLACEHOLDER = re.compile(r"%(?:\((?P<name>\w+)\)[a-z]|%)")
LANGUAGES = [code for code, _ in settings.LANGUAGES if code != settings.LANGUAGE_CODE]
EACH = pytest.mark.parametrize("language", LANGUAGES)


@cache
def _catalogue(language: str) -> Catalog:
    path = ROOT / "locale" / language / "LC_MESSAGES" / "django.po"
    with path.open("rb") as file:
        return read_po(file, locale=language)


def _messages(language: str) -> Iterator[Message]:
    return (message for message in _catalogue(language) if message.id)


def _forms(text: str | tuple[str, ...] | list[str]) -> list[str]:
    return [text] if isinstance(text, str) else list(text)


def _names(text: str) -> set[str]:
    return {found["name"] for found in PLACEHOLDER.finditer(text) if found["name"]}


def _key(message: Message) -> tuple[str | None, str]:
    return message.context, _forms(message.id)[0]


def test_there_are_five_languages_beside_english() -> None:
    assert sorted(LANGUAGES) == ["ar", "de", "es", "fr", "hi"]


@EACH
def test_a_catalogue_is_of_its_language(language: str) -> None:
    catalogue = _catalogue(language)
    assert str(catalogue.locale) == language
    assert not catalogue.fuzzy
    header = dict(catalogue.mime_headers)
    assert header["Project-Id-Version"].strip() == "ICLAS"
    assert header["Language"] == language
    assert header["Plural-Forms"].startswith(f"nplurals={catalogue.num_plurals};")


def test_all_catalogues_hold_the_same_words() -> None:
    held = {language: Counter(map(_key, _messages(language))) for language in LANGUAGES}
    first = held[LANGUAGES[0]]
    assert len(first) > 100
    assert max(first.values()) == 1
    assert all(words == first for words in held.values())


@EACH
def test_nothing_is_unsure(language: str) -> None:
    assert [message.id for message in _messages(language) if message.fuzzy] == []


@EACH
def test_a_translation_fills_in_what_its_original_does(language: str) -> None:
    wrong = []
    for message in _messages(language):
        originals = [_names(text) for text in _forms(message.id)]
        known, needed = set.union(*originals), set.intersection(*originals)
        said = [text for text in _forms(message.string) if text]
        # Some languages have a word for one or for two, and leave the figure out.
        spare = {"n", "days", "count", "heard", "left_out"} if message.pluralizable else set()
        wrong += [text for text in said if not needed - spare <= _names(text) <= known]
    assert wrong == []


@EACH
def test_a_plural_is_translated_in_all_its_forms_or_in_none(language: str) -> None:
    forms = _catalogue(language).num_plurals
    for message in _messages(language):
        if message.pluralizable:
            said = [bool(text) for text in _forms(message.string)]
            assert len(said) == forms, message.id
            assert len(set(said)) == 1, message.id


@EACH
def test_a_catalogue_compiles_and_loads(language: str) -> None:
    compiled = io.BytesIO()
    write_mo(compiled, _catalogue(language))
    compiled.seek(0)
    loaded = GNUTranslations(compiled)
    assert loaded.info()["language"] == language


@EACH
def test_every_word_is_translated(language: str) -> None:
    assert [message.id for message in _messages(language) if not all(_forms(message.string))] == []
