"""Importing an archive: typed outcomes, resumable, the same path as an upload."""

import csv
import datetime as dt
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from devices.models import Device
from infants.models import Infant, Recording
from infants.states import State
from tests import sounds

pytestmark = pytest.mark.django_db


def _manifest(
    folder: Path, rows: list[list[str]], columns: str = "file,infant,recorded_at"
) -> Path:
    path = folder / "manifest.csv"
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(columns.split(","))
        writer.writerows(rows)
    return path


def _import(manifest: Path, *options: str) -> str:
    out = StringIO()
    call_command("import_recordings", str(manifest), *options, stdout=out)
    return out.getvalue()


def test_each_row_ends_in_a_named_outcome_and_a_second_run_adds_nothing(tmp_path: Path) -> None:
    sounds.a_cry(tmp_path / "a.wav", seed=1)
    sounds.a_cry(tmp_path / "b.wav", seed=2)
    (tmp_path / "broken.wav").write_bytes(b"RIFF....no sound")
    (tmp_path / "empty.wav").write_bytes(b"")
    later = (dt.datetime.now(dt.UTC) + dt.timedelta(days=400)).isoformat()
    manifest = _manifest(
        tmp_path,
        [
            ["a.wav", "one", "2026-03-01T09:00:00+00:00"],
            ["b.wav", "one", later],
            ["broken.wav", "one", "2026-03-01T09:05:00+00:00"],
            ["empty.wav", "one", "2026-03-01T09:06:00+00:00"],
            ["missing.wav", "one", "2026-03-01T09:07:00+00:00"],
            ["a.wav", "one", "yesterday"],
        ],
    )
    report = tmp_path / "report.csv"
    first = _import(manifest, "--create-infants", "--report", str(report))
    with report.open() as stream:
        results = {row["row"]: row for row in csv.DictReader(stream)}
    assert results["a.wav"]["result"] == "stored"
    assert results["a.wav"]["stands_at"] == "done"
    assert "future" in results["b.wav"]["detail"]
    assert results["broken.wav"]["stands_at"] == "rejected: no decoder could read it"
    assert results["empty.wav"]["result"] == "no_audio"
    assert len(results) == 6
    assert "done" in first
    again = _import(manifest, "--create-infants")
    assert "already there" in again
    assert Recording.objects.count() == 3
    assert Infant.objects.count() == 1


def test_an_unknown_infant_is_reported_and_disturbs_no_other(tmp_path: Path) -> None:
    Infant.objects.create(household_id=_household(), name="one", source_key="one", time_zone="UTC")
    sounds.a_cry(tmp_path / "a.wav", seed=1)
    sounds.a_cry(tmp_path / "b.wav", seed=2)
    manifest = _manifest(
        tmp_path,
        [
            ["a.wav", "nobody", "2026-03-01T09:00:00+00:00"],
            ["b.wav", "one", "2026-03-01T09:00:00+00:00"],
        ],
    )
    assert "unknown_infant" in _import(manifest)
    assert Recording.objects.get().state == State.DONE


def _household() -> object:
    from infants.models import Household

    return Household.objects.create(name="A household").id


def test_a_revoked_archive_takes_no_more(tmp_path: Path) -> None:
    sounds.a_cry(tmp_path / "a.wav", seed=1)
    row = ["a.wav", "one", "2026-03-01T09:00:00+00:00"]
    _import(_manifest(tmp_path, [row]), "--create-infants")
    Device.objects.update(revoked_at=dt.datetime.now(dt.UTC))
    sounds.a_cry(tmp_path / "b.wav", seed=2)
    report = _import(_manifest(tmp_path, [["b.wav", *row[1:]]]))
    assert "device_revoked" in report
    assert Recording.objects.count() == 1


def test_missing_columns_are_named(tmp_path: Path) -> None:
    manifest = _manifest(tmp_path, [["a.wav", "one"]], columns="file,baby")
    with pytest.raises(CommandError, match=r"infant.*recorded_at"):
        _import(manifest)


def test_an_import_that_was_broken_off_goes_on(tmp_path: Path) -> None:
    sounds.a_cry(tmp_path / "a.wav", seed=1)
    manifest = _manifest(tmp_path, [["a.wav", "one", "2026-03-01T09:00:00+00:00"]])
    _import(manifest, "--create-infants", "--enqueue")
    assert Recording.objects.get().state == State.RECEIVED
    _import(manifest)
    assert Recording.objects.get().state == State.DONE


def test_donate_a_cry_file_names_are_understood(tmp_path: Path) -> None:
    name = "0D1AD73E-4C5E-45F3-85C4-9A3CB71E8856-1430742197-1.0-m-04-hu.caf"
    sounds.a_cry(tmp_path / "x.wav", seed=1).rename(tmp_path / name)
    _import(tmp_path, "--create-infants")
    recording = Recording.objects.get()
    assert recording.recorded_at == dt.datetime.fromtimestamp(1430742197, dt.UTC)
    assert recording.reported_age_days is not None
    assert 0 < recording.reported_age_days <= 28
