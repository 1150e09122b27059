"""What the tests of metrics and traces share: an installation that is asked for them."""

import gzip
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from pytest_django import Settings

from iclas.telemetry import measured, otel

TOKEN = "a-token-of-the-tests"


@pytest.fixture
def measures(settings: Settings) -> Iterator[measured.Measures]:
    """Measure for the length of a test."""
    settings.ICLAS_METRICS_TOKEN = TOKEN
    installed = measured.install()
    assert installed is not None
    yield installed
    measured.uninstall(installed)


@dataclass
class Collector:
    """A collector of traces, as far as it takes them in."""

    port: int = 0
    posted: list[tuple[str, bytes]] = field(default_factory=list)

    def spans(self) -> list[Span]:
        """Return every span that came in."""
        found = []
        for path, body in self.posted:
            assert path == "/v1/traces"
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                said = {one.key: one.value.string_value for one in resource.resource.attributes}
                assert said["service.name"] == "iclas"
                found += [span for scope in resource.scope_spans for span in scope.spans]
        return found


@pytest.fixture
def collector() -> Iterator[Collector]:
    """Return a collector on the loopback."""
    kept = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            kept.posted.append((self.path, body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_said: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        kept.port = server.server_port
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield kept
        server.shutdown()


@pytest.fixture
def traces(collector: Collector) -> Iterator[otel.Traces]:
    """Trace for the length of a test."""
    installed = otel.install(f"http://127.0.0.1:{collector.port}")
    yield installed
    otel.uninstall(installed)
