"""The fonts that reports are set in: for Latin scripts, for Devanagari, and for Arabic.

What comes in: nothing; set-up copies them. What goes out: files, and which letters are taken from
each. Guaranteed: FontsMissingError, in words, where set-up has not been run.

The file for Latin scripts holds Devanagari too. It is taken for two fonts, so that a run of letters
is always of one script: only so do they join as they should.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "static" / "dashboard" / "built" / "fonts"
LATIN, DEVANAGARI, ARABIC = FAMILIES = ("NotoSans", "NotoSansDeva", "NotoSansArabic")
STYLES = {"": "Regular", "B": "Bold"}
DEVANAGARI_LETTERS = ((0x900, 0x97F), (0x200C, 0x200D), (0xA8E0, 0xA8FF))
LATIN_LETTERS = ((0x20, 0x8FF), (0x980, 0x200B), (0x200E, 0x2FFF))


class FontsMissingError(Exception):
    """The fonts are not where set-up puts them."""

    code = "fonts_missing"


@dataclass(frozen=True)
class Font:
    """One weight of a family, and the letters that are taken from it; None: all it has."""

    family: str
    style: str
    path: Path
    letters: Sequence[tuple[int, int]] | None


def fonts() -> Iterator[Font]:
    """Yield every weight of every family."""
    letters = {LATIN: LATIN_LETTERS, DEVANAGARI: DEVANAGARI_LETTERS, ARABIC: None}
    for family in FAMILIES:
        file = LATIN if family == DEVANAGARI else family
        for style, name in STYLES.items():
            path = FOLDER / f"{file}-{name}.ttf"
            if not path.is_file():
                raise FontsMissingError("the fonts of reports are missing; run make setup")
            yield Font(family, style, path, letters[family])
