"""What a report is made of, for a page and for paper alike; pure.

What comes in: nothing but the parts. What goes out: a `Report` of sections of blocks, each of which
a template and a document can print. Guaranteed: whatever is drawn stands in words beside it too.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

from dashboard.report.protocol_chart import Chart as ProtocolChart
from dashboard.report.protocol_page import KeyEntry
from dashboard.timeline_chart import Chart as TimelineChart


@dataclass(frozen=True)
class Paragraph:
    """Some sentences."""

    text: str
    kind: str = "paragraph"


@dataclass(frozen=True)
class Bullets:
    """Sentences that stand beside each other."""

    items: Sequence[str]
    kind: str = "bullets"


@dataclass(frozen=True)
class Table:
    """Rows below heads, or beside them where `heads` is empty.

    `widths` are shares, `figures` are columns of numbers.
    """

    caption: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    widths: Sequence[float]
    figures: frozenset[int] = frozenset()
    kind: str = "table"

    @property
    def cells(self) -> list[list[tuple[str, bool]]]:
        """The rows, with a word on each cell whether it is a number."""
        return [[(text, n in self.figures) for n, text in enumerate(row)] for row in self.rows]

    @property
    def head_cells(self) -> list[tuple[str, bool]]:
        """The heads, with a word on each whether numbers stand below it."""
        return [(text, n in self.figures) for n, text in enumerate(self.heads)]


@dataclass(frozen=True)
class Named:
    """Whom a picture shows, as the chart's template asks for it."""

    name: str


@dataclass(frozen=True)
class TimelinePicture:
    """The sessions' p-values with episodes, refits and monitors."""

    card: Named
    stretch_words: str
    summary: str
    wide: TimelineChart
    narrow: TimelineChart
    kind: str = "timeline"


@dataclass(frozen=True)
class ProtocolPicture:
    """Some days of the protocol of 24 hours; `part` tells it from others of the same report."""

    name: str
    period: str
    wide: ProtocolChart
    narrow: ProtocolChart
    totals: list[tuple[str, str]]
    key: list[KeyEntry]
    part: int
    kind: str = "protocol"


Block = Paragraph | Bullets | Table | TimelinePicture | ProtocolPicture


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it."""

    key: str
    title: str
    blocks: list[Block] = field(default_factory=list)


@dataclass(frozen=True)
class Report:
    """Everything to print; `facts` are the head of it: who, how old, when, made by whom."""

    title: str
    subject: str
    notice: str
    facts: list[tuple[str, str]]
    sections: list[Section]
    key: list[KeyEntry]
    made_at: dt.datetime
    made_by: str
    language: str
    is_rtl: bool
