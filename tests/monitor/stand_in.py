"""A light stand-in for the server that speaks the device contract, and is as bad as told.

It answers 201, or 200 where the key or the bytes are known; before or after storing it may fail,
break the connection, or call `meanwhile`, so that a test can kill a client at that very moment.
"""

import email.parser
import email.policy
import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Said = tuple[int, dict[str, Any], dict[str, str]]


@dataclass
class Stored:
    """One recording as the stand-in has it."""

    key: str
    sha256: str
    said: dict[str, str]
    size: int


@dataclass
class Stand:
    """What a stand-in was told, and how it shall answer."""

    token: str = "a-token"
    stored: list[Stored] = field(default_factory=list)
    replays: int = 0
    requests: list[tuple[str, int]] = field(default_factory=list)
    heartbeats: list[dict[str, Any]] = field(default_factory=list)
    answers: list[Said | None] = field(default_factory=list)
    """What the next requests are answered with, unread; None is an honest answer."""
    refused: dict[str, tuple[int, str]] = field(default_factory=dict)
    """By key: a status and code with which one recording is always answered."""
    settings: dict[str, Any] | None = None
    asked_settings: list[str] = field(default_factory=list)
    before: Callable[[], str] = lambda: ""
    after: Callable[[], str] = lambda: ""
    """Called around the storing; `break` ends the connection, `fail` answers 500."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def keys(self) -> list[str]:
        """The keys of what is stored, in its order."""
        return [one.key for one in self.stored]

    def store(self, key: str, content: bytes, said: dict[str, str]) -> Said:
        """Store one recording and answer as the server does."""
        if key in self.refused:
            status, code = self.refused[key]
            return status, problem(status, code), {}
        sha256 = hashlib.sha256(content).hexdigest()
        with self.lock:
            known = [one for one in self.stored if key == one.key or sha256 == one.sha256]
            if known:
                self.replays += 1
                return 200, {"id": known[0].key}, {}
            self.stored.append(Stored(key, sha256, said, len(content)))
        return 201, {"id": key}, {}


def problem(status: int, code: str = "bad", **more: Any) -> dict[str, Any]:
    """Return a problem document with no word of what to do, which follows from the status."""
    return {"status": status, "code": code, "title": code, "detail": f"It is {code}."} | more


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    stand: Stand

    def do_GET(self) -> None:
        stand = self.stand
        etag = f'"{hash(json.dumps(stand.settings))}"'
        stand.asked_settings.append(self.headers.get("If-None-Match", ""))
        if stand.settings is None:
            self._answer((404, problem(404), {}))
        elif self.headers.get("If-None-Match") == etag:
            self._answer((304, {}, {}))
        else:
            self._answer((200, stand.settings, {"ETag": etag}))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        stand = self.stand
        stand.requests.append((self.path, len(body)))
        planned = stand.answers.pop(0) if stand.answers else None
        act = stand.before()
        if planned is None and not act:
            planned = self._honest(body)
            act = stand.after()
        if act == "break":
            self.close_connection = True
            return
        self._answer((500, {}, {}) if act == "fail" or planned is None else planned)

    def _honest(self, body: bytes) -> Said:
        if self.path.endswith("/pair/"):
            return self._paired(json.loads(body))
        if self.headers.get("Authorization") != f"Bearer {self.stand.token}":
            return 401, problem(401, "unknown_device", retry="after_pairing"), {}
        if self.path.endswith("/heartbeat/"):
            self.stand.heartbeats.append(json.loads(body))
            return 204, {}, {}
        fields, audio = self._form(body)
        if self.path.endswith("/bulk/"):
            items = json.loads(fields["items"])
            pairs = zip(items, audio, strict=True)
            found = [self.stand.store(said["idempotency_key"], one, said) for said, one in pairs]
            return 200, {"results": [_result(one) for one in found]}, {}
        return self.stand.store(self.headers["Idempotency-Key"], audio[0], fields)

    def _paired(self, said: dict[str, str]) -> Said:
        if said["code"] != "ABCD-EFGH":
            return 403, problem(403, "pairing_code", retry="after_pairing"), {}
        return 201, {"id": "7", "name": said["name"], "token": self.stand.token}, {}

    def _form(self, body: bytes) -> tuple[dict[str, str], list[bytes]]:
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        whole = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
        fields, audio = {}, []
        for part in whole.iter_parts():  # type: ignore[attr-defined]
            name = part.get_param("name", header="content-disposition")
            content = part.get_payload(decode=True)
            if name == "audio":
                audio.append(content)
            else:
                fields[str(name)] = content.decode()
        return fields, audio

    def _answer(self, said: Said) -> None:
        status, document, headers = said
        content = b"" if status in (204, 304) else json.dumps(document).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_said: object) -> None:
        """Say nothing."""


def _result(said: Said) -> dict[str, Any]:
    status, document, _ = said
    return {"status": status, ("recording" if status < 300 else "problem"): document}


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_said: object) -> None:
        """Say nothing of clients that were killed over their request."""


@contextmanager
def a_server(stand: Stand) -> Iterator[str]:
    """Serve for the length of the block; yield the address."""
    handler = type("Handler", (_Handler,), {"stand": stand})
    server = _Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
