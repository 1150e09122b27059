"""Simulate: cohorts on disk are read back, continued after an interruption, and clearly refused."""

import csv
import errno
import json
from pathlib import Path

import pytest

from pipelines import simulate as module
from pipelines.__main__ import main
from pipelines.cohort import Deviation, Parameter
from pipelines.errors import ConfigError
from pipelines.manifest import BadRow, read_manifest
from pipelines.segment import segment
from pipelines.simulate import Wish, age_band, parse_shift, simulate

SMALL = Wish(infants=2, days=1, duration_s=2.0)
QUICK = ("--infants", "2", "--days", "1", "--duration-s", "2")


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def truths(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "truth.jsonl").read_text().splitlines()]


def test_a_cohort_is_read_back_with_its_truth(tmp_path: Path) -> None:
    wish = Wish(infants=4, days=2, duration_s=2.0, codec="mixed", shifts=("f0=+0.3@1",))
    made = simulate(tmp_path, wish)
    rows = read_manifest(tmp_path / "manifest.csv")
    cohort, *recordings = truths(tmp_path)
    assert made.made == made.recordings == len(rows) == len(recordings) > 8
    for row, told in zip(rows, recordings, strict=True):
        assert not isinstance(row, BadRow)
        assert row.file == (tmp_path / told["file"]).resolve()
        assert (row.infant, row.device) == (told["infant"], told["device"])
        assert row.recorded_at.isoformat() == told["recorded_at"]
        assert row.age_days is not None
        assert told["units"]
        assert [one["parameter"] for one in told["active"]] == ["f0"] * (told["day"] >= 1.0)
    assert {segment(row.file).source.codec for row in rows} == {
        "pcm_s16le", "flac", "amrnb", "adpcm_ima_wav",
    }  # fmt: skip
    assert [one["deviations"][0]["onset_day"] for one in cohort["infants"]] == [1.0] * 4


def test_the_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "other"):
        simulate(tmp_path / name, SMALL)
    assert contents(tmp_path / "one") == contents(tmp_path / "other")


def test_an_interrupted_run_is_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    n = simulate(whole, SMALL).recordings
    left = [2]

    def stopping(planned: object) -> object:
        if not left[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        left[0] -= 1
        return render(planned)

    render = module.render
    monkeypatch.setattr(module, "render", stopping)
    with pytest.raises(OSError, match="No space left"):
        simulate(broken, SMALL)
    assert not (broken / "manifest.csv").exists()
    with (broken / "truth.jsonl").open("a") as file:
        file.write('{"file": "audio/half')  # what a power cut leaves
    monkeypatch.setattr(module, "render", render)
    assert simulate(broken, SMALL).made == n - 2
    assert contents(broken) == contents(whole)
    assert simulate(broken, SMALL).made == 0


def test_what_was_lost_or_cut_short_is_made_again(tmp_path: Path) -> None:
    simulate(tmp_path, SMALL)
    before = contents(tmp_path)
    lost, cut, *_ = sorted((tmp_path / "audio").iterdir())
    lost.unlink()
    cut.write_bytes(cut.read_bytes()[:100])
    assert simulate(tmp_path, SMALL).made == 2
    assert contents(tmp_path) == before


def test_a_full_disk_leaves_no_part_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(self: Path, content: bytes) -> int:
        if self.suffix == ".tmp" and "sim-" in self.name:
            with self.open("wb") as file:
                file.write(content[:10])
            raise OSError(errno.ENOSPC, "No space left on device", str(self))
        return written(self, content)

    written = Path.write_bytes
    monkeypatch.setattr(Path, "write_bytes", full)
    assert main(["synthesise", str(tmp_path), *QUICK]) == 1
    shown = capsys.readouterr().err
    assert "No space left on device" in shown
    assert "Traceback" not in shown
    assert list((tmp_path / "audio").iterdir()) == []


def test_another_cohort_is_not_mixed_into_the_first(tmp_path: Path) -> None:
    simulate(tmp_path, SMALL)
    with pytest.raises(ConfigError, match="another cohort"):
        simulate(tmp_path, Wish(infants=2, days=1, duration_s=2.0, seed=1))


@pytest.mark.parametrize(
    ("text", "infant", "deviation"),
    [
        ("f0=+0.2@21", None, Deviation(Parameter.F0, 0.2, 21.0)),
        ("f0=0.2@21+14", None, Deviation(Parameter.F0, 0.2, 21.0, 14.0)),
        ("intensity=-6@10-40", None, Deviation(Parameter.INTENSITY, -6.0, 10.0, 0.0, 40.0)),
        ("sim-0001:unit=.5@1", None, None),
        (
            "sim-0001:hyperphonation=+0.3@2.5+1.5-9",
            "sim-0001",
            Deviation(Parameter.HYPERPHONATION, 0.3, 2.5, 1.5, 9.0),
        ),
    ],
)
def test_deviations_are_read_as_they_are_written(
    text: str, infant: str | None, deviation: Deviation | None
) -> None:
    if deviation is None:
        with pytest.raises(ConfigError, match="PARAMETER=AMOUNT@DAY"):
            parse_shift(text)
    else:
        assert parse_shift(text) == (infant, deviation)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--shift", "pitch=+0.2@21"), "breathiness, jitter"),
        (("--shift", "f0=+0.2"), "PARAMETER=AMOUNT@DAY"),
        (("--shift", "f0=-1@3"), "cannot change by -1"),
        (("--shift", "f0=0.1@9-3"), "ends before it begins"),
        (("--shift", "nobody:f0=0.1@3"), "sim-0000 to sim-0001"),
        (("--start", "yesterday"), "no ISO 8601 time"),
        (("--start", "2026-01-01T00:00:00"), "no offset from UTC"),
        (("--infants", "0"), "one infant or more"),
        (("--days", "0"), "one day or more"),
        (("--seed", "-1"), "0 or more"),
        (("--duration-s", "0.5"), "last 1 to 120 s"),
    ],
)
def test_arguments_that_cannot_be_used_are_told_in_one_line(
    tmp_path: Path, arguments: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["synthesise", str(tmp_path / "out"), *QUICK, *arguments]) == 1
    shown = capsys.readouterr().err.strip()
    assert shown.startswith("synthesise: ")
    assert words in shown
    assert "\n" not in shown
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("no folder")
    assert main(["synthesise", str(tmp_path / "file"), *QUICK]) == 1
    shown = capsys.readouterr().err.strip()
    assert shown.startswith("synthesise: ")
    assert "\n" not in shown


def test_the_command_says_what_it_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figures = tmp_path / "figures.json"
    arguments = ["synthesise", str(tmp_path / "out"), *QUICK, "--json", str(figures)]
    assert main(arguments) == 0
    told = json.loads(figures.read_text())
    with (tmp_path / "out" / "manifest.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == told["n"] == told["made"]
    assert "simulated recordings of 2 infants" in capsys.readouterr().out
    assert main(arguments) == 0
    assert json.loads(figures.read_text())["made"] == 0


@pytest.mark.parametrize(
    ("age_days", "band"),
    [
        (0.0, "0-4 weeks"),
        (27.9, "0-4 weeks"),
        (28.0, "4-8 weeks"),
        (100.0, "2-6 months"),
        (400.0, "7 months-2 years"),
        (4_000.0, "over 2 years"),
    ],
)
def test_ages_are_told_as_manifests_do(age_days: float, band: str) -> None:
    assert age_band(age_days) == band
