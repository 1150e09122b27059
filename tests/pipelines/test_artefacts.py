"""Artefacts: written whole, read back exactly, and every damage found."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save_file

from pipelines import artefacts
from pipelines.artefacts import read_artefact, write_artefact
from pipelines.errors import ConfigError, CorruptArtefactError, IncompatibleArtefactError

FACTS = {"kind": "thing", "format_version": 2, "encoder_fingerprint": "abc", "facts": {"n": [1, 2]}}
ARRAYS = {
    "b": np.arange(6, dtype=np.float32).reshape(2, 3).T,  # not contiguous
    "a": np.array(3, dtype=np.int64),
    "empty": np.empty((0, 4)),
    "flags": np.array([True, False]),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "thing.safetensors"


def test_arrays_and_facts_come_back_as_they_went(path: Path) -> None:
    sha256 = write_artefact(path, ARRAYS, FACTS)
    artefact = read_artefact(path, "thing", 2, "abc")
    assert artefact.metadata == FACTS
    assert artefact.sha256 == sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert artefact.arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert artefact.arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(artefact.arrays[name], array)
        assert artefact.arrays[name].flags.writeable


def test_the_same_content_gives_the_same_bytes_whatever_its_order(path: Path) -> None:
    first = write_artefact(path, ARRAYS, FACTS)
    turned = dict(reversed(ARRAYS.items())), dict(reversed(FACTS.items()))
    assert write_artefact(path, *turned) == first


def test_the_file_is_ordinary_safetensors(path: Path) -> None:
    from safetensors.numpy import load_file

    write_artefact(path, ARRAYS, FACTS)
    np.testing.assert_array_equal(load_file(path)["b"], ARRAYS["b"])


def test_every_changed_byte_is_found(path: Path) -> None:
    write_artefact(path, {"a": np.arange(3, dtype=np.int8)}, FACTS)
    sound = path.read_bytes()
    for position in range(len(sound)):
        for change in (0x01, 0x09 ^ 0x20):  # the second turns padding into other blanks
            damaged = bytearray(sound)
            damaged[position] ^= change
            path.write_bytes(bytes(damaged))
            with pytest.raises(CorruptArtefactError):
                read_artefact(path, "thing", 2)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_by_name(content: bytes) -> None:
    class Stored:
        name = "thing"

        def read_bytes(self) -> bytes:
            return content

    with pytest.raises(CorruptArtefactError):
        read_artefact(Stored(), "thing", 2)  # type: ignore[arg-type]


def test_a_file_cut_short_or_prolonged_or_missing_is_corrupt(path: Path) -> None:
    write_artefact(path, ARRAYS, FACTS)
    sound = path.read_bytes()
    for content in (sound[:-1], sound + b"\0", sound[: len(sound) // 2], b""):
        path.write_bytes(content)
        with pytest.raises(CorruptArtefactError) as damaged:
            read_artefact(path, "thing", 2)
        assert damaged.value.path == path
    path.unlink()
    with pytest.raises(CorruptArtefactError, match="no such file"):
        read_artefact(path, "thing", 2)


def test_tensors_of_somebody_else_are_no_artefact(path: Path) -> None:
    save_file({"a": np.zeros(3)}, path)
    with pytest.raises(CorruptArtefactError):
        read_artefact(path, "thing", 2)


@pytest.mark.parametrize(
    ("kind", "version", "encoder", "fact"),
    [
        ("other", 2, "abc", "kind"),
        ("thing", 3, "abc", "format_version"),
        ("thing", 2, "abd", "encoder_fingerprint"),
    ],
)
def test_a_sound_artefact_of_another_sort_is_incompatible(
    path: Path, kind: str, version: int, encoder: str, fact: str
) -> None:
    write_artefact(path, ARRAYS, FACTS)
    with pytest.raises(IncompatibleArtefactError) as refused:
        read_artefact(path, kind, version, encoder)
    assert refused.value.fact == fact
    assert path.exists()


@pytest.mark.parametrize(
    ("arrays", "facts"),
    [
        ({}, {"kind": "thing", "format_version": 2}),
        ({"a": np.array(["text"])}, FACTS),
        ({"a": np.array([None])}, FACTS),
        ({}, FACTS | {"number": float("nan")}),
        ({}, FACTS | {"path": Path()}),
    ],
    ids=["no fingerprint", "text", "objects", "not a number", "no JSON"],
)
def test_what_cannot_be_stored_is_a_named_error_and_leaves_no_file(
    path: Path, arrays: dict[str, np.ndarray], facts: dict[str, object]
) -> None:
    with pytest.raises(ConfigError):
        write_artefact(path, arrays, facts)
    assert list(path.parent.iterdir()) == []


def test_a_failure_while_writing_leaves_the_old_file_and_no_rubbish(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_artefact(path, ARRAYS, FACTS)
    before = path.read_bytes()

    def power_cut(_: int) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(artefacts.os, "fsync", power_cut)
    with pytest.raises(OSError, match="no space left"):
        write_artefact(path, {"a": np.zeros(2)}, FACTS)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_checksum_like_text_among_the_facts_does_not_confuse(path: Path) -> None:
    write_artefact(path, {"0" * 64: np.zeros(2)}, FACTS | {"zeros": "0" * 64})
    assert read_artefact(path, "thing", 2).metadata["zeros"] == "0" * 64
    assert json.dumps(read_artefact(path, "thing", 2).metadata)
