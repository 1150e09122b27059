"""Runtimes: what runs a network, ONNX Runtime or torch.

In: the graph of a network, or its torch module. Out: a function from frames ``(n, t, bands)`` to
embeddings ``(n, 192)``. Guaranteed: both give the same embeddings to within 1e-5; with one thread
the same frames give the same bits; ONNX Runtime imports no torch.

Workers run ONNX Runtime, which is quicker on a processor and loads in a fraction of the time; torch
trains, runs on accelerators, and is what the other is compared with.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args

from pipelines.encoders.graph import INPUT, OUTPUT
from pipelines.errors import ConfigError, CorruptArtefactError
from pipelines.frontend import Frames

if TYPE_CHECKING:
    import torch

Runtime = Literal["onnxruntime", "torch"]
RUNTIMES: tuple[str, ...] = get_args(Runtime)


class Network(Protocol):
    """Runs a network on frames."""

    def __call__(self, frames: Frames) -> Frames:
        """Return raw embeddings, shape ``(n, 192)``, of frames, shape ``(n, t, bands)``."""


class OnnxNetwork:
    """A graph in ONNX Runtime, on the processor.

    Parameters
    ----------
    content
        An ONNX model.
    source
        The file that it comes from, named in errors.
    threads
        Intra-op threads; one by default, since workers share a machine.

    Raises
    ------
    CorruptArtefactError
        The content is no graph from frames to embeddings.
    """

    def __init__(self, content: bytes, source: Path, threads: int | None = None) -> None:
        self._session = _session(content, source, threads or 1)
        ends = [end.name for end in (*self._session.get_inputs(), *self._session.get_outputs())]
        if ends != [INPUT, OUTPUT]:
            raise CorruptArtefactError(source, f"no graph from {INPUT} to {OUTPUT}: {ends}")

    @property
    def metadata(self) -> dict[str, str]:
        """Words that the graph carries."""
        return dict(self._session.get_modelmeta().custom_metadata_map)

    def __call__(self, frames: Frames) -> Frames:
        """Run the graph."""
        result: Frames = self._session.run([OUTPUT], {INPUT: frames})[0]
        return result


class TorchNetwork:
    """A module of torch, on whatever device its weights are.

    Parameters
    ----------
    module
        From ``(n, t, bands)`` to ``(n, 1, 192)``, in evaluation mode.
    """

    def __init__(self, module: torch.nn.Module) -> None:
        self._module = module

    def __call__(self, frames: Frames) -> Frames:
        """Run the module."""
        import torch  # only where torch runs

        device = next((weight.device for weight in self._module.parameters()), None)
        with torch.inference_mode():
            batch = torch.from_numpy(frames).to(device)
            result: Frames = self._module(batch)[:, 0].cpu().numpy()
        return result


def as_network(network: Network | torch.nn.Module) -> Network:
    """Return what runs on frames: a module of torch is wrapped, anything else is taken as it is."""
    if isinstance(network, OnnxNetwork | TorchNetwork):
        return network
    return TorchNetwork(network)  # type: ignore[arg-type]


def checked_runtime(name: str) -> Runtime:
    """Return the name of a runtime, or raise ConfigError."""
    if name not in RUNTIMES:
        message = f"no runtime {name!r}; there are: {', '.join(RUNTIMES)}"
        raise ConfigError(message)
    return "torch" if name == "torch" else "onnxruntime"


def _session(content: bytes, source: Path, threads: int) -> Any:  # noqa: ANN401  loosely typed
    import onnxruntime  # only where an encoder is loaded
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Threads that wait would burn the processor that they share with other workers.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Plans for one shape are kept for ever, and units have many shapes.
    options.enable_mem_pattern = False
    named = (
        state.Fail,
        state.InvalidArgument,
        state.InvalidGraph,
        state.InvalidProtobuf,
        state.NotImplemented,
        state.RuntimeException,
    )
    try:
        return onnxruntime.InferenceSession(
            content, sess_options=options, providers=["CPUExecutionProvider"]
        )
    except named as error:
        raise CorruptArtefactError(source, f"no graph that can be run: {error}") from error
