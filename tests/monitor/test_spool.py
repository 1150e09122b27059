"""The spool: nothing that was acknowledged is lost or doubled, wherever the power is cut."""

import errno
import json
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.disk import PART, Disk
from monitor.errors import DamagedItemError, MonitorError, SpoolBusyError
from monitor.spool import Recording, Spool, look_into
from tests.monitor.cut_disk import Platter, TracingDisk, laid_out

ROOM = 1_000_000


def a_recording(number: int, size: int = 20) -> Recording:
    content = bytes([number % 256]) * size
    return Recording(f"key-{number}", f"2026-03-01T09:{number % 60:02}:00+00:00", content)


def a_spool(folder: Path, most_bytes: int = ROOM, disk: Disk | None = None) -> Spool:
    return Spool(folder, most_bytes, disk)


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    made = a_spool(tmp_path / "spool")
    yield made
    made.close()


def keys(spool: Spool) -> list[str]:
    return [item.key for item in spool.waiting()]


def test_what_was_put_waits_oldest_first_also_for_the_next_run(tmp_path: Path) -> None:
    first = a_spool(tmp_path)
    for number in (3, 1, 2):
        assert first.put(a_recording(number))
    first.close()
    second = a_spool(tmp_path)
    assert keys(second) == ["key-3", "key-1", "key-2"]
    assert [item.content() for item in second.waiting()] == [
        a_recording(number).content for number in (3, 1, 2)
    ]
    assert second.put(a_recording(4))
    assert keys(second)[-1] == "key-4"
    second.close()


def test_a_key_is_kept_once(spool: Spool) -> None:
    assert spool.put(a_recording(1))
    assert not spool.put(a_recording(1))
    spool.set_aside(spool.waiting()[0], {"status": 422})
    assert not spool.put(a_recording(1))
    assert keys(spool) == []


@pytest.mark.parametrize("key", ["", "a/b", "..\n", "ä", "x" * 121])
def test_what_is_no_key_is_refused(spool: Spool, key: str) -> None:
    with pytest.raises(MonitorError, match="idempotency"):
        spool.put(Recording(key, "", b"sound"))


def test_nobody_else_reads_it_and_one_process_works_on_it(spool: Spool) -> None:
    spool.put(a_recording(1))
    (path,) = (spool.folder / "waiting").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert look_into(spool.folder).is_in_use
    with pytest.raises(SpoolBusyError):
        a_spool(spool.folder)
    spool.close()
    assert not look_into(spool.folder).is_in_use


def test_what_is_set_aside_keeps_its_answer_and_can_be_tried_again(spool: Spool) -> None:
    spool.put(a_recording(1))
    spool.put(a_recording(2))
    spool.set_aside(spool.waiting()[0], {"status": 422, "code": "no_audio"})
    (aside,) = look_into(spool.folder).aside
    assert (aside.key, aside.answer["code"]) == ("key-1", "no_audio")
    assert spool.retry_aside() == 1
    assert keys(spool) == ["key-1", "key-2"]
    assert spool.waiting()[0].content() == a_recording(1).content
    assert look_into(spool.folder).aside == ()


def test_without_room_what_was_refused_goes_first_then_the_oldest_and_it_is_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    one = 10_000
    spool = a_spool(tmp_path, most_bytes=4 * one)
    for number in range(3):
        spool.put(a_recording(number, one - 1_000))
    spool.set_aside(spool.waiting()[2], {"status": 422})
    assert len(spool.aside()) == 0  # a tenth of the room cannot hold it
    spool.put(a_recording(7, 1_000))
    spool.set_aside(spool.waiting()[2], {"status": 422})
    for number in range(3, 6):
        spool.put(a_recording(number, one - 1_000))
    assert spool.aside() == []
    assert keys(spool) == ["key-1", "key-3", "key-4", "key-5"]
    assert spool.held_bytes <= 4 * one
    assert spool.dropped == look_into(tmp_path).dropped == 1
    assert any("lost" in said.message for said in caplog.records)
    spool.close()
    again = a_spool(tmp_path)
    assert again.dropped == 1
    again.close()


class FullDisk(Disk):
    """A disk on which only so many files have room, or none at all."""

    def __init__(self, files: int, number: int = errno.ENOSPC) -> None:
        self.files, self.number = files, number

    def create(self, path: Path, content: bytes, mode: int) -> None:
        held = [one for one in path.parent.iterdir() if one.suffix != PART]
        super().create(path, content[: len(content) // 2], mode)
        if len(held) >= self.files and path.suffix == PART and "dropped" not in path.name:
            raise OSError(self.number, "no room")
        super().create(path, content, mode)


def test_a_disk_that_is_full_before_the_spool_makes_the_oldest_go(tmp_path: Path) -> None:
    spool = a_spool(tmp_path, disk=FullDisk(2))
    for number in range(5):
        spool.put(a_recording(number))
    assert keys(spool) == ["key-3", "key-4"]
    assert spool.dropped == 3
    spool.close()


@pytest.mark.parametrize(("files", "number"), [(0, errno.ENOSPC), (2, errno.EROFS)])
def test_a_disk_that_takes_nothing_is_an_error_and_costs_nothing_else(
    tmp_path: Path, files: int, number: int
) -> None:
    spool = a_spool(tmp_path, disk=FullDisk(files, number))
    for one in range(files):
        spool.put(a_recording(one))
    with pytest.raises(MonitorError, match="nothing can be written"):
        spool.put(a_recording(7))
    assert len(spool.waiting()) == files
    spool.close()


def test_bytes_that_changed_on_the_disk_are_found(spool: Spool) -> None:
    spool.put(a_recording(1))
    (item,) = spool.waiting()
    item.path.write_bytes(item.path.read_bytes()[:-1] + b"x")
    with pytest.raises(DamagedItemError):
        item.content()


@pytest.mark.parametrize("damage", [lambda b: b[:-1], lambda b: b"{" + b, lambda _: b""])
def test_a_file_that_is_none_is_put_out_of_the_way(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    spool = a_spool(tmp_path)
    spool.put(a_recording(1))
    spool.put(a_recording(2))
    (first, _) = spool.waiting()
    spool.close()
    first.path.write_bytes(damage(first.path.read_bytes()))
    again = a_spool(tmp_path)
    assert keys(again) == ["key-2"]
    assert [path.suffix for path in (tmp_path / "waiting").iterdir()] != [".rec"]
    again.close()


def test_threads_may_share_it(spool: Spool) -> None:
    def put(start: int) -> None:
        for number in range(start, start + 20):
            spool.put(a_recording(number))

    threads = [threading.Thread(target=put, args=(start,)) for start in (0, 10, 40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(keys(spool)) == sorted(f"key-{n}" for n in [*range(30), *range(40, 60)])


# --- the power is cut --------------------------------------------------------------------------


class Life:
    """What was done to a spool, act by act, and what had to be true after each."""

    def __init__(self, folder: Path, *, deaf: bool = False) -> None:
        self.folder = folder
        self.disk = TracingDisk(deaf=deaf)
        self.spool = a_spool(folder, disk=self.disk)
        self.kept: set[str] = set()
        self.gone: set[str] = set()
        self.truths: list[tuple[int, set[str], set[str]]] = []

    def note(self) -> None:
        self.truths.append((len(self.disk.acts), set(self.kept), set(self.gone)))

    def put(self, number: int) -> None:
        if self.spool.put(a_recording(number)):
            self.kept.add(f"key-{number}")
        self.note()

    def end_oldest(self, *, refused: bool) -> None:
        if not (waiting := self.spool.waiting()):
            return
        self.kept.discard(waiting[0].key)
        self.gone.add(waiting[0].key)
        self.note()  # from the server's word on, losing it would do no harm
        if refused:
            self.spool.set_aside(waiting[0], {"status": 422})
        else:
            self.spool.remove(waiting[0])

    def truth_at(self, act: int) -> tuple[set[str], set[str]]:
        """Return what must be there after so many acts, and what may be besides."""
        kept: set[str] = set()
        for acts, so_kept, _ in self.truths:
            if acts <= act:
                kept = so_kept
        return kept, {f"key-{n}" for n in range(100)}


def lost_or_doubled(life: Life, copy: Path, *, every_byte: bool) -> tuple[list[str], int]:
    """Cut the power at every act and byte; return what was lost or doubled, and how many cuts."""
    faults, cuts, platter = [], 0, Platter()
    for number, act in enumerate(life.disk.acts, 1):
        platter.do(act)
        must, _ = life.truth_at(number)
        for state in platter.states(every_byte):
            cuts += 1
            laid_out(state, life.folder, copy)
            spool = a_spool(copy, disk=TracingDisk())
            found = [item.key for item in (*spool.waiting(), *spool.aside())]
            broken = [item.key for item in spool.waiting() if not item.content()]
            halves = list(copy.rglob(f"*{PART}"))
            spool.close()
            if not must <= set(found) or len(found) > len(set(found)) or broken or halves:
                faults.append(f"after {number} acts: {found} instead of {sorted(must)}")
    return faults, cuts


def test_the_power_may_be_cut_at_every_byte(tmp_path: Path) -> None:
    life = Life(tmp_path / "spool")
    life.put(1)
    life.end_oldest(refused=True)
    life.spool.close()
    faults, cuts = lost_or_doubled(life, tmp_path / "copy", every_byte=True)
    assert faults == []
    assert cuts > 500


@settings(max_examples=8)
@given(acts=st.lists(st.sampled_from(["put", "stored", "refused"]), min_size=2, max_size=8))
def test_the_power_may_be_cut_at_any_act_of_any_life(
    tmp_path_factory: pytest.TempPathFactory, acts: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("life")
    life = Life(folder / "spool")
    for number, act in enumerate(acts):
        if act == "put":
            life.put(number)
        else:
            life.end_oldest(refused=act == "refused")
    life.spool.close()
    faults, _ = lost_or_doubled(life, folder / "copy", every_byte=False)
    assert faults == []


def test_a_spool_that_forgets_to_sync_would_be_found_out(tmp_path: Path) -> None:
    life = Life(tmp_path / "spool", deaf=True)
    life.put(1)
    life.put(2)
    life.spool.close()
    faults, _ = lost_or_doubled(life, tmp_path / "copy", every_byte=False)
    assert faults


def test_the_answer_lies_beside_the_sound_in_one_file(spool: Spool) -> None:
    spool.put(a_recording(1))
    (item,) = spool.waiting()
    line = item.path.read_bytes().partition(b"\n")[0]
    told = json.loads(line)
    assert told["key"] == "key-1"
    assert told["bytes"] == 20
