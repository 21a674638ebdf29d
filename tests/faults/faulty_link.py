"""A TCP proxy on loopback that treats each connection badly in one of the ways in which networks do.

It must never change a byte of what it lets through.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from random import Random
from types import TracebackType
from typing import Self


class Harm(StrEnum):
    """What may happen to one connection."""

    NONE = "none"
    REFUSE = "refuse"
    RESET_BEFORE = "reset before"
    LOST_REPLY = "lost reply"
    DELAY = "delay"
    TOO_MANY = "429"
    BROKEN = "503"


_OWN_ANSWERS = {
    Harm.TOO_MANY: b"HTTP/1.1 429 Too Many\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    Harm.BROKEN: b"HTTP/1.1 503 Broken\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
}


def mostly_harmless(dice: Random, healthy: float = 0.55) -> Callable[[], Harm]:
    """Choose no harm that often, and any harm as often as any other."""
    harms = [harm for harm in Harm if harm is not Harm.NONE]
    return lambda: Harm.NONE if dice.random() < healthy else dice.choice(harms)


class FaultyLink:
    """Listens on 127.0.0.1 and passes on to a port there; `choose` says what happens to the next connection."""

    def __init__(self, port: int, choose: Callable[[], Harm]) -> None:
        self.target = port
        self.choose = choose
        self.done: Counter[Harm] = Counter()
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._server is not None
        found: int = self._server.sockets[0].getsockname()[1]
        return found

    def heal(self) -> None:
        """Do no more harm."""
        self.choose = lambda: Harm.NONE

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        await self._server.wait_closed()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                await self._treat(self.choose(), reader, writer)
        finally:
            writer.transport.abort()
            self._open.discard(task)

    async def _treat(self, harm: Harm, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.done[harm] += 1
        if harm is Harm.REFUSE:
            return
        if harm is Harm.RESET_BEFORE:
            await reader.read(1)
            return
        if harm in _OWN_ANSWERS:
            await _request(reader)
            writer.write(_OWN_ANSWERS[harm])
            await writer.drain()
            writer.close()
            await writer.wait_closed()
            return
        if harm is Harm.DELAY:
            await asyncio.sleep(0.1)
        await self._pass_on(reader, writer, lose_reply=harm is Harm.LOST_REPLY)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, lose_reply: bool) -> None:
        there, onward = await asyncio.open_connection("127.0.0.1", self.target)
        sending = asyncio.create_task(_pump(reader, onward))
        try:
            if lose_reply:
                await there.read(1)
            else:
                await _pump(there, writer)
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
            onward.transport.abort()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while data := await source.read(65536):
        sink.write(data)
        await sink.drain()
    if sink.can_write_eof():
        sink.write_eof()


async def _request(reader: asyncio.StreamReader) -> None:
    """Read one whole request, so that closing afterwards is no reset."""
    head = await reader.readuntil(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            await reader.readexactly(int(line.partition(b":")[2]))
