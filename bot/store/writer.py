"""The single writer: a thread that gathers waiting units and commits them together.

A caller gets its answer only after COMMIT. A caller that goes away does not take its write with it. A unit that raises
does not fail its batch; a batch that cannot be written is retried unit by unit, so that only the culprit fails.
"""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar, cast

import structlog

from bot.keys import KeyFileError
from bot.store.commit import Committed, Work, commit, no_crash
from bot.store.engine import StoreUnavailableError
from bot.store.folds import Folds
from bot.store.transaction import Sources, Transaction

T = TypeVar("T")
BATCH = 128
WAITING_MAX = 10_000
log = structlog.get_logger()


@dataclass(slots=True)
class _Job(Work[T]):
    loop: asyncio.AbstractEventLoop = field(kw_only=True)
    future: "asyncio.Future[T]" = field(kw_only=True)


class Write(Protocol):
    """Runs one unit of the writer."""

    async def __call__(self, unit: Callable[[Transaction], Any], /) -> Any:  # noqa: ANN401 - whatever the unit gives
        """Give what the unit gave, after its commit."""


class Writer:
    """Runs units of work on the one writing connection."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        sources: Sources,
        *,
        on_commit: Callable[[Committed], None] = lambda _committed: None,
        crash_point: Callable[[str], None] = no_crash,
    ) -> None:
        self._connection = connection
        self._sources = sources
        self._on_commit = on_commit
        self._crash_point = crash_point
        self._jobs: queue.SimpleQueue[_Job[Any] | None] = queue.SimpleQueue()
        self._folds = Folds()
        self._thread = threading.Thread(target=self._run, name="foureyes-writer", daemon=True)
        self._closed = False
        self.healthy = True
        self._thread.start()

    async def run(self, unit: Callable[[Transaction], T]) -> T:
        """Run one unit and give its result once it is committed; raises what the unit raised.

        Raises StoreUnavailableError where the database cannot be written or too much is waiting.
        """
        if self._closed:
            raise StoreUnavailableError("the server is stopping; try again")
        if self._jobs.qsize() >= WAITING_MAX:
            raise StoreUnavailableError("too many writes are waiting; try again")
        loop = asyncio.get_running_loop()
        job = _Job(unit, loop=loop, future=loop.create_future())
        self._jobs.put(job)
        return cast("T", await job.future)

    def keys_fault(self) -> str | None:
        """Say why nothing can be sealed now, so that nothing is written; None where all is well."""
        try:
            if self._sources.vault is not None:
                self._sources.vault.refresh()
        except KeyFileError as error:
            return str(error)
        return None

    def close(self) -> None:
        """Finish what waits, stop the thread and close the connection."""
        if not self._closed:
            self._closed = True
            self._jobs.put(None)
            self._thread.join()
            self._connection.close()

    def _run(self) -> None:
        while True:
            job = self._jobs.get()
            if job is None:
                return
            batch = [job]
            stopping = False
            while len(batch) < BATCH and not stopping:
                try:
                    more = self._jobs.get_nowait()
                except queue.Empty:
                    break
                if more is None:
                    stopping = True
                else:
                    batch.append(more)
            try:
                self._write(batch)
            except Exception as error:  # whatever it was, nobody may wait for ever, and the next batch gets its turn
                log.exception("writer_broke")
                self._refuse(batch, error)
            if stopping:
                return

    def _refuse(self, batch: list[_Job[Any]], error: Exception) -> None:
        self.healthy = False
        for job in batch:
            job.error = job.error or StoreUnavailableError(f"the database could not be written: {error}")
        answer(batch)

    def _write(self, batch: list[_Job[Any]]) -> None:
        try:
            done = [commit(self._connection, self._sources, self._folds, batch, self._crash_point)]
        except StoreUnavailableError as error:
            # Nothing began: one by one, each would only wait as long again.
            log.warning("write_could_not_begin", units=len(batch), error=str(error))
            self._refuse(batch, error)
            return
        if done == [None]:
            log.error("write_failed", units=len(batch), error=str(batch[0].error))
        if done == [None] and len(batch) > 1:
            for job in batch:
                job.error = None
                done.append(commit(self._connection, self._sources, self._folds, [job], self._crash_point))
        self.healthy = done[-1] is not None
        answer(batch)
        for committed in done:
            if committed is not None:
                self._on_commit(committed)


def answer(batch: Sequence[_Job[Any]]) -> None:
    """Wake every caller, with one call into each event loop."""
    for loop in {job.loop for job in batch}:
        mine = [job for job in batch if job.loop is loop]
        try:
            loop.call_soon_threadsafe(_resolve, mine)
        except RuntimeError:  # the loop has been closed: nobody waits any more, and the write stands
            log.info("answers_dropped", count=len(mine))


def _resolve(batch: Sequence[_Job[Any]]) -> None:
    for job in batch:
        if job.future.done():
            continue
        if job.error is not None:
            job.future.set_exception(job.error)
        else:
            job.future.set_result(job.result)
