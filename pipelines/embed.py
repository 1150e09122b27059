"""Embed: the point of the 192-d identity space where each cry unit lies.

In: recordings (16 kHz, peak-normalised) with their cry units. Out: one unit-length vector of 192
numbers per unit. Guaranteed: a unit's embedding depends on its own recording alone, to the last
bit, never on what is embedded with it; the same encoder gives the same embeddings, and another one
has another fingerprint. Neither torch nor speechbrain is imported by this module, nor by an encoder
that runs on ONNX Runtime and has a front end of numpy, as the bundled one has.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from pipelines.encoders.loaded import EMBEDDING_DIM, LoadedEncoder
from pipelines.encoders.runtime import Runtime, as_network, checked_runtime
from pipelines.encoders.table import BUNDLED
from pipelines.errors import ConfigError
from pipelines.frontend import Frames, HasSamples, HasTimes

__all__ = ["EMBEDDING_DIM", "Encoder", "load_encoder", "recording_embedding"]

MAX_BATCH_FRAMES = 8192
"""Frames that go through the network at once: enough to be quick, few enough for small machines."""

Item = tuple[HasSamples, Sequence[HasTimes]]


class Encoder:
    """A loaded encoder.

    Parameters
    ----------
    loaded
        Network and front end.

    Attributes
    ----------
    name, license
        As its card or its hub states them.
    fingerprint
        16 hexadecimal digits over all weights and the front end.
    """

    def __init__(self, loaded: LoadedEncoder) -> None:
        self._network = as_network(loaded.network)
        self._frame_source = loaded.frame_source
        self._loaded = loaded
        self.name = loaded.name
        self.license = loaded.license
        self.fingerprint = loaded.fingerprint

    def heard(self, infant: str) -> bool | None:
        """Say whether the encoder was trained on this infant; None where its card does not say."""
        return self._loaded.heard(infant)

    def embed(self, items: Sequence[Item]) -> list[NDArray[np.float32]]:
        """Embed the cry units of recordings.

        Parameters
        ----------
        items
            Whole recordings (16 kHz, peak-normalised) with their units.

        Returns
        -------
        list of ndarray
            One array of shape ``(n_units, 192)`` per recording, rows of unit length.

        Raises
        ------
        ConfigError
            A recording has units, but too few samples to make frames of.
        """
        return [self._embed_one(self._frames(sound, units)) for sound, units in items]

    def _embed_one(self, frames: Sequence[Frames]) -> NDArray[np.float32]:
        """Return a recording's embeddings.

        No batch holds units of two recordings: the last bits would depend on the company, and a
        judgement with a rank in it by much more.
        """
        result = np.empty((len(frames), EMBEDDING_DIM), dtype=np.float32)
        for units in _batches(frames):
            result[units] = self._run(np.stack([frames[unit] for unit in units]))
        return result

    def _frames(self, sound: HasSamples, units: Sequence[HasTimes]) -> list[Frames]:
        if units and sound.samples.size < MIN_SAMPLES:
            message = f"{sound.samples.size} samples are too few to embed"
            raise ConfigError(message)
        return self._frame_source.unit_frames(sound, units)

    def _run(self, batch: Frames) -> NDArray[np.float32]:
        vectors = self._network(batch)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True).clip(min=1e-12)


MIN_SAMPLES = 1600
"""0.1 s: what the network's widest layer needs. The segment stage passes nothing under 0.3 s."""


def _batches(frames: Sequence[Frames]) -> Iterator[list[int]]:
    """Put units of equal length together, so that nothing is padded, up to a bounded size."""
    by_length: dict[int, list[int]] = defaultdict(list)
    for unit, unit_frames in enumerate(frames):
        by_length[len(unit_frames)].append(unit)
    for length, units in by_length.items():
        count = max(1, MAX_BATCH_FRAMES // length)
        for start in range(0, len(units), count):
            yield units[start : start + count]


def recording_embedding(units: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean of a recording's unit embeddings, shape ``(n, 192)`` with ``n >= 1``, of unit length."""
    mean = units.mean(axis=0)
    result: NDArray[np.float32] = mean / max(float(np.linalg.norm(mean)), 1e-12)
    return result.astype(np.float32)


def load_encoder(
    spec: str,
    cache_dir: Path | None = None,
    threads: int | None = None,
    runtime: str = "onnxruntime",
) -> Encoder:
    """Load an encoder; torch, and one from a hub, take about two seconds for their imports.

    Parameters
    ----------
    spec
        ``bundled``; a path to a ``.safetensors`` file with its card beside it, or to a folder in
        the hub's layout (or with one such file); or a hub name with its revision,
        ``speechbrain/spkrec-ecapa-voxceleb@<commit>``.
    cache_dir
        Folder that keeps what a hub gave; None means the hub library's own.
    threads
        Intra-op threads. One per worker is best where several share a machine, and is what None
        means to ONNX Runtime; those of torch and of numpy's linear algebra, which the front end
        uses, are set for this whole process, and None leaves them.
    runtime
        ``onnxruntime`` or ``torch``; their embeddings agree within 1e-5.

    Raises
    ------
    ConfigError
        Nothing of that name, or a hub that cannot be reached, or no such runtime.
    CorruptArtefactError
        The weights or the graph are damaged.
    """
    if threads is not None:
        threadpool_limits(limits=threads, user_api="blas")
    return Encoder(_load(spec, cache_dir, threads, checked_runtime(runtime)))


def _load(
    spec: str, cache_dir: Path | None, threads: int | None, runtime: Runtime
) -> LoadedEncoder:
    from pipelines.encoders import checkpoint, hub

    if runtime == "torch":
        _set_torch_threads(threads)
    if spec == "bundled":
        return checkpoint.load_checkpoint(BUNDLED, runtime, threads)
    path = Path(spec)
    if path.is_dir():
        return _load_folder(path, threads, runtime)
    if path.suffix == ".safetensors":
        return checkpoint.load_checkpoint(path, runtime, threads)
    name = None if path.is_absolute() or path.exists() else hub.parse_hub_name(spec)
    if name is None:
        message = f"no encoder {spec!r}: neither 'bundled', nor a path, nor a hub name"
        raise ConfigError(message)
    _set_torch_threads(threads)
    return hub.load_from_hub(name, cache_dir, runtime=runtime, threads=threads)


def _load_folder(folder: Path, threads: int | None, runtime: Runtime) -> LoadedEncoder:
    from pipelines.encoders import checkpoint, hub

    if (folder / hub.HYPERPARAMETERS).exists():
        _set_torch_threads(threads)
        return hub.load_hub_folder(folder, folder.name, runtime=runtime, threads=threads)
    found = sorted(folder.glob("*.safetensors"))
    if len(found) != 1:
        message = f"{folder} holds {len(found)} safetensors files, not one"
        raise ConfigError(message)
    return checkpoint.load_checkpoint(found[0], runtime, threads)


def _set_torch_threads(threads: int | None) -> None:
    """Set the threads of torch where it computes: as the runtime, or as a hub's filterbank."""
    if threads is not None:
        import torch  # only where torch runs

        torch.set_num_threads(threads)
