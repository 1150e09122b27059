"""The tree of errors: its shape, its codes, and its data."""

import copy
from pathlib import Path

import pytest

from pipelines import errors
from pipelines.errors import (
    ArtefactError,
    ConfigError,
    CorruptArtefactError,
    DecodeError,
    IncompatibleArtefactError,
    ManifestError,
    NotFittedError,
    PipelineError,
)

EXAMPLES: list[PipelineError] = [
    DecodeError("empty", "no bytes"),
    ConfigError("no such setting"),
    ManifestError(["infant"], ["file", "recorded_at"]),
    IncompatibleArtefactError(Path("a/model"), "kind", "gate", "baseline"),
    CorruptArtefactError(Path("a/model"), "cut short"),
    NotFittedError("gmm"),
]


def test_every_class_has_a_code_of_its_own_and_stands_in_the_drawn_tree() -> None:
    classes = [
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, PipelineError)
    ]
    assert len({cls.code for cls in classes}) == len(classes) == 8
    assert all(cls.__name__ in (errors.__doc__ or "") for cls in classes)


def test_the_tree() -> None:
    assert issubclass(ManifestError, ConfigError)
    assert issubclass(IncompatibleArtefactError, ArtefactError)
    assert issubclass(CorruptArtefactError, ArtefactError)


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: error.code)
def test_an_error_crosses_a_process_border_whole(error: PipelineError) -> None:
    again = copy.copy(error)  # by the way that process pools send errors, too
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert vars(again) == vars(error)


def test_data_are_fields_and_words_name_what_is_wrong() -> None:
    decode = DecodeError("undecodable", "no audio track")
    assert (decode.reason, decode.detail) == ("undecodable", "no audio track")
    manifest = ManifestError(["infant", "file"], ["recorded_at"])
    assert (manifest.missing, manifest.found) == (("infant", "file"), ("recorded_at",))
    assert "infant, file" in str(manifest)
    assert "recorded_at" in str(manifest)
    other = IncompatibleArtefactError(Path("x/model"), "format_version", 2, 1)
    assert (other.fact, other.wanted, other.found) == ("format_version", 2, 1)
    assert "format_version is 1, expected 2" in str(other)
    assert "x/" not in str(other)  # a path may name an infant
