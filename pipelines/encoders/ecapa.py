"""ECAPA-TDNN of SpeechBrain, imported on any build of torch and pooled without masks.

In: the constructor numbers of an encoder's card. Out: a torch module from ``(n, frames, bands)`` to
``(n, 1, 192)``. Guaranteed: the module's parameters are named as SpeechBrain names them, so its
checkpoints load unchanged; the import leaves no warning and no stand-in that hides a real failure.

Torch and speechbrain are imported inside the functions: importing this module costs nothing.
"""

import importlib
import sys
import warnings
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

SMALL_CONSTRUCTOR: Mapping[str, Any] = {
    "input_size": 80,
    "lin_neurons": 192,
    "channels": [128, 128, 128, 128, 384],
    "attention_channels": 64,
    "se_channels": 64,
}
Pooling = Any  # a module of SpeechBrain, which is published without types
_EXTENSION = "torchaudio._extension"
_ECAPA = "speechbrain.lobes.models.ECAPA_TDNN"


def _no_alignment(function: Callable[..., object]) -> Callable[..., object]:
    """Stand in for torchaudio's decorator of functions that need its native code; none is used."""
    return function


def stand_in_for_torchaudio_extension() -> None:
    """Register a stand-in for torchaudio's native extension, before torchaudio is imported.

    The registry's torchaudio links CUDA libraries, so that with a CPU-only torch its import fails
    on a missing ``libc10_cuda.so``. SpeechBrain imports torchaudio, and of its native code neither
    the network nor the filterbank uses anything. Does nothing when torchaudio is already imported.
    """
    if "torchaudio" in sys.modules or _EXTENSION in sys.modules:
        return
    stand_in = ModuleType(_EXTENSION, "Stand-in: no native code of torchaudio is used here.")
    stand_in.__dict__.update(
        _IS_TORCHAUDIO_EXT_AVAILABLE=False,
        _IS_ALIGN_AVAILABLE=False,
        fail_if_no_align=_no_alignment,
        __path__=[],
    )
    sys.modules[_EXTENSION] = stand_in


@lru_cache(maxsize=4)
def speechbrain_module(name: str) -> ModuleType:
    """Import a module of SpeechBrain; the first call imports torch and speechbrain (seconds)."""
    stand_in_for_torchaudio_extension()
    with warnings.catch_warnings():
        # SpeechBrain and torchaudio announce deprecations of interfaces that are not used here;
        # the filter ends with the import, so that our own warnings stay errors in the tests.
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", FutureWarning)
        module = importlib.import_module(name)
    _forget_placeholders()
    return module


def _forget_placeholders() -> None:
    """Take SpeechBrain's placeholders of optional integrations out of the list of modules.

    Each imports its integration when it is touched, and fails where that is not installed; and
    whoever looks through all modules, as `inspect` does for a traceback, touches every one.
    """
    for name, module in list(sys.modules.items()):
        if type(module).__name__ in {"LazyModule", "DeprecatedModuleRedirect"}:
            del sys.modules[name]


def _plain_pooling(
    pooling: Pooling, x: "torch.Tensor", lengths: "torch.Tensor | None" = None
) -> "torch.Tensor":
    """Attentive statistics pooling of whole, unpadded inputs, equal to SpeechBrain's.

    The context (mean and deviation) is the same in every frame, so its part of the first layer is
    computed once instead of per frame; no mask is built, because nothing is padded.
    """
    del lengths
    layer = pooling.tdnn.conv.conv
    channels = x.shape[1]
    weight = layer.weight[:, :, 0]
    context = layer.bias
    if pooling.global_context:
        mean = x.mean(dim=2)
        deviation = (x - mean.unsqueeze(2)).square().mean(dim=2).clamp(pooling.eps).sqrt()
        context = context + mean @ weight[:, channels : 2 * channels].T
        context = context + deviation @ weight[:, 2 * channels :].T
    hidden = weight[:, :channels] @ x + context.unsqueeze(-1)
    hidden = pooling.tdnn.norm(pooling.tdnn.activation(hidden))
    attention = pooling.conv(pooling.tanh(hidden)).softmax(dim=2)
    mean = (attention * x).sum(dim=2)
    squared = (x - mean.unsqueeze(2)).square()
    deviation = (attention * squared).sum(dim=2).clamp(pooling.eps).sqrt()
    import torch

    return torch.cat([mean, deviation], dim=1).unsqueeze(2)


def build_ecapa(constructor: Mapping[str, Any]) -> "torch.nn.Module":
    """Build an ECAPA-TDNN with random weights, for whole (unpadded) inputs only.

    Parameters
    ----------
    constructor
        Keyword arguments of SpeechBrain's ``ECAPA_TDNN``, as in an encoder's card.

    References
    ----------
    Desplanques, Thienpondt, Demuynck (2020), ECAPA-TDNN, arXiv:2005.07143.
    """
    network = speechbrain_module(_ECAPA).ECAPA_TDNN(**constructor)
    network.asp.forward = partial(_plain_pooling, network.asp)
    result: torch.nn.Module = network
    return result
