"""The simulated monitor: what it may take for stored, and what it must send again."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from unittest import mock

import pytest

from iclas.demonstration import Demonstration
from iclas.simulated_device import RefusedError, SimulatedDevice
from pipelines.cohort import PlannedRecording

Answer = tuple[int, object]


@dataclass
class Told:
    """What a server was told: the items of each request, and their tokens."""

    items: list[list[dict[str, str]]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)


@contextmanager
def _a_server(answers: list[Answer]) -> Iterator[tuple[str, Told]]:
    """Serve these answers, one a request."""
    told = Told()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            part = body.partition(b'name="items"')[2].split(b"\r\n")[2]
            told.items.append(json.loads(part))
            told.tokens.append(self.headers["Authorization"])
            status, said = answers.pop(0)
            content = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_said: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", told
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def planned(tmp_path: Callable[[], None]) -> list[PlannedRecording]:
    """Return two recordings to be."""
    return Demonstration.at(tmp_path).history()[:2]


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    with mock.patch("iclas.simulated_device.time.sleep"):
        yield


def _results(*statuses: int) -> dict[str, list[dict[str, int]]]:
    return {"results": [{"status": status} for status in statuses]}


def test_what_is_stored_is_sent_once_with_its_key_and_time(
    planned: list[PlannedRecording],
) -> None:
    with _a_server([(200, _results(201, 200))]) as (url, told):
        SimulatedDevice(url, "a-token").upload(planned)
    (items,) = told.items
    assert [item["idempotency_key"] for item in items] == [one.file_name for one in planned]
    assert [item["recorded_at"] for item in items] == [
        one.recorded_at.isoformat() for one in planned
    ]
    assert told.tokens == ["Bearer a-token"]


def test_what_was_not_stored_is_sent_again_and_only_that(planned: list[PlannedRecording]) -> None:
    answers: list[Answer] = [(503, {}), (200, _results(201, 503)), (200, _results(201))]
    with _a_server(answers) as (url, told):
        SimulatedDevice(url, "a-token").upload(planned)
    assert [len(items) for items in told.items] == [2, 2, 1]
    assert told.items[2][0]["idempotency_key"] == planned[1].file_name


@pytest.mark.parametrize("answer", [(401, {}), (413, {}), (200, _results(201, 422))])
def test_what_is_refused_for_good_is_an_error(
    planned: list[PlannedRecording], answer: Answer
) -> None:
    with _a_server([answer]) as (url, _), pytest.raises(RefusedError):
        SimulatedDevice(url, "a-token").upload(planned)


def test_a_server_that_is_not_there_yet_is_waited_for(planned: list[PlannedRecording]) -> None:
    with _a_server([(200, _results(201, 201))]) as (url, told):
        device = SimulatedDevice(url, "a-token")
        real = SimulatedDevice._try
        tries = iter([lambda: SimulatedDevice("http://127.0.0.1:1", "a-token")])

        def first_elsewhere(self: SimulatedDevice, waiting: object) -> object:
            elsewhere = next(tries, None)
            return real(elsewhere() if elsewhere else self, waiting)  # type: ignore[arg-type]

        with mock.patch.object(SimulatedDevice, "_try", first_elsewhere):
            device.upload(planned)
    assert len(told.items) == 1
