"""Embeddings: their shape, their independence of the batch, and the encoder's fingerprint."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pipelines.embed import EMBEDDING_DIM, Encoder, load_encoder, recording_embedding
from pipelines.encoders.checkpoint import ARCHITECTURE, save_checkpoint
from pipelines.encoders.ecapa import SMALL_CONSTRUCTOR, build_ecapa, speechbrain_module
from pipelines.errors import ConfigError, CorruptArtefactError
from pipelines.frontend import FrontEnd, frame_span, log_mel, normalise_unit
from pipelines.segment import Unit
from pipelines.sound import Sound, peak_normalise

RATE_HZ = 16_000
TINY = {
    "input_size": 80,
    "lin_neurons": 192,
    "channels": [16, 16, 16, 16, 48],
    "attention_channels": 8,
    "se_channels": 8,
}
UNITS = (Unit(0.1, 0.5), Unit(0.8, 2.0), Unit(2.2, 2.5), Unit(2.6, 4.9))


def recording(seed: int, duration_s: float = 5.0) -> Sound:
    rng = np.random.default_rng(seed)
    times_s = np.arange(int(duration_s * RATE_HZ)) / RATE_HZ
    pitch_hz = 400.0 + 40.0 * seed + 50.0 * np.sin(2 * np.pi * 0.7 * times_s)
    phase = 2 * np.pi * np.cumsum(pitch_hz) / RATE_HZ
    voice = sum(np.sin(k * phase) / k for k in range(1, 12))
    samples = voice * (np.sin(2 * np.pi * 0.5 * times_s) > -0.3)
    samples = samples + 0.01 * rng.normal(size=times_s.size)
    return peak_normalise(Sound(samples.astype(np.float32), RATE_HZ))


def weights_and_card(
    folder: Path, seed: int = 0, constructor: Mapping[str, Any] = TINY, mean_db: float = 0.0
) -> Path:
    torch.manual_seed(seed)
    network = build_ecapa(constructor)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm1d) and module.running_mean is not None:
            module.running_mean.normal_(0.0, 0.3)
    arrays = {name: value.detach().numpy() for name, value in network.state_dict().items()}
    card = {
        "architecture": ARCHITECTURE,
        "constructor": dict(constructor),
        "front_end": FrontEnd(global_mel_mean_db=(mean_db,) * 80).to_card(),
        "name": "tiny",
        "license": "test",
    }
    path = folder / "tiny.safetensors"
    save_checkpoint(path, arrays, card)
    return path


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    return weights_and_card(tmp_path)


@pytest.fixture
def tiny(weights: Path) -> Encoder:
    return load_encoder(str(weights), threads=1)


def lengths(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    result: NDArray[np.float32] = np.linalg.norm(vectors, axis=1)
    return result


def test_one_vector_of_unit_length_per_unit(tiny: Encoder) -> None:
    first, none, second = tiny.embed(
        [(recording(1), UNITS), (recording(2), ()), (recording(3), UNITS[:1])]
    )
    assert first.shape == (4, EMBEDDING_DIM)
    assert none.shape == (0, EMBEDDING_DIM)
    assert second.shape == (1, EMBEDDING_DIM)
    assert first.dtype == np.float32
    assert lengths(first) == pytest.approx(np.ones(4), abs=1e-5)
    assert np.abs(first[0] - first[1]).max() > 1e-3


def test_nothing_in_nothing_out(tiny: Encoder) -> None:
    assert tiny.embed([]) == []


def test_an_embedding_does_not_depend_on_its_batch(tiny: Encoder) -> None:
    items = [(recording(seed), UNITS[: 1 + seed % 4]) for seed in range(7)]
    together = tiny.embed(items)
    backwards = tiny.embed(items[::-1])[::-1]
    for item, batched, reversed_ in zip(items, together, backwards, strict=True):
        alone = tiny.embed([item])[0]
        one_by_one = [tiny.embed([(item[0], [unit])])[0][0] for unit in item[1]]
        assert np.array_equal(batched, alone)
        assert np.array_equal(reversed_, alone)
        assert np.stack(one_by_one) == pytest.approx(alone, abs=1e-4)


def test_it_is_the_network_of_speechbrain(weights: Path, tiny: Encoder) -> None:
    from safetensors.torch import load_file

    network = speechbrain_module("speechbrain.lobes.models.ECAPA_TDNN").ECAPA_TDNN(**TINY)
    state = load_file(weights)
    network.load_state_dict(
        {k: v.float() if v.is_floating_point() else v for k, v in state.items()}
    )
    front_end = FrontEnd(global_mel_mean_db=(0.0,) * 80)
    sound = recording(4)
    frames = log_mel(sound, front_end)
    start, stop = frame_span(UNITS[1], len(frames))
    inputs = normalise_unit(frames[start:stop], front_end)
    with torch.inference_mode():
        theirs = network.eval()(torch.from_numpy(inputs[None]))[0, 0].numpy()
    ours = tiny.embed([(sound, UNITS[1:2])])[0][0]
    assert ours == pytest.approx(theirs / np.linalg.norm(theirs), abs=1e-5)


def test_a_very_short_unit_is_lengthened_by_what_surrounds_it(tiny: Encoder) -> None:
    sound = recording(5)
    short, longer = tiny.embed([(sound, [Unit(1.30, 1.34), Unit(1.16, 1.48)])])[0]
    assert short == pytest.approx(longer, abs=1e-5)


@pytest.mark.parametrize("duration_s", [0.1, 0.3, 0.31])
def test_short_recordings(tiny: Encoder, duration_s: float) -> None:
    vectors = tiny.embed([(recording(6, duration_s), [Unit(0.0, duration_s)])])[0]
    assert lengths(vectors) == pytest.approx(np.ones(1), abs=1e-5)


def test_too_few_samples_are_refused_by_name(tiny: Encoder) -> None:
    with pytest.raises(ConfigError, match="too few"):
        tiny.embed([(recording(6, 0.05), [Unit(0.0, 0.05)])])


def test_silence_has_an_embedding_without_nan(tiny: Encoder) -> None:
    silent = Sound(np.zeros(RATE_HZ, dtype=np.float32), RATE_HZ)
    assert np.isfinite(tiny.embed([(silent, [Unit(0.0, 1.0)])])[0]).all()


def test_the_same_encoder_gives_the_same_embeddings(weights: Path, tiny: Encoder) -> None:
    again = load_encoder(str(weights))
    item = (recording(7), UNITS)
    assert np.array_equal(tiny.embed([item])[0], again.embed([item])[0])
    assert tiny.fingerprint == again.fingerprint
    assert len(tiny.fingerprint) == 16


def test_other_weights_or_another_front_end_have_another_fingerprint(
    tmp_path: Path, tiny: Encoder
) -> None:
    others = []
    for name, seed, mean_db in (("seed", 1, 0.0), ("mean", 0, 1.0)):
        (tmp_path / name).mkdir()
        path = weights_and_card(tmp_path / name, seed=seed, mean_db=mean_db)
        others.append(load_encoder(str(path)).fingerprint)
    assert len({tiny.fingerprint, *others}) == 3


def test_a_folder_with_one_checkpoint_is_loaded(weights: Path, tiny: Encoder) -> None:
    assert load_encoder(str(weights.parent)).fingerprint == tiny.fingerprint


@pytest.mark.parametrize("spec", ["nothing", "/no/such/folder", "", "a/b", "a/b/c"])
def test_a_name_that_means_nothing_is_refused(spec: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        load_encoder(spec or str(tmp_path))


def test_weights_without_a_card_are_refused(weights: Path) -> None:
    weights.with_suffix(".json").unlink()
    with pytest.raises(ConfigError, match="card"):
        load_encoder(str(weights))


def test_a_changed_byte_is_found(weights: Path) -> None:
    content = bytearray(weights.read_bytes())
    content[-3] ^= 1
    weights.write_bytes(bytes(content))
    with pytest.raises(CorruptArtefactError, match="checksum"):
        load_encoder(str(weights))


def test_weights_of_another_shape_are_refused(weights: Path) -> None:
    path = weights.with_suffix(".json")
    card = json.loads(path.read_text())
    card["constructor"]["channels"] = [32, 32, 32, 32, 96]
    path.write_text(json.dumps(card))
    with pytest.raises(CorruptArtefactError, match="not the weights"):
        load_encoder(str(weights))


@pytest.mark.parametrize("change", [{"architecture": "other"}, {"front_end": {}}])
def test_a_card_of_something_else_is_refused(weights: Path, change: dict[str, Any]) -> None:
    path = weights.with_suffix(".json")
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ConfigError):
        load_encoder(str(weights))


def test_an_encoder_says_whom_it_heard_where_its_card_does(tmp_path: Path, tiny: Encoder) -> None:
    assert tiny.heard("anyone") is None
    bundled = load_encoder("bundled")
    assert bundled.heard("nobody by this name") is False


def test_recording_embedding_is_the_direction_of_the_mean() -> None:
    units = np.eye(3, EMBEDDING_DIM, dtype=np.float32)
    assert recording_embedding(units)[:3] == pytest.approx(np.full(3, 3**-0.5))


def test_the_bundled_encoder_is_small_and_described() -> None:
    weights = Path(__file__).parents[2] / "pipelines/weights/backbone.safetensors"
    card = json.loads(weights.with_suffix(".json").read_text())
    assert weights.stat().st_size < 8e6
    assert card["constructor"] == dict(SMALL_CONSTRUCTOR)
    assert {"training", "held_out", "figures_on_held_out_infants", "limits"} <= set(card)


def test_the_bundled_weights_are_those_that_were_measured() -> None:
    weights = Path(__file__).parents[2] / "pipelines/weights/backbone.safetensors"
    card = json.loads(weights.with_suffix(".json").read_text())
    assert card["encoder_fingerprint"] == load_encoder("bundled").fingerprint


def test_two_units_of_a_voice_are_nearer_than_two_voices() -> None:
    encoder = load_encoder("bundled")
    one, other = encoder.embed([(recording(0), UNITS[1:]), (recording(9), UNITS[1:])])
    same = float(np.mean([one[0] @ one[2], other[0] @ other[2]]))
    assert same > float(np.mean(one @ other.T))
