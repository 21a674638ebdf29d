"""The only way to call an address that an agent had a part in: checked inside the connect call, which nothing can race.

It must never follow a redirect, use a proxy, keep a cookie, resolve a name twice, or read a body without an end.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus
from ipaddress import ip_address
from typing import Final, Self, TypeVar

import httpcore
import httpx

from bot.callback_target import ForbiddenTargetError, Target, parse_target
from bot.delivery.addresses import Address, AllowList, dialled, may_reach

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
T = TypeVar("T")

TOTAL_SECONDS: Final = 10.0
LARGEST_ANSWER: Final = 64 * 1024
_CONNECT_SECONDS: Final = 4.0
_DRAIN_SECONDS: Final = 1.0
_ADDRESSES_TRIED: Final = 3
_RESOLVER_THREADS: Final = 4
_CONNECTIONS: Final = 32
_KEEPALIVE_SECONDS: Final = 5.0
_LONGEST_RETRY_AFTER: Final = 64


class CallFailedError(Exception):
    """No answer came; `reason` is a stable code without addresses, bodies or secrets."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Answer:
    """What is used of an answer to a post: its status, and the Retry-After header as it came."""

    status: int
    unverified_retry_after: str | None


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer to a get or an exchange: its status, and its whole body where one is read."""

    status: int
    unverified_body: bytes = field(repr=False)


class SystemResolver:
    """The machine's resolver, in threads of its own: a slow name server named by an agent holds up nobody else."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_RESOLVER_THREADS, thread_name_prefix="callback-dns")

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        """Give every address of a host; raises OSError."""
        loop = asyncio.get_running_loop()
        answers = await loop.run_in_executor(
            self._threads, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        )
        return [str(address[0]) for *_, address in answers]

    def close(self) -> None:
        """Let the threads go; a look-up under way is not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class GuardedNetwork(httpcore.AsyncNetworkBackend):
    """Opens connections for the pool: resolves once, wants every answer allowed, connects to a checked address.

    Local sockets stay as the base class has them: not implemented.
    """

    def __init__(self, allow: AllowList, resolve: Resolver, inner: httpcore.AsyncNetworkBackend | None = None) -> None:
        self._allow = allow
        self._resolve = resolve
        self._inner = inner or httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's interface
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first checked address that answers; raises ForbiddenTargetError, CallFailedError."""
        failure: Exception = CallFailedError("name-not-found")
        for address in (await self.checked(host, port))[:_ADDRESSES_TRIED]:
            try:
                return await self._inner.connect_tcp(str(address), port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def checked(self, host: str, port: int) -> list[Address]:
        """Resolve a host and give its addresses; raises ForbiddenTargetError, CallFailedError."""
        addresses = await self._addresses(host, port)
        if not all(may_reach(address, host, self._allow) for address in addresses):
            raise ForbiddenTargetError("address-not-allowed")
        return [dialled(address) for address in addresses]

    async def _addresses(self, host: str, port: int) -> list[Address]:
        try:
            return [ip_address(host)]
        except ValueError:
            pass
        try:
            return list(dict.fromkeys(ip_address(text) for text in await self._resolve(host, port)))
        except (OSError, ValueError):
            raise CallFailedError("name-not-found") from None


class GuardedHttp:
    """Calls addresses within the guard. `tls` is for receivers whose certificate is signed by a private root."""

    def __init__(
        self,
        allow: AllowList,
        *,
        resolve: Resolver | None = None,
        tls: ssl.SSLContext | None = None,
        total_seconds: float = TOTAL_SECONDS,
    ) -> None:
        self._total_seconds = total_seconds
        self._system_resolver = SystemResolver()
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls or httpx.create_ssl_context(trust_env=False),
            max_connections=_CONNECTIONS,
            keepalive_expiry=_KEEPALIVE_SECONDS,
            network_backend=GuardedNetwork(allow, resolve or self._system_resolver),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close every connection."""
        await self._pool.aclose()
        self._system_resolver.close()

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Post once, within ten seconds; raises ForbiddenTargetError or CallFailedError, whose texts are only codes."""

        async def kept(response: httpcore.Response) -> Answer:
            answer = Answer(response.status, _retry_after(response.headers))
            await _drain(response)
            return answer

        sent = {"content-length": str(len(body)), **headers}
        return await self._call("POST", parse_target(url), sent, body, kept, self._total_seconds)

    async def exchange(self, url: str, body: bytes, headers: Mapping[str, str]) -> Fetched:
        """Post once and read the answer whatever its status, at most 64 KiB; raises what `post` raises."""

        async def kept(response: httpcore.Response) -> Fetched:
            return Fetched(response.status, await _whole(response))

        sent = {"content-length": str(len(body)), **headers}
        return await self._call("POST", parse_target(url), sent, body, kept, self._total_seconds)

    async def get(self, url: str, headers: Mapping[str, str], seconds: float) -> Fetched:
        """Get once, at most 64 KiB and within so many seconds from now; raises what `post` raises."""

        async def kept(response: httpcore.Response) -> Fetched:
            good = response.status == HTTPStatus.OK
            return Fetched(response.status, await _whole(response) if good else b"")

        return await self._call("GET", parse_target(url), headers, None, kept, seconds)

    async def _call(
        self,
        method: str,
        target: Target,
        headers: Mapping[str, str],
        body: bytes | None,
        kept: Callable[[httpcore.Response], Awaitable[T]],
        seconds: float,
    ) -> T:
        url = httpcore.URL(scheme=target.scheme, host=target.host, port=target.port, target=target.path)
        sent = {"host": target.authority, "user-agent": "foureyes", "accept-encoding": "identity", **headers}
        limits = dict.fromkeys(("read", "write", "pool"), seconds) | {"connect": _CONNECT_SECONDS}
        try:
            async with (
                asyncio.timeout(seconds),
                self._pool.stream(
                    method, url, headers=list(sent.items()), content=body, extensions={"timeout": limits}
                ) as response,
            ):
                return await kept(response)
        except (TimeoutError, httpcore.TimeoutException):
            raise CallFailedError("timeout") from None
        except httpcore.ConnectError as error:
            # The pool raises again `from None`, which leaves the first error as the context only.
            by_tls = isinstance(error.__context__, ssl.SSLError)
            raise CallFailedError("tls-failed" if by_tls else "connection-failed") from None
        except httpcore.ProtocolError:
            raise CallFailedError("answer-malformed") from None
        except (httpcore.NetworkError, OSError):
            raise CallFailedError("connection-broken") from None


async def _whole(response: httpcore.Response) -> bytes:
    """Read a body that has an end; raises CallFailedError as soon as it is too large."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.aiter_stream():
        size += len(chunk)
        if size > LARGEST_ANSWER:
            raise CallFailedError("answer-too-large")
        chunks.append(chunk)
    return b"".join(chunks)


async def _drain(response: httpcore.Response) -> None:
    """Read a little and drop it, so that the connection can be used again; what is large or slow is cut off."""
    read = 0
    with contextlib.suppress(httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, TimeoutError):
        async with asyncio.timeout(_DRAIN_SECONDS):
            async for chunk in response.aiter_stream():
                read += len(chunk)
                if read > LARGEST_ANSWER:
                    return


def _retry_after(headers: Sequence[tuple[bytes, bytes]]) -> str | None:
    for name, value in headers:
        if name.lower() == b"retry-after":
            return value[:_LONGEST_RETRY_AFTER].decode("latin-1")
    return None
