"""Paper to write on: A4 pages with headings, paragraphs, lists and tables in any of the languages.

What comes in: texts. What goes out: a document. Guaranteed: black on white; fonts are embedded;
every page has the research notice and says which page of how many it is; nothing is cut off by the
end of a page; lines run from the right where the language does.
"""

import datetime as dt
import unicodedata
from collections.abc import Sequence

from fpdf.enums import Align, MethodReturnValue, TextDirection

from dashboard.report.contents import Table
from dashboard.report.fonts import ARABIC, FAMILIES, LATIN, fonts
from dashboard.report.tags import TaggedDocument

MARGIN, TOP, BOTTOM = 14.0, 18.0, 18.0
BODY, SMALL, TABLE, TITLE, HEADING = 9.5, 7.5, 8.0, 16.0, 12.5
LEADING = 0.48
"""Height of a line in millimetres for each point of the font: 1.36 times its size."""
CELL_PAD = 1.2
STRONG = {"L": False, "R": True, "AL": True}
"""Letters by which a text runs, and whether that is from the right."""


class Paper(TaggedDocument):
    """A document that is written from top to bottom."""

    def __init__(self, language: str, *, is_rtl: bool) -> None:
        """Begin a document in a language, whose lines may run from the right."""
        super().__init__()
        self.is_rtl = is_rtl
        for font in fonts():
            self.add_font(font.family, font.style, font.path, unicode_range=font.letters)
        self.set_fallback_fonts(FAMILIES, exact_match=False)
        self.set_margins(MARGIN, TOP)
        self.set_auto_page_break(False)
        self.set_lang(language)
        self.c_margin = 0.0

    @property
    def side(self) -> Align:
        """Where lines begin."""
        return Align.R if self.is_rtl else Align.L

    @property
    def left_mm(self) -> float:
        """How much room the page has left."""
        return self.h - BOTTOM - self.y

    def describe(self, title: str, subject: str, author: str, made_at: dt.datetime) -> None:
        """Say what the document is, for those who search for it."""
        self.set_title(title)
        self.set_subject(subject)
        self.set_author(author)
        self.set_creator("ICLAS")
        self.set_creation_date(made_at)

    # --- text ------------------------------------------------------------------------------------

    def ink(self, size: float, style: str = "") -> None:
        """Write in this size from here on."""
        self.set_font(ARABIC if self.is_rtl else LATIN, style, size)

    def shape_as(self, text: str) -> None:
        """Run as the text does, which may not be as the document does: notes are in any tongue."""
        letters = (STRONG.get(unicodedata.bidirectional(letter)) for letter in text)
        own = next((found for found in letters if found is not None), self.is_rtl)
        from_right = self.is_rtl or own
        family = ARABIC if from_right else LATIN
        self.set_font(family, self.font_style, self.font_size_pt)
        self.set_text_shaping(direction=TextDirection.RTL if from_right else TextDirection.LTR)

    def lines_of(self, text: str, width: float) -> list[str]:
        """Return the text broken into lines of this width."""
        self.shape_as(text)
        found = self.multi_cell(
            width, text=text, dry_run=True, output=MethodReturnValue.LINES, align=Align.L
        )
        return [line.strip() for line in found] or [""]  # type: ignore[union-attr]

    def write_line(
        self, text: str, x: float, y: float, width: float, align: Align | None = None
    ) -> None:
        """Write a line into a box of this width."""
        self.shape_as(text)
        self.set_xy(x, y)
        self.cell(width, self.font_size_pt * LEADING, text, align=align or self.side)

    def line_mm(self) -> float:
        """Return the height of a line."""
        return self.font_size_pt * LEADING

    def need(self, height: float) -> None:
        """Turn the page where there is not so much room."""
        if height > self.left_mm:
            self.add_page()

    def write_block(self, text: str, role: str, indent: float = 0.0) -> None:
        """Write a text over the width of the page; a long one goes on on the next."""
        height = self.line_mm()
        lines = self.lines_of(text, self.epw - indent)
        while lines:
            self.need(min(len(lines), 2) * height)
            n_fitting = max(int(self.left_mm / height), 1)
            top = self.y
            x = MARGIN + (0.0 if self.is_rtl else indent)
            with self.tagged(role):
                for n, line in enumerate(lines[:n_fitting]):
                    self.write_line(line, x, top + n * height, self.epw - indent)
            self.set_xy(MARGIN, top + min(n_fitting, len(lines)) * height)
            lines = lines[n_fitting:]

    def heading(self, text: str, level: int) -> None:
        """Write a heading, and keep some room for what it is the heading of."""
        self.ink(TITLE if level == 1 else HEADING, "B")
        self.need(45.0 if level > 1 else 0.0)
        if level > 1:
            self.start_section(text, level - 2)
            self.y += 4.0
        self.write_block(text, f"H{level}")
        self.y += 1.5

    def paragraph(self, text: str, style: str = "") -> None:
        """Write a paragraph."""
        self.ink(BODY, style)
        self.write_block(text, "P")
        self.y += 1.6

    def bullets(self, items: Sequence[str]) -> None:
        """Write a list."""
        self.ink(BODY)
        with self.group("L"):
            for text in items:
                self.need(min(2, len(self.lines_of(text, self.epw - 5))) * self.line_mm())
                with self.decoration():
                    x = self.w - MARGIN - 1.5 if self.is_rtl else MARGIN + 1.5
                    self.set_fill_color(0)
                    self.circle(x, self.y + self.line_mm() / 2, 0.6, style="F")
                self.write_block(text, "LI", indent=5.0)
                self.y += 0.9
        self.y += 1.0

    # --- tables ----------------------------------------------------------------------------------

    def table_of(self, table: Table) -> None:
        """Write a table; its head stands on every page that it goes on to."""
        whole = sum(table.widths)
        widths = [self.epw * width / whole for width in table.widths]
        self.need(24.0)
        self.ink(SMALL)
        with self.group("Table"):
            if table.caption:
                self.write_block(table.caption, "Caption")
                self.y += 0.8
            if table.heads:
                self._row(table.heads, widths, table.figures, "TH")
            for row in table.rows:
                self.ink(TABLE)
                if self._height(row, widths) > self.left_mm:
                    self.add_page()
                    if table.heads:
                        self._row(table.heads, widths, table.figures, "TH")
                self._row(row, widths, table.figures, "TD")
        self.y += 2.5

    def _height(self, row: Sequence[str], widths: Sequence[float]) -> float:
        most = max(len(lines) for lines in self._cells(row, widths))
        return most * self.line_mm() + CELL_PAD

    def _cells(self, row: Sequence[str], widths: Sequence[float]) -> list[list[str]]:
        return [
            self.lines_of(text, width - 2 * CELL_PAD)
            for text, width in zip(row, widths, strict=True)
        ]

    def _row(
        self, row: Sequence[str], widths: Sequence[float], figures: frozenset[int], role: str
    ) -> None:
        """Write a row with a rule below it; columns run from the right where lines do."""
        self.ink(SMALL if role == "TH" else TABLE, "B" if role == "TH" else "")
        cells, top, height = self._cells(row, widths), self.y, self._height(row, widths)
        x = self.w - MARGIN if self.is_rtl else MARGIN
        with self.group("TR"):
            for n, (lines, width) in enumerate(zip(cells, widths, strict=True)):
                x -= width if self.is_rtl else 0.0
                align = Align.R if n in figures and not self.is_rtl else self.side
                align = Align.L if n in figures and self.is_rtl else align
                with self.tagged("TH" if n == 0 else role):
                    for at, line in enumerate(lines):
                        y = top + CELL_PAD / 2 + at * self.line_mm()
                        self.write_line(line, x + CELL_PAD, y, width - 2 * CELL_PAD, align)
                x += 0.0 if self.is_rtl else width
        with self.decoration():
            self.set_draw_color(0 if role == "TH" else 170)
            self.set_line_width(0.25 if role == "TH" else 0.12)
            self.line(MARGIN, top + height, self.w - MARGIN, top + height)
        self.set_xy(MARGIN, top + height)

    # --- every page ------------------------------------------------------------------------------

    def number_pages(self, running: str, notice: str, page_words: Sequence[str]) -> None:
        """Write head and foot of every page, once it is known how many there are."""
        for page, words in enumerate(page_words, start=1):
            self.page = page
            self.current_font_is_set_on_page = False
            self._take_a_fresh_pen()
            with self.decoration():
                self.ink(SMALL)
                self.write_line(running, MARGIN, 9.0, self.epw)
                self.line(MARGIN, 14.0, self.w - MARGIN, 14.0)
                self.line(MARGIN, self.h - 14.0, self.w - MARGIN, self.h - 14.0)
                opposite = Align.L if self.is_rtl else Align.R
                self.write_line(words, MARGIN, self.h - 12.5, self.epw, opposite)
                self.ink(SMALL, "B")
                self.write_line(notice, MARGIN, self.h - 12.5, self.epw)

    def _take_a_fresh_pen(self) -> None:
        """Set colours and width on a page that was left with others: what is equal is not set."""
        for colour in (self.set_fill_color, self.set_draw_color):
            colour(255)
            colour(0)
        for width in (1.0, 0.15):
            self.set_line_width(width)
