"""Promise: simulated lives judged in order, figures that count what they say, combinations."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import norm

from pipelines.__main__ import main
from pipelines.evaluation import promise
from pipelines.evaluation.lived import Lived, baseline_of, hear_infants
from pipelines.evaluation.promise import (
    COMBINED,
    OTHERS,
    PARAMETERS,
    Judged,
    drawn,
    figures_of,
    live,
    sessions_between,
)
from pipelines.familiar import ROOM_WIDTH
from pipelines.score import SCORERS


def made_up(days: int = 30, planted_from: int = 26, shift: float = 6.0, seed: int = 0) -> Lived:
    """Return an infant of numbers: one session of two recordings a day."""
    chance = np.random.default_rng(seed)
    day = np.repeat(np.arange(days), 2)
    centre, direction = chance.normal(size=(2, 192))
    deviated = day >= planted_from
    units = (
        centre
        + 0.4 * chance.normal(size=(days, 192))[day]
        + shift * 0.4 * (deviated[:, None] * direction)
    )
    vectors = units + 0.3 * chance.normal(size=units.shape)
    channels = chance.normal(size=(len(day), 17))
    channels[:, 0] += shift * deviated
    return Lived(
        embeddings=(vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32),
        unit_recording=np.arange(len(day)),
        channels=channels,
        room=chance.normal(size=(len(day), ROOM_WIDTH)).astype(np.float32),
        time_s=day * 86_400.0,
        day=day,
        session=day,
        age_days=np.full(len(day), 60.0),
        deviated=deviated,
    )


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(promise, "USUAL_DAYS", 26)
    monkeypatch.setattr(promise, "REFIT_DAYS", 6)
    monkeypatch.setattr(promise, "PLANTED_DAYS", 4)


@pytest.mark.usefixtures("short")
def test_usual_days_are_usual_and_planted_ones_are_not() -> None:
    judged = live(made_up(), "another encoder")
    assert set(judged.usual) == {*SCORERS, COMBINED, "room"}
    assert len(judged.usual[COMBINED]) == 12  # days 14 to 25
    assert len(judged.deviating[COMBINED]) == 4
    assert judged.deviating[COMBINED].max() < 0.1 < np.median(judged.usual[COMBINED])


def test_a_baseline_holds_what_was_chosen_and_nothing_later() -> None:
    lived = made_up()
    baseline = baseline_of(lived, lived.day < 14)
    assert baseline.n_days == baseline.n_sessions == 14
    assert baseline.n_recordings == 28 == len(baseline.checked().whole_views())
    sessions = list(sessions_between(lived, 14, 16))
    assert [own.tolist() for own in sessions] == [[28, 29], [30, 31]]


def judged_at(usual: float, deviating: float, n: int = 20) -> Judged:
    def rows(p: float) -> dict[str, np.ndarray]:
        return {name: np.full(n, p) for name in (*SCORERS, COMBINED)}

    return Judged(rows(usual), rows(deviating))


def test_figures_count_what_they_say() -> None:
    judged = [
        judged_at(0.5, 0.01),
        judged_at(0.07, 0.5),
        judged_at(0.5, 0.01),
        judged_at(0.01, 0.5),
    ]
    figures = figures_of(judged)
    assert figures["fpr_at_alpha10_mean"] == pytest.approx(0.5)
    assert figures["fpr_at_alpha05_mean"] == pytest.approx(0.25)
    assert figures["fpr_at_alpha10_max"] == 1.0
    assert figures["recall_at_alpha10"] == pytest.approx(0.5)
    assert figures["recall_by_parameter"] == {
        str(parameter): float(number in (0, 2)) for number, parameter in enumerate(PARAMETERS)
    }
    dummies = [figures["scorers"][name] for name in ("always_fire", "never_fire")]
    assert [one["fpr_at_alpha10_mean"] for one in dummies] == [1.0, 0.0]
    assert [one["recall_at_alpha10"] for one in dummies] == [1.0, 0.0]
    assert (figures["n"], figures["least_sessions"]) == (4, 20)


@pytest.mark.parametrize("name", list(OTHERS))
@pytest.mark.parametrize("correlation", [0.0, 0.8])
def test_other_combinations_keep_the_promise(name: str, correlation: float) -> None:
    chance = np.random.default_rng(0)
    common, own = chance.normal(size=(1, 20_000)), chance.normal(size=(5, 20_000))
    p_values = norm.sf(np.sqrt(correlation) * common + np.sqrt(1 - correlation) * own)
    combined = OTHERS[name](p_values)
    assert ((combined >= 0.0) & (combined <= 1.0)).all()
    assert (combined <= 0.10).mean() <= 0.115


def test_each_infant_deviates_by_two_of_its_own_standard_deviations() -> None:
    infants = drawn(8, 0)
    assert [one.deviations[0].parameter for one in infants] == [*PARAMETERS, *PARAMETERS]
    pitch = infants[0]
    spread = pitch.variation.spread.f0_log
    assert np.log1p(pitch.deviations[0].amount) == pytest.approx(2 * spread)


def test_what_was_heard_is_kept_and_not_heard_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    infants = [replace(one, duration_s=2.0) for one in drawn(1, 0)]
    first = hear_infants(infants, 1, 0, tmp_path)
    assert first[0].channels.shape == (len(first[0].day), 17)
    assert len(first[0].embeddings) == len(first[0].unit_recording)
    file = next(tmp_path.iterdir())

    def never(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr("pipelines.evaluation.lived.render", never)
    again = hear_infants(infants, 1, 0, tmp_path)
    np.testing.assert_array_equal(again[0].channels, first[0].channels)
    file.write_bytes(file.read_bytes()[:-5])
    with pytest.raises(AssertionError):
        hear_infants(infants, 1, 0, tmp_path)


@pytest.mark.usefixtures("short")
def test_the_command_prints_and_writes_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def made(infants: list[object], *_: object) -> list[Lived]:
        return [made_up(seed=number) for number in range(len(infants))]

    monkeypatch.setattr(promise, "hear_infants", made)
    out = tmp_path / "figures.json"
    assert main(["promise", "--infants", "4", "--json", str(out)]) == 0
    figures = json.loads(out.read_text())
    shown = capsys.readouterr().out
    assert "Simulated: 4 infants" in shown
    assert f"{figures['fpr_at_alpha10_mean']:.3f}" in shown
    assert {"fpr_at_alpha10_max", "fpr_at_alpha05_mean", "recall_at_alpha10_lo"} < set(figures)
    assert all(name in shown for name in ("cauchy", "harmonic", "e_values", "never_fire"))
