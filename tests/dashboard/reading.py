"""Reading a page as a browser does, for tests: its elements, and whether it is well made."""

from html.parser import HTMLParser
from typing import Any

from typing_extensions import override

VOID = {"meta", "link", "input", "br", "img", "hr", "source"}
DRAWN = {"path", "circle", "rect"}


class Page(HTMLParser):
    """The elements of a page with their attributes and texts; faults are listed, not mended."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.faults: list[str] = []
        self.texts: list[str] = []
        self.titled: list[bool] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        self.faults += [f"<{tag}> stays open" for tag in self._open]

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag == "svg":
            self.titled.append(False)
        if tag == "title" and "svg" in self._open:
            self.titled[-1] = True
        if tag not in VOID:
            self._open.append(tag)

    @override
    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    @override
    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1] != tag:
            self.faults.append(f"</{tag}> closes {self._open[-1:]}")
            return
        self._open.pop()

    @override
    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        """Everything that is written on it, with single spaces."""
        return " ".join(" ".join(self.texts).split())

    def all(self, tag: str, **wanted: Any) -> list[dict[str, str | None]]:
        """Return the attributes of the elements of a kind."""
        found = [attributes for name, attributes in self.elements if name == tag]
        return [one for one in found if all(one.get(k) == v for k, v in wanted.items())]
