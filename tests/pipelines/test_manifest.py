"""Manifests: what is read, what is refused, and why."""

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import ConfigError, ManifestError
from pipelines.manifest import (
    BadRow,
    BadRowReason,
    ManifestRow,
    parse_donateacry_name,
    read_directory,
    read_manifest,
)

INSTALLATION = "0d1ad73e-4c5e-45f3-85c4-9a3cb71e8856"


def written(folder: Path, text: str, name: str = "manifest.csv") -> Path:
    """Write a manifest beside two files that it may name."""
    (folder / "audio").mkdir(exist_ok=True)
    for audio in ("a.wav", "b.wav"):
        (folder / "audio" / audio).touch()
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_whole_row(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "file,infant,recorded_at,device,sex,age_band,reason,rate_hz\n"
        "audio/a.wav,ada,2015-04-29T20:27:43+02:00,ios,female,4-8 weeks,hungry,16000\n",
    )
    assert read_manifest(path) == [
        ManifestRow(
            file=(tmp_path / "audio/a.wav").resolve(),
            infant="ada",
            recorded_at=dt.datetime(2015, 4, 29, 18, 27, 43, tzinfo=dt.UTC),
            device="ios",
            age_days=42.0,
            sex="female",
            reason="hungry",
            extra={"age_band": "4-8 weeks", "rate_hz": "16000"},
        )
    ]


def test_only_three_columns_are_needed_and_what_is_not_told_is_none(tmp_path: Path) -> None:
    path = written(
        tmp_path, "\ufeffinfant, recorded_at ,file\nada, 2015-04-29T20:27:43Z ,audio/a.wav\n"
    )
    (row,) = read_manifest(path)
    assert isinstance(row, ManifestRow)
    assert row.recorded_at.utcoffset() == dt.timedelta(0)
    assert (row.device, row.age_days, row.sex, row.reason, row.extra) == (None,) * 4 + ({},)


@pytest.mark.parametrize(
    ("band", "days"),
    [
        ("0-4 weeks", 14.0),
        ("4-8 weeks", 42.0),
        ("2-6 months", 121.75),
        ("7 months-2 years", 471.78),
        ("over 2 years", 913.1),
        ("grown up", None),
    ],
)
def test_age_is_the_middle_of_the_band(tmp_path: Path, band: str, days: float | None) -> None:
    path = written(
        tmp_path,
        f"file,infant,recorded_at,age_band\naudio/a.wav,ada,2015-04-29T20:27:43Z,{band}\n",
    )
    (row,) = read_manifest(path)
    assert isinstance(row, ManifestRow)
    assert row.age_days == (None if days is None else pytest.approx(days, abs=0.1))


def test_missing_columns_are_named_with_those_that_are_there(tmp_path: Path) -> None:
    path = written(tmp_path, "file,baby,when\naudio/a.wav,ada,2015-04-29T20:27:43Z\n")
    with pytest.raises(ManifestError) as caught:
        read_manifest(path)
    assert caught.value.missing == ("infant", "recorded_at")
    assert caught.value.found == ("file", "baby", "when")
    assert isinstance(caught.value, ConfigError)


def test_an_empty_file_lacks_every_column(tmp_path: Path) -> None:
    with pytest.raises(ManifestError) as caught:
        read_manifest(written(tmp_path, ""))
    assert caught.value.missing == ("file", "infant", "recorded_at")


def test_a_missing_manifest_is_no_config_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_manifest(tmp_path / "none.csv")


def test_what_is_no_csv_is_a_config_error(tmp_path: Path) -> None:
    path = written(tmp_path, "file,infant,recorded_at\n" + "x" * 200_000 + ",a,b\n")
    with pytest.raises(ConfigError, match=r"manifest\.csv is no CSV"):
        read_manifest(path)


BAD = {
    "audio/none.wav,ada,2015-04-29T20:27:43Z": BadRowReason.MISSING_FILE,
    "audio,ada,2015-04-29T20:27:43Z": BadRowReason.MISSING_FILE,
    ",ada,2015-04-29T20:27:43Z": BadRowReason.MISSING_FILE,
    f"{'x' * 5_000},ada,2015-04-29T20:27:43Z": BadRowReason.MISSING_FILE,
    "audio/a.wav,,2015-04-29T20:27:43Z": BadRowReason.EMPTY_INFANT,
    "audio/a.wav,  ,2015-04-29T20:27:43Z": BadRowReason.EMPTY_INFANT,
    "audio/a.wav,ada,yesterday": BadRowReason.UNPARSABLE_TIME,
    "audio/a.wav,ada,": BadRowReason.UNPARSABLE_TIME,
    "audio/a.wav,ada": BadRowReason.UNPARSABLE_TIME,
    "audio/a.wav,ada,0001-01-01T00:00:00+05:00": BadRowReason.UNPARSABLE_TIME,
    "audio/a.wav,ada,2015-04-29T20:27:43": BadRowReason.TIME_WITHOUT_ZONE,
    "audio/a.wav,ada,2015-04-29": BadRowReason.TIME_WITHOUT_ZONE,
}


@pytest.mark.parametrize("line", BAD)
def test_a_bad_row_has_its_reason_and_disturbs_no_other(tmp_path: Path, line: str) -> None:
    good = "audio/{},ada,2015-04-29T20:27:43Z"
    lines = ["file,infant,recorded_at", good.format("a.wav"), line, good.format("b.wav")]
    first, bad, last = read_manifest(written(tmp_path, "\n".join(lines) + "\n"))
    assert isinstance(first, ManifestRow)
    assert isinstance(last, ManifestRow)
    assert isinstance(bad, BadRow)
    assert (bad.line, bad.reason) == (3, BAD[line])
    assert bad.detail


def test_the_far_future_is_left_to_upload(tmp_path: Path) -> None:
    path = written(tmp_path, "file,infant,recorded_at\naudio/a.wav,ada,2999-01-01T00:00:00Z\n")
    (row,) = read_manifest(path)
    assert isinstance(row, ManifestRow)


def test_cells_beyond_the_header_are_let_go(tmp_path: Path) -> None:
    path = written(
        tmp_path, "file,infant,recorded_at\naudio/a.wav,ada,2015-04-29T20:27:43Z,and,more\n"
    )
    (row,) = read_manifest(path)
    assert isinstance(row, ManifestRow)
    assert row.extra == {}


@given(text=st.text(max_size=200))
def test_no_text_raises_anything_but_a_config_error(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    path = tmp_path_factory.mktemp("any") / "manifest.csv"
    path.write_text(f"file,infant,recorded_at\n{text}", encoding="utf-8", errors="replace")
    try:
        rows = read_manifest(path)
    except ConfigError:
        return
    assert all(isinstance(row, BadRow) for row in rows)


# --- Donate-a-Cry -------------------------------------------------------------------------------


def test_a_published_name_tells_everything(tmp_path: Path) -> None:
    name = f"{INSTALLATION.upper()}-1430742197-1.0-m-04-hu.caf"
    assert parse_donateacry_name(name, tmp_path) == ManifestRow(
        file=(tmp_path / name).resolve(),
        infant=INSTALLATION,
        recorded_at=dt.datetime(2015, 5, 4, 12, 23, 17, tzinfo=dt.UTC),
        device="ios",
        age_days=14.0,
        sex="male",
        reason="hungry",
        extra={"app_version": "1.0", "age_band": "0-4 weeks"},
    )


def test_android_counts_in_milliseconds() -> None:
    row = parse_donateacry_name(f"{INSTALLATION}-1430742197500-1.7-f-22-dk.3gp")
    assert row is not None
    assert row.recorded_at == dt.datetime(2015, 5, 4, 12, 23, 17, 500_000, tzinfo=dt.UTC)
    assert (row.device, row.sex, row.reason) == ("android", "female", "unknown")
    assert row.file.is_absolute()


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("hu", "hungry"),
        ("bu", "needs burping"),
        ("bp", "belly pain"),
        ("dc", "discomfort"),
        ("ti", "tired"),
        ("lo", "lonely"),
        ("ch", "cold or hot"),
        ("sc", "scared"),
        ("dk", "unknown"),
        ("xy", None),
    ],
)
def test_reason_codes(code: str, reason: str | None) -> None:
    row = parse_donateacry_name(f"{INSTALLATION}-1430742197-1.0-m-48-{code}.caf")
    assert row is not None
    assert row.reason == reason


@pytest.mark.parametrize(
    ("code", "days"), [("04", 14), ("48", 42), ("26", 122), ("72", 472), ("22", 913), ("99", None)]
)
def test_age_codes(code: str, days: int | None) -> None:
    row = parse_donateacry_name(f"{INSTALLATION}-1430742197-1.0-f-{code}-hu.caf")
    assert row is not None
    assert row.age_days == (None if days is None else pytest.approx(days, abs=0.5))


@pytest.mark.parametrize(
    "name",
    [
        "cry.caf",
        f"{INSTALLATION}-1430742197-1.0-m-04-hu.wav",
        f"{INSTALLATION}-14307421-1.0-m-04-hu.caf",
        f"{INSTALLATION}-1430742197-1.0-m-04.caf",
        f"x{INSTALLATION}-1430742197-1.0-m-04-hu.caf",
        "",
    ],
)
def test_another_name_is_none_of_them(name: str) -> None:
    assert parse_donateacry_name(name) is None


def test_a_folder_is_read_with_its_folders_and_each_strange_name_gets_a_reason(
    tmp_path: Path,
) -> None:
    good = f"{INSTALLATION}-1430742197-1.0-m-04-hu.caf"
    (tmp_path / "android").mkdir()
    for name in (good, "b.caf", f"android/{good[:-3]}3gp", "readme.txt"):
        (tmp_path / name).touch()
    rows = read_directory(tmp_path)
    assert [type(row) for row in rows] == [ManifestRow, ManifestRow, BadRow]
    assert isinstance(rows[1], ManifestRow)
    assert rows[1].file == (tmp_path / "android" / f"{good[:-3]}3gp").resolve()
    assert rows[2] == BadRow(3, BadRowReason.UNPARSABLE_NAME, "'b.caf' is no such name")


def test_a_folder_that_is_none_is_not_taken_for_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(NotADirectoryError):
        read_directory(tmp_path / "none")
    assert read_directory(tmp_path) == []


def test_the_real_manifest_is_read_whole(iclas_data: Path) -> None:
    rows = read_manifest(iclas_data / "donateacry" / "manifest.csv")
    good = [row for row in rows if isinstance(row, ManifestRow)]
    assert len(good) == len(rows) == 680
    assert len({row.infant for row in good}) == 246
    assert all(row.age_days is not None and row.device in ("ios", "android") for row in good)
