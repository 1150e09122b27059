"""Model artefacts on disk: named arrays and facts in one safetensors file, checked when read.

Serves the stages embed, gate and score. In: arrays, and metadata that JSON can hold, among them
``kind``, ``format_version`` and ``encoder_fingerprint``. Out: one file, and the SHA-256 of its
bytes. Guaranteed: the same content gives the same bytes; a reader sees the old file or the new one,
never half of one; a single changed byte anywhere is found; nothing in a file is ever executed.

The file is ordinary safetensors. Its header holds one metadata entry, ``iclas``: a JSON text with
the metadata and a ``checksum``, the SHA-256 of the whole file with the checksum's own digits set
to zero. (One entry, because the library writes several in an order that changes between runs.)
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from pipelines.errors import ConfigError, CorruptArtefactError, IncompatibleArtefactError

REQUIRED_METADATA = ("kind", "format_version", "encoder_fingerprint")
_ENTRY = "iclas"
_CHECKSUM = "checksum"
_BLANK = "0" * 64
_LENGTH_BYTES = 8


@dataclass(frozen=True)
class Artefact:
    """What a file held: its arrays, its metadata, and the SHA-256 of its bytes."""

    arrays: dict[str, NDArray[Any]]
    metadata: dict[str, Any]
    sha256: str


def write_artefact(
    path: Path, arrays: Mapping[str, NDArray[Any]], metadata: Mapping[str, Any]
) -> str:
    """Write arrays and metadata as one file that appears whole or not at all.

    Parameters
    ----------
    path
        Where the file shall stand; its folder must exist, a file already there is replaced.
    arrays
        Named arrays of any numeric or boolean type and any shape.
    metadata
        Facts that JSON can hold; ``kind``, ``format_version`` and ``encoder_fingerprint`` are
        required (an artefact that needs no encoder says so with an empty fingerprint).

    Returns
    -------
    str
        SHA-256 of the file's bytes, in hexadecimal.

    Raises
    ------
    ConfigError
        If a required fact is missing, or an array or a fact cannot be stored.
    """
    missing = [name for name in REQUIRED_METADATA if name not in metadata]
    if missing:
        raise ConfigError(f"an artefact's metadata lacks {', '.join(missing)}")
    blank = _serialise(arrays, metadata)
    checksum = hashlib.sha256(blank).hexdigest()
    content = blank.replace(_BLANK.encode(), checksum.encode(), 1)
    _replace_file(path, content)
    return hashlib.sha256(content).hexdigest()


def read_artefact(
    path: Path, kind: str, format_version: int, encoder_fingerprint: str | None = None
) -> Artefact:
    """Read an artefact back after checking every byte of it.

    Parameters
    ----------
    path
        The file.
    kind
        What it must be, as it was written.
    format_version
        The one format that the caller understands.
    encoder_fingerprint
        The encoder that it must belong to; None where the caller does not mind.

    Returns
    -------
    Artefact
        Arrays (own, writable memory), metadata as it was given, and the file's SHA-256.

    Raises
    ------
    CorruptArtefactError
        If the file is missing, cut short, altered, or no artefact of this project.
    IncompatibleArtefactError
        If it is sound but of another kind, format version or encoder.
    """
    content = _content_of(path)
    metadata = _checked_metadata(path, content)
    wanted = {"kind": kind, "format_version": format_version}
    if encoder_fingerprint is not None:
        wanted["encoder_fingerprint"] = encoder_fingerprint
    for fact, value in wanted.items():
        if metadata.get(fact) != value:
            raise IncompatibleArtefactError(path, fact, value, metadata.get(fact))
    # Copies: the loaded arrays are views into the file's bytes, aligned as they happen to lie.
    arrays = {name: np.array(array) for name, array in _tensors(path, content).items()}
    return Artefact(arrays, metadata, hashlib.sha256(content).hexdigest())


def _serialise(arrays: Mapping[str, NDArray[Any]], metadata: Mapping[str, Any]) -> bytes:
    # The checksum stands first in the text, so that the first run of zeros is always its own.
    try:
        text = json.dumps(
            {_CHECKSUM: _BLANK, "metadata": dict(metadata)}, allow_nan=False, sort_keys=True
        )
        return save({name: np.array(a, order="C") for name, a in arrays.items()}, {_ENTRY: text})
    except (TypeError, ValueError, KeyError, SafetensorError) as error:
        raise ConfigError(f"an artefact cannot hold this: {error}") from error


def _replace_file(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make the renaming itself survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _content_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise CorruptArtefactError(path, "there is no such file") from error


def _checked_metadata(path: Path, content: bytes) -> dict[str, Any]:
    """Return the metadata of content whose checksum holds."""
    try:
        (header_bytes,) = struct.unpack_from("<Q", content)
        header = content[_LENGTH_BYTES : _LENGTH_BYTES + header_bytes]
        entry = json.loads(json.loads(header)["__metadata__"][_ENTRY])
        checksum, metadata = entry[_CHECKSUM], entry["metadata"]
        position = content.index(str(checksum).encode(), _LENGTH_BYTES)
    except (struct.error, ValueError, KeyError, TypeError) as error:
        raise CorruptArtefactError(path, "its header cannot be read") from error
    blank = content[:position] + _BLANK.encode() + content[position + len(_BLANK) :]
    if hashlib.sha256(blank).hexdigest() != checksum:
        raise CorruptArtefactError(path, "its checksum does not hold")
    return cast(dict[str, Any], metadata)


def _tensors(path: Path, content: bytes) -> dict[str, NDArray[Any]]:
    try:
        return load(content)
    except SafetensorError as error:
        raise CorruptArtefactError(path, str(error)) from error
