"""Reports: cells that people read, and a JSON file that appears whole or not at all."""

import json
from pathlib import Path

import pytest

from pipelines.evaluation import report
from pipelines.evaluation.metrics import Absent, Estimate


@pytest.mark.parametrize(
    ("cell", "text"),
    [(0.123, "0.12"), (7, "7"), (True, "yes"), (None, "-"), (Absent("why"), "-"), ("a", "a")],
)
def test_cells(cell: object, text: str) -> None:
    assert report.spell(cell) == text


def test_percentages_have_their_interval_and_n() -> None:
    assert report.percent(Estimate(0.913, 0.85, 0.961, 92, 30)) == "91 % [85, 96], n 92"
    assert report.percent(Absent("nothing to pool")) == "- (nothing to pool)"


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    report.write_json(path, {"auc": 0.5})
    with pytest.raises(ValueError, match="JSON"):
        report.write_json(path, {"auc": float("nan")})
    assert json.loads(path.read_text()) == {"auc": 0.5}
    assert [one.name for one in tmp_path.iterdir()] == ["figures.json"]


def test_versions_name_what_figures_depend_on() -> None:
    assert {"python", "numpy", "scipy", "scikit-learn", "torch"} <= set(report.versions())
