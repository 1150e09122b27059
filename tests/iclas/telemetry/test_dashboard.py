"""Dashboard, alert rules and the page about them name what there is to be measured."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from iclas.telemetry.measured import Measures
from iclas.telemetry.rows import FromRows
from tests.house import project

pytestmark = pytest.mark.embedded
DOCKER = project.ROOT / "docker"
SUFFIXES = {"histogram": ("_bucket", "_count", "_sum"), "counter": ("_total",), "gauge": ("",)}
NAME = re.compile(r"\biclas_[a-z_]+")


@pytest.fixture
def samples(db: None, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Return the name of every sample that there can be."""
    from prometheus_client import values

    monkeypatch.setattr(values, "ValueClass", values.MutexValue)
    metrics = [family for made in (Measures().registry, FromRows()) for family in made.collect()]
    return {f"{one.name}{suffix}" for one in metrics for suffix in SUFFIXES[one.type]}


def expressions() -> Iterator[str]:
    """Yield what the dashboard and the rules ask for."""
    dashboard: dict[str, Any] = json.loads((DOCKER / "grafana/iclas.json").read_text())
    for panel in dashboard["panels"]:
        yield from (target["expr"] for target in panel["targets"])
    rules = yaml.safe_load((DOCKER / "prometheus-alerts.yml").read_text())
    for group in rules["groups"]:
        yield from (rule["expr"] for rule in group["rules"])


def test_what_is_asked_for_is_measured(samples: set[str]) -> None:
    asked = {name for expression in expressions() for name in NAME.findall(expression)}
    assert len(asked) > 25
    assert asked <= samples, asked - samples


def test_the_page_names_every_metric(samples: set[str]) -> None:
    page = (project.ROOT / "docs/observability.md").read_text()
    described = set(re.findall(r"^\| `(iclas_[a-z_]+)` ", page, flags=re.M))
    bare = {re.sub(r"_(bucket|count|sum)$", "", name) for name in samples}
    assert described == bare


def test_panels_are_named_once_and_lie_beside_each_other() -> None:
    panels = json.loads((DOCKER / "grafana/iclas.json").read_text())["panels"]
    assert len({panel["title"] for panel in panels}) == len({p["id"] for p in panels})
    cells = [
        (x, y)
        for panel in panels
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _y in cells) < 24


def test_prometheus_asks_where_the_numbers_are() -> None:
    told = yaml.safe_load((DOCKER / "prometheus.yml").read_text())
    assert all((DOCKER / name).is_file() for name in told["rule_files"])
    [job] = told["scrape_configs"]
    assert job["metrics_path"] == "/metrics"
    assert "credentials_file" in job["authorization"]
    rules = yaml.safe_load((DOCKER / "prometheus-alerts.yml").read_text())["groups"][0]["rules"]
    assert {rule["labels"]["severity"] for rule in rules} == {"warning", "critical"}
    assert all(rule["annotations"]["summary"].endswith(".") for rule in rules)
