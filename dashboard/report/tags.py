"""A document's structure for those who have it read to them: headings, lists, tables, figures.

What comes in: pieces of a page, as they are drawn. What goes out: a tree of elements in the order
of reading, as ISO 32000-1, 14.7 and 14.8 define it. Guaranteed: every piece that is drawn inside
`tagged` belongs to one element; what is drawn inside `decoration` is skipped by readers.

fpdf2 knows one level of figures only; this builds on its objects and makes a tree of them.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fpdf import FPDF
from fpdf.output import OutputProducer, PDFCatalog, PDFPagesRoot
from fpdf.structure_tree import StructElem, StructureTreeBuilder
from fpdf.syntax import PDFObject
from typing_extensions import override


class Tree(StructureTreeBuilder):
    """All elements with their pages; those with a piece of a page also in the parents' table."""

    def __init__(self) -> None:
        """Begin with an empty document."""
        super().__init__()
        self.elements: list[tuple[StructElem, int]] = []
        self.open: list[StructElem] = [self.doc_struct_elem]
        self._pieces: Counter[int] = Counter()

    def add(self, role: str, page: int, alt: str | None = None) -> StructElem:
        """Return a new element below the one that is open."""
        parent = self.open[-1]
        element = StructElem(f"/{role}", parent, [], page_number=page, alt=alt)
        parent.k.append(element)
        self.elements.append((element, page))
        return element

    def piece_of(self, element: StructElem, page: int) -> tuple[int, int]:
        """Return the number of a new piece of an element on its page, and the page's own number."""
        number = self._pieces[page]
        self._pieces[page] += 1
        element.k.append(number)
        place = self.spid_per_page_number.setdefault(page, len(self.spid_per_page_number))
        self.struct_tree_root.parent_tree.nums[place].append(element)
        return number, place

    @override
    def __iter__(self) -> Iterator[PDFObject]:
        yield self.struct_tree_root
        yield self.doc_struct_elem
        yield self.struct_tree_root.parent_tree
        yield from (element for element, _ in self.elements)


class TaggedOutput(OutputProducer):
    """Tells each element its page, once the pages are objects."""

    @override
    def _finalize_catalog(
        self, catalog_obj: PDFCatalog, pages_root_obj: PDFPagesRoot, *rest: Any, **named: Any
    ) -> None:
        super()._finalize_catalog(catalog_obj, pages_root_obj, *rest, **named)
        tree = self.fpdf.struct_builder
        pages = pages_root_obj.kids
        if isinstance(tree, Tree) and pages is not None:
            for element, page in tree.elements:
                element.pg = pages[page - 1]


class TaggedDocument(FPDF):
    """A document whose pieces are drawn inside `tagged` or `decoration`."""

    def __init__(self) -> None:
        """Begin an empty document on A4."""
        super().__init__("portrait", "mm", "A4")
        self.tree = Tree()
        self.struct_builder = self.tree

    @contextmanager
    def group(self, role: str) -> Iterator[None]:
        """Open an element that holds others, such as a table or a row of it."""
        self.tree.open.append(self.tree.add(role, self.page))
        yield
        self.tree.open.pop()

    @contextmanager
    def tagged(self, role: str, alt: str | None = None) -> Iterator[None]:
        """Draw a piece of the page as an element of this role; it may not turn the page."""
        element = self.tree.add(role, self.page, alt)
        number, place = self.tree.piece_of(element, self.page)
        self.pages[self.page].struct_parents = place
        self._out(f"/{role} <</MCID {number}>> BDC")
        yield
        self._out("EMC")

    @contextmanager
    def decoration(self) -> Iterator[None]:
        """Draw what means nothing to those who have the document read to them."""
        self._out("/Artifact BMC")
        yield
        self._out("EMC")

    def bytes(self) -> bytes:
        """Return the finished document."""
        return bytes(self.output(output_producer_class=TaggedOutput))
