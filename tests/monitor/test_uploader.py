"""The uploader: patient with the server, impatient with nothing else, and it loses nothing."""

import errno
import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from monitor.server import Server
from monitor.spool import Item, Recording, Spool
from monitor.uploader import ALONE_FOR, Backoff, Pace, Uploader
from tests.monitor.stand_in import Stand, a_server, problem


@dataclass
class Bench:
    """An uploader whose time passes only when told."""

    spool: Spool
    stand: Stand
    url: str
    now_s: float = 0.0
    waits_s: list[float] = field(default_factory=list)
    uploader: Uploader = field(init=False)

    def __post_init__(self) -> None:
        pace = Pace(now_s=lambda: self.now_s)
        connect = self.connect
        self.uploader = Uploader(self.spool, connect, pace, random.Random(1))
        self.token = self.stand.token

    def connect(self) -> Server | None:
        return Server(self.url, self.token) if self.token else None

    def put(self, *numbers: int) -> None:
        for number in numbers:
            self.spool.put(Recording(f"k{number}", "2026-03-01T09:00:00+00:00", b"%d" % number))

    def go(self, steps: int = 40) -> None:
        """Take steps until nothing waits, passing the time that each asks for."""
        for _ in range(steps):
            if not self.spool.waiting():
                return
            wait_s = self.uploader.step()
            self.waits_s.append(wait_s)
            self.now_s += wait_s

    @property
    def sent(self) -> list[str]:
        return [path.removeprefix("/api/v1") for path, _ in self.stand.requests]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    stand = Stand()
    spool = Spool(tmp_path, 10**6)
    with a_server(stand) as url:
        made = Bench(spool, stand, url)
        yield made
        made.uploader.paired_again()
    spool.close()


def test_oldest_first_one_by_one_while_few_wait(bench: Bench) -> None:
    bench.put(2, 1, 3)
    bench.go()
    assert bench.stand.keys == ["k2", "k1", "k3"]
    assert set(bench.sent) == {"/recordings/"}
    assert bench.uploader.done.stored == 3


def test_a_backlog_goes_in_bulk_and_one_bad_recording_stops_nobody(bench: Bench) -> None:
    bench.stand.refused = {"k2": (422, "no_audio"), "k4": (500, "server_error")}
    bench.put(*range(8))
    bench.go(steps=12)
    assert bench.sent[0] == "/recordings/bulk/"
    assert bench.stand.keys == [f"k{n}" for n in (0, 1, 3, 5, 6, 7)]
    assert [item.key for item in bench.spool.waiting()] == ["k4"]
    (aside,) = bench.spool.aside()
    assert aside.answer["status"] == 422
    del bench.stand.refused["k4"]
    bench.go(steps=2_000)
    assert bench.stand.keys[-1] == "k4"


def test_a_recording_that_fails_by_itself_is_put_behind(bench: Bench) -> None:
    bench.stand.refused = {"k0": (500, "server_error")}
    bench.put(0, 1, 2)
    bench.go(steps=10)
    assert bench.stand.keys == ["k1", "k2"]


def test_a_bulk_request_that_is_too_large_for_a_proxy_is_sent_one_by_one(bench: Bench) -> None:
    bench.stand.answers = [(413, {}, {})]
    bench.put(*range(6))
    bench.go()
    assert bench.sent == ["/recordings/bulk/", *["/recordings/"] * 6]
    assert bench.spool.aside() == []
    bench.put(*range(10, 10 + ALONE_FOR))
    bench.go(steps=100)
    assert "/recordings/bulk/" in bench.sent[1:]


@pytest.mark.parametrize("answer", [(500, {}, {}), (502, {}, {}), (200, {"hotel": 1}, {}), "break"])
def test_whatever_passes_is_waited_for_longer_and_longer(bench: Bench, answer: Any) -> None:
    fails = 12
    if answer == "break":
        acts = iter(["break"] * fails)
        bench.stand.before = lambda: next(acts, "")
    else:
        bench.stand.answers = [answer] * fails
    bench.put(1)
    bench.go(steps=60)
    assert bench.stand.keys == ["k1"]
    assert bench.uploader.trouble == ""
    waits_s = [wait_s for wait_s in bench.waits_s if wait_s > 0]
    assert 10 < max(waits_s) <= 3_600


def test_the_server_says_when(bench: Bench) -> None:
    bench.stand.answers = [(503, problem(503), {"Retry-After": "90"}), (429, {}, {})]
    bench.put(1)
    assert bench.uploader.step() == 0.0
    assert bench.uploader.step() >= 90
    assert "503" in bench.uploader.trouble
    bench.go()
    assert bench.stand.keys == ["k1"]


def test_who_is_not_known_keeps_everything_until_paired_again(bench: Bench) -> None:
    bench.token = "revoked"
    bench.put(*range(6))
    bench.go(steps=2)
    assert bench.uploader.must_pair
    assert "pair it again" in bench.uploader.trouble
    assert len(bench.stand.requests) == 1
    assert len(bench.spool.waiting()) == 6
    bench.token = bench.stand.token
    bench.uploader.paired_again()
    bench.go()
    assert len(bench.stand.keys) == 6


def test_a_refused_credential_is_tried_again_some_time(bench: Bench) -> None:
    bench.stand.answers = [(403, {}, {})]
    bench.put(1)
    bench.go(steps=4)
    assert bench.stand.keys == ["k1"]
    assert bench.now_s >= 600


def test_without_a_credential_nothing_is_sent(bench: Bench) -> None:
    bench.token = ""
    bench.put(1)
    bench.go(steps=3)
    assert bench.stand.requests == []
    assert "not paired" in bench.uploader.trouble


def test_what_the_disk_damaged_is_set_aside(bench: Bench) -> None:
    bench.put(1, 2)
    (path, _) = (item.path for item in bench.spool.waiting())
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    bench.go()
    assert bench.stand.keys == ["k2"]
    assert bench.spool.aside()[0].answer["code"] == "damaged"


def test_a_server_that_does_not_answer_costs_nothing(bench: Bench) -> None:
    bench.put(1)
    bench.url, url = "http://127.0.0.1:1", bench.url
    bench.go(steps=4)
    assert len(bench.spool.waiting()) == 1
    bench.url = url
    bench.uploader.paired_again()
    bench.go()
    assert bench.stand.keys == ["k1"]


def test_a_disk_that_fails_is_waited_for(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_item: Item) -> bytes:
        raise OSError(errno.EIO, "the card fell out")

    bench.put(1)
    with monkeypatch.context() as broken:
        broken.setattr(Item, "content", fail)
        assert bench.uploader._step_or_wait() > 0.0
    assert "the card fell out" in bench.uploader.trouble
    bench.go()
    assert bench.stand.keys == ["k1"]


def test_jitter_is_full_and_bounded() -> None:
    backoff = Backoff(random.Random(3), first_s=1.0, longest_s=60.0)
    waits_s = [backoff.failed() for _ in range(500)]
    assert max(waits_s) <= 60.0
    assert min(waits_s[20:]) < 5.0
    assert sum(waits_s[20:]) / 480 == pytest.approx(30.0, rel=0.15)
    assert waits_s[0] <= 1.0
    assert backoff.failed(100.0) >= 100.0


def test_it_runs_until_told_to_stop(bench: Bench) -> None:
    bench.uploader.pace.now_s = lambda: 0.0
    stop = threading.Event()
    thread = threading.Thread(target=bench.uploader.run, args=(stop,))
    thread.start()
    bench.put(1)
    while bench.spool.waiting():
        stop.wait(0.005)
    stop.set()
    bench.spool.arrived.set()
    thread.join(5)
    assert not thread.is_alive()
