"""Pitch evaluation: the counts are right, and the report says what it stands on."""

import json
from pathlib import Path

import numpy as np
import pytest

from pipelines.__main__ import main
from pipelines.errors import ConfigError
from pipelines.evaluation import pitch
from pipelines.evaluation.pitch import (
    CONDITIONS,
    Known,
    Tally,
    run,
    share,
    simulated_cries,
    tally,
    times_better,
    under,
)
from pipelines.evaluation.trackers import OURS, Samples, Tracked, Tracker, iclas, world
from pipelines.recordings import good_rows
from pipelines.sound import Sound

RATE_HZ = 16_000
TIMES_S = np.arange(100) * 0.01


def known(voiced: int = 60) -> Known:
    """Return a second of sound, voiced at 400 Hz at its beginning."""
    f0_hz = np.full(100, np.nan)
    f0_hz[:voiced] = 400.0
    noise = np.random.default_rng(0).normal(size=RATE_HZ).astype(np.float32)
    return Known("simulated", "a", Sound(0.1 * noise, RATE_HZ), f0_hz)


def saying(f0_hz: np.ndarray) -> Tracker:
    """Return a tracker that always says the same."""

    def tracker(samples: Samples) -> Tracked:
        assert len(samples) == RATE_HZ
        return TIMES_S, f0_hz

    return tracker


def test_frames_are_counted_by_what_went_wrong() -> None:
    said = np.full(100, 400.0)
    said[:10] = 0.0  # missed
    said[10:15] = 200.0  # an octave
    said[15:18] = 520.0  # gross, no octave
    said[18:20] = 470.0  # off, yet not grossly
    said[90:] = 0.0
    assert tally(known(), known().sound, saying(said)) == Tally(
        "simulated", "a", voiced=60, called=50, gross=8, octave=5, unvoiced=40, false=30
    )


def two(gross: int, missed: int = 0) -> list[Tally]:
    """Return tallies of two cries with equal errors."""
    return [Tally("real", name, 100, 100 - missed, gross, 0, 50, 5) for name in "ab"]


def test_shares_have_their_own_denominators() -> None:
    tallies = two(gross=8, missed=20)
    assert share(tallies, "gross_error_frac").value == pytest.approx(0.1)
    assert share(tallies, "strict_error_frac").value == pytest.approx(0.28)
    assert share(tallies, "voicing_miss_frac").value == pytest.approx(0.2)
    assert share(tallies, "false_voiced_frac").value == pytest.approx(0.1)
    assert share(tallies, "gross_error_frac").groups == 2


def test_a_share_of_nothing_is_refused() -> None:
    with pytest.raises(ConfigError):
        share(two(gross=0, missed=100), "gross_error_frac")


def test_ratios_are_of_errors_and_never_divide_by_nothing() -> None:
    assert times_better(two(gross=20), two(gross=5)).value == pytest.approx(4.0)
    assert times_better(two(gross=20), two(gross=0)).value == pytest.approx(80.0)


@pytest.mark.parametrize("ratio_db", [20.0, 0.0])
def test_noise_is_added_at_its_ratio_to_the_voiced_frames(ratio_db: float) -> None:
    one = known()
    noisy = under(f"{ratio_db:.0f}db", one, [], np.random.default_rng(5))
    assert np.max(np.abs(noisy.samples)) == pytest.approx(1.0, abs=0.01)
    clean = one.sound.samples.astype(np.float64)
    scale = np.linalg.lstsq(clean[:, None], noisy.samples.astype(np.float64), rcond=None)[0][0]
    left = noisy.samples / scale - clean
    voiced = int(0.6 * RATE_HZ)
    found_db = 10.0 * np.log10(np.mean(clean[:voiced] ** 2) / np.mean(left**2))
    assert found_db == pytest.approx(ratio_db, abs=0.3)


@pytest.mark.parametrize("condition", CONDITIONS)
def test_every_condition_keeps_rate_and_length(condition: str) -> None:
    heard = under(condition, known(), [], np.random.default_rng(1))
    assert heard.rate_hz == RATE_HZ
    assert abs(len(heard.samples) - RATE_HZ) <= 1


def test_simulated_cries_know_their_pitch_and_never_change() -> None:
    once, again = (list(simulated_cries(2)) for _ in range(2))
    for one, other in zip(once, again, strict=True):
        np.testing.assert_array_equal(one.sound.samples, other.sound.samples)
        assert 100.0 < np.nanmedian(one.f0_hz) < 1_600.0


@pytest.fixture(scope="module")
def figures() -> dict[str, object]:
    return run(None, 3, {OURS: iclas, "pyworld": world})


def number(figures: dict[str, object], name: str) -> float:
    value = figures[name]
    assert isinstance(value, float)
    return value


def test_the_shipped_tracker_is_good_and_better_than_world(figures: dict[str, object]) -> None:
    assert number(figures, "gross_error_frac_20db") <= 0.05
    assert number(figures, "voicing_miss_frac_20db_pyworld") > number(
        figures, "voicing_miss_frac_20db"
    )
    for condition in CONDITIONS:
        low, value, high = (
            number(figures, f"gross_error_frac_{condition}{end}") for end in ("_lo", "", "_hi")
        )
        assert 0.0 <= low <= value <= high <= 1.0
        assert number(figures, f"ratio_{condition}_pyworld") > 0.0


def test_doubled_periods_are_kept_out_of_the_main_figure(figures: dict[str, object]) -> None:
    assert figures["gross_error_frac_clean"] == figures["gross_error_frac_clean_simulated"]
    assert "gross_error_frac_clean_doubled" in figures
    assert figures["n_doubled"] == figures["n_simulated"] == 3
    assert "n_real" not in figures


def test_the_command_prints_and_writes_the_same(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    figures: dict[str, object],
) -> None:
    monkeypatch.setattr(pitch, "trackers", lambda: {OURS: iclas, "pyworld": world})
    file = tmp_path / "pitch.json"
    assert main(["pitch", "--cries", "3", "--json", str(file)]) == 0
    printed = capsys.readouterr().out
    written = json.loads(file.read_text())
    assert written["gross_error_frac_20db"] == figures["gross_error_frac_20db"]
    assert f"{100 * written['gross_error_frac_20db']:.1f} [" in printed
    assert "Simulated cries and coloured noises only" in printed


def test_a_folder_without_recordings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="manifest"):
        run(tmp_path, 2)
    with pytest.raises(ConfigError, match="two cries"):
        run(None, 1)


def test_real_cries_are_heard_rightly(iclas_data: Path) -> None:
    rows = good_rows(iclas_data / "donateacry" / "manifest.csv")
    cries = list(pitch.real_cries(rows, 4))
    assert len({one.group for one in cries}) == 4
    counts = [tally(one, under("20db", one, [], np.random.default_rng(0)), iclas) for one in cries]
    assert share(counts, "gross_error_frac").value <= 0.03
