"""An object store of a test's own: moto's, which speaks the real protocol, on loopback.

It can be stopped and started again, and told to refuse; what was put into it stays.
"""

import base64
import hashlib
import io
import itertools
import threading
from collections.abc import Iterable
from typing import Any

import boto3
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

KEY, SECRET = "a-key", "a/very+secret=word"
REFUSAL = b"<Error><Code>SlowDown</Code><Message>later</Message></Error>"
BROKEN = b"<Error><Code>BadDigest</Code><Message>it broke</Message></Error>"
_numbers = itertools.count(1)


class _Quiet(WSGIRequestHandler):
    def log(self, *_args: Any, **_named: Any) -> None:
        """Say nothing: requests are counted by the store."""


class Store:
    """A store on loopback, and what was asked of it."""

    def __init__(self) -> None:
        self._application = DomainDispatcherApplication(create_backend_app)
        self._server: BaseWSGIServer | None = None
        self.port = 0
        self.refuses = False
        self.garbles = False
        self.asked: list[str] = []
        self.start()
        self.client = boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{self.port}",
            region_name="us-east-1",
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
        )

    def start(self) -> None:
        """Listen, on the same port as before."""
        server = make_server(
            "127.0.0.1", self.port, self._answer, threaded=True, request_handler=_Quiet
        )
        self._server, self.port = server, server.server_port
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        """Answer nobody any more."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.asked.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
        if self.refuses:
            start_response("503 Slow Down", [("Content-Length", str(len(REFUSAL)))])
            return [REFUSAL]
        if environ.get("HTTP_CONTENT_MD5") != self._md5(environ):
            start_response("400 Bad Request", [("Content-Length", str(len(BROKEN)))])
            return [BROKEN]
        return self._application(environ, start_response)

    def _md5(self, environ: dict[str, Any]) -> str | None:
        """Return the checksum of a body that has one beside it: moto does not compare the two."""
        if "HTTP_CONTENT_MD5" not in environ:
            return None
        content = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        environ["wsgi.input"] = io.BytesIO(content)
        came = content[1:] if self.garbles else content
        return base64.b64encode(hashlib.md5(came, usedforsecurity=False).digest()).decode()


class Bucket:
    """A bucket of its own in the store, seen past the project's own code."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.name = f"cries-{next(_numbers)}"
        self.client = store.client
        self.client.create_bucket(Bucket=self.name)

    @property
    def url(self) -> str:
        """Its address, as the settings take it."""
        secret = SECRET.replace("/", "%2F").replace("+", "%2B").replace("=", "%3D")
        return f"s3://{KEY}:{secret}@127.0.0.1:{self.store.port}/{self.name}?tls=false"

    def keys(self) -> list[str]:
        """Return what is in it."""
        found = self.client.list_objects_v2(Bucket=self.name)
        return [one["Key"] for one in found.get("Contents", ())]

    def versions(self) -> int:
        """Return how many versions and marks of deletion are in it."""
        found = self.client.list_object_versions(Bucket=self.name)
        return len(found.get("Versions", ())) + len(found.get("DeleteMarkers", ()))

    def keep_versions(self) -> None:
        """Let it keep what is overwritten or deleted."""
        self.client.put_bucket_versioning(
            Bucket=self.name, VersioningConfiguration={"Status": "Enabled"}
        )

    def read(self, key: str) -> bytes:
        """Return an object as it lies there."""
        content: bytes = self.client.get_object(Bucket=self.name, Key=key)["Body"].read()
        return content

    def write(self, key: str, content: bytes) -> None:
        """Put an object there."""
        self.client.put_object(Bucket=self.name, Key=key, Body=content)
