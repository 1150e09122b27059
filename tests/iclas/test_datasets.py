"""Published data sets: whose each recording is, when it was, and importing one twice."""

import csv
import datetime as dt
import zoneinfo
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from iclas.datasets import Calendar, rows_for_archive
from infants.models import Infant, Recording
from infants.states import State
from pipelines.corpus_row import CorpusRow
from pipelines.layouts import Layout
from pipelines.manifest import BadRow, BadRowReason, ManifestRow
from tests import sounds

PARIS = zoneinfo.ZoneInfo("Europe/Paris")
DAY = dt.date(2026, 3, 1)
MANIFEST = "file,infant,recorded_at\na.wav,one,2026-03-01T09:00:00+00:00\n"


def _row(infant: str, **given: object) -> CorpusRow:
    return CorpusRow(Path("a.wav"), infant, **given)  # type: ignore[arg-type]


def _times(rows: list[CorpusRow | BadRow], calendar: Calendar) -> list[str]:
    taken = rows_for_archive(Layout.CRYCELEB, rows, calendar)
    return [
        row.recorded_at.isoformat() if isinstance(row, ManifestRow) else row.reason for row in taken
    ]


def test_a_local_time_is_read_in_the_zone_that_is_given() -> None:
    rows: list[CorpusRow | BadRow] = [_row("A", local_time="2018-07-19T20:21")]
    assert _times(rows, Calendar(PARIS)) == ["2018-07-19T20:21:00+02:00"]


def test_no_time_is_made_up_unless_a_day_is_given() -> None:
    rows: list[CorpusRow | BadRow] = [
        _row("A", session="B", place=0),
        _row("A", session="B", place=1),
        _row("A", session="D", place=0),
        _row("B", session="B", place=0),
        BadRow(5, BadRowReason.MISSING_FILE, "gone"),
    ]
    assert _times(rows, Calendar(PARIS)) == ["no_time"] * 4 + ["missing_file"]
    assert _times(rows, Calendar(PARIS, DAY)) == [
        "2026-03-01T09:00:00+01:00",
        "2026-03-01T09:00:15+01:00",
        "2026-03-02T09:00:00+01:00",
        "2026-03-01T09:00:00+01:00",
        "missing_file",
    ]


def test_infants_of_different_data_sets_are_not_mixed() -> None:
    at = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
    named = {
        layout: [
            row.infant
            for row in rows_for_archive(layout, [_row("0063", recorded_at=at)], Calendar(PARIS))
            if isinstance(row, ManifestRow)
        ]
        for layout in (Layout.CHILLANTO, Layout.ICSD, Layout.MANIFEST)
    }
    assert named == {
        Layout.CHILLANTO: ["chillanto:0063"],
        Layout.ICSD: ["icsd:0063"],
        Layout.MANIFEST: ["0063"],
    }


# --- the command ---------------------------------------------------------------------------------


def _import(layout: str, path: Path, *options: str) -> tuple[str, dict[str, str]]:
    """Import, and return what is printed and each row's result."""
    out, report = StringIO(), path.parent / "report.csv"
    call_command("import_dataset", layout, str(path), "--report", str(report), *options, stdout=out)
    with report.open() as stream:
        return out.getvalue(), {row["row"]: row["result"] for row in csv.DictReader(stream)}


@pytest.fixture
def enesbabycries(tmp_path: Path) -> Path:
    folder = tmp_path / "enes"
    folder.mkdir()
    sounds.a_cry(folder / "BS03_W_3_F_F_19122018_2021.wav", seed=1)
    sounds.a_cry(folder / "BS04_M_1_I_F_02012019_0705.wav", seed=2)
    (folder / "BS05_M_1_I_F_31022019_0705.wav").write_bytes(b"RIFF")
    (folder / "BS06_M_1_I_F_03012019_0705.wav").write_bytes(b"")
    return folder


@pytest.mark.django_db
def test_a_data_set_is_tried_taken_and_taken_again(enesbabycries: Path) -> None:
    paris = ["--time-zone", "Europe/Paris"]
    first, second, empty = (
        "BS03_W_3_F_F_19122018_2021.wav",
        "BS04_M_1_I_F_02012019_0705.wav",
        "BS06_M_1_I_F_03012019_0705.wav",
    )
    _, foreseen = _import("enesbabycries", enesbabycries, "--dry-run", *paris)
    assert foreseen[first] == foreseen[second] == "would be stored"
    assert foreseen["line 3"] == "unparsable_time"
    assert not Infant.objects.exists()
    assert not Recording.objects.exists()
    said, results = _import("enesbabycries", enesbabycries, *paris)
    assert (results[first], results[second], results[empty]) == ("stored", "stored", "no_audio")
    assert results["line 3"] == "unparsable_time"
    assert "done" in said
    known = Recording.objects.get(infant__source_key="enesbabycries:BS03")
    assert known.state == State.DONE
    assert known.recorded_at == dt.datetime(2018, 12, 19, 19, 21, tzinfo=dt.UTC)
    assert known.subject.time_zone == "Europe/Paris"
    assert known.reported_age_days == pytest.approx(76, abs=1)
    for options in ([*paris, "--dry-run"], paris):
        _, again = _import("enesbabycries", enesbabycries, *options)
        assert again[first] == again[second] == "already there"
    assert Recording.objects.count() == 2


@pytest.mark.django_db
def test_a_layout_without_times_needs_a_day(tmp_path: Path) -> None:
    folder = tmp_path / "dunstan"
    (folder / "neh").mkdir(parents=True)
    sounds.a_cry(folder / "neh" / "01.wav", seed=1)
    _, results = _import("dunstan", folder, "--enqueue")
    assert list(results.values()) == ["no_time"]
    _, results = _import("dunstan", folder, "--enqueue", "--from-day", "2026-03-01")
    assert list(results.values()) == ["stored"]
    assert Recording.objects.get().recorded_at.date() == DAY


@pytest.mark.django_db
def test_a_manifests_infants_are_created_only_where_asked(tmp_path: Path) -> None:
    sounds.a_cry(tmp_path / "a.wav", seed=1)
    manifest = tmp_path / "manifest.csv"
    manifest.write_text(MANIFEST)
    for options in (["--enqueue"], ["--dry-run"]):
        _, results = _import("manifest", manifest, *options)
        assert list(results.values()) == ["unknown_infant"]
    _, results = _import("manifest", manifest, "--enqueue", "--create-infants")
    assert list(results.values()) == ["stored"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["cryceleb", "nowhere"], "nowhere"),
        (["dunstan", "."], "nothing in the layout dunstan"),
        (["icsd", ".", "--time-zone", "Mars/Olympus"], "IANA"),
        (["nothing", "."], "invalid choice"),
    ],
)
def test_the_command_says_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CommandError, match=told):
        call_command("import_dataset", *words)
