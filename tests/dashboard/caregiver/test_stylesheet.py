"""The stylesheets of the caregiver's pages keep to the colours whose contrast is computed."""

import re
from pathlib import Path

STYLES = Path(__file__).parents[3] / "dashboard/static/dashboard"
NAMES = ("caregiver.css", "sound.css", "open-alerts.css")
CSS = "".join((STYLES / name).read_text() for name in NAMES)
NAMED = set(re.findall(r"--([\w-]+): #", (STYLES / "iclas.css").read_text())) | {"own"}


def test_no_rule_names_a_colour_of_its_own() -> None:
    assert re.findall(r"#[0-9a-f]{3,8}\b|\brgb|\bhsl", CSS.replace("#write", "")) == []
    assert set(re.findall(r"var\(--([\w-]+)\)", CSS)) <= NAMED


def test_nothing_comes_from_outside_and_nothing_moves() -> None:
    assert "@import" not in CSS
    assert "url(" not in CSS
    assert not re.search(r"\b(transition|animation)\b", CSS)


def test_what_is_read_from_right_to_left_is_laid_out_so() -> None:
    sides = re.findall(r"(?:margin|padding|border)-(?:left|right)|text-align: (?:left|right)", CSS)
    assert sides == []
