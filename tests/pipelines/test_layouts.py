"""Published layouts: every fact that they state, and none that they do not."""

import csv
import json
import shutil
from pathlib import Path

import pytest

from pipelines.__main__ import main
from pipelines.errors import ConfigError, ManifestError
from pipelines.layouts import (
    CorpusRow,
    Layout,
    PublishedPair,
    read_chillanto,
    read_corpus,
    read_cryceleb,
    read_cryceleb_pairs,
    recognise,
)
from pipelines.manifest import BadRow, BadRowReason, ManifestRow, read_manifest

METADATA = "baby_id,period,duration,split,chronological_index,file_name,file_id"
INSTALLATION = "0d1ad73e-4c5e-45f3-85c4-9a3cb71e8856"


def put(file: Path) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"RIFF")
    return file


@pytest.fixture
def cryceleb(tmp_path: Path) -> Path:
    """Lay out two babies as CryCeleb 2023 does."""
    lines = [METADATA]
    for baby, split, periods in (("spk1", "train", "BD"), ("anonymous7", "test", "B")):
        for period in periods:
            for index in ("000", "001"):
                name = f"{baby}_{period}_{index}"
                file = f"audio/{split}/{baby}/{period}/{name}.wav"
                put(tmp_path / file)
                lines.append(f"{baby},{period},0.81,{split},{index},{file},{name}")
    (tmp_path / "metadata.csv").write_text("\n".join(lines) + "\n")
    return tmp_path


@pytest.fixture
def chillanto(tmp_path: Path) -> Path:
    """Lay out three infants as Baby Chillanto does."""
    for name in ("asphyxia/0063001030", "asphyxia/0063002030", "normal/0052001000"):
        put(tmp_path / f"{name}.wav")
    put(tmp_path / "pain" / "0001001002.WAV")
    put(tmp_path / "pain" / "readme.txt")
    return tmp_path


def good(rows: list[CorpusRow | BadRow]) -> list[CorpusRow]:
    assert all(isinstance(row, CorpusRow) for row in rows), rows
    return [row for row in rows if isinstance(row, CorpusRow)]


def bad(rows: list[CorpusRow | BadRow]) -> list[BadRow]:
    return [row for row in rows if isinstance(row, BadRow)]


def test_cryceleb_says_infant_session_place_and_split(cryceleb: Path) -> None:
    rows = good(read_cryceleb(cryceleb))
    assert [(row.infant, row.session, row.place, row.split) for row in rows] == [
        ("spk1", "B", 0, "train"),
        ("spk1", "B", 1, "train"),
        ("spk1", "D", 0, "train"),
        ("spk1", "D", 1, "train"),
        ("anonymous7", "B", 0, "test"),
        ("anonymous7", "B", 1, "test"),
    ]
    assert rows[0].extra == {"duration": "0.81", "file_id": "spk1_B_000"}
    assert all(row.file.is_file() and row.cut for row in rows)


def test_cryceleb_says_no_time_phone_sex_or_reason(cryceleb: Path) -> None:
    for row in good(read_cryceleb(cryceleb)):
        assert (row.recorded_at, row.device, row.sex, row.reason) == (None, None, None, None)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (",B,0.8,train,000,audio/train/spk1/B/spk1_B_000.wav,x", BadRowReason.EMPTY_INFANT),
        ("spk1,X,0.8,train,000,audio/train/spk1/B/spk1_B_000.wav,x", BadRowReason.UNPARSABLE_NAME),
        ("spk1,B,0.8,train,000,audio/train/spk1/B/none.wav,x", BadRowReason.MISSING_FILE),
        ("spk1,B,0.8,train,000,,x", BadRowReason.MISSING_FILE),
        ("spk1,B", BadRowReason.MISSING_FILE),
    ],
)
def test_a_bad_line_of_cryceleb_disturbs_no_other(
    cryceleb: Path, line: str, reason: BadRowReason
) -> None:
    metadata = cryceleb / "metadata.csv"
    lines = metadata.read_text().splitlines()
    metadata.write_text("\n".join([lines[0], line, *lines[1:]]) + "\n")
    rows = read_cryceleb(cryceleb)
    assert [(row.line, row.reason) for row in bad(rows)] == [(2, reason)]
    assert len(rows) == 7


def test_cryceleb_without_a_column_is_refused(cryceleb: Path) -> None:
    metadata = cryceleb / "metadata.csv"
    metadata.write_text(metadata.read_text().replace("baby_id", "baby", 1))
    with pytest.raises(ManifestError, match="baby_id"):
        read_cryceleb(cryceleb)


def test_published_pairs_are_read(tmp_path: Path) -> None:
    file = tmp_path / "dev_pairs.csv"
    file.write_text("baby_id_B,baby_id_D,label\nspk1,spk1,1\nspk1,spk2,0\n")
    assert read_cryceleb_pairs(file) == [
        PublishedPair("spk1", "spk1", same=True),
        PublishedPair("spk1", "spk2", same=False),
    ]


def test_pairs_without_labels_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "test_pairs.csv"
    file.write_text("baby_id_B,baby_id_D\nspk1,spk1\n")
    with pytest.raises(ManifestError, match="label"):
        read_cryceleb_pairs(file)
    file.write_text("baby_id_B,baby_id_D,label\nspk1,spk1,yes\n")
    with pytest.raises(ConfigError, match="line 2: label is 'yes'"):
        read_cryceleb_pairs(file)


def test_chillanto_says_infant_place_and_class(chillanto: Path) -> None:
    rows = good(read_chillanto(chillanto))
    assert [(row.infant, row.place, row.reason) for row in rows] == [
        ("0063", 1, "asphyxia"),
        ("0063", 2, "asphyxia"),
        ("0052", 1, "normal"),
        ("0001", 1, "pain"),
    ]
    assert [row.extra["class_code"] for row in rows] == ["030", "030", "000", "002"]
    assert {(row.recorded_at, row.session, row.cut) for row in rows} == {(None, None, True)}


def test_another_name_in_chillanto_is_a_bad_row(chillanto: Path) -> None:
    put(chillanto / "deaf" / "baby one.wav")
    assert [row.reason for row in bad(read_chillanto(chillanto))] == [BadRowReason.UNPARSABLE_NAME]


def test_donateacry_and_manifests_are_read_as_ever(tmp_path: Path) -> None:
    put(tmp_path / f"{INSTALLATION}-1430742197-1.0-m-04-hu.caf")
    (row,) = good(read_corpus(tmp_path))
    assert (row.infant, row.device, row.reason, row.cut) == (INSTALLATION, "ios", "hungry", False)
    assert row.recorded_at is not None
    assert row.recorded_at.timestamp() == 1430742197
    (tmp_path / "list.csv").write_text("file,infant,recorded_at\nnone.wav,a,2024-01-01T00:00Z\n")
    assert bad(read_corpus(tmp_path / "list.csv"))[0].reason == BadRowReason.MISSING_FILE


def test_layouts_are_recognised_by_their_signs(cryceleb: Path) -> None:
    assert recognise(cryceleb) is Layout.CRYCELEB
    assert recognise(cryceleb / "metadata.csv") is Layout.MANIFEST
    shutil.copytree(cryceleb / "audio", cryceleb / "other" / "asphyxia")
    assert recognise(cryceleb / "other") is Layout.CHILLANTO


def test_a_folder_without_signs_is_refused(tmp_path: Path) -> None:
    put(tmp_path / "one.wav")
    with pytest.raises(ConfigError, match="none of the layouts"):
        read_corpus(tmp_path)


def test_the_command_counts(
    cryceleb: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (cryceleb / "audio/train/spk1/D/spk1_D_001.wav").unlink()
    assert main(["layout", str(cryceleb), "--json", str(tmp_path / "found.json")]) == 0
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["layout"] == "cryceleb"
    assert (found["files"], found["infants"], found["sessions that are named"]) == (5, 2, 3)
    assert (found["split: train"], found["not taken: missing_file"]) == (3, 1)
    assert "not taken: 5: missing_file" in capsys.readouterr().out


def test_the_command_writes_the_manifest_of_a_layout_that_tells_times(tmp_path: Path) -> None:
    put(tmp_path / "kept" / f"{INSTALLATION}-1430742197-1.0-m-04-hu.caf")
    out = tmp_path / "list.csv"
    assert main(["layout", str(tmp_path / "kept"), "--manifest", str(out)]) == 0
    (row,) = read_manifest(out)
    assert isinstance(row, ManifestRow)
    assert (row.infant, row.sex, row.reason) == (INSTALLATION, "male", "hungry")
    with out.open() as file:
        assert next(csv.DictReader(file))["file"].startswith("kept/")


def test_no_time_is_made_up_for_a_manifest(
    cryceleb: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "list.csv"
    assert main(["layout", str(cryceleb), "--manifest", str(out)]) == 1
    assert "when its recordings were made" in capsys.readouterr().err
    assert not out.exists()
