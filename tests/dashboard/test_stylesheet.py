"""The colours of all themes have the contrast that WCAG 2.2 AA asks for.

Those of day and dark hold no red, which would say danger; those of the night hold nothing else.
"""

import colorsys
import re
from pathlib import Path

import pytest

CSS = (Path(__file__).parents[2] / "dashboard/static/dashboard/iclas.css").read_text()
BLOCKS = {
    "light": r"^:root \{(.*?)\}",
    "by the device": r":root:not\([^{]*\{(.*?)\}",
    "dark": r":root\[data-theme=\"dark\"\] \{(.*?)\}",
    "night": r":root\[data-theme=\"night\"\] \{(.*?)\}",
}
THEMES = {
    name: re.findall(pattern, CSS, flags=re.DOTALL | re.MULTILINE)[0]
    for name, pattern in BLOCKS.items()
}
TEXT, GRAPHIC = 4.5, 3.0
GROUNDS = ("ground", "surface")
ON_GROUND = ("ink", "muted", "accent", "shift", "odd", "usual", "quiet")
PAIRS = [
    *((front, back, TEXT) for front in ON_GROUND for back in GROUNDS),
    ("on-accent", "accent", TEXT),
    *(("surface", badge, TEXT) for badge in ("shift", "odd", "usual", "quiet")),
    *(("field", back, GRAPHIC) for back in GROUNDS),
    *(("focus", back, GRAPHIC) for back in GROUNDS),
]
IN_EACH = pytest.mark.parametrize("theme", sorted(THEMES))


def _colours(theme: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", THEMES[theme]))


def _channels(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue


def _luminance(colour: str) -> float:
    """Return relative luminance as WCAG 2.2 defines it."""
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in _channels(colour)
    ]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def _contrast(front: str, back: str) -> float:
    darker, lighter = sorted((_luminance(front), _luminance(back)))
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_is_computed_as_defined() -> None:
    assert _contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert _contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@IN_EACH
@pytest.mark.parametrize(("front", "back", "needed"), PAIRS)
def test_contrast(theme: str, front: str, back: str, needed: float) -> None:
    colours = _colours(theme)
    assert _contrast(colours[front], colours[back]) >= needed


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_colour_is_red(theme: str) -> None:
    for name, colour in _colours(theme).items():
        hue, _, saturation = colorsys.rgb_to_hls(*_channels(colour))
        assert 20 / 360 < hue < 330 / 360 or saturation < 0.1, name


def test_no_rule_names_a_colour_of_its_own() -> None:
    light = set(_colours("light"))
    rules = re.sub(r":root[^{]*\{.*?\}", "", CSS, flags=re.DOTALL)
    assert re.findall(r"#[0-9a-f]{3,8}\b|rgb|hsl", rules) == []
    assert set(re.findall(r"var\(--([\w-]+)\)", rules)) - {"own"} <= light


def test_nothing_comes_from_outside() -> None:
    assert "@import" not in CSS
    assert "url(" not in CSS


def test_motion_is_for_those_who_want_it() -> None:
    moving = r"\b(transition|animation)\b"
    wanted = re.search(r"@media \(prefers-reduced-motion: no-preference\) \{.*?\n\}", CSS, re.S)
    assert wanted is not None
    assert re.search(moving, wanted[0])
    assert not re.search(moving, CSS.replace(wanted[0], ""))


def test_the_device_and_the_person_who_ask_for_dark_get_the_same() -> None:
    assert _colours("by the device") == _colours("dark")


def test_every_theme_names_the_same_colours() -> None:
    assert len({tuple(sorted(_colours(theme))) for theme in THEMES}) == 1


def test_by_night_there_is_no_light_but_red() -> None:
    for name, colour in _colours("night").items():
        red, green, blue = _channels(colour)
        assert red >= 1.5 * max(green, blue), name
