"""The embedded broker: whole messages only, whatever the disk did to the others."""

import errno
import secrets
from collections.abc import Iterator
from pathlib import Path
from queue import Empty

import pytest
from kombu import Connection, Exchange, Queue
from kombu.exceptions import ChannelError

from iclas import broker
from iclas.celery import app


@pytest.fixture
def cries() -> Queue:
    """Return a queue that this process has not bound yet: kombu remembers those that it has."""
    name = secrets.token_hex(4)
    return Queue(name, Exchange(name), routing_key=name)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    options = {
        "data_folder_in": str(tmp_path),
        "data_folder_out": str(tmp_path),
        "control_folder": str(tmp_path / "control"),
        "polling_interval": 0.01,
    }
    with Connection("filesystem://localhost", transport_options=options) as opened:
        yield opened


def _messages(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file())


def test_this_is_the_broker_that_workers_get() -> None:
    with app.connection_for_read() as opened:
        assert isinstance(opened.transport, broker.Transport)


def test_messages_come_in_the_order_in_which_they_were_sent(
    connection: Connection, cries: Queue
) -> None:
    with connection.SimpleQueue(cries, no_ack=True) as queue:
        for number in range(3):
            queue.put({"number": number})
        got = [queue.get(timeout=5) for _ in range(3)]
        assert [message.payload["number"] for message in got] == [0, 1, 2]
        with pytest.raises(Empty):
            queue.get(block=False)


@pytest.mark.parametrize("torn", ["", '{"body": "abc', "\0" * 50], ids=["empty", "half", "zeros"])
def test_torn_messages_are_passed_over(
    connection: Connection, cries: Queue, tmp_path: Path, torn: str
) -> None:
    with connection.SimpleQueue(cries, no_ack=True) as queue:
        (tmp_path / f"00_torn.{cries.name}.msg").write_text(torn)
        queue.put({"whole": True})
        assert queue.get(timeout=5).payload == {"whole": True}
        assert _messages(tmp_path) == []


@pytest.mark.parametrize("torn", ["", '[["cri'])
def test_a_torn_table_of_queues_is_begun_anew(
    connection: Connection, cries: Queue, tmp_path: Path, torn: str
) -> None:
    (tmp_path / "control").mkdir()
    (tmp_path / f"control/{cries.name}.exchange").write_text(torn)
    with connection.SimpleQueue(cries, no_ack=True) as queue:
        queue.put("sent")
        assert queue.get(timeout=5).payload == "sent"


def test_a_message_that_does_not_fit_is_an_error_and_leaves_nothing(
    connection: Connection, cries: Queue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, _text: str) -> None:
        path.touch()
        raise OSError(errno.ENOSPC, "No space left on device")

    with connection.SimpleQueue(cries, no_ack=True) as queue:
        monkeypatch.setattr(Path, "write_text", full)
        with pytest.raises(ChannelError):
            queue.put("too much")
        assert _messages(tmp_path) == []


def test_a_message_on_its_way_in_is_not_taken(
    connection: Connection, cries: Queue, tmp_path: Path
) -> None:
    with connection.SimpleQueue(cries, no_ack=True) as queue:
        (tmp_path / f"0_coming.{cries.name}.msg{broker.DRAFT}").write_text("{")
        with pytest.raises(Empty):
            queue.get(block=False)


def test_a_torn_table_is_an_error_to_who_sends(
    connection: Connection, cries: Queue, tmp_path: Path
) -> None:
    with connection.SimpleQueue(cries, no_ack=True) as queue:
        (tmp_path / f"control/{cries.name}.exchange").write_text("[[")
        with pytest.raises(ChannelError):
            queue.put("nowhere")
