"""The load generator: a fixed number of keep-alive connections, each sending the next request when it is answered."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import cast

from benchmarks.figures import percentile

_LENGTH = b"content-length: "


@dataclass(slots=True)
class Load:
    """What a round of requests gave; latencies in seconds."""

    latencies: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    seconds: float = 0.0
    odd: str = ""

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return len(self.latencies) / self.seconds

    def p99_ms(self) -> float:
        """The latency that one request in a hundred exceeds."""
        return 1000 * percentile(sorted(self.latencies), 0.99)

    def require(self, status: int) -> None:
        """Raise where an answer had another status: what failed must not look fast."""
        if set(self.statuses) != {status}:
            raise RuntimeError(f"wanted {status}, got {dict(self.statuses)}: {self.odd}")


class _Connection(asyncio.Protocol):
    def __init__(self, requests: Iterator[bytes], load: Load, until: float, expected: int) -> None:
        self._requests = requests
        self._load = load
        self._until = until
        self._expected = expected
        self._buffer = b""
        self._sent_at = 0.0
        self._transport: asyncio.WriteTransport | None = None
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's own does not inherit from it
        self._next()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._buffer[:end].lower()
        at = head.find(_LENGTH)
        length = int(head[at + len(_LENGTH) :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(self._buffer) < end + 4 + length:
            return
        status = int(head[9:12])
        self._load.latencies.append(time.perf_counter() - self._sent_at)
        self._load.statuses[status] += 1
        if status != self._expected:
            self._load.odd = self._buffer.decode(errors="replace")[-600:]
        self._buffer = b""
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("the server hung up"))

    def _next(self) -> None:
        request = next(self._requests, None) if time.perf_counter() < self._until else None
        if self._transport is None:
            return
        if request is None:
            if not self.done.done():
                self.done.set_result(None)
            self._transport.close()
            return
        self._sent_at = time.perf_counter()
        self._transport.write(request)


async def drive(port: int, requests: Iterator[bytes], *, clients: int, seconds: float, expected: int) -> Load:
    """Send requests until they or the seconds are used up; raises RuntimeError for any other status than expected."""
    loop = asyncio.get_running_loop()
    load = Load()
    begun = time.perf_counter()
    connections = [
        (
            await loop.create_connection(
                lambda: _Connection(requests, load, begun + seconds, expected), "127.0.0.1", port
            )
        )[1]
        for _ in range(clients)
    ]
    await asyncio.gather(*(connection.done for connection in connections))
    load.seconds = time.perf_counter() - begun
    load.require(expected)
    return load


def post(path: str, body: bytes, headers: dict[str, str]) -> bytes:
    """Write one POST."""
    told = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{told}content-length: {len(body)}\r\n\r\n".encode() + body
