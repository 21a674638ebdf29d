"""Runs the server in this process until a signal ends it."""

import gc
import logging
import socket
import sys

import structlog
import uvicorn
import uvloop

from bot.app import running
from bot.clock import SteadyClock, TimeOrderedIds
from bot.settings import load

log = structlog.get_logger()


def configure_logs() -> None:
    """Log as JSON lines on standard error. The libraries' own chatter stays at warnings: it may quote requests."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")


def serve(host: str, port: int) -> None:
    """Serve until SIGINT or SIGTERM; raises what `running` raises where it cannot start."""
    configure_logs()
    with listening(host, port) as bound:
        uvloop.run(_serve(bound))


def listening(host: str, port: int) -> socket.socket:
    """Bind before anything is started, so that a taken port is said at once."""
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        sys.exit(f"foureyes: cannot listen on {host}:{port}: {error.strerror}; pick another with --port")
    return bound


async def _serve(bound: socket.socket) -> None:
    async with running(load(), SteadyClock(), TimeOrderedIds()) as started:
        # What was loaded stays for ever: full collections over it would cost 50 ms each.
        gc.collect()
        gc.freeze()
        host, port = bound.getsockname()[:2]
        log.info("ready", url=f"http://{host}:{port}", policy=started.wiring.policy.folder.version)
        await web_server(started.app).serve([bound])
    log.info("stopped")


def web_server(app: object) -> uvicorn.Server:
    """Make the web server as we run it everywhere."""
    config = uvicorn.Config(
        app,  # type: ignore[arg-type]  # uvicorn's own type of an ASGI application is narrower
        http="httptools",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=5,
    )
    return uvicorn.Server(config)
