"""Training: where to compute.

In: what was asked for. Out: ``cpu`` or ``cuda``. Guaranteed: a GPU that is not there is an
error and never a silent change of mind.
"""

import torch

from pipelines.errors import ConfigError


def chosen_device(asked: str) -> str:
    """Return the device to train on: what was asked for, or a GPU where there is one.

    Raises
    ------
    ConfigError
        A GPU was asked for, and there is none.
    """
    present = torch.cuda.is_available()
    if asked == "cuda" and not present:
        message = "no GPU is here that torch can use: --device cpu"
        raise ConfigError(message)
    return "cuda" if present and asked != "cpu" else "cpu"
