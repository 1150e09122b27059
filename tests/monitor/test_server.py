"""What is sent, what an answer means, and what is never taken for a word of the server."""

import datetime as dt
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.server import Answer, Server, Verdict, failure, retry_after_s
from monitor.spool import Item, Recording, Spool
from tests.monitor.stand_in import Said, Stand, a_server, problem

LATER, NEVER, PAIR = Verdict.LATER, Verdict.NEVER, Verdict.AFTER_PAIRING


@pytest.fixture
def items(tmp_path: Path) -> Iterator[list[Item]]:
    spool = Spool(tmp_path, 10**6)
    for number in range(3):
        spool.put(Recording(f"k{number}", "2026-03-01T09:00:00+00:00", b"sound %d" % number))
    yield spool.waiting()
    spool.close()


@pytest.fixture
def stand() -> Stand:
    return Stand()


@pytest.fixture
def server(stand: Stand) -> Iterator[Server]:
    with a_server(stand) as url:
        made = Server(url + "/", stand.token)
        yield made
        made.close()


def test_a_recording_is_sent_with_its_key_and_a_replay_is_as_good(
    server: Server, stand: Stand, items: list[Item]
) -> None:
    said = [server.upload(items[0], items[0].content(), 0.5) for _ in range(2)]
    assert [(one.verdict, one.status) for one in said] == [
        (Verdict.STORED, 201),
        (Verdict.STORED, 200),
    ]
    (stored,) = stand.stored
    assert stored.key == "k0"
    assert stored.said["recorded_at"] == "2026-03-01T09:00:00+00:00"
    assert stored.said["battery_frac"] == "0.500"
    clock = dt.datetime.fromisoformat(stored.said["clock"])
    assert abs((dt.datetime.now(dt.UTC) - clock).total_seconds()) < 60


def test_many_are_sent_at_once_and_each_has_its_answer(
    server: Server, stand: Stand, items: list[Item]
) -> None:
    stand.refused["k1"] = (422, "no_audio")
    answers = server.upload_many([(item, item.content()) for item in items])
    assert isinstance(answers, list)
    assert [one.verdict for one in answers] == [Verdict.STORED, NEVER, Verdict.STORED]
    assert answers[1].code == "no_audio"
    assert stand.keys == ["k0", "k2"]


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        ((401, {}, {}), PAIR),
        ((403, {}, {}), PAIR),
        ((413, {}, {}), NEVER),
        ((415, {}, {}), NEVER),
        ((422, {}, {}), NEVER),
        ((400, {}, {}), LATER),
        ((404, {}, {}), LATER),
        ((429, {}, {"Retry-After": "7"}), LATER),
        ((500, {}, {}), LATER),
        ((503, problem(503, retry_after_s=7), {}), LATER),
        ((422, problem(422, retry="later"), {}), LATER),
        ((400, problem(400, retry="never"), {}), NEVER),
        ((302, {}, {"Location": "http://127.0.0.1:1/"}), LATER),
        ((200, {}, {}), LATER),
        ((200, {"hotel": "please sign in"}, {}), LATER),
        ((204, {}, {}), LATER),
    ],
)
def test_what_an_answer_means(
    server: Server, stand: Stand, items: list[Item], said: Said, verdict: Verdict
) -> None:
    stand.answers = [said]
    answer = server.upload(items[0], b"sound")
    assert answer.verdict is verdict
    assert (answer.retry_after_s == 7) == (said[0] in (429, 503))


@pytest.mark.parametrize(
    "results",
    [
        None,
        "many",
        [],
        [{"status": 201}] * 2,
        [{"status": 201, "recording": {}}],
    ],
)
def test_a_bulk_answer_that_is_none_stores_nothing(
    server: Server, stand: Stand, items: list[Item], results: object
) -> None:
    stand.answers = [(200, {"results": results}, {})]
    said = server.upload_many([(item, b"sound") for item in items[:2]])
    answers = [said] if isinstance(said, Answer) else said
    assert {answer.verdict for answer in answers} == {LATER}


def test_a_server_that_is_not_there_is_an_answer_without_the_address(items: list[Item]) -> None:
    answer = Server("http://127.0.0.1:1", "secret").upload(items[0], b"sound")
    assert (answer.verdict, answer.status, answer.code) == (LATER, 0, "unreachable")
    assert "127" not in str(answer)


def test_the_token_goes_before_a_netrc(
    server: Server, stand: Stand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    assert server.heartbeat({}).verdict is Verdict.STORED


@pytest.mark.parametrize(
    ("header", "document", "seconds"),
    [
        ("120", {}, 120.0),
        ("-5", {}, 0.0),
        ("1e9", {}, 3_600.0),
        ("soon", {"retry_after_s": 5}, 5.0),
        (None, {"retry_after_s": "nan"}, None),
        (None, {}, None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", {}, 0.0),
    ],
)
def test_when_to_come_back(
    header: str | None, document: dict[str, object], seconds: float | None
) -> None:
    assert retry_after_s(header, document) == seconds


def test_what_is_kept_of_an_answer_is_bounded() -> None:
    answer = failure(422, problem(422, "no_audio", detail="x" * 10_000))
    assert len(json.dumps(answer.kept())) < 1_000


def _reads_slowly(listening: socket.socket, lasts_s: float) -> None:
    """Take one request in small sips, and answer it."""
    client, _ = listening.accept()
    with client:
        size, taken, head = 10**9, 0, b""
        began_s = time.monotonic()
        while taken < size:
            sip = client.recv(2**18)
            if not sip:
                return
            taken += len(sip)
            if size == 10**9 and b"\r\n\r\n" in (head := head + sip):
                said, _, _ = head.partition(b"\r\n\r\n")
                lengths = [line for line in said.split(b"\r\n") if b"Content-Length" in line]
                size = int(lengths[0].split()[-1]) + len(said) + 4
            behind_s = lasts_s * taken / size - (time.monotonic() - began_s)
            time.sleep(max(0.0, min(behind_s, 0.05)))
        client.sendall(b'HTTP/1.1 201 Created\r\nContent-Length: 12\r\n\r\n{"id": "k0"}')


def test_a_slow_line_takes_longer_than_any_timeout_and_arrives(
    items: list[Item], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.server.TIMEOUT_S", (0.4, 5.0))
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**16)
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        reader = threading.Thread(target=_reads_slowly, args=(listening, 1.2))
        reader.start()
        server = Server(f"http://127.0.0.1:{listening.getsockname()[1]}", "token")
        answer = server.upload(items[0], bytes(16_000_000))
        server.close()
        reader.join()
    assert answer.verdict is Verdict.STORED
