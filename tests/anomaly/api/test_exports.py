"""Exports over HTTP and from the command line: who may, what comes, and that it is streamed."""

import csv
import datetime as dt
import io
from pathlib import Path

import pytest
from asgiref.sync import async_to_sync
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import AsyncClient
from rest_framework.test import APIClient

from anomaly.exports.formats import FORMATS
from infants.consents import give_consent, withdraw_consent
from infants.models import Consent, Infant, Membership
from tests.anomaly.exports.taking import FATES, HOUR, an_infant_with_everything
from tests.builders import START, a_device, a_member, a_user, an_infant, as_device, as_user
from tests.uploads import assert_problem

Role = Membership.Role
pytestmark = pytest.mark.django_db


@pytest.fixture
def infant() -> Infant:
    return an_infant_with_everything()[0]


def _path(infant: Infant, name: str = "csv") -> str:
    return f"/api/v1/infants/{infant.id}/exports/{name}/"


def _lines(answer: object) -> list[dict[str, str]]:
    text = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_streamed_under_a_name_without_a_name(infant: Infant, name: str) -> None:
    answer = as_user(a_member(infant)).get(_path(infant, name))
    assert answer.status_code == 200
    assert answer.streaming
    assert answer["Content-Type"] == FORMATS[name].media_type
    assert str(infant.id) in answer["Content-Disposition"]
    assert "Ada" not in answer["Content-Disposition"]
    assert b"".join(answer.streaming_content)


@pytest.mark.parametrize(
    ("role", "status"),
    [(Role.OWNER, 200), (Role.CLINICIAN, 200), (Role.CAREGIVER, 404), (Role.RESEARCHER, 404)],
)
def test_owners_and_clinicians_take_data_away(infant: Infant, role: Role, status: int) -> None:
    assert as_user(a_member(infant, role)).get(_path(infant)).status_code == status


def test_a_researcher_takes_data_away_while_there_is_consent(infant: Infant) -> None:
    client = as_user(a_member(infant, Role.RESEARCHER))
    give_consent(infant, Consent.Purpose.RESEARCH, a_user())
    answer = client.get(_path(infant))
    assert answer.status_code == 200
    assert str(infant.id) not in answer["Content-Disposition"]
    assert len(_lines(answer)) == len(FATES)
    withdraw_consent(infant, Consent.Purpose.RESEARCH)
    assert_problem(client.get(_path(infant)), 404, "unknown_infant", "later")


def test_what_may_not_be_taken_answers_like_what_there_is_not(infant: Infant) -> None:
    unknown = Infant(name="Nobody")
    for client in (as_user(a_user()), as_user(a_member(an_infant()))):
        for one in (infant, unknown):
            assert_problem(client.get(_path(one)), 404, "unknown_infant", "later")
    assert_problem(
        as_device(a_device(infant)).get(_path(infant)), 403, "people_only", "after_pairing"
    )
    assert APIClient().get(_path(infant)).status_code == 401
    assert as_user(a_member(infant)).get(_path(infant, "xml")).status_code == 404


def test_a_span_is_held_and_a_faulty_one_refused(infant: Infant) -> None:
    client = as_user(a_member(infant))
    span = {"from": (START + HOUR).isoformat(), "to": (START + 3 * HOUR).isoformat()}
    assert len(_lines(client.get(_path(infant), span))) == 2
    answer = client.get(_path(infant), {"from": "yesterday"})
    assert_problem(answer, 400, "bad_value", "later")


def test_all_that_may_be_taken_comes_in_one_file(infant: Infant) -> None:
    user = a_member(infant)
    other, _ = an_infant_with_everything(name="Bo")
    a_member(other, Role.CLINICIAN, user=user)
    a_member(an_infant_with_everything()[0], Role.CAREGIVER, user=user)
    lines = _lines(as_user(user).get("/api/v1/exports/csv/"))
    assert {line["infant"] for line in lines} == {str(infant.id), str(other.id)}
    assert len(lines) == 2 * len(FATES)


def test_what_comes_in_later_is_no_part_of_a_file(infant: Infant) -> None:
    late = infant.recordings.latest("recorded_at")
    late.received_at = dt.datetime.now(dt.UTC) + HOUR
    late.save()
    assert len(_lines(as_user(a_member(infant)).get(_path(infant)))) == len(FATES) - 1


@pytest.mark.django_db(transaction=True)
def test_the_web_server_draws_a_file_piece_by_piece(infant: Infant) -> None:
    user = a_member(infant)

    async def drawn() -> list[bytes]:
        client = AsyncClient()
        await client.aforce_login(user)
        answer = await client.get(_path(infant))
        assert answer.is_async
        return [piece async for piece in answer.streaming_content]

    pieces = async_to_sync(drawn)()
    assert len(pieces) == 2  # the headings come first
    assert b"".join(pieces) == b"".join(as_user(user).get(_path(infant)).streaming_content)


# --- from the command line -----------------------------------------------------------------------


def _export(path: Path, *words: str) -> list[dict[str, str]]:
    call_command("export", "csv", "--out", str(path), *words, stdout=io.StringIO())
    return list(csv.DictReader(io.StringIO(path.read_text())))


def test_an_operator_exports_all_or_one_or_as_somebody(infant: Infant, tmp_path: Path) -> None:
    other, _ = an_infant_with_everything(name="Bo")
    user = a_member(other)
    path = tmp_path / "cries.csv"
    assert len(_export(path)) == 2 * len(FATES)
    assert {line["infant"] for line in _export(path, "--infant", str(infant.id))} == {
        str(infant.id)
    }
    as_somebody = _export(path, "--as", user.username)
    assert {line["infant"] for line in as_somebody} == {str(other.id)}
    later = _export(path, "--from", (START + 5 * HOUR).isoformat())
    assert len(later) == 2
    assert [one.name for one in tmp_path.iterdir()] == ["cries.csv"]


def test_the_command_says_what_is_wrong(infant: Infant, tmp_path: Path) -> None:
    stranger = a_user()
    for words in (["--infant", "nobody"], ["--as", "nobody"]):
        with pytest.raises(CommandError, match="nobody"):
            _export(tmp_path / "cries.csv", *words)
    with pytest.raises(CommandError, match=str(infant.id)):
        _export(tmp_path / "x.csv", "--as", stranger.username, "--infant", str(infant.id))
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_finished_is_not_left_behind(
    infant: Infant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_taken: object) -> list[bytes]:
        raise OSError("no room")

    monkeypatch.setitem(FORMATS, "csv", type(FORMATS["csv"])("csv", "text/csv", "csv", broken))  # type: ignore[arg-type]
    with pytest.raises(OSError, match="no room"):
        _export(tmp_path / "cries.csv")
    assert list(tmp_path.iterdir()) == []
