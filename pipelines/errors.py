"""Errors of the pure part: every stage raises these and no others of its own.

The tree::

    PipelineError
    +-- DecodeError                   a file that no decoder could turn into sound
    +-- ConfigError                   a setting, a manifest or an argument that cannot be used
    |   +-- ManifestError             a manifest without the columns that it needs
    +-- ArtefactError                 a stored model that cannot be used
    |   +-- IncompatibleArtefactError     sound, but of another kind, format or encoder
    |   +-- CorruptArtefactError          cut short, altered, or no artefact at all
    +-- NotFittedError                a score asked of a model that has learnt nothing

Guaranteed: each class has a `code` for programs, and its data as fields; the text is for people.
A recording that decodes but is of no use (silent, too short) is no error: it is a value with a
reason, see `pipelines.segment.Unusable`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Literal

DecodeReason = Literal["empty", "undecodable"]


class PipelineError(Exception):
    """Root of the tree; catch it only at an edge."""

    code: ClassVar[str] = "pipeline_error"


class DecodeError(PipelineError):
    """A file that holds no sound, or none that can be decoded.

    Parameters
    ----------
    reason
        ``empty``: no bytes, or an audio track without a single sample. ``undecodable``: bytes that
        are no audio of a known kind, or too damaged to give one sample.
    detail
        What the decoder said, for people; holds no path and no content.
    """

    code: ClassVar[str] = "decode_error"

    def __init__(self, reason: DecodeReason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason: DecodeReason = reason
        self.detail = detail

    def __reduce__(self) -> tuple[type[DecodeError], tuple[DecodeReason, str]]:
        """Rebuild from the fields, so that it crosses process borders whole."""
        return type(self), (self.reason, self.detail)


class ConfigError(PipelineError):
    """A setting, a file of settings or an argument that cannot be used as it is."""

    code: ClassVar[str] = "config_error"


class ManifestError(ConfigError):
    """A manifest without the columns that it needs.

    Parameters
    ----------
    missing
        Names of the required columns that are not there.
    found
        Names of the columns that are.
    """

    code: ClassVar[str] = "manifest_error"

    def __init__(self, missing: Sequence[str], found: Sequence[str]) -> None:
        there = ", ".join(found) if found else "none"
        super().__init__(f"the manifest lacks the columns {', '.join(missing)}; it has: {there}")
        self.missing = tuple(missing)
        self.found = tuple(found)

    def __reduce__(self) -> tuple[type[ManifestError], tuple[tuple[str, ...], tuple[str, ...]]]:
        """Rebuild from the fields, so that it crosses process borders whole."""
        return type(self), (self.missing, self.found)


class ArtefactError(PipelineError):
    """A stored model that cannot be used."""

    code: ClassVar[str] = "artefact_error"


class IncompatibleArtefactError(ArtefactError):
    """A sound artefact of another kind, format version or encoder.

    Parameters
    ----------
    path
        The file.
    fact
        The fact of its metadata that differs.
    wanted, found
        What was expected of that fact, and what it is.
    """

    code: ClassVar[str] = "incompatible_artefact"

    def __init__(self, path: Path, fact: str, wanted: object, found: object) -> None:
        super().__init__(f"{path.name}: {fact} is {found!r}, expected {wanted!r}")
        self.path = path
        self.fact = fact
        self.wanted = wanted
        self.found = found

    def __reduce__(
        self,
    ) -> tuple[type[IncompatibleArtefactError], tuple[Path, str, object, object]]:
        """Rebuild from the fields, so that it crosses process borders whole."""
        return type(self), (self.path, self.fact, self.wanted, self.found)


class CorruptArtefactError(ArtefactError):
    """A file that is missing, cut short, altered, or no artefact of this project.

    Parameters
    ----------
    path
        The file.
    detail
        What is wrong with it, for people.
    """

    code: ClassVar[str] = "corrupt_artefact"

    def __init__(self, path: Path, detail: str) -> None:
        super().__init__(f"{path.name}: {detail}")
        self.path = path
        self.detail = detail

    def __reduce__(self) -> tuple[type[CorruptArtefactError], tuple[Path, str]]:
        """Rebuild from the fields, so that it crosses process borders whole."""
        return type(self), (self.path, self.detail)


class NotFittedError(PipelineError):
    """A score was asked of a model that has learnt nothing yet.

    Parameters
    ----------
    model
        Name of the model.
    """

    code: ClassVar[str] = "not_fitted"

    def __init__(self, model: str) -> None:
        super().__init__(f"{model} has not been fitted")
        self.model = model

    def __reduce__(self) -> tuple[type[NotFittedError], tuple[str]]:
        """Rebuild from the fields, so that it crosses process borders whole."""
        return type(self), (self.model,)
