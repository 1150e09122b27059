"""A few requests are answered at a time, and nobody waits for slow bodies or open pages."""

import asyncio
from typing import Any

import pytest

from iclas.turns import Message, Turn

pytestmark = pytest.mark.embedded
ANSWER = {"type": "http.response.body", "body": b"all"}
PIECE = {"type": "http.response.body", "body": b"some", "more_body": True}


class Exchange:
    """One request with its turn, as an application and a web server see it."""

    def __init__(self, turns: asyncio.Semaphore, *messages: Message) -> None:
        self.waiting, self.sent = list(messages), list[Message]()
        self.turn = Turn(turns, self._receive, self._send)

    async def _receive(self) -> Message:
        if not self.waiting:
            await asyncio.Event().wait()
        return self.waiting.pop(0)

    async def _send(self, message: Message) -> None:
        self.sent.append(message)

    async def body(self) -> bytes:
        """Take the body in, as an application does."""
        taken, more = b"", True
        while more:
            message = await self.turn.receive()
            taken, more = taken + message["body"], message.get("more_body", False)
        return taken


def body(*pieces: bytes, is_whole: bool = True) -> list[Message]:
    """Return a body as it comes in."""
    last = len(pieces) - 1
    return [
        {"type": "http.request", "body": piece, "more_body": index < last or not is_whole}
        for index, piece in enumerate(pieces)
    ]


async def waits(what: Any) -> bool:
    """Tell whether something is not done, however often the event loop turns."""
    task = asyncio.ensure_future(what)
    for _ in range(20):
        await asyncio.sleep(0)
    is_done = task.done()
    task.cancel()
    return not is_done


def test_a_body_arrives_whole_and_whoever_comes_next_waits_for_the_end() -> None:
    async def play() -> None:
        turns = asyncio.Semaphore(1)
        first = Exchange(turns, *body(b"so", b"und"))
        assert await first.body() == b"sound"
        second = Exchange(turns, *body(b"sound"))
        assert (await second.turn.receive())["body"] == b"sound"  # to be kept meanwhile
        assert await waits(second.turn.receive())
        await first.turn.send(ANSWER)
        assert not await waits(second.turn.receive())

    asyncio.run(play())


def test_a_slow_body_keeps_nobody_waiting() -> None:
    async def play() -> None:
        turns = asyncio.Semaphore(1)
        slow = Exchange(turns, *body(b"so", is_whole=False))
        assert await waits(slow.body())
        assert await Exchange(turns, *body(b"")).body() == b""

    asyncio.run(play())


def test_an_answer_that_is_read_slowly_keeps_nobody_waiting() -> None:
    async def play() -> None:
        turns = asyncio.Semaphore(1)

        async def never(_message: Message) -> None:
            await asyncio.Event().wait()

        slow = Exchange(turns, *body(b""))
        await slow.body()
        slow.turn._send = never
        reading = asyncio.ensure_future(slow.turn.send(ANSWER))
        assert await Exchange(turns, *body(b"")).body() == b""
        assert not reading.done()
        reading.cancel()

    asyncio.run(play())


def test_a_page_that_stays_open_keeps_nobody_waiting() -> None:
    async def play() -> None:
        turns = asyncio.Semaphore(1)
        page = Exchange(turns, *body(b""))
        await page.body()
        await page.turn.send(PIECE)
        await page.turn.send(PIECE)
        page.turn.give_back()
        assert page.sent == [PIECE, PIECE]
        await Exchange(turns, *body(b"")).body()
        assert await waits(Exchange(turns, *body(b"")).body())  # one was given back, not three

    asyncio.run(play())


def test_a_client_that_goes_takes_no_turn_and_one_that_has_its_turn_hears_of_it() -> None:
    async def play() -> None:
        turns, gone = asyncio.Semaphore(1), {"type": "http.disconnect"}
        left = Exchange(turns, *body(b"so", is_whole=False), gone)
        await left.turn.receive()
        assert await left.turn.receive() == gone
        stayed = Exchange(turns, *body(b"sound"), gone)
        assert await stayed.body() == b"sound"
        assert await stayed.turn.receive() == gone

    asyncio.run(play())


def test_one_who_goes_while_waiting_leaves_the_turn_to_others() -> None:
    async def play() -> None:
        turns = asyncio.Semaphore(1)
        first, second, third = (Exchange(turns, *body(b"")) for _ in range(3))
        await first.body()
        assert await waits(second.body())  # and is cancelled
        second.turn.give_back()
        first.turn.give_back()
        assert not await waits(third.body())

    asyncio.run(play())
