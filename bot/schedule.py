"""The metronome: APScheduler ticks, and each tick runs an idempotent sweep. Deadlines themselves are columns."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

log = structlog.get_logger()
_PATIENCE_SECONDS = 5.0


class Ticks:
    """Runs sweeps at their intervals; a late tick is run once, never dropped, and never beside itself."""

    def __init__(self) -> None:
        self._scheduler = AsyncIOScheduler(timezone="UTC")
        self._running: set[asyncio.Task[None] | None] = set()
        # A tick logs its own failure; all that this logger adds is the traceback of a tick that the stop cancelled.
        logging.getLogger("apscheduler.executors.default").setLevel(logging.CRITICAL)

    def every(self, seconds: float, name: str, sweep: Callable[[], Awaitable[object]]) -> None:
        """Run a sweep at an interval; an error is logged and the next tick comes."""

        async def tick() -> None:
            task = asyncio.current_task()
            self._running.add(task)
            try:
                await sweep()
            except Exception:
                log.exception("sweep_failed", sweep=name)
            finally:
                self._running.discard(task)

        self._scheduler.add_job(
            tick,
            IntervalTrigger(seconds=seconds),
            id=name,
            name=name,
            misfire_grace_time=None,
            coalesce=True,
            max_instances=1,
        )

    def start(self) -> None:
        """Start to tick, on the running event loop."""
        self._scheduler.start()

    async def stop(self) -> None:
        """Stop to tick; a tick under way may end first, because it uses what is closed next."""
        self._scheduler.pause()
        await asyncio.sleep(0)  # a tick that was just handed out begins, and is waited for
        running = [task for task in self._running if task is not None]
        if running:
            await asyncio.wait(running, timeout=_PATIENCE_SECONDS)
        self._scheduler.shutdown(wait=False)
