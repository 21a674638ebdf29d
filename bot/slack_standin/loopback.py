"""One HTTP server that exists on loopback only: it never binds elsewhere and never answers to another name."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Generator, MutableMapping
from typing import Any, Final

import uvicorn
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

ADDRESS: Final = "127.0.0.1"
NAMES: Final = (ADDRESS, "localhost")
HANG_UP: Final = "standin.hang_up"
GRACE_S: Final = 1.0
KEEP_ALIVE_S: Final = 75  # longer than any client here keeps an idle connection, so that none writes into a closed one
RESET_NOW: Final = struct.pack("ii", 1, 0)


def free_port(wanted: int = 0) -> int | None:
    """Give this port of loopback (0: any that is free) if it can be had now; None where it is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, wanted))
        except OSError:
            return None
        return int(probe.getsockname()[1])


class HangingProtocol(HttpToolsProtocol):
    """uvicorn's protocol, able to reset the connection of a request: the fault that no ASGI message can express."""

    def on_message_begin(self) -> None:
        """Give each request the means to have its connection reset."""
        super().on_message_begin()
        scope: MutableMapping[str, Any] = self.scope  # type: ignore[assignment]
        scope["extensions"] = {HANG_UP: self.hang_up}

    def hang_up(self) -> None:
        """Reset the connection without another byte."""
        self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_NOW)
        self.transport.abort()


class Nothing(Response):
    """No answer at all: the connection is already gone."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Send nothing, and return when the connection is known to be gone."""
        while (await receive())["type"] != "http.disconnect":
            pass


def hang_up(scope: Scope) -> Response:
    """Reset the connection of a request; the returned response stays silent."""
    scope["extensions"][HANG_UP]()
    return Nothing()


class LoopbackNamesOnly:
    """Refuses requests for other host names: a site that points its own name here (DNS rebinding) gets nothing."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what was asked of 127.0.0.1 or localhost."""
        hosts = [value.decode("latin-1") for name, value in scope.get("headers", ()) if name == b"host"]
        name, _, port = hosts[0].partition(":") if len(hosts) == 1 else ("", "", "")
        if name in NAMES and (port.isdigit() or not port):
            await self.app(scope, receive, send)
        else:
            await PlainTextResponse("this server answers to 127.0.0.1 and localhost only", 421)(scope, receive, send)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.told_to_stop = asyncio.Event()

    async def main_loop(self) -> None:
        """Serve until told to stop, without uvicorn's ten wake-ups a second."""
        await self.told_to_stop.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, let running requests end within a second, and drop every connection."""
        for listener in [*self.servers, *(sockets or ())]:
            listener.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        if self.server_state.tasks:
            _, late = await asyncio.wait(self.server_state.tasks, timeout=GRACE_S)
            for task in late:
                task.cancel()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        for server in self.servers:
            await server.wait_closed()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave the process's signals to the process."""
        yield


class LoopbackServer:
    """uvicorn in a task of the running event loop."""

    def __init__(self, app: ASGIApp, host: str = ADDRESS, port: int = 0) -> None:
        if host != ADDRESS:
            raise ValueError(f"the local Slack listens on {ADDRESS} only, not on {host}")
        self._address = (host, port)
        config = uvicorn.Config(
            LoopbackNamesOnly(app),
            http=HangingProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=KEEP_ALIVE_S,
        )
        self._server = _Server(config)
        self._task: asyncio.Task[None] | None = None
        self.url = ""

    async def start(self) -> None:
        """Listen; afterwards `url` says where."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(self._address)
        except OSError:
            listener.close()
            raise
        listener.setblocking(False)  # noqa: FBT003 - the socket module's signature
        self.url = f"http://{ADDRESS}:{listener.getsockname()[1]}"
        self._task = asyncio.create_task(self._server.serve([listener]), name="local Slack")
        # uvicorn offers no event for this; it is started within a few turns of the loop.
        while not self._server.started and not self._task.done():  # noqa: ASYNC110
            await asyncio.sleep(0)

    async def stop(self) -> None:
        """Stop listening and wait until the last connection is closed."""
        self._server.told_to_stop.set()
        if self._task is not None:
            await self._task
