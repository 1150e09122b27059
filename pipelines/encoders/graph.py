"""The ONNX graph of an ECAPA-TDNN, written from its weights without torch.

In: the arrays of a checkpoint and its constructor. Out: the bytes of an ONNX model from ``frames``
``(n, t, 80)`` to ``embedding`` ``(n, 192)``, whitened where the checkpoint says so. Guaranteed: the
same arrays give the same graph; it computes what SpeechBrain's network computes, to rounding.

The graph is written, not traced, because exact algebra then takes out most of what is not a
convolution. SpeechBrain's layers are convolution, ReLU, batch norm. A batch norm is a scale and a
shift per channel, so

* the size of its scale goes through the ReLU into the convolution before it, since
  ``s * relu(x) = relu(s * x)`` for ``s >= 0``;
* its sign and its shift go into the convolution after it; padding by reflection commutes with both.

What is left of it between two convolutions is a name and two vectors: see :class:`_Signal`. The
shift of the attention's last layer is the same in every frame, so the softmax over frames drops it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipelines.encoders.loaded import EMBEDDING_DIM
from pipelines.encoders.shapes import full_constructor
from pipelines.encoders.whitening import SMALLEST_LENGTH, whitening_of

if TYPE_CHECKING:
    from onnx import NodeProto, TensorProto

INPUT = "frames"
OUTPUT = "embedding"
OPSET = 18
MADE_FROM = "weights_sha256"
"""Key of the graph's metadata under which its weights' checksum stands."""

_IR_VERSION = 10
_NORM_EPSILON = 1e-5
_VARIANCE_FLOOR = 1e-12
_CHANNELS, _TIME = 1, 2

Exact = NDArray[np.float64]
"""Weights are folded in double precision and rounded once, when they are written."""


@dataclass(frozen=True)
class _Signal:
    """What a value of the graph stands for: ``sign * value + shift``, per channel."""

    value: str
    sign: Exact
    shift: Exact

    def __getitem__(self, channels: slice) -> tuple[Exact, Exact]:
        return self.sign[channels], self.shift[channels]


class _Writer:
    """Nodes and constants of a graph, in the order in which they are computed."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []
        self._values = 0

    def floats(self, array: NDArray[Any] | float) -> str:
        return self._constant(np.asarray(array, dtype=np.float32))

    def integers(self, *numbers: int) -> str:
        return self._constant(np.asarray(numbers, dtype=np.int64))

    def channelwise(self, vector: Exact) -> str:
        return self.floats(vector[None, :, None])

    def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        return self.ops(kind, 1, *inputs, **attributes)[0]

    def ops(self, kind: str, outputs: int, *inputs: str, **attributes: Any) -> list[str]:
        from onnx import helper

        names = [f"v{self._values + index}" for index in range(outputs)]
        self._values += outputs
        name = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, names, name=name, **attributes))
        return names

    def _constant(self, array: NDArray[Any]) -> str:
        from onnx import numpy_helper

        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.array(array, order="C"), name))
        return name


class _Ecapa:
    """Writes the layers of one network, named as in its checkpoint."""

    def __init__(
        self, arrays: Mapping[str, NDArray[Any]], constructor: Mapping[str, Any], to: _Writer
    ) -> None:
        self._arrays = arrays
        self._full = full_constructor(constructor)
        self.to = to

    def write(self) -> str:
        """Write the whole network and return the name of its embedding."""
        bands = int(self._full["input_size"])
        x = _Signal(self.to.op("Transpose", INPUT, perm=[0, 2, 1]), np.ones(bands), np.zeros(bands))
        dilations = self._full["dilations"]
        x = self._signed(self._tdnn("blocks.0", x, dilations[0]))
        outputs = []
        for block in range(1, len(dilations) - 1):
            x = self._block(f"blocks.{block}", x, dilations[block])
            outputs.append(x)
        return self._embedding(self._tdnn("mfa", self._joined(outputs), dilations[-1]))

    def _exact(self, name: str) -> Exact:
        return np.asarray(self._arrays[name], dtype=np.float64)

    def _norm(self, name: str) -> tuple[Exact, Exact]:
        """Return the scale and the shift of a batch norm."""
        spread = np.sqrt(self._exact(f"{name}.running_var") + _NORM_EPSILON)
        scale = self._exact(f"{name}.weight") / spread
        return scale, self._exact(f"{name}.bias") - scale * self._exact(f"{name}.running_mean")

    def _taken_in(self, name: str, x: _Signal) -> tuple[Exact, Exact]:
        """Return weight and bias of a convolution that takes ``x.value`` instead of the signal."""
        weight = _ungrouped(self._exact(f"{name}.conv.weight"), len(x.shift))
        bias = self._exact(f"{name}.conv.bias") + weight.sum(axis=2) @ x.shift
        return weight * x.sign[None, :, None], bias

    def _conv(self, value: str, weight: Exact, bias: Exact, dilation: int = 1) -> str:
        reach = dilation * (weight.shape[2] - 1) // 2
        if reach:
            pads = self.to.integers(0, 0, reach, 0, 0, reach)
            value = self.to.op("Pad", value, pads, mode="reflect")
        constants = self.to.floats(weight), self.to.floats(bias)
        return self.to.op("Conv", value, *constants, dilations=[dilation])

    def _tdnn(self, name: str, x: _Signal, dilation: int = 1) -> _Signal:
        """Convolution, ReLU, batch norm."""
        weight, bias = self._taken_in(f"{name}.conv", x)
        scale, shift = self._norm(f"{name}.norm.norm")
        size = np.abs(scale)
        value = self._conv(x.value, weight * size[:, None, None], bias * size, dilation)
        return _Signal(self.to.op("Relu", value), np.where(scale < 0.0, -1.0, 1.0), shift)

    def _signed(self, x: _Signal) -> _Signal:
        """Multiply by the sign, which trained networks hardly ever need."""
        if (x.sign > 0.0).all():
            return x
        value = self.to.op("Mul", x.value, self.to.channelwise(x.sign))
        return _Signal(value, np.ones_like(x.sign), x.shift)

    def _sum(self, one: _Signal, other: _Signal) -> _Signal:
        one, other = self._signed(one), self._signed(other)
        value = self.to.op("Add", one.value, other.value)
        return _Signal(value, one.sign, one.shift + other.shift)

    def _joined(self, parts: Sequence[_Signal]) -> _Signal:
        value = self.to.op("Concat", *(part.value for part in parts), axis=_CHANNELS)
        sign, shift = (
            np.concatenate([getattr(part, what) for part in parts]) for what in ("sign", "shift")
        )
        return _Signal(value, sign, shift)

    def _plain(self, x: _Signal) -> str:
        """Return the signal itself, its shift added."""
        return self.to.op("Add", self._signed(x).value, self.to.channelwise(x.shift))

    def _block(self, name: str, x: _Signal, dilation: int) -> _Signal:
        """Squeeze-excitation Res2Net block, with what goes around it."""
        hidden = self._res2net(name, self._tdnn(f"{name}.tdnn1", x), dilation)
        hidden = self._tdnn(f"{name}.tdnn2", hidden)
        gate = self._gate(f"{name}.se_block", hidden)
        value = self.to.op("Mul", self._plain(hidden), gate)
        gated = _Signal(value, np.ones_like(hidden.sign), np.zeros_like(hidden.shift))
        return self._sum(gated, self._around(f"{name}.shortcut", x))

    def _around(self, name: str, x: _Signal) -> _Signal:
        if f"{name}.conv.weight" not in self._arrays:
            return x
        weight, bias = self._taken_in(name, x)
        value = self._conv(x.value, weight, np.zeros_like(bias))
        return _Signal(value, np.ones_like(bias), bias)

    def _res2net(self, name: str, x: _Signal, dilation: int) -> _Signal:
        scale = int(self._full["res2net_scale"])
        values = self.to.ops("Split", scale, x.value, axis=_CHANNELS, num_outputs=scale)
        width = len(x.shift) // scale
        parts = [
            _Signal(value, *x[slice(index * width, (index + 1) * width)])
            for index, value in enumerate(values)
        ]
        done = parts[:1]
        for index, part in enumerate(parts[1:]):
            taken = self._sum(part, done[-1]) if index else part
            layer = f"{name}.res2net_block.blocks.{index}"
            done.append(self._tdnn(layer, taken, dilation))
        return self._joined(done)

    def _gate(self, name: str, x: _Signal) -> str:
        """Return the share, 0 to 1, that each channel keeps."""
        to = self.to
        mean = to.op("ReduceMean", x.value, to.integers(_TIME))
        weight, bias = self._taken_in(f"{name}.conv1", x)
        squeezed = to.op("Relu", self._conv(mean, weight, bias))
        excite = self._exact(f"{name}.conv2.conv.weight"), self._exact(f"{name}.conv2.conv.bias")
        return to.op("Sigmoid", self._conv(squeezed, *excite))

    def _embedding(self, x: _Signal) -> str:
        """Attentive statistics pooling, its batch norm, and the last layer."""
        to, value = self.to, self._plain(x)
        attention = to.op("Softmax", self._attention(value, len(x.shift)), axis=_TIME)
        pooled = to.op("Concat", *self._moments(value, attention), axis=_CHANNELS)
        scale, shift = self._norm("asp_bn.norm")
        weight, bias = self._exact("fc.conv.weight")[:, :, 0], self._exact("fc.conv.bias")
        flat = to.op("Reshape", pooled, to.integers(-1, len(scale)))
        constants = to.floats((weight * scale).T), to.floats(bias + weight @ shift)
        return to.op("Gemm", flat, *constants)

    def _moments(self, value: str, attention: str | None) -> tuple[str, str]:
        """Return mean and deviation over time, weighted by attention or plain."""
        mean = self._average(value, attention)
        away = self.to.op("Sub", value, mean)
        variance = self._average(self.to.op("Mul", away, away), attention)
        floored = self.to.op("Max", variance, self.to.floats(_VARIANCE_FLOOR))
        return mean, self.to.op("Sqrt", floored)

    def _average(self, value: str, attention: str | None) -> str:
        time = self.to.integers(_TIME)
        if attention is None:
            return self.to.op("ReduceMean", value, time)
        return self.to.op("ReduceSum", self.to.op("Mul", attention, value), time)

    def _attention(self, value: str, channels: int) -> str:
        to = self.to
        weight, bias = (
            self._exact("asp.tdnn.conv.conv.weight"),
            self._exact("asp.tdnn.conv.conv.bias"),
        )
        scale, shift = self._norm("asp.tdnn.norm.norm")
        size = np.abs(scale)
        weight, bias = weight * size[:, None, None], bias * size
        hidden = self._conv(value, weight[:, :channels], bias)
        if weight.shape[1] > channels:  # mean and deviation are the same in every frame
            context = to.op("Concat", *self._moments(value, None), axis=_CHANNELS)
            steady = self._conv(context, weight[:, channels:], np.zeros_like(bias))
            hidden = to.op("Add", hidden, steady)
        normed = _Signal(to.op("Relu", hidden), np.where(scale < 0.0, -1.0, 1.0), shift)
        steered = to.op("Tanh", self._plain(normed))
        last = self._exact("asp.conv.conv.weight")
        return self._conv(steered, last, np.zeros(len(last)))


def _ungrouped(weight: Exact, channels: int) -> Exact:
    """Write a convolution in groups as one with zeros between the groups."""
    out, own, size = weight.shape
    if own == channels:
        return weight
    full = np.zeros((out, channels, size))
    per_group = out // (channels // own)
    for start in range(0, out, per_group):
        first = start // per_group * own
        full[start : start + per_group, first : first + own] = weight[start : start + per_group]
    return full


def _unit_length(to: _Writer, value: str) -> str:
    length = to.op("ReduceL2", value, to.integers(1))
    return to.op("Div", value, to.op("Max", length, to.floats(SMALLEST_LENGTH)))


def _whitened(to: _Writer, raw: str, arrays: Mapping[str, NDArray[Any]], weights: Path) -> str:
    whitening = whitening_of(arrays, weights)
    if whitening is None:
        return raw
    mean, matrix = whitening
    centred = to.op("Sub", _unit_length(to, raw), to.floats(mean))
    return _unit_length(to, to.op("MatMul", centred, to.floats(matrix)))


def onnx_graph(
    arrays: Mapping[str, NDArray[Any]],
    constructor: Mapping[str, Any],
    weights: Path,
    metadata: Mapping[str, str] | None = None,
) -> bytes:
    """Write the graph of a network.

    Parameters
    ----------
    arrays
        All arrays of a checkpoint, whose shapes :func:`~pipelines.encoders.shapes.check_weights`
        has passed.
    constructor
        Numbers of the encoder's card.
    weights
        Named in errors.
    metadata
        Words that the graph carries.

    Returns
    -------
    bytes
        An ONNX model, opset 18, float32.
    """
    from onnx import TensorProto, helper

    to = _Writer()
    embedding = _whitened(to, _Ecapa(arrays, constructor, to).write(), arrays, weights)
    to.nodes.append(helper.make_node("Identity", [embedding], [OUTPUT]))
    bands = full_constructor(constructor)["input_size"]
    taken = helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["n", "t", bands])
    given = helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["n", EMBEDDING_DIM])
    graph = helper.make_graph(to.nodes, "ecapa", [taken], [given], to.constants)
    opset = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(
        graph, producer_name="iclas", opset_imports=opset, ir_version=_IR_VERSION
    )
    helper.set_model_props(model, dict(metadata or {}))
    content: bytes = model.SerializeToString(deterministic=True)
    return content
