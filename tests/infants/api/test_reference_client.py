"""The reference client and this server understand each other, over a socket."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django.live_server_helper import LiveServer

from infants.access import Viewer
from infants.models import Infant, Recording, User
from infants.pairing import offer_pairing
from infants.states import State
from monitor.__main__ import main
from monitor.credential import read_credential
from monitor.server import Server, Verdict
from monitor.spool import Item, Spool
from monitor.spool import Recording as Waiting
from tests.builders import a_member, an_infant

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.embedded]
AT = "2026-03-01T09:00:00+00:00"


@pytest.fixture
def infant() -> Infant:
    return an_infant()


@pytest.fixture
def code(infant: Infant) -> str:
    owner: User = a_member(infant)
    return offer_pairing(Viewer.of(owner), owner, infant.id).code


@pytest.fixture
def server(live_server: LiveServer, code: str, tmp_path: Path) -> Iterator[Server]:
    words = ["pair", "--state", str(tmp_path), code.lower(), "--server", live_server.url]
    assert main([*words, "--name", "nursery"]) == 0
    held = read_credential(tmp_path / "credential.json")
    assert held is not None
    assert held.name == "nursery"
    made = Server(held.server, held.token)
    yield made
    made.close()


@pytest.fixture
def items(tmp_path: Path) -> Iterator[list[Item]]:
    spool = Spool(tmp_path / "spool", 10**7)
    for number in range(4):
        content = b"sound %d" % number if number != 2 else b""
        spool.put(Waiting(f"k{number}", AT, content, "flac", session="one"))
    yield spool.waiting()
    spool.close()


def test_one_by_one_in_bulk_and_again(server: Server, items: list[Item], infant: Infant) -> None:
    first = server.upload(items[0], items[0].content(), 0.5)
    assert (first.verdict, first.status) == (Verdict.STORED, 201)
    answers = server.upload_many([(item, item.content()) for item in items])
    assert isinstance(answers, list)
    assert [one.status for one in answers] == [200, 201, 422, 201]
    assert answers[2].verdict is Verdict.NEVER
    assert answers[2].code == "no_audio"
    stored = Recording.objects.order_by("idempotency_key")
    assert [one.idempotency_key for one in stored] == ["k0", "k1", "k3"]
    assert {one.infant_id for one in stored} == {infant.id}
    assert {one.state for one in stored} == {State.RECEIVED}
    assert {one.recorded_at.isoformat() for one in stored} == {AT}
    assert {one.device_session for one in stored} == {"one"}
    assert stored[0].battery_frac == 0.5
    assert stored[0].source_name == "k0.flac"


def test_refusals_mean_the_same_on_both_sides(
    server: Server, items: list[Item], live_server: LiveServer, tmp_path: Path
) -> None:
    stranger = Server(live_server.url, "another").upload(items[0], b"sound")
    assert stranger.verdict is Verdict.AFTER_PAIRING
    nowhere = Server(live_server.url + "/elsewhere", "another").upload(items[0], b"sound")
    assert nowhere.verdict is Verdict.LATER
    wrong = ["pair", "--state", str(tmp_path / "other"), "AAAA-AAAA", "--server", live_server.url]
    assert main(wrong) == 3


def test_heartbeats_are_heard_or_not_known(server: Server) -> None:
    assert server.heartbeat({"battery_frac": 0.5}).status == 200
    assert server.settings("").status == 200


def test_a_heart_beats_and_a_token_is_exchanged(server: Server, tmp_path: Path) -> None:
    from monitor.heart import Heart
    from monitor.station import Door
    from monitor.wishes import Wishes

    door = Door(tmp_path / "credential.json")
    wishes = Wishes()
    heart = Heart(door.connect, lambda: 3, wishes)
    assert heart.beat() < 400
    assert heart.last_at_s is not None
    assert wishes.etag
    assert heart.beat() < 400
    assert main(["rotate", "--state", str(tmp_path)]) == 0
    assert door.is_renewed()
    assert server.heartbeat({}).verdict is Verdict.AFTER_PAIRING
    assert heart.beat() < 400
