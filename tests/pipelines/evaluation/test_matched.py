"""Channel-matched protocol: the same channel for all, and an honest word on how far it went."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pipelines.embed import EMBEDDING_DIM
from pipelines.evaluation import matched
from pipelines.evaluation.matched import (
    Channel,
    Rung,
    everything_in,
    hear_again,
    noise_beside,
    only_units,
    replaced,
    settle,
    sweep,
)
from pipelines.evaluation.metrics import Absent, Estimate
from pipelines.evaluation.protocol import Trial, make_trials
from pipelines.frontend import background_statistics
from pipelines.prior import bundled_priors
from pipelines.recordings import Heard
from pipelines.segment import segment
from pipelines.sound import RATE_HZ, Sound, write_wav
from pipelines.synthesis import InfantVoice, synthesise_cry
from tests.pipelines.evaluation.recordings_made_up import a_corpus


class FlatEncoder:
    """Embeds every unit as the mean of its samples: enough to see that it was asked."""

    name = "flat"
    fingerprint = "flat"

    def embed(self, items: list[tuple[Sound, tuple[object, ...]]]) -> list[np.ndarray]:
        return [np.ones((len(units), EMBEDDING_DIM), dtype=np.float32) for _, units in items]


def pink() -> Sound:
    return noise_beside(Path("/nowhere/corpus/manifest.csv"))


@pytest.fixture
def recordings(tmp_path: Path) -> list[Heard]:
    """Two synthetic recordings on disk, one in a hiss and one in a rumble."""
    made = []
    for number, slope in enumerate((0.0, 9.0)):
        cry = synthesise_cry(InfantVoice(), seed=number, duration_s=3.0).sound
        hiss = matched.coloured_noise(3.0, RATE_HZ, slope, np.random.default_rng(number))
        path = tmp_path / f"{number}.wav"
        write_wav(path, Sound(0.9 * cry.samples + 0.02 * hiss.samples, RATE_HZ))
        one = a_corpus(infants=1, days=1)["inf00"][0]
        made.append(replace(one, row=replace(one.row, file=path), units=segment(path).units))
    return made


def test_the_same_channel_makes_the_same_sound_every_time(recordings: list[Heard]) -> None:
    found = segment(recordings[0].row.file)
    first, again = (Channel(pink(), -20.0).add(found.sound, found.units) for _ in range(2))
    np.testing.assert_array_equal(first.samples, again.samples)
    assert first.rate_hz == RATE_HZ
    assert np.max(np.abs(first.samples)) == pytest.approx(1.0)


def test_between_the_units_there_is_nothing_but_what_is_added(recordings: list[Heard]) -> None:
    found = segment(recordings[0].row.file)
    alone = only_units(found.sound, found.units)
    outside = np.ones(len(alone.samples), dtype=bool)
    for unit in found.units:
        start, end = round(unit.onset_s * RATE_HZ), round(unit.offset_s * RATE_HZ)
        outside[start:end] = False
        inside = slice(start + 200, end - 200)
        np.testing.assert_array_equal(alone.samples[inside], found.sound.samples[inside])
    assert outside.any()
    assert not alone.samples[outside].any()


def test_the_channel_brings_backgrounds_together(recordings: list[Heard]) -> None:
    def distance(backgrounds: list[NDArray[np.float32]]) -> float:
        one, other = backgrounds
        return float(np.linalg.norm(one - other))

    clean = distance([background_statistics(segment(r.row.file).sound) for r in recordings])
    heard = hear_again(recordings, Channel(pink(), -40.0), None)
    assert distance([heard[r.row.file].background for r in recordings]) < 0.5 * clean


def test_units_stay_those_of_the_clean_recording(recordings: list[Heard]) -> None:
    counted: list[int] = []
    heard = hear_again(recordings, Channel(pink(), -20.0), FlatEncoder(), counted.append)  # type: ignore[arg-type]
    assert counted == [2]
    for clean in recordings:
        noisy = heard[clean.row.file]
        assert noisy.units == clean.units
        assert noisy.embeddings.shape == (len(clean.units), EMBEDDING_DIM)
        assert not np.array_equal(noisy.background, clean.background)


def test_without_an_encoder_embeddings_are_left_as_they_were(recordings: list[Heard]) -> None:
    heard = hear_again(recordings, Channel(pink(), -20.0), None)
    assert heard[recordings[0].row.file].embeddings is recordings[0].embeddings


def test_noise_is_joined_from_the_folder_beside_the_corpus(tmp_path: Path) -> None:
    (tmp_path / "noise").mkdir()
    (tmp_path / "corpus").mkdir()
    for number, slope in enumerate((0.0, 6.0)):
        noise = matched.coloured_noise(2.0, RATE_HZ, slope, np.random.default_rng(number))
        quiet = Sound(noise.samples * 0.1**number, RATE_HZ)
        write_wav(tmp_path / "noise" / f"{number}.wav", quiet)
    joined = noise_beside(tmp_path / "corpus" / "manifest.csv")
    assert joined.duration_s == pytest.approx(2.0)
    # Each has unit power, so that the quiet one counts as much as the loud one.
    assert np.mean(joined.samples**2) == pytest.approx(2.0, rel=0.1)
    assert noise_beside(tmp_path / "x.csv", tmp_path / "noise").duration_s == joined.duration_s


def test_without_such_a_folder_the_noise_is_pink() -> None:
    power = np.abs(np.fft.rfft(pink().samples)) ** 2
    hertz = np.fft.rfftfreq(len(pink().samples), 1.0 / RATE_HZ)
    low, high = (power[(hertz > f) & (hertz < 2 * f)].sum() for f in (250.0, 2000.0))
    assert low == pytest.approx(high, rel=0.2)


# --- raising the level --------------------------------------------------------------------------


@pytest.fixture
def trials() -> list[Trial]:
    return make_trials(a_corpus(infants=4, days=8, room=1.0), {})[0]


def rooms_until(monkeypatch: pytest.MonkeyPatch, gone_at_dbfs: float) -> list[float]:
    """Let the room stay in backgrounds down to a level; return the levels that were heard."""
    asked: list[float] = []

    def hear_made_up(
        heard: list[Heard], channel: Channel, encoder: object, step: object = None
    ) -> dict[Path, Heard]:
        asked.append(channel.level_dbfs)
        rng = np.random.default_rng(0)
        flat = channel.level_dbfs >= gone_at_dbfs
        return {
            one.row.file: replace(one, background=rng.normal(size=80)) if flat else one
            for one in heard
        }

    monkeypatch.setattr(matched, "hear_again", hear_made_up)
    return asked


def a_rung(level_dbfs: float, background_auc: float) -> Rung:
    background = {"gmm": background_auc, "ocsvm": background_auc - 0.1}
    return Rung(level_dbfs, (), background, {"combined": 0.8}, Absent("made up"))


def test_the_table_is_taken_where_the_background_is_down() -> None:
    rungs = [a_rung(-40.0, 0.8), a_rung(-30.0, 0.6), a_rung(-20.0, 0.5)]
    assert settle(rungs) == (rungs[1], True)


def test_a_dip_of_the_background_is_not_taken() -> None:
    rungs = [a_rung(-40.0, 0.8), a_rung(-30.0, 0.55), a_rung(-20.0, 0.68), a_rung(-10.0, 0.58)]
    assert settle(rungs) == (rungs[3], True)
    down = [0.8, 0.59, 0.56, 0.6, 0.61]
    three = [a_rung(-50.0 + 10.0 * at, auc) for at, auc in enumerate(down)]
    assert settle(three) == (three[1], True)


def test_where_the_background_never_stays_down_it_is_said() -> None:
    rungs = [a_rung(-40.0, 0.5), a_rung(-30.0, 0.8)]
    assert settle(rungs) == (rungs[1], False)


def test_the_strongest_reading_of_the_background_counts() -> None:
    assert a_rung(0.0, 0.7).background_auc == 0.7


def test_every_level_is_heard_and_told(
    trials: list[Trial], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = rooms_until(monkeypatch, gone_at_dbfs=-20.0)
    monkeypatch.setattr(matched, "LEVELS_DBFS", (-40.0, -20.0))
    rungs = sweep(trials, pink(), FlatEncoder(), bundled_priors(""))  # type: ignore[arg-type]
    assert asked == [rung.level_dbfs for rung in rungs] == [-40.0, -20.0]
    assert rungs[0].background_auc > 0.9
    assert rungs[1].background_auc < rungs[0].background_auc - 0.1
    for rung in rungs:
        assert [trial.infant for trial in rung.trials] == [trial.infant for trial in trials]
        assert set(rung.background) == {"autoencoder", "ocsvm", "gmm", "combined"} | {
            "background_likelihood"
        }
        assert {"likelihood", "acoustics", "combined"} < set(rung.embeddings)
        assert isinstance(rung.beyond, Estimate)
        strongest = max(rung.background.values())
        assert rung.beyond.value == pytest.approx(rung.embeddings["combined"] - strongest)


def test_every_recording_is_heard_once_and_replaced_everywhere(trials: list[Trial]) -> None:
    whole = everything_in(trials)
    assert len({one.row.file for one in whole}) == len(whole)
    quiet = {one.row.file: replace(one, background=np.zeros(80)) for one in whole}
    for trial in replaced(trials, quiet):
        for one in (*trial.baseline, *trial.normal, *trial.anomalous):
            assert not one.background.any()
