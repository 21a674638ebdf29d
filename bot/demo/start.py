"""Starts the demo, for a browser or as a script, and leaves nothing behind. Listens on loopback only."""

import asyncio
import itertools
import logging
import signal
import tempfile
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import structlog

from bot.demo.routes import DemoRoutes
from bot.demo.stage import staged
from bot.demo.story import Story, UnexpectedError
from bot.demo.terminal import Terminal
from bot.slack_standin.loopback import ADDRESS, free_port

PORT: Final = 8123
DONE: Final = 0
FAILED: Final = 1
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run(port: int | None, script: bool) -> int:  # noqa: FBT001 - what the command line was given
    """Play the demo on `port` (None: 8123, or a free one) and give the exit code."""
    terminal = Terminal()
    try:
        with tempfile.TemporaryDirectory(prefix="foureyes-demo-", ignore_cleanup_errors=True) as name:
            folder = Path(name)
            with _logs_in(folder / "foureyes.log"), asyncio.Runner(loop_factory=_loop_factory()) as runner:
                return runner.run(_script(folder, terminal) if script else page(folder, port, terminal))
    except KeyboardInterrupt:  # before the page was up
        return DONE


async def page(folder: Path, wanted: int | None, terminal: Terminal) -> int:
    """Show the demo in browsers until a signal comes, from the start again whenever somebody asks for that."""
    port = free_port(PORT if wanted is None else wanted)
    if port is None:
        if wanted is not None:
            terminal.say(f"foureyes: {ADDRESS}:{wanted} is taken; pick another with --port, or leave it out")
            return FAILED
        port = 0
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        with suppress(RuntimeError, ValueError):  # only the main thread hears signals
            loop.add_signal_handler(number, stopped.set)
    for run in itertools.count():
        routes = DemoRoutes(run)
        scene = folder / str(run)
        scene.mkdir()
        async with staged(scene, port, routes=routes.routes()) as stage:
            routes.stage = stage
            if run == 0:
                port = _said(stage.slack.url, terminal)
            await _either(stopped.wait(), routes.start_over.wait())
        if stopped.is_set():
            break
    terminal.say("\nStopped; nothing is left behind.")
    return DONE


def _said(url: str, terminal: Terminal) -> int:
    """Say where the page is, and give its port: it stays there however often one starts over."""
    terminal.say(f"Foureyes demo: open {terminal.strong(url + '/')}")
    terminal.say("The guide on the page takes seven minutes. Ctrl-C ends the demo and deletes everything.")
    return int(url.rpartition(":")[2])


async def _either(*waits: Coroutine[Any, Any, object]) -> None:
    """Wait for the first of these."""
    tasks = [asyncio.create_task(wait) for wait in waits]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()


async def _script(folder: Path, terminal: Terminal) -> int:
    terminal.say(
        "Foureyes, the main job: an agent wishes, people decide, nothing runs twice, all of it is written down.\n"
    )
    try:
        async with staged(folder) as stage:
            await Story(stage, terminal).play()
    except (UnexpectedError, TimeoutError) as wrong:
        terminal.say(f"\nThe demo did not go as it must: {wrong}")
        return FAILED
    terminal.say("\nEverything went as it must. `foureyes demo` shows the same in a browser.")
    return DONE


def _loop_factory() -> "type[asyncio.AbstractEventLoop] | None":
    try:
        import uvloop  # noqa: PLC0415 - not everywhere
    except ImportError:
        return None
    return uvloop.Loop


@contextmanager
def _logs_in(path: Path) -> Iterator[None]:
    """Send every log line to a file, so that the terminal shows the address and nothing else; then put it back."""
    before = structlog.get_config()
    root = logging.getLogger()
    with path.open("a", encoding="utf-8") as file:
        handler = logging.StreamHandler(file)
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
        root.addHandler(handler)
        structlog.configure(
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(),
            ],
            wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
            logger_factory=structlog.WriteLoggerFactory(file),
        )
        try:
            yield
        finally:
            root.removeHandler(handler)
            structlog.configure(**before)
