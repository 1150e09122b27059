"""Encoders from a model hub, in SpeechBrain's published layout.

In: a repository and a revision, or a folder in the same layout: ``hyperparams.yaml`` and
``embedding_model.ckpt``. Out: a :class:`~pipelines.encoders.loaded.LoadedEncoder` that keeps the
network's own filterbank and sentence normalisation, which it was trained with. Guaranteed: nothing
that is downloaded is executed: of the YAML only the constructor's numbers are read, the weights are
unpickled as weights only; a revision that is in the cache needs no network.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import yaml

from pipelines.encoders.checkpoint import made_network
from pipelines.encoders.ecapa import speechbrain_module
from pipelines.encoders.loaded import EMBEDDING_DIM, FRAME_STEP, LoadedEncoder, fingerprint_of
from pipelines.encoders.runtime import Runtime
from pipelines.encoders.table import HUB_ENCODERS
from pipelines.errors import ConfigError, CorruptArtefactError
from pipelines.frontend import Frames, HasSamples, HasTimes, frame_span

HYPERPARAMETERS = "hyperparams.yaml"
WEIGHTS = "embedding_model.ckpt"
FILES = (HYPERPARAMETERS, WEIGHTS)
N_MELS = 80
_HOP = 160
_HUB_NAME = re.compile(r"(?P<repository>[\w.-]+/[\w.-]+)(?:@(?P<revision>[\w./-]+))?")
_NUMBERS = frozenset(
    {
        "input_size",
        "lin_neurons",
        "channels",
        "kernel_sizes",
        "dilations",
        "groups",
        "attention_channels",
        "se_channels",
        "res2net_scale",
        "global_context",
    }
)


@dataclass(frozen=True)
class HubName:
    """A repository at a revision."""

    repository: str
    revision: str

    def __str__(self) -> str:
        """Spell it as the configuration does."""
        return f"{self.repository}@{self.revision}"


def parse_hub_name(text: str) -> HubName | None:
    """Read ``owner/name@revision``; without a revision, the one that the table pins.

    Returns
    -------
    HubName or None
        None where the text has another form.

    Raises
    ------
    ConfigError
        There is no revision, and the table has none for this repository.
    """
    match = _HUB_NAME.fullmatch(text)
    if match is None:
        return None
    repository, revision = match["repository"], match["revision"]
    if revision is None and repository not in HUB_ENCODERS:
        message = f"{text!r} needs a revision: {repository}@<commit>"
        raise ConfigError(message)
    return HubName(repository, revision or HUB_ENCODERS[repository].revision)


@dataclass(frozen=True)
class FilterbankFrames:
    """Frames of SpeechBrain's own filterbank, each unit's mean of every band subtracted."""

    filterbank: Any

    def unit_frames(self, sound: HasSamples, units: Sequence[HasTimes]) -> list[Frames]:
        """Cut units out of the samples and filter each alone."""
        count = 1 + sound.samples.size // _HOP
        spans = [frame_span(unit, count, FRAME_STEP, _HOP) for unit in units]
        return [self._frames(sound.samples[start * _HOP : stop * _HOP]) for start, stop in spans]

    def _frames(self, samples: Frames) -> Frames:
        import torch  # only when an encoder is loaded

        with torch.inference_mode():
            waveform = torch.from_numpy(np.array(samples, dtype=np.float32))[None]
            frames: Frames = self.filterbank(waveform)[0].numpy()
        return frames - frames.mean(axis=0)

    def description(self) -> dict[str, Any]:
        """Say what makes these frames, and how units are cut."""
        return {"filterbank": "speechbrain Fbank", "n_mels": N_MELS, "norm": "sentence"} | {
            "frame_step": FRAME_STEP
        }


def _filterbank_frames() -> FilterbankFrames:
    features = speechbrain_module("speechbrain.lobes.features")
    return FilterbankFrames(features.Fbank(n_mels=N_MELS).eval())


def frames_of_card(front_end: Mapping[str, Any]) -> FilterbankFrames:
    """Make the frames that the card of an encoder fine-tuned from the hub's asks for.

    Raises
    ------
    ConfigError
        The card asks for other frames than those of the hub's encoders.
    """
    frame_source = _filterbank_frames()
    if dict(front_end) != frame_source.description():
        message = f"front end {dict(front_end)} is not {frame_source.description()}"
        raise ConfigError(message)
    return frame_source


def load_from_hub(
    name: HubName,
    cache_dir: Path | None = None,
    endpoint: str | None = None,
    runtime: Runtime = "onnxruntime",
    threads: int | None = None,
) -> LoadedEncoder:
    """Load an encoder from a hub, downloading it if the cache lacks it.

    Parameters
    ----------
    name
        Repository and revision.
    cache_dir
        Folder that keeps downloads; None means the hub library's own.
    endpoint
        Address of the hub; None means the hub library's own (``HF_ENDPOINT``).
    runtime, threads
        See :func:`pipelines.embed.load_encoder`.

    Raises
    ------
    ConfigError
        The hub cannot be reached, or has no such repository, revision or file.
    CorruptArtefactError
        The weights are not those of the layout.
    """
    known = HUB_ENCODERS.get(name.repository)
    folder = _fetched(name, cache_dir, endpoint)
    license = known.license if known else "unknown"
    return load_hub_folder(folder, str(name), license, runtime, threads)


def _fetched(name: HubName, cache_dir: Path | None, endpoint: str | None) -> Path:
    from huggingface_hub import HfApi  # slow, and needed only here
    from huggingface_hub.errors import (
        HfHubHTTPError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
    )

    def fetch_all(*, cached_only: bool) -> Path:
        api = HfApi(endpoint=endpoint)
        for file in FILES:
            path = api.hf_hub_download(
                name.repository,
                file,
                revision=name.revision,
                cache_dir=cache_dir,
                local_files_only=cached_only,
            )
        return Path(path).parent

    try:
        return fetch_all(cached_only=True)
    except LocalEntryNotFoundError:
        pass  # not in the cache: ask the hub
    try:
        return fetch_all(cached_only=False)
    except (LocalEntryNotFoundError, OfflineModeIsEnabled) as error:
        message = f"{name} is not in the cache and the hub cannot be reached"
        raise ConfigError(message) from error
    except (HfHubHTTPError, OSError) as error:
        message = f"the hub gives no {name}: {error}"
        raise ConfigError(message) from error


def load_hub_folder(
    folder: Path,
    name: str,
    license: str = "unknown",
    runtime: Runtime = "onnxruntime",
    threads: int | None = None,
) -> LoadedEncoder:
    """Load an encoder from a folder in the hub's layout, which holds no graph: one is made.

    Raises
    ------
    ConfigError
        A file is missing, or the hyperparameters describe no such network.
    CorruptArtefactError
        The weights are not those that the hyperparameters describe.
    """
    constructor = read_constructor(folder / HYPERPARAMETERS)
    arrays = _read_weights(folder / WEIGHTS)
    frame_source = _filterbank_frames()
    return LoadedEncoder(
        name=name,
        license=license,
        fingerprint=fingerprint_of(arrays, frame_source),
        network=made_network(arrays, constructor, folder / WEIGHTS, runtime, threads),
        frame_source=frame_source,
    )


def _read_weights(path: Path) -> dict[str, Any]:
    import torch  # only when an encoder is loaded

    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        return {name: tensor.numpy() for name, tensor in state.items()}
    except OSError as error:
        message = f"the weights {path} cannot be read: {error}"
        raise ConfigError(message) from error
    except (RuntimeError, EOFError, ValueError, AttributeError, UnpicklingError) as error:
        raise CorruptArtefactError(path, f"no state of a network: {error}") from error


class _PlainLoader(yaml.SafeLoader):
    """Safe YAML that reads tagged values as plain ones, so that no tag names code to run."""


def _plain(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> object:
    del suffix
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node)  # type: ignore[arg-type]


_PlainLoader.add_multi_constructor("!", _plain)


def read_constructor(path: Path) -> dict[str, Any]:
    """Read the numbers of ``embedding_model`` from a ``hyperparams.yaml``; run nothing.

    Raises
    ------
    ConfigError
        The file cannot be read, has no such part, or describes another kind of embedding.
    """
    try:
        parsed = yaml.load(path.read_text(encoding="utf-8"), Loader=_PlainLoader)  # noqa: S506
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        message = f"{path} cannot be read: {error}"
        raise ConfigError(message) from error
    part = parsed.get("embedding_model") if isinstance(parsed, dict) else None
    if not isinstance(part, dict):
        message = f"{path} has no embedding_model"
        raise ConfigError(message)
    constructor = {key: _resolved(part[key], parsed) for key in part if key in _NUMBERS}
    sizes = constructor.get("input_size"), constructor.get("lin_neurons", EMBEDDING_DIM)
    if sizes != (N_MELS, EMBEDDING_DIM):
        message = f"{path}: bands and dimensions are {sizes}, not {(N_MELS, EMBEDDING_DIM)}"
        raise ConfigError(message)
    return constructor


def _resolved(value: object, parsed: Mapping[str, object]) -> object:
    """Follow a reference ``<name>`` to a top-level number; anything else stays as it is."""
    if isinstance(value, str) and value.startswith("<") and value.endswith(">"):
        return parsed.get(value[1:-1])
    return value
