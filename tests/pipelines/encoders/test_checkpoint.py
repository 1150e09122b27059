"""Checkpoints: weights, graph and card belong together, and what does not is named."""

import json
from pathlib import Path

import numpy as np
import pytest

from pipelines.embed import load_encoder
from pipelines.encoders.checkpoint import network_with, read_card, save_checkpoint
from pipelines.encoders.table import BUNDLED
from pipelines.encoders.whitening import MATRIX, MEAN
from pipelines.errors import ConfigError, CorruptArtefactError
from pipelines.segment import Unit
from pipelines.sound import Sound
from pipelines.training.whitening import Whitening, whitened
from tests.pipelines.encoders.networks import (
    TINY,
    card_of,
    random_arrays,
    random_whitening,
    saved,
)

NOISE = np.random.default_rng(5).uniform(-1.0, 1.0, 32_000).astype(np.float32)
ITEM = (Sound(NOISE, 16_000), [Unit(0.2, 0.9), Unit(1.1, 1.9)])


def embedded(path: Path, runtime: str = "onnxruntime") -> np.ndarray:
    return load_encoder(str(path), threads=1, runtime=runtime).embed([ITEM])[0]


def change_card(path: Path, **facts: object) -> None:
    card = path.with_suffix(".json")
    full = {**json.loads(card.read_text()), **facts}
    card.write_text(json.dumps({name: fact for name, fact in full.items() if fact is not None}))


def test_a_checkpoint_is_three_files_and_its_card_knows_the_others(tmp_path: Path) -> None:
    path = saved(tmp_path, random_arrays())
    files = {"tiny.safetensors", "tiny.json", "tiny.onnx"}
    assert {file.name for file in tmp_path.iterdir()} == files
    card = read_card(path)
    assert len(card["weights_sha256"]) == len(card["onnx_sha256"]) == 64
    assert set(card["onnx_made_by"]) == {"opset", "onnx", "onnxruntime"}


def test_the_same_weights_give_the_same_files(tmp_path: Path) -> None:
    contents = []
    for name in ("one", "other"):
        saved(tmp_path / name, random_arrays())
        contents.append([file.read_bytes() for file in sorted((tmp_path / name).iterdir())])
    assert contents[0] == contents[1]


def test_without_a_graph_it_is_made_from_the_weights(tmp_path: Path) -> None:
    path = saved(tmp_path, random_arrays() | random_whitening())
    before = embedded(path)
    path.with_suffix(".onnx").unlink()
    assert np.array_equal(embedded(path), before)
    assert not path.with_suffix(".onnx").exists()


def test_an_older_checkpoint_knows_no_graph(tmp_path: Path) -> None:
    path = saved(tmp_path, random_arrays())
    before = embedded(path)
    change_card(path, onnx_sha256=None)
    path.with_suffix(".onnx").write_bytes(b"whatever lies there")
    assert np.array_equal(embedded(path), before)


@pytest.mark.parametrize("place", [0, 1000, -1])
def test_a_changed_byte_in_the_graph_is_found(tmp_path: Path, place: int) -> None:
    path = saved(tmp_path, random_arrays())
    graph = path.with_suffix(".onnx")
    content = bytearray(graph.read_bytes())
    content[place] ^= 1
    graph.write_bytes(bytes(content))
    with pytest.raises(CorruptArtefactError, match="checksum"):
        embedded(path)
    assert embedded(path, "torch").shape == (2, 192)


def test_a_graph_of_other_weights_is_refused_even_where_the_card_blesses_it(
    tmp_path: Path,
) -> None:
    path = saved(tmp_path, random_arrays())
    other = saved(tmp_path / "other", random_arrays(seed=1))
    path.with_suffix(".onnx").write_bytes(other.with_suffix(".onnx").read_bytes())
    change_card(path, onnx_sha256=read_card(other)["onnx_sha256"])
    with pytest.raises(CorruptArtefactError, match="not made from"):
        embedded(path)


def test_a_graph_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = saved(tmp_path, random_arrays())
    path.with_suffix(".onnx").unlink()
    path.with_suffix(".onnx").mkdir()
    with pytest.raises(ConfigError, match="cannot be read"):
        embedded(path)


def test_whitening_is_part_of_the_embedding_and_of_the_fingerprint(tmp_path: Path) -> None:
    arrays, whitening = random_arrays(), random_whitening()
    plain = saved(tmp_path / "plain", arrays)
    path = saved(tmp_path / "whitened", arrays | whitening)
    stored = {
        name: array.astype(np.float16).astype(np.float32) for name, array in whitening.items()
    }
    wanted = whitened(embedded(plain), Whitening(stored[MEAN], stored[MATRIX]))
    assert embedded(path) == pytest.approx(wanted, abs=1e-5)
    assert np.abs(embedded(path) - embedded(plain)).max() > 1e-2
    fingerprints = {load_encoder(str(one)).fingerprint for one in (plain, path)}
    assert len(fingerprints) == 2


@pytest.mark.parametrize("broken", ["missing", "shape"])
def test_half_a_whitening_is_refused(tmp_path: Path, broken: str) -> None:
    whitening = random_whitening()
    if broken == "missing":
        del whitening[MATRIX]
    else:
        whitening[MEAN] = whitening[MEAN][:100]
    with pytest.raises(CorruptArtefactError, match="whitening"):
        saved(tmp_path, random_arrays() | whitening)
    with pytest.raises(CorruptArtefactError, match="whitening"):
        network_with(random_arrays() | whitening, TINY, tmp_path)


@pytest.mark.parametrize("change", ["missing", "superfluous", "shape"])
def test_weights_that_are_not_the_constructors_are_refused(tmp_path: Path, change: str) -> None:
    arrays = random_arrays()
    if change == "missing":
        del arrays["fc.conv.bias"]
    elif change == "superfluous":
        arrays["other"] = np.zeros(3, dtype=np.float32)
    else:
        arrays["fc.conv.bias"] = np.zeros(3, dtype=np.float32)
    with pytest.raises(CorruptArtefactError, match="not the weights of its card"):
        saved(tmp_path, arrays)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "change", [{"channels": [16, 16, 48]}, {"kernel_sizes": [4, 3, 3, 3, 1]}], ids=str
)
def test_a_constructor_of_no_such_network_is_refused(
    tmp_path: Path, change: dict[str, object]
) -> None:
    with pytest.raises(ConfigError):
        save_checkpoint(tmp_path / "x.safetensors", random_arrays(), card_of({**TINY, **change}))


def test_the_bundled_graph_is_shipped_and_made_from_the_bundled_weights() -> None:
    encoder = load_encoder("bundled")
    assert BUNDLED.with_suffix(".onnx").stat().st_size < 8e6
    assert "onnx_sha256" in read_card(BUNDLED)
    assert encoder.fingerprint == read_card(BUNDLED)["encoder_fingerprint"]
