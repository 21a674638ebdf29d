"""Runs the server in this process until a signal ends it."""

import asyncio
import gc
import logging
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType

import structlog
import uvicorn
import uvloop

from bot.app import running
from bot.clock import SteadyClock, TimeOrderedIds
from bot.settings import load

log = structlog.get_logger()
# Requests leave few cycles behind; Python's default of 700 objects looks for them several times in each request.
_COLLECT_AFTER = (20_000, 20, 50)
# Longer than clients (httpx: 5 s) and proxies (60 s) keep an idle connection: else they write into one just closed.
KEEP_ALIVE_SECONDS = 75


def configure_logs() -> None:
    """Log as JSON lines on standard error. The libraries' own chatter stays at warnings: it may quote requests."""
    steps: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    as_json = structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[*steps, as_json],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    theirs = logging.StreamHandler(sys.stderr)
    chain = [structlog.stdlib.add_logger_name, *steps]
    theirs.setFormatter(structlog.stdlib.ProcessorFormatter(processor=as_json, foreign_pre_chain=chain))
    logging.basicConfig(level=logging.WARNING, handlers=[theirs])
    # Bolt warns at each start that our own authorisation replaces the token, which is what we want.
    logging.getLogger("slack_bolt").setLevel(logging.ERROR)


def serve(host: str, port: int) -> None:
    """Serve until SIGINT or SIGTERM; raises CannotListenError, and what `running` raises where it cannot start."""
    configure_logs()
    with listening(host, port) as bound:
        uvloop.run(_serve(bound))


class CannotListenError(Exception):
    """The address cannot be listened on; the message says which and what to do."""


def listening(host: str, port: int) -> socket.socket:
    """Bind before anything is started, so that a taken port is said at once. Raises CannotListenError."""
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise CannotListenError(
            f"cannot listen on {host} port {port}: {error.strerror}; pick others with --host and --port"
        ) from None
    return bound


async def _serve(bound: socket.socket) -> None:
    async with running(load(), SteadyClock(), TimeOrderedIds()) as started:
        # What was loaded stays for ever: full collections over it would cost 50 ms each.
        gc.collect()
        gc.freeze()
        gc.set_threshold(*_COLLECT_AFTER)
        server = web_server(started.app)
        server.dismiss = partial(asyncio.get_running_loop().call_soon_threadsafe, started.wiring.waiters.dismiss)
        with _signals_to(server.handle_exit):  # before "ready": whoever reads it may stop us at once
            bound.listen()  # from here on the kernel takes connections in: "ready" must be true when it is read
            host, port = bound.getsockname()[:2]
            where = f"[{host}]" if ":" in host else host
            log.info("ready", url=f"http://{where}:{port}", policy=started.wiring.policy.folder.version)
            await server.serve([bound])
    log.info("stopped")


@contextmanager
def _signals_to(obey: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Let a signal stop the server, and not the process: the log is still to be anchored and closed.

    uvicorn listens itself while it serves, and raises what it heard once more afterwards, which changes nothing.
    """
    before = {number: signal.signal(number, obey) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class WebServer(uvicorn.Server):
    """uvicorn, which dismisses waiting agents at the first signal instead of cutting them off after its grace."""

    dismiss: Callable[[], object] = staticmethod(lambda: None)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Obey a signal; called between two instructions of the main thread, so it only leaves word."""
        self.dismiss()
        super().handle_exit(sig, frame)


def web_server(app: object) -> WebServer:
    """Make the web server as we run it everywhere."""
    config = uvicorn.Config(
        app,  # type: ignore[arg-type]  # uvicorn's own type of an ASGI application is narrower
        http="httptools",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=5,
    )
    return WebServer(config)
