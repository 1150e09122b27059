"""The stylesheet of what is made for paper: the themes' colours on screens, none on paper."""

import re
from pathlib import Path

FOLDER = Path(__file__).parents[3] / "dashboard/static/dashboard"
CSS = (FOLDER / "report.css").read_text()
SCREEN, PAPER = CSS.split("@media print {")


def test_screens_have_the_colours_of_the_themes_only() -> None:
    named = set(re.findall(r"--([\w-]+):", (FOLDER / "iclas.css").read_text()))
    assert re.findall(r"#[0-9a-f]{3,8}\b|rgb|hsl", SCREEN) == []
    assert set(re.findall(r"var\(--([\w-]+)\)", CSS)) <= named


def test_paper_is_black_on_white_whatever_the_theme() -> None:
    colours = dict(re.findall(r"--([\w-]+): (\w+);", PAPER))
    themes = re.findall(r"--([\w-]+): #", (FOLDER / "iclas.css").read_text())
    assert set(colours) == set(themes)
    assert set(colours.values()) <= {"black", "white", "dimgray", "silver"}
    assert (colours["ink"], colours["surface"], colours["ground"]) == ("black", "white", "white")


def test_paper_has_nothing_to_press() -> None:
    hidden = re.findall(r"([^{}]*)\{ display: none; \}", PAPER)
    assert {".paper .top", ".paper .unprinted"} <= {one.strip() for one in hidden[0].split(",")}


def test_nothing_comes_from_outside() -> None:
    assert "@import" not in CSS
    assert "url(" not in CSS
