"""A report on paper: the same contents as the page, as a PDF.

What comes in: a `Report`. What goes out: the bytes of a document with embedded fonts, vector
graphics, a structure for readers, an outline and metadata. Guaranteed: the same report gives the
same bytes.
"""

from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext as _

from dashboard.report.contents import Bullets, Paragraph, ProtocolPicture, Report, Table
from dashboard.report.contents import TimelinePicture as Timeline
from dashboard.report.drawing import draw_protocol, draw_timeline
from dashboard.report.paper import Paper

NAME_SHARE = 0.24


def write(report: Report) -> bytes:
    """Return the report as a document."""
    paper = Paper(report.language, is_rtl=report.is_rtl)
    paper.describe(report.title, report.subject, report.made_by, report.made_at)
    paper.add_page()
    _head(paper, report)
    for section in report.sections:
        paper.heading(section.title, 2)
        for block in section.blocks:
            WRITERS[block.kind](paper, block)
    running = f"ICLAS · {report.title} · {report.subject}"
    n_pages = paper.pages_count
    numbers = [_("Page %(n)s of %(of)s") % {"n": n + 1, "of": n_pages} for n in range(n_pages)]
    paper.number_pages(running, report.notice, numbers)
    return paper.bytes()


def _head(paper: Paper, report: Report) -> None:
    paper.heading(report.title, 1)
    paper.paragraph(report.notice, "B")
    paper.table_of(Table("", (), report.facts, (NAME_SHARE, 1 - NAME_SHARE)))


def _paragraph(paper: Paper, block: Paragraph) -> None:
    paper.paragraph(block.text)


def _bullets(paper: Paper, block: Bullets) -> None:
    paper.bullets(block.items)


def _timeline(paper: Paper, block: Timeline) -> None:
    words = f"{block.card.name}, {block.stretch_words}. {block.summary}"
    draw_timeline(paper, block, words)
    paper.paragraph(block.summary)


def _protocol(paper: Paper, block: ProtocolPicture) -> None:
    words = _("24-hour protocol of %(name)s, %(period)s; the numbers stand day by day below.")
    draw_protocol(paper, block, words % {"name": block.name, "period": block.period})


WRITERS: dict[str, Callable[[Paper, Any], None]] = {
    "paragraph": _paragraph,
    "bullets": _bullets,
    "table": Paper.table_of,
    "timeline": _timeline,
    "protocol": _protocol,
}
