"""Sources: everything that can be heard, once, at its time, and what goes wrong in words."""

import datetime as dt
import os
import stat
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from monitor import programs, sources
from monitor.config import Config, SourceConfig
from monitor.errors import SourceError
from monitor.intake import blocks_of
from monitor.programs import microphone_command, pieces_of, rtsp_command
from monitor.sources import Files, Ledger, Live, StandardInput, Stretch, source_of
from pipelines.encode import Encoding, encode
from pipelines.sound import Sound
from tests.monitor.nights import a_night, content_of

STOP = threading.Event()


def heard(stretch: Stretch) -> np.ndarray:
    return np.concatenate(list(stretch.blocks))


def put(path: Path, content: bytes, age_s: float = 60.0) -> Path:
    path.write_bytes(content)
    os.utime(path, (time.time() - age_s,) * 2)
    return path


# --- intake -----------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 7, 4_096])
def test_pieces_leave_no_trace(size: int) -> None:
    samples = a_night(0)[:20_000]
    raw = samples.astype("<i2").tobytes() + b"x"
    pieces = (raw[start : start + size] for start in range(0, len(raw), size))
    assert np.array_equal(np.concatenate(list(blocks_of(pieces, 16_000))), samples)


@pytest.mark.parametrize(("rate_hz", "channels"), [(8_000, 1), (44_100, 2), (48_000, 1)])
def test_any_rate_and_number_of_channels_becomes_16_khz_mono(rate_hz: int, channels: int) -> None:
    times = np.arange(2 * rate_hz) / rate_hz
    tone = np.round(8_000 * np.sin(2 * np.pi * 440 * times)).astype("<i2")
    raw = np.repeat(tone, channels).tobytes()
    pieces = [raw[start : start + 1_001] for start in range(0, len(raw), 1_001)]
    found = np.concatenate(list(blocks_of(pieces, rate_hz, channels)))
    assert len(found) == pytest.approx(32_000, abs=2)
    spectrum = np.abs(np.fft.rfft(found * np.hanning(len(found))))
    assert np.argmax(spectrum) * 16_000 / len(found) == pytest.approx(440, abs=1)


# --- files ------------------------------------------------------------------------------------


def test_a_file_is_heard_once_and_noted_only_when_it_is_safe(tmp_path: Path) -> None:
    path = put(tmp_path / "night.wav", content_of(a_night(0)))
    files = Files(path, tmp_path / "ledger")
    (first,) = files.stretches(STOP)
    assert np.array_equal(heard(first), a_night(0))
    (again,) = files.stretches(STOP)
    assert again.identity == first.identity
    again.heard()
    assert list(files.stretches(STOP)) == []


def test_a_folder_is_heard_in_the_order_of_names_and_what_is_no_sound_disturbs_none(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "nights"
    folder.mkdir()
    put(folder / "b.wav", content_of(a_night(1)))
    put(folder / "a.wav", b"no sound at all")
    sound = Sound(a_night(2).astype(np.float32) / np.float32(32_767.0), 16_000)
    put(folder / "c.FLAC", encode(sound, Encoding.FLAC))
    put(folder / "notes.txt", b"no sound either")
    found = list(Files(folder, tmp_path / "ledger").stretches(STOP))
    assert [one.name for one in found] == ["b.wav", "c.FLAC"]
    assert np.array_equal(heard(found[1]), a_night(2))
    assert "a.wav is left out" in caplog.text
    assert folder / "a.wav" in Ledger(tmp_path / "ledger")


def test_a_file_that_is_being_written_waits(tmp_path: Path) -> None:
    folder = tmp_path / "nights"
    folder.mkdir()
    young = put(folder / "young.wav", content_of(a_night(0)), age_s=0.0)
    watching = Files(folder, tmp_path / "ledger", is_watched=True)
    assert watching._found(Ledger(tmp_path / "ledger")) == []
    os.utime(young, (time.time() - 60,) * 2)
    assert watching._found(Ledger(tmp_path / "ledger")) == [young]


def test_a_watched_folder_is_looked_at_until_told_to_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "LOOKS_EVERY_S", 0.01)
    stop, names = threading.Event(), []
    put(tmp_path / "1.wav", content_of(a_night(0)))
    for stretch in Files(tmp_path, tmp_path / "ledger", is_watched=True).stretches(stop):
        stretch.heard()
        names.append(stretch.name)
        if stretch.name == "2.wav":
            stop.set()
        else:
            put(tmp_path / "2.wav", content_of(a_night(1)))
    assert names == ["1.wav", "2.wav"]


def test_the_ledger_bears_with_half_a_line(tmp_path: Path) -> None:
    first, second, third = (put(tmp_path / f"{n}.wav", b"x" * n) for n in (1, 2, 3))
    ledger = Ledger(tmp_path / "ledger")
    ledger.add(first)
    ledger.add(second)
    whole = (tmp_path / "ledger").read_bytes()
    for cut in range(len(whole)):
        (tmp_path / "ledger").write_bytes(whole[:cut])
        Ledger(tmp_path / "ledger").add(third)
        again = Ledger(tmp_path / "ledger")
        assert third in again
        assert (first in again) == (cut >= whole.index(b"]") + 1)


def test_a_file_began_when_its_name_says_or_when_it_could_have(tmp_path: Path) -> None:
    named = put(tmp_path / "sim_20260301T091500Z.wav", content_of(a_night(0)))
    plain = put(tmp_path / "z.wav", content_of(a_night(2)))
    found = list(Files(tmp_path, tmp_path / "ledger").stretches(STOP))
    assert found[0].began_at == dt.datetime(2026, 3, 1, 9, 15, tzinfo=dt.UTC)
    length_s = len(a_night(2)) / 16_000
    began_s = plain.stat().st_mtime - length_s
    assert found[1].began_at is not None
    assert found[1].began_at.timestamp() == pytest.approx(began_s, abs=0.01)
    assert named.name == found[0].name


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (SourceConfig("file"), "there is no file ''"),
        (SourceConfig("folder", path="/nowhere/at/all"), "there is no folder"),
        (SourceConfig("file", path="."), "is no file"),
        (SourceConfig("rtsp", url="http://x"), "rtsp://"),
    ],
)
def test_what_is_not_there_is_named(tmp_path: Path, asked: SourceConfig, said: str) -> None:
    with pytest.raises(SourceError) as caught:
        source_of(Config(tmp_path, source=asked))
    assert said in str(caught.value)


# --- programs -----------------------------------------------------------------------------------


@pytest.fixture
def on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a PATH with nothing on it but what a test puts there."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def a_program(folder: Path, name: str, body: str) -> Path:
    path = folder / name
    path.write_text(f"#!{sys.executable}\nimport sys, time\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_the_first_program_that_is_there_is_taken(on_path: Path) -> None:
    with pytest.raises(SourceError, match="alsa-utils"):
        microphone_command()
    with pytest.raises(SourceError, match="install Debian's package ffmpeg"):
        rtsp_command("rtsp://camera/1")
    a_program(on_path, "ffmpeg", "")
    assert microphone_command(device="hw:1")[0] == "ffmpeg"
    assert rtsp_command("rtsp://camera/1")[-1] == "-"
    a_program(on_path, "parec", "")
    assert "--device=nursery" in microphone_command(device="nursery")
    a_program(on_path, "arecord", "")
    command = microphone_command(device="hw:1")
    assert command[0] == "arecord"
    assert command[command.index("-D") + 1] == "hw:1"
    (on_path / "arecord").unlink()
    with pytest.raises(SourceError, match="arecord"):
        microphone_command("arecord")


RECORDS = "sys.stdout.buffer.write(bytes(32_000)); sys.stdout.flush()"


def test_a_microphone_is_heard_until_told_to_stop(on_path: Path) -> None:
    program = a_program(on_path, "arecord", f"{RECORDS}; time.sleep(60)")
    stop = threading.Event()
    found = []
    began_s = time.monotonic()
    for stretch in Live([str(program)], "the microphone").stretches(stop):
        assert stretch.began_at is None
        assert stretch.identity == ""
        for block in stretch.blocks:
            found.append(len(block))
            if sum(found) == 16_000:
                stop.set()
    assert sum(found) == 16_000
    assert time.monotonic() - began_s < 20


def test_a_microphone_that_never_works_is_an_error_in_its_own_words(on_path: Path) -> None:
    words = "rtsp://me:secret@camera: no such device"
    program = a_program(on_path, "arecord", f"sys.exit({words!r})")
    live = Live([str(program)], "the microphone")
    with pytest.raises(SourceError, match="no such device") as caught:
        [list(stretch.blocks) for stretch in live.stretches(STOP)]
    assert "secret" not in str(caught.value)


def test_a_microphone_that_worked_is_tried_again(
    on_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sources, "TRIES_AGAIN_S", (0.01, 0.02))
    program = a_program(on_path, "arecord", RECORDS)
    stop = threading.Event()
    live = Live([str(program)], "the microphone")
    for times, stretch in enumerate(live.stretches(stop), 1):
        assert len(heard(stretch)) == 16_000
        if times == 3:
            stop.set()
    assert "trying again" in caplog.text


def test_a_program_that_hangs_is_ended(on_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "SILENT_FOR_S", 0.05)
    monkeypatch.setattr(programs, "LOOKS_EVERY_S", 0.05)
    program = a_program(on_path, "arecord", "time.sleep(60)")
    with pytest.raises(SourceError, match="no sound came"):
        list(pieces_of([str(program)], STOP))


def test_a_program_that_is_not_there_is_named(on_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be started"):
        list(pieces_of([str(on_path / "none")], STOP))


# --- the standard input -------------------------------------------------------------------------


@pytest.mark.parametrize("is_wav", [True, False])
def test_the_standard_input_may_be_a_wav_file_or_raw(
    is_wav: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = a_night(0)
    content = content_of(samples) if is_wav else samples.astype("<i2").tobytes()
    read_end, write_end = os.pipe()

    def write() -> None:
        with os.fdopen(write_end, "wb") as pipe:
            pipe.write(content)

    writer = threading.Thread(target=write)
    writer.start()
    with os.fdopen(read_end, "rb") as pipe:
        monkeypatch.setattr("sys.stdin", pipe)
        (stretch,) = StandardInput(SourceConfig("stdin")).stretches(STOP)
        found = heard(stretch)
    writer.join()
    assert np.array_equal(found, samples)
    assert stretch.began_at is None
