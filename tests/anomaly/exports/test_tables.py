"""Tables: the same columns in CSV and Parquet, described, typed, and nothing invented."""

import csv
import io
import re

import pandas as pd
import pyarrow.parquet as pq
import pytest

from anomaly.exports.columns import COLUMNS, Kind
from anomaly.exports.tables import csv_of, parquet_of
from anomaly.notice import NOTICE
from infants.access import Viewer
from infants.consents import give_consent
from infants.models import Consent, Infant, Membership, Recording
from infants.pseudonyms import pseudonym
from tests.anomaly.exports.taking import FATES, an_infant_with_everything, taken
from tests.builders import a_member
from tests.house import project

pytestmark = pytest.mark.django_db
NAMES = [column.name for column in COLUMNS]
Rows = dict[str, dict[str, str]]


@pytest.fixture
def life() -> tuple[Infant, dict[str, Recording]]:
    return an_infant_with_everything()


def _rows(made: dict[str, Recording]) -> Rows:
    """Return the lines of a CSV file by fate."""
    text = b"".join(csv_of(taken())).decode()
    by_id = {row["recording"]: row for row in csv.DictReader(io.StringIO(text))}
    return {fate: by_id[str(one.id)] for fate, one in made.items()}


def test_every_recording_is_a_line_with_all_columns_oldest_first(
    life: tuple[Infant, dict[str, Recording]],
) -> None:
    lines = list(csv.reader(io.StringIO(b"".join(csv_of(taken())).decode())))
    assert lines[0] == NAMES
    assert [line[1] for line in lines[1:]] == [str(life[1][fate].id) for fate in FATES]
    assert {len(line) for line in lines} == {len(NAMES)}


def test_a_scored_line_holds_what_was_decided(life: tuple[Infant, dict[str, Recording]]) -> None:
    infant, made = life
    row = _rows(made)["scored"]
    expected = {
        "infant": str(infant.id),
        "recorded_at": "2026-03-01T09:00:00Z",
        "time_zone": "Europe/Zurich",
        "age_days": "59",
        "n_cries": "2",
        "cry_s": "1.0",
        "is_cry": "true",
        "gate_accepted": "true",
        "outcome": "scored",
        "no_score_because": "",
        "p_value": "0.5",
        "score_gmm": "2.0",
        "p_value_gmm": "0.5",
        "p_value_autoencoder": "",
        "model_number": "4",
        "channel_f0_log2_hz": "8.75",
        "channel_f0_log2_hz_confidence": "0.5",
        "channel_jitter_frac": "",
        "channel_jitter_frac_missing": "too_little_voice",
    }
    assert {name: row[name] for name in expected} == expected


def test_what_has_no_score_says_why_and_has_no_number(
    life: tuple[Infant, dict[str, Recording]],
) -> None:
    rows = _rows(life[1])
    assert {fate: rows[fate]["no_score_because"] for fate in FATES} == {
        "scored": "",
        "learning": "still_learning",
        "not_a_cry": "not_a_cry",
        "undecodable": "undecodable",
        "on_its_way": "on_its_way",
        "not_my_baby": "",
    }
    assert rows["not_my_baby"]["answer"] == "not_my_baby"
    for fate in FATES[1:5]:
        assert rows[fate]["p_value"] == rows[fate]["statistic"] == rows[fate]["score_gmm"] == ""
    assert rows["undecodable"]["duration_s"] == rows["undecodable"]["is_cry"] == ""


def test_no_cell_is_taken_for_a_formula_and_no_name_is_in_it(
    life: tuple[Infant, dict[str, Recording]],
) -> None:
    text = b"".join(csv_of(taken())).decode()
    assert _rows(life[1])["scored"]["device_hardware"] == "'=cmd()"
    assert "Ada" not in text
    assert "2026-01-01" not in text


def test_a_researchers_ids_are_pseudonyms(life: tuple[Infant, dict[str, Recording]]) -> None:
    infant, made = life
    viewer = Viewer(user=a_member(infant, Membership.Role.RESEARCHER))
    assert list(csv.DictReader(io.StringIO(b"".join(csv_of(taken(viewer))).decode()))) == []
    give_consent(infant, Consent.Purpose.RESEARCH, a_member(infant))
    text = b"".join(csv_of(taken(viewer))).decode()
    first = next(csv.DictReader(io.StringIO(text)))
    assert first["infant"] == str(pseudonym("infant", infant.id))
    for known in (infant.id, made["scored"].device_id):
        assert str(known) not in text


def test_parquet_is_typed_and_reads_as_csv_does(
    life: tuple[Infant, dict[str, Recording]],
) -> None:
    file = b"".join(parquet_of(taken()))
    frame = pd.read_parquet(io.BytesIO(file))
    schema = pq.read_schema(io.BytesIO(file))
    assert schema.metadata[b"iclas.notice"].decode() == NOTICE
    assert list(frame.columns) == NAMES
    types = {column.name: str(schema.field(column.name).type) for column in COLUMNS}
    assert types["recorded_at"] == "timestamp[us, tz=UTC]"
    assert types["is_cry"] == "bool"
    assert types["age_days"] == "int64"
    read = pd.read_csv(io.BytesIO(b"".join(csv_of(taken()))))
    for column in COLUMNS:
        if column.kind is Kind.REAL:
            given, told = frame[column.name].astype(float), read[column.name].astype(float)
            pd.testing.assert_series_equal(given, told)
        assert list(frame[column.name].isna()) == list(read[column.name].isna()), column.name


def test_parquet_goes_round(life: tuple[Infant, dict[str, Recording]]) -> None:
    frame = pd.read_parquet(io.BytesIO(b"".join(parquet_of(taken()))))
    again = io.BytesIO()
    frame.to_parquet(again)
    pd.testing.assert_frame_equal(pd.read_parquet(again), frame)


def test_a_file_of_nobody_has_columns_and_no_rows() -> None:
    assert b"".join(csv_of(taken(Viewer()))).decode().split(",")[0] == "infant"
    assert len(pd.read_parquet(io.BytesIO(b"".join(parquet_of(taken(Viewer())))))) == 0


@pytest.mark.embedded
def test_every_column_is_described() -> None:
    text = (project.ROOT / "docs/exports.md").read_text()
    described = re.findall(r"^\| `([a-z0-9_<>]+)` \|", text, flags=re.M)
    patterns = [re.compile(re.sub("<[a-z]+>", r"\\w+", name)) for name in described]
    missing = [name for name in NAMES if not any(p.fullmatch(name) for p in patterns)]
    assert missing == []
