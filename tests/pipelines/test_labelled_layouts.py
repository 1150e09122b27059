"""Layouts with labels: every fact that they state, and none that they do not."""

from pathlib import Path

import pytest

from pipelines.corpus_row import CorpusRow
from pipelines.errors import ManifestError
from pipelines.labelled_layouts import read_dunstan, read_enesbabycries, read_icsd, read_recanvo
from pipelines.layouts import Layout, recognise
from pipelines.manifest import BadRow, BadRowReason


def put(file: Path, content: str = "RIFF") -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)
    return file


def good(rows: list[CorpusRow | BadRow]) -> list[CorpusRow]:
    return [row for row in rows if isinstance(row, CorpusRow)]


def bad(rows: list[CorpusRow | BadRow]) -> list[BadRowReason]:
    return [row.reason for row in rows if isinstance(row, BadRow)]


# --- EnesBabyCries -------------------------------------------------------------------------------


def test_a_name_of_enesbabycries_says_who_when_and_what_was_thought(tmp_path: Path) -> None:
    file = put(tmp_path / "BS03_W_3_F_I_19122018_2021.wav")
    [row] = good(read_enesbabycries(tmp_path))
    assert (row.file, row.infant, row.sex) == (file, "BS03", "female")
    assert (row.local_time, row.recorded_at) == ("2018-12-19T20:21", None)
    assert (row.reason, row.extra["parents"], row.cut, row.place) == (
        "discomfort",
        "F",
        False,
        None,
    )
    assert row.age_days == pytest.approx(76, abs=1)
    assert recognise(tmp_path) is Layout.ENESBABYCRIES


def test_a_piece_of_enesbabycries_has_its_place_in_the_bout(tmp_path: Path) -> None:
    for place in ("2-5", "11-13"):
        put(tmp_path / f"BS03_M_1_F_F_19122018_2021_{place}.wav")
    rows = good(read_enesbabycries(tmp_path))
    assert {(row.place, row.cut, row.session) for row in rows} == {
        (2, True, "2018-12-19T20:21"),
        (11, True, "2018-12-19T20:21"),
    }
    assert {row.sex for row in rows} == {"male"}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("BS03_W_3_F_F_31022018_2021", BadRowReason.UNPARSABLE_TIME),
        ("BS03_W_3_F_F_19122018_2561", BadRowReason.UNPARSABLE_TIME),
        ("BS03_W_3_F_F_19122018", BadRowReason.UNPARSABLE_NAME),
        ("notes", BadRowReason.UNPARSABLE_NAME),
    ],
)
def test_a_bad_name_of_enesbabycries_disturbs_no_other(
    tmp_path: Path, name: str, reason: BadRowReason
) -> None:
    put(tmp_path / f"{name}.wav")
    put(tmp_path / "deeper" / "BS03_W_3_F_F_19122018_2021.wav")
    rows = read_enesbabycries(tmp_path)
    assert bad(rows) == [reason]
    assert len(good(rows)) == 1


# --- ICSD ----------------------------------------------------------------------------------------


@pytest.fixture
def icsd(tmp_path: Path) -> Path:
    strong = "filename\tonset\toffset\tevent_label\n"
    strong += "a.wav\t0.5\t2.0\tInfantcry\na.wav\t3.0\t4.5\tInfantcry\ngone.wav\t0\t1\tSnoring\n"
    put(tmp_path / "metadata/train/real_strong_train.tsv", strong)
    put(tmp_path / "metadata/train/weak.tsv", "filename\tevent_labels\nb.wav\tInfantcry,Snoring\n")
    put(tmp_path / "metadata/test/real_strong_test_durations.tsv", "filename\tduration\na.wav\t9\n")
    put(tmp_path / "audio/train/real_strong_train/a.wav")
    put(tmp_path / "audio/train/weak/b.wav")
    return tmp_path


def test_icsd_says_what_is_in_a_file_and_not_whose(icsd: Path) -> None:
    rows = read_icsd(icsd)
    assert recognise(icsd) is Layout.ICSD
    assert [(row.infant, row.split, row.extra) for row in good(rows)] == [
        ("a", "train", {"events": "Infantcry", "spans": "0.5-2.0;3.0-4.5"}),
        ("b", "train", {"events": "Infantcry,Snoring", "spans": ""}),
    ]
    assert bad(rows) == [BadRowReason.MISSING_FILE]
    assert all(row.recorded_at is row.local_time is None for row in good(rows))


def test_a_list_of_icsd_without_events_is_refused(icsd: Path) -> None:
    put(icsd / "metadata/train/weak.tsv", "filename\nb.wav\n")
    with pytest.raises(ManifestError, match="event_label"):
        read_icsd(icsd)


# --- Dunstan -------------------------------------------------------------------------------------


def test_dunstan_says_the_sound_and_nothing_else(tmp_path: Path) -> None:
    put(tmp_path / "clips" / "Neh" / "01.wav")
    put(tmp_path / "clips" / "owh" / "01.WAV")
    put(tmp_path / "clips" / "talk" / "02.wav")
    rows = read_dunstan(tmp_path)
    assert recognise(tmp_path) is Layout.DUNSTAN
    assert {(row.infant, row.reason) for row in good(rows)} == {
        ("neh-01", "neh"),
        ("owh-01", "owh"),
    }
    assert bad(rows) == [BadRowReason.UNPARSABLE_NAME]


# --- ReCANVo -------------------------------------------------------------------------------------


def test_recanvo_says_the_person_the_label_and_the_local_time(tmp_path: Path) -> None:
    name = "200126_2142_00-03-10.16--00-03-11.49.wav"
    put(tmp_path / name)
    put(tmp_path / "renamed.wav")
    lines = ["Filename,Participant,Label", f"{name},P01,delighted", "renamed.wav,P02,dysregulated"]
    lines += ["gone.wav,P01,request", f"{name},,request", ""]
    put(tmp_path / "dataset_file_directory.csv", "\n".join(lines))
    rows = read_recanvo(tmp_path)
    assert recognise(tmp_path) is Layout.RECANVO
    assert [(row.infant, row.reason, row.local_time) for row in good(rows)] == [
        ("P01", "delighted", "2020-01-26T21:42"),
        ("P02", "dysregulated", None),
    ]
    assert bad(rows) == [BadRowReason.MISSING_FILE, BadRowReason.EMPTY_INFANT]


def test_a_list_of_recanvo_without_a_column_is_refused(tmp_path: Path) -> None:
    put(tmp_path / "dataset_file_directory.csv", "Filename,Label\n")
    with pytest.raises(ManifestError, match="Participant"):
        read_recanvo(tmp_path)
