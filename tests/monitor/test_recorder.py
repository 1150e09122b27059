"""The recorder: every cry of a stretch is safe before the stretch counts as heard."""

import datetime as dt
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from monitor.config import CutConfig
from monitor.errors import MonitorError
from monitor.recorder import Recorder
from monitor.sources import Stretch
from monitor.spool import Recording, Spool
from monitor.wishes import Wishes
from pipelines.sound import decode
from tests.monitor.nights import Samples, a_night

BEGAN = dt.datetime(2026, 3, 1, 9, 0, tzinfo=dt.UTC)


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    made = Spool(tmp_path / "spool", 10**8)
    yield made
    made.close()


def a_stretch(samples: Samples, heard: list[str], *, live: bool = False) -> Stretch:
    blocks = iter(np.array_split(samples, 7))
    if live:
        return Stretch("live", blocks)
    return Stretch("a file", blocks, BEGAN, "abc", lambda: heard.append("heard"))


def record(spool: Spool, stretch: Stretch, cutting: CutConfig | None = None) -> Recorder:
    recorder = Recorder(spool, cutting or CutConfig(), Wishes())
    recorder.record(stretch, threading.Event())
    return recorder


@pytest.mark.parametrize("encoding", ["wav", "flac"])
def test_a_cry_lies_in_the_spool_sample_by_sample(spool: Spool, encoding: str) -> None:
    heard: list[str] = []
    recorder = record(spool, a_stretch(a_night(0), heard), CutConfig(encoding=encoding))
    (item,) = spool.waiting()
    sound, found = decode(item.content())
    first = int(item.key.removeprefix("abc-"))
    own = a_night(0)[first : first + len(sound.samples)]
    assert np.array_equal(np.round(sound.samples * 32_768).astype(np.int16), own)
    assert (found.rate_hz, found.channels) == (16_000, 1)
    assert item.told["suffix"] == encoding
    at = dt.datetime.fromisoformat(item.recorded_at)
    assert (at - BEGAN).total_seconds() == pytest.approx(first / 16_000)
    assert heard == ["heard"]
    assert recorder.done.takes == 1


def test_a_file_that_is_heard_again_has_the_same_keys_and_doubles_nothing(spool: Spool) -> None:
    for _ in range(2):
        record(spool, a_stretch(a_night(1), []))
    assert len(spool.waiting()) == 2


def test_a_file_that_is_left_halfway_is_not_taken_for_heard(spool: Spool) -> None:
    heard: list[str] = []
    stop = threading.Event()
    stop.set()
    Recorder(spool, CutConfig(), Wishes()).record(a_stretch(a_night(0), heard), stop)
    assert heard == []
    assert spool.waiting() == []


def test_what_is_live_is_of_now_and_is_kept_when_told_to_stop(spool: Spool) -> None:
    stop = threading.Event()
    night = a_night(0)[: 3 * 16_000]

    def blocks() -> Iterator[Samples]:
        yield night
        stop.set()

    Recorder(spool, CutConfig(), Wishes()).record(Stretch("live", blocks()), stop)
    (item,) = spool.waiting()
    since_s = (
        dt.datetime.now(dt.UTC) - dt.datetime.fromisoformat(item.recorded_at)
    ).total_seconds()
    assert 1.0 < since_s < 10.0
    assert item.told["boot"]
    assert len(item.key) == 32


def test_while_suspended_nothing_live_is_kept(spool: Spool) -> None:
    wishes = Wishes()
    until = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)
    wishes.take({"suspended_until": until.isoformat()}, "")
    recorder = Recorder(spool, CutConfig(), wishes)
    recorder.record(a_stretch(a_night(0), [], live=True), threading.Event())
    assert spool.waiting() == []
    assert recorder.done.last_sound_at_s is not None
    recorder.record(a_stretch(a_night(0), []), threading.Event())
    assert len(spool.waiting()) == 1


def test_a_device_asked_to_hear_only_what_is_louder_hears_less(spool: Spool) -> None:
    quiet = (a_night(0) // 100).astype(np.int16)
    cutting = CutConfig(quietest_dbfs=-48.0)
    for sensitivity, count in (("low", 0), ("high", 1)):
        wishes = Wishes()
        wishes.take({"sensitivity": sensitivity, "upload": "everything"}, "")
        recorder = Recorder(spool, cutting, wishes)
        recorder.record(a_stretch(quiet, []), threading.Event())
        assert recorder.done.takes == count


def test_a_cry_that_cannot_be_kept_is_an_error_of_a_file_and_a_loss_of_a_microphone(
    spool: Spool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(_spool: Spool, _recording: Recording) -> bool:
        raise MonitorError("nothing can be written")

    monkeypatch.setattr(Spool, "put", refuse)
    heard: list[str] = []
    with pytest.raises(MonitorError):
        record(spool, a_stretch(a_night(0), heard))
    assert heard == []
    recorder = record(spool, a_stretch(a_night(0), heard, live=True))
    assert recorder.done.lost == 1
    assert "a cry is lost" in caplog.text
