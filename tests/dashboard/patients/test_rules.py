"""The list's own rules of style name no colour, and nothing that comes from elsewhere."""

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[3] / "dashboard/static/dashboard"
KNOWN = set(re.findall(r"--([\w-]+):", (FOLDER / "iclas.css").read_text()))


@pytest.mark.parametrize("name", ["patients.css", "readings.css"])
def test_colours_are_those_of_the_themes(name: str) -> None:
    css = (FOLDER / name).read_text()
    assert re.findall(r"#[0-9a-f]{3,8}\b|rgb|hsl|url\(|@import", css) == []
    assert set(re.findall(r"var\(--([\w-]+)\)", css)) <= KNOWN
    sides = r"(margin|padding|border)-(left|right)|[{;] *(left|right):|text-align: (left|right)"
    assert re.findall(sides, css) == []
