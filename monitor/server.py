"""The server as the device contract has it: what is sent, and what an answer means.

What comes in: recordings, and what the device says of itself. What goes out: requests, and for each
an `Answer` with one of four verdicts. Guaranteed: nothing is taken for stored but a 200 or 201 that
carries the server's own document (the login page of a hotel answers 200 too); redirects are not
followed; whatever the network does is an answer and no error; the token is sent to the configured
server alone, and stands in no message.
"""

import datetime as dt
import email.utils
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from typing import Any

import requests

from monitor import __version__
from monitor.clock import corrected, now
from monitor.spool import Item

RECORDINGS = "/api/v1/recordings/"
BULK = "/api/v1/recordings/bulk/"
PAIR = "/api/v1/devices/pair/"
HEARTBEAT = "/api/v1/devices/self/heartbeat/"
CREDENTIAL = "/api/v1/devices/self/credential/"
SETTINGS = "/api/v1/devices/self/settings/"

TIMEOUT_S = (10.0, 60.0)
LONGEST_RETRY_S = 3_600.0
LONGEST_DETAIL = 500
STORED = (HTTPStatus.OK, HTTPStatus.CREATED)
REFUSED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
NEVER = (
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
)


class Verdict(StrEnum):
    """What the device does with what it sent."""

    STORED = "stored"
    NEVER = "never"
    AFTER_PAIRING = "after_pairing"
    LATER = "later"


@dataclass(frozen=True)
class Answer:
    """One answer of the server, or why there is none (`status` 0)."""

    verdict: Verdict
    status: int
    code: str = ""
    detail: str = ""
    retry_after_s: float | None = None
    document: Mapping[str, Any] = field(default_factory=dict, repr=False)
    etag: str = ""

    def kept(self) -> dict[str, Any]:
        """Return what is worth keeping of it."""
        return {"status": self.status, "code": self.code, "detail": self.detail}

    def __str__(self) -> str:
        """Say it for people."""
        return " ".join(str(part) for part in (self.status or "", self.code, self.detail) if part)


def verdict_of(status: int, document: Mapping[str, Any]) -> Verdict:
    """Return what an answer without success means; the document's own word goes first."""
    said = document.get("retry")
    if said in (Verdict.NEVER, Verdict.AFTER_PAIRING, Verdict.LATER):
        return Verdict(str(said))
    if status in NEVER:
        return Verdict.NEVER
    return Verdict.AFTER_PAIRING if status in REFUSED else Verdict.LATER


def retry_after_s(header: str | None, document: Mapping[str, Any]) -> float | None:
    """Return how long to wait at least, from the header (seconds or a date) or the document."""
    for said in (header, document.get("retry_after_s")):
        seconds = _seconds(said)
        if seconds is not None:
            return min(max(seconds, 0.0), LONGEST_RETRY_S)
    return None


def _seconds(said: object) -> float | None:
    try:
        seconds = float(str(said))
    except ValueError:
        return _seconds_until(str(said))
    return seconds if seconds == seconds else None


def _seconds_until(said: str) -> float | None:
    try:
        until = email.utils.parsedate_to_datetime(said)
    except ValueError:
        return None
    if until.tzinfo is None:
        return None
    return (until - dt.datetime.now(dt.UTC)).total_seconds()


def _document(content: bytes) -> dict[str, Any]:
    try:
        said = json.loads(content)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def failure(status: int, document: Mapping[str, Any], header: str | None = None) -> Answer:
    """Return what a refusal means, of a whole request or of one recording of many."""
    return Answer(
        verdict_of(status, document),
        status,
        str(document.get("code", "")),
        str(document.get("detail", ""))[:LONGEST_DETAIL],
        retry_after_s(header, document),
    )


def lost(error: Exception) -> Answer:
    """Return the answer that never came."""
    return Answer(Verdict.LATER, 0, "unreachable", type(error).__name__)


class _Bearer(requests.auth.AuthBase):
    """Says who asks; as an `auth` it goes before what a .netrc may hold for the host."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class Server:
    """One server, asked by one thread."""

    def __init__(self, url: str, token: str = "") -> None:
        self._url = url.rstrip("/")
        self._session = requests.Session()
        self._session.auth = _Bearer(token)
        self._session.headers["User-Agent"] = f"iclas-monitor/{__version__}"

    def close(self) -> None:
        """Close what connections are open."""
        self._session.close()

    def upload(self, item: Item, content: bytes, battery_frac: float | None = None) -> Answer:
        """Send one recording."""
        answer = self._ask(
            "POST",
            RECORDINGS,
            files=[("audio", (_file_name(item), content))],
            data=_described(item, battery_frac),
            headers={"Idempotency-Key": item.key},
        )
        return _if_document(answer, "id")

    def upload_many(
        self, batch: Sequence[tuple[Item, bytes]], battery_frac: float | None = None
    ) -> list[Answer] | Answer:
        """Send many recordings; return an answer for each, or one where the whole was refused."""
        said = [_described(item, battery_frac) | {"idempotency_key": item.key} for item, _ in batch]
        answer = self._ask(
            "POST",
            BULK,
            files=[("audio", (_file_name(item), content)) for item, content in batch],
            data={"items": json.dumps(said)},
        )
        answer = _if_document(answer, "results")
        if answer.verdict is not Verdict.STORED:
            return answer
        results = answer.document["results"]
        if not isinstance(results, list) or len(results) != len(batch):
            return Answer(Verdict.LATER, answer.status, "no_server", "not a result for each")
        return [_of_one(result) for result in results]

    def pair(self, code: str, name: str, hardware: str) -> Answer:
        """Ask for a credential with a one-time code."""
        said = {"code": code, "name": name, "hardware": hardware, "kind": "monitor"}
        return _if_document(self._ask("POST", PAIR, json=said), "token")

    def heartbeat(self, said: Mapping[str, Any]) -> Answer:
        """Tell how the device is."""
        return self._ask("POST", HEARTBEAT, json=dict(said))

    def rotate(self) -> Answer:
        """Ask for a new token; the old one holds until the new one is used."""
        return _if_document(self._ask("POST", CREDENTIAL), "token")

    def settings(self, etag: str) -> Answer:
        """Ask how the device should be set, if that has changed."""
        headers = {"If-None-Match": etag} if etag else {}
        return self._ask("GET", SETTINGS, headers=headers)

    def _ask(self, method: str, path: str, **sent: Any) -> Answer:
        try:
            got = self._sent(requests.Request(method, self._url + path, **sent))
        except (requests.RequestException, OSError) as error:
            return lost(error)
        document = _document(got.content)
        if got.ok and not got.is_redirect and got.status_code != HTTPStatus.NOT_MODIFIED:
            etag = got.headers.get("ETag", "")
            return Answer(Verdict.STORED, got.status_code, document=document, etag=etag)
        return failure(got.status_code, document, got.headers.get("Retry-After"))

    def _sent(self, request: requests.Request) -> requests.Response:
        """Send a request piece by piece: sent as a whole, all of it had to go within one timeout.

        A backlog of megabytes over a slow line would never arrive.
        """
        prepared = self._session.prepare_request(request)
        if isinstance(prepared.body, bytes):
            prepared.body = io.BytesIO(prepared.body)
        surroundings = self._session.merge_environment_settings(
            prepared.url or "", {}, None, None, None
        )
        return self._session.send(
            prepared, timeout=TIMEOUT_S, allow_redirects=False, **surroundings
        )


def _if_document(answer: Answer, member: str) -> Answer:
    """Take an answer for what it says only where it carries the server's own document."""
    if answer.verdict is not Verdict.STORED:
        return answer
    if answer.status in STORED and answer.document.get(member):
        return answer
    return Answer(Verdict.LATER, answer.status, "no_server", "this is no answer of an ICLAS server")


def _of_one(result: object) -> Answer:
    """Return what a bulk answer says of one recording."""
    said = result if isinstance(result, dict) else {}
    status = said.get("status")
    if status in STORED and isinstance(said.get("recording"), dict):
        return Answer(Verdict.STORED, int(status), document=said["recording"])
    problem = said.get("problem")
    if not isinstance(status, int) or status in STORED or not isinstance(problem, dict):
        return Answer(Verdict.LATER, 0, "no_server", "a result that says nothing")
    return failure(status, problem)


def _file_name(item: Item) -> str:
    return f"{item.key}.{item.told.get('suffix', 'wav')}"


def _described(item: Item, battery_frac: float | None) -> dict[str, str]:
    """Return what is said of a recording; `clock` lets the server see how wrong ours is."""
    present = now()
    said = {
        "recorded_at": corrected(item.told, present),
        "clock": present.at.isoformat(),
        "session": str(item.told.get("session", "")),
    }
    if battery_frac is not None:
        said["battery_frac"] = f"{battery_frac:.3f}"
    return {name: value for name, value in said.items() if value}
