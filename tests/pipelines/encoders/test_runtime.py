"""Runtimes: ONNX Runtime computes what torch computes, to 1e-5, and without torch."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file

from pipelines.embed import load_encoder
from pipelines.encoders.checkpoint import network_with, read_card
from pipelines.encoders.graph import onnx_graph
from pipelines.encoders.runtime import OnnxNetwork, TorchNetwork
from pipelines.encoders.table import BUNDLED
from pipelines.errors import ConfigError, CorruptArtefactError
from pipelines.segment import Unit
from pipelines.sound import Sound
from tests.house import project
from tests.pipelines.encoders.networks import TINY, Arrays, random_arrays, random_whitening, saved

EMBED_ONCE = """
import sys
import numpy as np
from pipelines.embed import load_encoder
from pipelines.segment import Unit
from pipelines.sound import Sound
sound = Sound(np.sin(np.arange(48000) / 5).astype(np.float32), 16000)
vectors = load_encoder("bundled", threads=1).embed([(sound, [Unit(0.5, 1.5), Unit(1.6, 2.9)])])
heavy = [name for name in ("torch", "torchaudio", "speechbrain") if name in sys.modules]
sys.stdout.write(f"{vectors[0].shape} {heavy}")
"""
SHAPES = ((1, 11), (1, 32), (5, 32), (1, 496), (16, 64), (3, 208), (1, 1600))
CONSTRUCTORS: dict[str, dict[str, Any]] = {
    "as it is": {},
    "groups": {"groups": [2, 4, 1, 2, 3]},
    "another width": {"channels": [16, 24, 24, 24, 30], "res2net_scale": 4},
    "no context": {"global_context": False},
    "kernels": {"kernel_sizes": [3, 5, 3, 1, 3], "dilations": [2, 1, 4, 1, 2]},
    "deeper": {
        "channels": [16, 16, 16, 16, 16, 48],
        "kernel_sizes": [5, 3, 3, 3, 3, 1],
        "dilations": [1, 2, 3, 4, 5, 1],
        "groups": [1, 1, 1, 1, 1, 1],
    },
}


def frames(count: int, length: int) -> NDArray[np.float32]:
    rng = np.random.default_rng(length)
    return (12.0 * rng.standard_normal((count, length, 80))).astype(np.float32)


def unit_length(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def furthest(arrays: Arrays, constructor: dict[str, Any]) -> float:
    """Return the largest difference over units of all lengths, alone and in company."""
    onnx = OnnxNetwork(onnx_graph(arrays, constructor, Path("tiny")), Path("tiny"))
    reference = TorchNetwork(network_with(arrays, constructor, Path("tiny")))
    pairs = [(onnx(batch), reference(batch)) for batch in (frames(*shape) for shape in SHAPES)]
    return max(float(np.abs(unit_length(a) - unit_length(b)).max()) for a, b in pairs)


@pytest.mark.parametrize("change", CONSTRUCTORS.values(), ids=CONSTRUCTORS)
@pytest.mark.parametrize("whitening", [{}, random_whitening()], ids=["raw", "whitened"])
def test_onnx_and_torch_agree(change: dict[str, Any], whitening: Arrays) -> None:
    constructor = {**TINY, **change}
    assert furthest({**random_arrays(constructor), **whitening}, constructor) <= 1e-5


def test_onnx_and_torch_agree_on_the_bundled_network() -> None:
    assert furthest(load_file(BUNDLED), read_card(BUNDLED)["constructor"]) <= 1e-5


def test_the_graph_is_smaller_where_no_channel_is_turned_over() -> None:
    plain, signed = (
        len(onnx_graph(random_arrays(signs=signs), TINY, Path("tiny"))) for signs in (False, True)
    )
    assert plain < signed


def test_encoders_agree_whatever_runs_them(tmp_path: Path) -> None:
    path = saved(tmp_path, random_arrays() | random_whitening())
    rng = np.random.default_rng(1)
    sound = Sound(rng.uniform(-1, 1, 64_000).astype(np.float32), 16_000)
    units = [Unit(0.1, 0.5), Unit(0.6, 2.0), Unit(2.1, 2.5), Unit(2.6, 3.9)]
    onnx, reference = (
        load_encoder(str(path), threads=1, runtime=runtime) for runtime in ("onnxruntime", "torch")
    )
    assert onnx.fingerprint == reference.fingerprint
    assert onnx.embed([(sound, units)])[0] == pytest.approx(
        reference.embed([(sound, units)])[0], abs=1e-5
    )


def test_the_same_frames_give_the_same_bits(tmp_path: Path) -> None:
    network = OnnxNetwork(onnx_graph(random_arrays(), TINY, tmp_path), tmp_path)
    again = OnnxNetwork(onnx_graph(random_arrays(), TINY, tmp_path), tmp_path)
    first = network(frames(3, 208))
    network(frames(16, 64))
    assert np.array_equal(network(frames(3, 208)), first)
    assert np.array_equal(again(frames(3, 208)), first)


def test_a_worker_that_only_embeds_loads_no_torch() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", EMBED_ONCE],
        cwd=project.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "(2, 192) []"
    assert done.stderr == ""


@pytest.mark.parametrize("content", [b"", b"no graph", b"\x00" * 100])
def test_what_is_no_graph_is_refused_by_name(content: bytes) -> None:
    with pytest.raises(CorruptArtefactError):
        OnnxNetwork(content, Path("broken.onnx"))


def test_a_graph_of_something_else_is_refused_by_name() -> None:
    from onnx import TensorProto, helper

    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n"]) for name in ("a", "b")]
    graph = helper.make_graph([helper.make_node("Abs", ["a"], ["b"])], "g", ends[:1], ends[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    with pytest.raises(CorruptArtefactError, match="no graph from frames to embedding"):
        OnnxNetwork(model.SerializeToString(), Path("other.onnx"))


def test_an_unknown_runtime_is_refused() -> None:
    with pytest.raises(ConfigError, match="no runtime 'tensorflow'"):
        load_encoder("bundled", runtime="tensorflow")


def test_torch_runs_where_its_weights_are() -> None:
    network = TorchNetwork(torch.nn.Identity())
    batch = frames(2, 3)
    assert np.array_equal(network(batch), batch[:, 0])
