"""The report as a document: what stands in it, on which page, and how it is made."""

import datetime as dt
import functools
import io
import itertools
from typing import Any

import pytest
from django.utils import translation
from pypdf import PdfReader
from pypdf.generic import IndirectObject

from anomaly.notice import NOTICE
from dashboard.report.fonts import FOLDER
from dashboard.report.making import Wanted, report_of
from dashboard.report.pdf import write
from infants.access import Viewer
from infants.models import Infant, Membership
from infants.selectors import infant_named
from tests.builders import a_member, a_user, an_infant
from tests.dashboard.report.busy import ARABIC, HINDI, MONITOR, NAME, NOTE, NOW, a_busy_infant

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]
LAST = dt.date(2026, 11, 14)
FIRST = LAST - dt.timedelta(days=13)


def _document(infant: Infant, role: str = Membership.Role.CLINICIAN, **given: Any) -> bytes:
    viewer = Viewer(user=a_member(infant, role, user=a_user(**given)))
    seen = infant_named(viewer, str(infant.id))
    return write(report_of(viewer, seen, NOW, Wanted(FIRST, LAST)))


@functools.cache
def _usual() -> bytes:
    """Return a clinician's document of the busy infant, made once for the tests that read it."""
    return _document(a_busy_infant(reviewer=a_user(username="klara")), username="made-by")


def _read(document: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(document))


def _text(document: bytes) -> str:
    pages = (page.extract_text() for page in _read(document).pages)
    return " ".join(" ".join(pages).split())


def test_it_holds_what_the_page_holds() -> None:
    text = _text(_usual())
    for told in (
        f"Report on the crying of {NAME}",
        "12 September 2026",
        "9 weeks; corrected for being born early: 3 weeks",
        "by made-by",
        "different from the usual since about 10 November 2026",
        "higher in pitch (+41 % [+28, +55])",
        "clear evidence, from 8 recordings in 6 sessions on 4 days",
        "9 sessions were compared; 5 of them were unusual (p at most 0.05)",
        "klara reviewed it",
        "2 recordings with nothing to judge: nothing but silence.",
        "Recordings with a faulty time: 1 (the given time lies in the future).",
        f"Battery of {MONITOR}: at its lowest 12 %",
        "Encoder: numbers",
        "Gate: gate-1",
        "nothing here is a diagnosis",
        NOTE,
    ):
        assert told in text, told


def test_every_page_has_the_notice_and_its_number() -> None:
    reader = _read(_usual())
    n_pages = len(reader.pages)
    assert n_pages >= 3
    for number, page in enumerate(reader.pages, start=1):
        text = page.extract_text()
        assert NOTICE in text
        assert f"Page {number} of {n_pages}" in text


def test_a_researchers_has_no_name_no_birth_date_and_no_free_text() -> None:
    infant = a_busy_infant(reviewer=a_user(username="klara"))
    document = _document(infant, Membership.Role.RESEARCHER)
    text, described = _text(document), str(_read(document).metadata)
    for secret in (NAME, MONITOR, NOTE, "12 September 2026", "34 weeks", "klara"):
        assert secret not in text
        assert secret not in described
    assert f"Infant {infant.id.hex[-6:]}" in text
    assert "about 2 months" in text


def test_the_same_rows_and_moment_give_the_same_bytes() -> None:
    infant = a_busy_infant()
    viewer = Viewer(user=a_member(infant))
    seen = infant_named(viewer, str(infant.id))
    made = [write(report_of(viewer, seen, NOW, Wanted(FIRST, LAST))) for _ in range(2)]
    assert made[0] == made[1]
    assert made[0] != write(report_of(viewer, seen, NOW, Wanted(FIRST, LAST, ("days",))))


def test_it_says_what_it_is() -> None:
    reader = _read(_usual())
    assert reader.metadata is not None
    assert reader.metadata.title == f"Report on the crying of {NAME}"
    assert reader.metadata.creation_date == NOW
    assert reader.trailer["/Root"]["/Lang"] == "en"
    assert [entry["/Title"] for entry in reader.outline][:2] == ["Summary", "Timeline"]  # type: ignore[index,call-overload]


def test_fonts_are_embedded_and_nothing_is_a_bitmap() -> None:
    for page in _read(_usual()).pages:
        fonts = page["/Resources"]["/Font"].values()  # type: ignore[index]
        for font in fonts:
            below = font.get_object()["/DescendantFonts"][0].get_object()
            assert "/FontFile2" in below["/FontDescriptor"].get_object()
        assert not page.images


# --- the structure for readers -------------------------------------------------------------------


def _kids(element: Any) -> list[Any]:
    kids = element.get("/K", [])
    found = kids if isinstance(kids, list) else [kids]
    return [kid.get_object() if isinstance(kid, IndirectObject) else kid for kid in found]


def _elements(element: Any) -> list[Any]:
    below = [kid for kid in _kids(element) if not isinstance(kid, int)]
    return [element, *itertools.chain.from_iterable(_elements(kid) for kid in below)]


def test_headings_lists_tables_and_figures_are_told() -> None:
    root = _read(_usual()).trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    elements = _elements(root["/StructTreeRoot"])
    roles = [element.get("/S") for element in elements]
    assert roles.count("/H1") == 1
    assert roles.count("/H2") == 9
    assert {"/P", "/L", "/LI", "/Table", "/TR", "/TH", "/TD", "/Figure"} <= set(roles)
    figures = [element for element in elements if element.get("/S") == "/Figure"]
    assert all(NAME in element["/Alt"] for element in figures)


def test_every_piece_has_its_element_on_its_page() -> None:
    reader = _read(_usual())
    root = reader.trailer["/Root"]["/StructTreeRoot"]
    numbers = root["/ParentTree"]["/Nums"]
    by_place = {numbers[n]: numbers[n + 1] for n in range(0, len(numbers), 2)}
    for page in reader.pages:
        written = page.get_contents()
        assert written is not None
        n_pieces = written.get_data().count(b"/MCID")
        elements = [one.get_object() for one in by_place[page["/StructParents"]]]
        assert len(elements) == n_pieces
        for number, element in enumerate(elements):
            assert number in _kids(element)
            assert element.raw_get("/Pg") == page.indirect_reference
        assert written.get_data().count(b"BDC") + written.get_data().count(b"BMC") == (
            written.get_data().count(b"EMC")
        )


# --- languages -----------------------------------------------------------------------------------


def test_a_note_in_another_script_is_written_in_its_own_letters() -> None:
    reader = _read(_usual())
    named = {
        str(font.get_object()["/BaseFont"])
        for page in reader.pages
        for font in page["/Resources"]["/Font"].values()  # type: ignore[index]
    }
    assert any("Arabic" in name for name in named)
    text = "".join(page.extract_text() for page in reader.pages)
    assert not set(HINDI + ARABIC) - set(text)


@pytest.mark.parametrize("language", ["hi", "de", "ar"])
def test_it_is_made_in_languages_of_every_script(language: str) -> None:
    infant = a_busy_infant()
    viewer = Viewer(user=a_member(infant))
    with translation.override(language):
        report = report_of(viewer, infant_named(viewer, str(infant.id)), NOW, Wanted(FIRST, LAST))
        reader = _read(write(report))
    assert report.is_rtl == (language == "ar")
    assert reader.trailer["/Root"]["/Lang"] == language
    assert len(reader.pages) >= 3


def test_an_infant_of_whom_nothing_is_known_has_a_report_too() -> None:
    text = _text(_document(an_infant()))
    assert "No crying was heard in this time." in text
    assert "not known: no date of birth is given" in text


def test_the_fonts_come_with_their_licence() -> None:
    for family in ("NotoSans", "NotoSansArabic"):
        assert "SIL OPEN FONT LICENSE" in (FOLDER / f"{family}-OFL.txt").read_text()
