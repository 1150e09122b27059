"""What is read from connections comes in small pieces, and nothing of it is mixed up."""

import asyncio

import pytest
from uvicorn import Config, Server

from iclas.reading import PIECE_BYTES, SmallPieces
from iclas.turns import Receive, Scope, Send
from tests.installation import free_port

pytestmark = pytest.mark.embedded
SIZE = 300_000
BODIES = [bytes([number]) * SIZE for number in range(1, 9)]


class Echo:
    """Answers with the one byte that a body is made of, and notes how long the pieces were."""

    longest = 0

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        said, more = b"", True
        while more:
            message = await receive()
            self.longest = max(self.longest, len(message["body"]))
            said, more = said + message["body"], message["more_body"]
        is_whole = said == said[:1] * SIZE
        headers = [(b"content-length", b"1")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": said[:1] if is_whole else b"!"})


async def _posted(port: int, body: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    lines = ("POST / HTTP/1.1", "Host: x", "Connection: close", f"Content-Length: {SIZE}", "", "")
    writer.write("\r\n".join(lines).encode() + body)
    answer = await reader.read()
    writer.close()
    return answer[-1:]


async def _served(application: Echo) -> list[bytes]:
    """Serve an application and return what it answers to bodies that come in at once."""
    port, words = free_port(), {"http": SmallPieces, "lifespan": "off", "log_config": None}
    server = Server(Config(application, port=port, access_log=False, **words))  # type: ignore[arg-type]
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    answers = await asyncio.gather(*(_posted(port, body) for body in BODIES))
    server.should_exit = True
    await serving
    return answers


def test_bodies_that_come_in_at_once_arrive_whole_in_small_pieces() -> None:
    echo = Echo()
    assert asyncio.run(_served(echo)) == [body[:1] for body in BODIES]
    # uvicorn asks for no more once it has 64 KiB that nobody has taken
    assert 0 < echo.longest <= 2**16 + PIECE_BYTES
