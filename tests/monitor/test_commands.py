"""The command line: what a person types, what it says, and with which status it ends."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.__main__ import COMMANDS, main
from monitor.config import Config
from monitor.credential import Credential, read_credential, write_credential
from monitor.spool import Recording, Spool, look_into
from monitor.station import Station
from monitor.uploader import Uploader
from tests.monitor.nights import put_night
from tests.monitor.stand_in import Stand, a_server, problem

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def stand() -> Stand:
    return Stand()


@pytest.fixture
def url(stand: Stand) -> Iterator[str]:
    with a_server(stand) as address:
        yield address


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def paired(state: Path, url: str, stand: Stand) -> Path:
    write_credential(state / "credential.json", Credential(url, stand.token, "7", "nursery"))
    return state


def put(state: Path, *keys: str) -> None:
    spool = Spool(state / "spool", 10**7)
    for key in keys:
        spool.put(Recording(key, "2026-03-01T09:00:00+00:00", key.encode(), duration_s=4.0))
    spool.close()


def run(state: Path, *words: str) -> int:
    return main([words[0], "--state", str(state), *words[1:]])


# --- pair and rotate ----------------------------------------------------------------------------


def test_pairing_keeps_the_token_and_says_that_the_way_is_open(
    state: Path, url: str, stand: Stand, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(state, "pair", "ABCD-EFGH", "--server", url + "/", "--name", "nursery") == 0
    assert read_credential(state / "credential.json") == Credential(
        url, stand.token, "7", "nursery"
    )
    said = capsys.readouterr()
    assert "nursery" in said.out
    assert "not encrypted" in said.err
    assert stand.token not in said.out + said.err
    assert run(state, "pair", "ABCD-EFGH") == 0


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["WRONG"], 3, "this code cannot be used"),
        (["--server", "ftp://x", "WRONG"], 2, "https://"),
        (["--server", "http://127.0.0.1:1", "WRONG"], 6, "cannot be paired with"),
    ],
)
def test_what_keeps_from_pairing_is_said(
    state: Path,
    url: str,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    status: int,
    said: str,
) -> None:
    whole = words if "--server" in words else [*words, "--server", url]
    assert run(state, "pair", *whole) == status
    told = capsys.readouterr().err.splitlines()
    assert said in told[-1]
    assert told[-1].startswith("monitor pair: ")
    assert read_credential(state / "credential.json") is None


def test_too_many_tries_are_named(
    state: Path, url: str, stand: Stand, capsys: pytest.CaptureFixture[str]
) -> None:
    stand.answers = [(429, problem(429), {"Retry-After": "30"})]
    assert run(state, "pair", "ABCD-EFGH", "--server", url) == 6
    assert "wait a minute" in capsys.readouterr().err


def test_a_token_is_exchanged_before_the_old_one_is_void(paired: Path, stand: Stand) -> None:
    stand.answers = [(201, {"token": "newer"}, {})]
    assert run(paired, "rotate") == 0
    held = read_credential(paired / "credential.json")
    assert held is not None
    assert held.token == "newer"
    assert [path.split("/")[-2] for path, _ in stand.requests] == ["credential", "heartbeat"]


@pytest.mark.parametrize(("answer", "status"), [(404, 6), (500, 6), (401, 3)])
def test_a_token_that_is_not_exchanged_holds(
    paired: Path, stand: Stand, answer: int, status: int
) -> None:
    stand.answers = [(answer, {}, {})]
    assert run(paired, "rotate") == status
    held = read_credential(paired / "credential.json")
    assert held is not None
    assert held.token == stand.token


def test_without_pairing_there_is_nothing_to_exchange(state: Path) -> None:
    assert run(state, "rotate") == 3


# --- run and simulate ---------------------------------------------------------------------------


def test_a_folder_is_heard_and_uploaded_to_its_end(
    paired: Path, stand: Stand, tmp_path: Path
) -> None:
    folder = tmp_path / "nights"
    folder.mkdir()
    expected = [key for number in range(2) for key in sorted(put_night(folder, number)[1])]
    assert run(paired, "run", "--path", str(folder)) == 0
    assert sorted(stand.keys) == sorted(expected)
    assert [said.get("is_leaving") for said in stand.heartbeats] == [None, True]
    told = json.loads((paired / "status.json").read_text())
    assert (told["takes"], told["stored"], told["waiting"]) == (len(expected), len(expected), 0)
    assert run(paired, "run", "--path", str(folder)) == 0
    assert len(stand.keys) == len(expected)
    assert stand.replays == 0


def test_a_simulated_infant_cries_through_the_whole_chain(
    paired: Path, stand: Stand, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--most", "2", "--seed", "3", "--start", "2026-03-01T00:00:00+00:00")
    assert run(paired, "simulate", *words) == 0
    keys = list(stand.keys)
    assert len(keys) >= 1
    assert all(one.said["recorded_at"].startswith("2026-03-0") for one in stand.stored)
    assert run(paired, "simulate", *words) == 0
    assert stand.keys == keys
    assert stand.replays == len(keys)


def test_whoever_is_not_paired_keeps_what_was_heard(
    state: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, keys = put_night(tmp_path, 0)
    assert run(state, "run", "--path", str(path)) == 3
    assert "1 recordings wait: this device is not paired" in capsys.readouterr().err
    assert {item.key for item in look_into(state / "spool").waiting} == keys


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["--path", "/nowhere/at/all"], 4, "there is no file"),
        (["--source", "rtsp"], 4, "rtsp://"),
        (["--path", ".", "--rate-hz", "5"], 2, "rate_hz is 5"),
        (["--source", "stdin", "--watch"], 2, "only a folder"),
        (["--config", "/nowhere/at/all"], 2, "cannot be read"),
    ],
)
def test_what_keeps_from_hearing_is_said(
    paired: Path, capsys: pytest.CaptureFixture[str], words: list[str], status: int, said: str
) -> None:
    assert run(paired, "run", *words) == status
    assert said in capsys.readouterr().err


def test_two_monitors_do_not_share_a_spool(
    paired: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, _ = put_night(tmp_path, 0)
    spool = Spool(paired / "spool", 10**7)
    assert run(paired, "run", "--path", str(path)) == 5
    assert "another monitor" in capsys.readouterr().err
    spool.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_half_a_monitor_is_none(
    paired: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(_uploader: Uploader) -> float:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(Uploader, "step", fail)
    (tmp_path / "nights").mkdir()
    assert run(paired, "run", "--path", str(tmp_path / "nights"), "--watch") == 1
    assert "a part of the monitor failed" in capsys.readouterr().err


def test_told_to_stop_it_ends_at_once_and_leaves_everything(paired: Path, tmp_path: Path) -> None:
    folder = tmp_path / "nights"
    folder.mkdir()
    command = [sys.executable, "-m", "monitor", "run", "--path", str(folder), "--watch"]
    process = subprocess.Popen([*command, "--state", str(paired)], cwd=ROOT)
    try:
        deadline = time.monotonic() + 60
        while not (paired / "status.json").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert run(paired, "status") == 0
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()
    assert run(paired, "status") == 7


# --- status and spool ---------------------------------------------------------------------------


def test_status_says_what_a_person_must_do(
    state: Path, paired: Path, stand: Stand, capsys: pytest.CaptureFixture[str]
) -> None:
    put(paired, "k1")
    station = Station(Config(paired))
    station.uploader.trouble = "the server does not know this device; pair it again"
    station.uploader._refused_until_s = 1.0
    station._write_status(is_running=True)
    assert run(paired, "status") == 3
    assert "pair it again" in capsys.readouterr().out
    assert run(paired, "status", "--json") == 3
    said = json.loads(capsys.readouterr().out)
    assert (said["waiting"], said["is_running"], said["is_paired"]) == (1, True, True)
    station.spool.close()
    assert run(paired, "status") == 7
    (state / "credential.json").unlink()
    assert run(state, "status") == 3
    assert "monitor pair CODE" in capsys.readouterr().out


def test_the_spool_is_listed_and_what_was_refused_can_be_tried_again(
    paired: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(paired, "k1", "k2")
    spool = Spool(paired / "spool", 10**7)
    answer = {"status": 422, "code": "no_audio", "detail": "There is no audio."}
    spool.set_aside(spool.waiting()[0], answer)
    spool.close()
    assert run(paired, "spool") == 0
    said = capsys.readouterr().out
    assert "1 recordings wait" in said
    assert "422 no_audio: There is no audio." in said
    assert run(paired, "spool", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert [item["key"] for item in document["aside"]] == ["k1"]
    assert run(paired, "spool", "--retry") == 0
    assert [item.key for item in look_into(paired / "spool").waiting] == ["k1", "k2"]


@pytest.mark.parametrize("command", list(COMMANDS))
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert "--state" in capsys.readouterr().out


def test_the_exit_statuses_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    said = capsys.readouterr().out
    assert "3  not paired" in said
    assert "no medical device" in said
