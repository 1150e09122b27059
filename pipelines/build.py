"""The build: what decides the last bits of a number, in one line that a person can read.

Serves the stages gate, score and timeline. In: nothing but the machine. Out: a digest of the code
of this package, the versions of Python and of the libraries that compute, the machine, and the
linear algebra with the kernels that it chose for this processor. Guaranteed: the same line in every
process of one installation on one machine, whatever it has loaded so far; no network, no torch; at
most 200 characters. In one build stored embeddings give the same bits again; in another one they
give nearly the same.
"""

from __future__ import annotations

import functools
import hashlib
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_info

LONGEST = 200
_LIBRARIES = ("numpy", "scipy", "scikit-learn", "torch", "onnxruntime")
_PACKAGE = Path(__file__).resolve().parent
_JUDGES_NOTHING = {"evaluation", "training"}


@functools.cache
def build() -> str:
    """Name what decides the bits of a number.

    Returns
    -------
    str
        For example ``code 8d1f3c0a, python 3.11.9, numpy 2.4.0, ..., x86_64 X86_V3, openblas 0.3.31
        Haswell``.
    """
    parts = [f"code {_code()}", f"python {platform.python_version()}"]
    parts += [f"{name} {_version(name)}" for name in _LIBRARIES]
    parts += [f"{platform.machine()} {_vector_units()}".strip(), _linear_algebra()]
    return ", ".join(parts)[:LONGEST]


def _code() -> str:
    """Return a digest of the sources that a judgement may rest on."""
    digest = hashlib.sha256()
    for path in sorted(_PACKAGE.rglob("*.py")):
        if _JUDGES_NOTHING.isdisjoint(path.relative_to(_PACKAGE).parts):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:8]


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:  # a machine that never fits needs no torch
        return "none"


def _vector_units() -> str:
    """Return the widest vector instructions that numpy found: its exp and log differ by them."""
    found = np.show_config(mode="dicts")["SIMD Extensions"].get("found") or [""]
    return str(found[-1])


def _linear_algebra() -> str:
    """Return name, version and kernels of numpy's BLAS, as far as they are known."""
    built_with = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    words = [str(built_with.get(fact, "")) for fact in ("name", "version")]
    # Every library that was imported may bring its own; numpy's comes first by its folder.
    loaded = [info for info in threadpool_info() if info["user_api"] == "blas"]
    loaded.sort(key=lambda info: str(info["filepath"]))
    words += [str(info.get("architecture", "")) for info in loaded[:1]]
    return " ".join(word for word in words if word) or "unknown BLAS"
