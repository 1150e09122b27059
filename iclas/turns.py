"""Whose turn it is: of however many requests come in at once, a few are answered at a time.

What comes in: a request as the web server hands it over. What goes out: the same, its body's end
held back until it is its turn. Guaranteed: a body that comes in slowly keeps nobody waiting, nor
does an answer that is read slowly, or a page that stays open for its news; a turn that was taken is
given back.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

Scope = dict[str, Any]
Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
END_OF_BODY = {"type": "http.request", "body": b"", "more_body": False}


class Turn:
    """A request's turn: taken once its body is whole, given back when its answer begins."""

    def __init__(self, turns: asyncio.Semaphore, receive: Receive, send: Send) -> None:
        self._turns, self._receive, self._send = turns, receive, send
        self._is_whole = self._is_mine = False

    async def receive(self) -> Message:
        """Hand on what comes in, and the end of a body when it is this request's turn.

        The last piece goes before, for whoever takes it to keep it on the disk meanwhile.
        """
        if self._is_whole:
            await self._take()
            return END_OF_BODY
        message = await self._receive()
        if message["type"] != "http.request" or message.get("more_body", False):
            return message
        self._is_whole = True
        return {**message, "more_body": True}

    async def _take(self) -> None:
        await self._turns.acquire()
        self._is_whole, self._is_mine = False, True

    async def send(self, message: Message) -> None:
        """Hand on what goes out; who has an answer needs no turn any more, however it is read."""
        self.give_back()
        await self._send(message)

    def give_back(self) -> None:
        """Let the next one begin; twice is as good as once."""
        if self._is_mine:
            self._is_mine = False
            self._turns.release()
