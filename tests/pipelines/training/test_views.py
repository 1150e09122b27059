"""What a network hears of a crop: its own front end, other rooms, the same infant."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from pipelines.encoders.hub import FilterbankFrames
from pipelines.encoders.loaded import LogMelFrames
from pipelines.errors import ConfigError
from pipelines.frontend import FrontEnd
from pipelines.segment import Unit
from pipelines.training import views
from pipelines.training.takes import Crops, Drawn, Piece, Take
from pipelines.training.views import View, copies_elsewhere, view_of
from tests.pipelines.training.cries import cry

RATE_HZ = 16_000
NOISE = np.random.default_rng(0).normal(0.0, 0.1, RATE_HZ).astype(np.float32)


def takes(background: np.ndarray = NOISE) -> list[Take]:
    return [
        Take(f"i{n}", "ios", None, None, None, (Piece(cry(n, 0), (Unit(0.3, 1.5),)),), background)
        for n in range(3)
    ]


def drawn(own: list[Take]) -> Drawn:
    return Crops(own, 3, 2).draw(np.random.default_rng(5))


@pytest.fixture(params=["log-mel", "filterbank"])
def view(request: pytest.FixtureRequest) -> View:
    if request.param == "filterbank":
        return view_of(views_filterbank(), takes())
    return view_of(LogMelFrames(FrontEnd(global_mel_mean_db=(1.0,) * 80)), takes())


def views_filterbank() -> FilterbankFrames:
    from pipelines.encoders.ecapa import speechbrain_module

    return FilterbankFrames(speechbrain_module("speechbrain.lobes.features").Fbank(n_mels=80))


def test_crops_become_frames_of_their_length(view: View) -> None:
    batch = drawn(takes())
    frames = view(batch, np.random.default_rng(0))
    assert frames.dtype == np.float32
    assert frames.shape[::2] == (6, 80)
    assert frames.shape[1] == pytest.approx(batch.samples.shape[1] / 160, abs=1)
    assert np.isfinite(frames).all()


def test_changes_are_seeded(view: View) -> None:
    batch = drawn(takes())
    first, again, other = (view(batch, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.isclose(first, other).all(axis=(1, 2)).any()


def test_recordings_without_background_get_a_made_up_one(view: View) -> None:
    del view
    quiet = takes(np.zeros(0, dtype=np.float32))
    for source in (LogMelFrames(FrontEnd()), views_filterbank()):
        frames = view_of(source, quiet)(drawn(quiet), np.random.default_rng(0))
        assert np.isfinite(frames).all()
        assert frames.std() > 1.0


def test_a_crop_left_as_it_was_is_heard_as_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "CLEAN_FRAC", 1.0)
    monkeypatch.setattr(views, "mask", lambda frames, _: frames)
    source, batch = views_filterbank(), drawn(takes())
    found = view_of(source, takes())(batch, np.random.default_rng(0))

    @dataclass
    class Cut:
        samples: Any

    whole = Unit(0.0, batch.samples.shape[1] / RATE_HZ)
    in_use = source.unit_frames(Cut(batch.samples[0]), [whole])[0]
    expected = source.filterbank(_tensor(batch.samples[:1]))[0].numpy()
    expected = expected - expected.mean(axis=0)
    assert found[0] == pytest.approx(expected, abs=1e-3)
    assert found[0].mean(axis=0) == pytest.approx(in_use.mean(axis=0), abs=1e-3)


def _tensor(samples: np.ndarray) -> Any:
    import torch

    return torch.from_numpy(samples)


def test_copies_elsewhere_keep_their_length_and_differ() -> None:
    take = takes()[0]
    rng = np.random.default_rng(0)
    copies = copies_elsewhere(take, NOISE, rng, 4)
    samples = take.pieces[0].sound.samples
    assert {copy.samples.size for copy in copies} == {samples.size}
    assert sum(np.array_equal(copy.samples, samples) for copy in copies) < 4


def test_another_kind_of_frames_is_refused() -> None:
    class Other:
        def unit_frames(self, sound: object, units: object) -> list[Any]:
            return []

        def description(self) -> dict[str, Any]:
            return {}

    with pytest.raises(ConfigError, match="Other"):
        view_of(Other(), takes())
