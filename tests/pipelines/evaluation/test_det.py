"""The plot of both errors: scales, and a picture that is one."""

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import norm

from pipelines.evaluation.det import EDGES, draw, probit
from pipelines.evaluation.pairs import ErrorCurve, error_curve


def curve(distance: float) -> ErrorCurve:
    rng = np.random.default_rng(0)
    same = np.arange(4_000) < 2_000
    return error_curve(rng.normal(size=4_000) + distance * same, same)


def test_normal_scores_make_a_straight_line() -> None:
    found = curve(1.0)
    inside = (found.missed > 0.05) & (found.missed < 0.8)
    slope = np.polyfit(probit(found.passed[inside]), probit(found.missed[inside]), 1)
    assert slope == pytest.approx([-1.0, -1.0], abs=0.1)


def test_what_lies_outside_is_cut_off_at_the_edge() -> None:
    assert probit(np.array([0.0, 0.5, 1.0])) == pytest.approx(
        [norm.ppf(EDGES[0]), 0.0, norm.ppf(EDGES[1])]
    )


def test_a_picture_has_a_panel_for_each_group(tmp_path: Path) -> None:
    one, two = tmp_path / "one.png", tmp_path / "two.png"
    draw(one, {"all": {"good": curve(2.0), "bad": curve(0.0)}})
    draw(two, {"all": {"good": curve(2.0)}, "apart": {"good": curve(1.0)}})
    assert one.read_bytes().startswith(b"\x89PNG")
    widths = [int.from_bytes(path.read_bytes()[16:20], "big") for path in (one, two)]
    assert widths[1] == 2 * widths[0]
