"""The weights that an ECAPA-TDNN has, by name and shape, without building one.

In: the constructor numbers of an encoder's card, and arrays. Out: nothing, or an error that names
what is wrong. Guaranteed: what passes here, both runtimes take; neither torch nor speechbrain is
imported.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from pipelines.encoders.loaded import EMBEDDING_DIM
from pipelines.errors import ConfigError, CorruptArtefactError

DEFAULTS: Mapping[str, Any] = {
    "input_size": 80,
    "lin_neurons": EMBEDDING_DIM,
    "channels": [512, 512, 512, 512, 1536],
    "kernel_sizes": [5, 3, 3, 3, 1],
    "dilations": [1, 2, 3, 4, 1],
    "groups": [1, 1, 1, 1, 1],
    "attention_channels": 128,
    "res2net_scale": 8,
    "se_channels": 128,
    "global_context": True,
}
"""What SpeechBrain's constructor takes where it is not told."""

Shape = tuple[int, ...]
Named = Iterator[tuple[str, Shape]]


def full_constructor(constructor: Mapping[str, Any]) -> dict[str, Any]:
    """Return the constructor's numbers with what was left out.

    Raises
    ------
    ConfigError
        The lists have different lengths, or a kernel has no middle.
    """
    full = {**DEFAULTS, **constructor}
    lists = ("channels", "kernel_sizes", "dilations", "groups")
    if len({len(full[name]) for name in lists}) != 1:
        message = f"{', '.join(lists)} of the constructor have different lengths"
        raise ConfigError(message)
    if any(size % 2 == 0 for size in full["kernel_sizes"]):
        message = f"kernel sizes {full['kernel_sizes']} are not all odd"
        raise ConfigError(message)
    return full


def check_weights(
    arrays: Mapping[str, NDArray[Any]], constructor: Mapping[str, Any], weights: Path
) -> None:
    """Check that the arrays are those of such a network.

    Raises
    ------
    ConfigError
        The constructor describes no network.
    CorruptArtefactError
        A weight is missing, superfluous or of another shape.
    """
    wanted = dict(_network(full_constructor(constructor)))
    found = {name: array.shape for name, array in arrays.items()}
    wrong = sorted(name for name in wanted | found if wanted.get(name) != found.get(name))
    if wrong:
        first = wrong[0]
        detail = f"{first} is {found.get(first, 'missing')}, not {wanted.get(first, 'known')}"
        message = f"not the weights of its card: {detail} ({len(wrong)} such)"
        raise CorruptArtefactError(weights, message)


def _network(full: Mapping[str, Any]) -> Named:
    channels, kernels, groups = full["channels"], full["kernel_sizes"], full["groups"]
    sources = [full["input_size"], *channels]
    yield from _tdnn("blocks.0", (channels[0], sources[0] // groups[0], kernels[0]))
    for block in range(1, len(channels) - 1):
        shape = channels[block], sources[block]
        yield from _block(f"blocks.{block}", shape, (kernels[block], groups[block]), full)
    last = channels[-1]
    joined = channels[-2] * (len(channels) - 2)
    yield from _tdnn("mfa", (last, joined // groups[-1], kernels[-1]))
    looked_at = 3 * last if full["global_context"] else last
    yield from _tdnn("asp.tdnn", (full["attention_channels"], looked_at, 1))
    yield from _conv("asp.conv", (last, full["attention_channels"], 1))
    yield from _norm("asp_bn.norm", 2 * last)
    yield from _conv("fc", (full["lin_neurons"], 2 * last, 1))


def _block(name: str, shape: Shape, kernel: tuple[int, int], full: Mapping[str, Any]) -> Named:
    out, source = shape
    size, groups = kernel
    scale, squeezed = full["res2net_scale"], full["se_channels"]
    yield from _tdnn(f"{name}.tdnn1", (out, source // groups, 1))
    for part in range(scale - 1):
        part_shape = (out // scale, out // scale, size)
        yield from _tdnn(f"{name}.res2net_block.blocks.{part}", part_shape)
    yield from _tdnn(f"{name}.tdnn2", (out, out // groups, 1))
    yield from _conv(f"{name}.se_block.conv1", (squeezed, out, 1))
    yield from _conv(f"{name}.se_block.conv2", (out, squeezed, 1))
    if out != source:
        yield from _conv(f"{name}.shortcut", (out, source, 1))


def _tdnn(name: str, shape: Shape) -> Named:
    yield from _conv(f"{name}.conv", shape)
    yield from _norm(f"{name}.norm.norm", shape[0])


def _conv(name: str, shape: Shape) -> Named:
    yield f"{name}.conv.weight", shape
    yield f"{name}.conv.bias", shape[:1]


def _norm(name: str, channels: int) -> Named:
    for part in ("weight", "bias", "running_mean", "running_var"):
        yield f"{name}.{part}", (channels,)
    yield f"{name}.num_batches_tracked", ()
