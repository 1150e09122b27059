"""Trials: lists of pairs in their known forms, sessions, and corpora that were cut into pieces."""

from pathlib import Path

import numpy as np
import pytest

from pipelines.errors import ConfigError
from pipelines.evaluation.trials import (
    NamedTrial,
    find_trials,
    join_pieces,
    read_trials,
    sessions_by_time,
)
from pipelines.layouts import CorpusRow
from pipelines.sound import Sound, write_wav

FILES = np.array(["/c/audio/a1.wav", "/c/audio/a2.wav", "/c/audio/a3.wav", "/c/audio/b1.wav"])
INFANTS = np.array(["a", "a", "a", "b"])
SESSIONS = np.array(["B", "B", "D", "D"])


def written(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "pairs.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_the_list_of_cryceleb_compares_birth_with_discharge(tmp_path: Path) -> None:
    named = read_trials(written(tmp_path, "baby_id_B,baby_id_D,label", "a,a,1", "a,b,0"))
    assert named == [
        NamedTrial("a", "a", same=True, sessions=("B", "D")),
        NamedTrial("a", "b", same=False, sessions=("B", "D")),
    ]
    found = find_trials(named, FILES, INFANTS, SESSIONS)
    pairs = list(zip(found.first.tolist(), found.second.tolist(), found.same, strict=True))
    assert pairs == [(0, 2, True), (1, 2, True), (0, 3, False), (1, 3, False)]
    assert (found.same_session, found.unknown) == (0, 0)


def test_two_recordings_of_one_session_are_dropped_and_counted(tmp_path: Path) -> None:
    lines = ["id1,id2,label", "a1.wav,a2,1", "audio/a1.wav,a3,1", "a1,b1,0", "a1,missing,0"]
    found = find_trials(read_trials(written(tmp_path, *lines)), FILES, INFANTS, SESSIONS)
    assert found.first.tolist() == [0, 0]
    assert found.second.tolist() == [2, 3]
    assert found.same.tolist() == [True, False]
    assert (found.same_session, found.unknown) == (1, 1)


def test_infants_in_a_plain_list_stand_for_all_of_their_recordings() -> None:
    found = find_trials([NamedTrial("a", "a", same=True)], FILES, INFANTS, SESSIONS)
    assert len(found.first) == 4  # two at birth with one at discharge, either way round
    assert found.same_session == 5


def test_a_label_that_contradicts_the_corpus_is_named() -> None:
    for trial in (NamedTrial("a1", "b1", same=True), NamedTrial("a1", "a3", same=False)):
        with pytest.raises(ConfigError, match="the corpus does not"):
            find_trials([trial], FILES, INFANTS, SESSIONS)


def test_other_forms_are_refused_by_their_columns(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"enrol.*id1,id2,label or baby_id_B"):
        read_trials(written(tmp_path, "enrol,test", "a,b"))
    with pytest.raises(ConfigError, match="neither 0 nor 1"):
        read_trials(written(tmp_path, "id1,id2,label", "a,b,target"))


def test_a_pause_of_more_than_half_an_hour_begins_a_session() -> None:
    times_s = np.array([4000.0, 0.0, 60.0, 0.0])
    names = sessions_by_time(np.array(["a", "a", "a", "b"]), times_s)
    assert names.tolist() == ["1", "0", "0", "0"]


def test_pieces_of_one_session_are_joined_in_their_order(tmp_path: Path) -> None:
    rows = []
    for place, (period, length_s) in enumerate([("B", 1.0), ("B", 0.5), ("D", 0.8), ("D", 0.05)]):
        file = tmp_path / f"{place}.wav"
        times_s = np.arange(int(length_s * 8_000)) / 8_000
        write_wav(file, Sound(np.sin(2500.0 * times_s).astype(np.float32), 8_000))
        rows.append(CorpusRow(file, "a", session=period, place=place, cut=True))
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"no sound")
    rows.append(CorpusRow(broken, "b", session="B", place=0, cut=True))
    joined = list(join_pieces(rows[::-1]))
    assert [(row.infant, row.session) for row, *_ in joined] == [("a", "B"), ("a", "D")]
    _, sound, units = joined[0]
    assert sound.duration_s == pytest.approx(1.5)
    assert [unit.duration_s for unit in units] == pytest.approx([1.0, 0.5])
    assert units[1].onset_s == pytest.approx(1.0)
    assert len(joined[1][2]) == 1  # 0.05 s is no expiration
