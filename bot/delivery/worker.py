"""The outbox worker: takes due rows, hands each to its sender, and writes down what became of it.

A row is marked as being sent before anything leaves, so that a crash is seen afterwards; whoever finds such a row
reconciles before sending again. An answer to a click is not: told twice, it says the same. Nothing here holds a
transaction while it talks to the network.
"""

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol, TypeAlias, assert_never

import structlog

from approval_rules.times import format_time
from bot.delivery.backoff import callback_delay, fraction_of, slack_delay
from bot.desk.wiring import Wiring
from bot.store import outbox
from bot.store.commit import no_crash
from bot.store.engine import StoreUnavailableError
from bot.store.outbox import Kind, OutboxRow, outbox_row
from bot.store.transaction import Transaction

log = structlog.get_logger()
LEASE = timedelta(seconds=60)
_POLL_SECONDS = 0.5
# A busy log rings at every commit; six looks at the outbox each time would cost more than the commit.
_BREATH_SECONDS = 0.02
_PATIENCE_SECONDS = 2.0
_PACKET_WAIT = timedelta(seconds=2)
# A sender broke, perhaps after everything had left: nobody knows.
BROKE = "internal-error"
# How many rows of a kind may be under way at once. Posts to one channel are paced to one a second anyway.
LANES: Mapping[Kind, int] = {
    Kind.ANSWER: 16,
    Kind.UPDATE: 8,
    Kind.ANNOUNCE: 1,  # one after the other: "resumed" must not stand above "paused"
    Kind.ESCALATE: 2,
    Kind.TELL: 2,
    Kind.VOUCH: 1,
    Kind.ACCESS: 1,
    Kind.WITNESS: 1,
    Kind.REVIEW: 1,
    Kind.POST: 4,
    Kind.THREAD: 2,
    Kind.CALLBACK: 16,
}


@dataclass(frozen=True, slots=True)
class Sent:
    """It arrived, showing the state as of log index `as_of`; `record` writes down what must be kept of it."""

    as_of: int
    record: Callable[[Transaction], None] | None = None


@dataclass(frozen=True, slots=True)
class Later:
    """It did not arrive. `after` asks for a wait; `in_order` means that it was not tried, only not its turn yet."""

    error: str
    after: timedelta | None = None
    not_tried: bool = False


@dataclass(frozen=True, slots=True)
class WithPacket:
    """It cannot go before its packet stands: it waits with it, and is a dead letter with it."""


@dataclass(frozen=True, slots=True)
class Never:
    """It never will arrive: a person has to look."""

    error: str


Result: TypeAlias = Sent | Later | WithPacket | Never


class Sender(Protocol):
    """Delivers one kind of row."""

    async def __call__(self, row: OutboxRow, attempt: "Attempt") -> Result:
        """Deliver; MUST call `attempt.begin()` right before anything leaves that must not leave twice, or has failed.

        Raises nothing for a failed delivery.
        """


class Attempt:
    """One try at one row. `orphaned` tells that an earlier try began and its end was never written down."""

    def __init__(self, wiring: Wiring, row: OutboxRow) -> None:
        self._wiring = wiring
        self._row = row
        self.orphaned = row.state == "sending"

    async def begin(self, channel: str | None = None) -> None:
        """Write down that the row is about to leave, and for which channel where that must be known afterwards."""
        await self._wiring.writer.run(lambda tx: outbox.start(tx, self._row, tx.at + LEASE, channel))


class OutboxWorker:
    """Runs until it is cancelled."""

    def __init__(
        self, wiring: Wiring, senders: Mapping[Kind, Sender], crash_point: Callable[[str], None] = no_crash
    ) -> None:
        self._wiring = wiring
        self._senders = senders
        self._crash_point = crash_point
        self._wake = asyncio.Event()
        self._under_way: dict[Kind, dict[int, asyncio.Task[None]]] = defaultdict(dict)
        self._held_until: dict[Kind, datetime] = {}

    def wake(self) -> None:
        """Look for work now; called on the event loop after a commit."""
        self._wake.set()

    async def run(self) -> None:
        """Deliver what is due, for ever."""
        try:
            while True:
                self._wake.clear()
                try:
                    await self.start_due()
                except Exception:
                    log.exception("outbox_cannot_read")
                await asyncio.sleep(_BREATH_SECONDS)
                await self._sleep()
        finally:
            tasks = [task for lane in self._under_way.values() for task in lane.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _sleep(self) -> None:
        try:
            async with asyncio.timeout(_POLL_SECONDS):
                await self._wake.wait()
        except TimeoutError:
            return

    async def start_due(self) -> None:
        """Start a task for each due row, as far as its lane has room."""
        now = self._wiring.clock()
        snapshot = self._wiring.reads.glance()
        for kind, width in LANES.items():
            lane = self._under_way[kind]
            if len(lane) < width and self._held_until.get(kind, now) <= now:
                where = {
                    "kind": kind.value,
                    "now": format_time(now),
                    "under_way": json.dumps(list(lane)),
                    "limit": width - len(lane),
                }
                for row in await snapshot.rows(outbox.DUE, where):
                    self._start(lane, outbox_row(row))

    def _start(self, lane: dict[int, asyncio.Task[None]], row: OutboxRow) -> None:
        task = asyncio.create_task(self._deliver(row))
        lane[row.id] = task
        task.add_done_callback(partial(self._done, lane, row.id))

    def _done(self, lane: dict[int, asyncio.Task[None]], ident: int, _task: asyncio.Task[None]) -> None:
        del lane[ident]
        self._wake.set()

    async def _deliver(self, row: OutboxRow) -> None:
        try:
            await self._settled(row)
        except StoreUnavailableError as error:
            # Not written down: the row stays as it is and comes again, but not at once, or a full disk makes a storm.
            log.warning("outbox_cannot_write", row=row.name, detail=str(error))
            await asyncio.sleep(_PATIENCE_SECONDS)

    async def _settled(self, row: OutboxRow) -> None:
        result: Result
        try:
            result = await self._senders[row.kind](row, Attempt(self._wiring, row))
            self._crash_point("after-send")
            self._hold(row.kind, result)
            await self._wiring.writer.run(lambda tx: _settle(tx, row, result))
        except StoreUnavailableError:
            raise
        except Exception:
            log.exception("outbox_sender_broke", row=row.name)
            await self._wiring.writer.run(lambda tx: _settle(tx, row, Later(BROKE)))

    def _hold(self, kind: Kind, result: Result) -> None:
        """Leave a lane alone while Slack takes no more of it: trying every row in it would only cost us the time."""
        if isinstance(result, Later) and result.error == "ratelimited" and result.after is not None:
            self._held_until[kind] = self._wiring.clock() + result.after


def _settle(tx: Transaction, row: OutboxRow, result: Result) -> None:
    match result:
        case Sent():
            if result.record is not None:
                result.record(tx)
            outbox.finish(tx, row, result.as_of)
        case Later():
            delay = _delay(tx, row, result)
            if delay is None:
                outbox.bury(tx, row, result.error)
            else:
                outbox.retry(tx, row, tx.at + delay, result.error)
        case WithPacket():
            outbox.wait_for_packet(tx, row, tx.at + _PACKET_WAIT)
        case Never():
            outbox.bury(tx, row, result.error)
        case _:
            assert_never(result)


def _delay(tx: Transaction, row: OutboxRow, result: Later) -> timedelta | None:
    if result.not_tried:
        return result.after or timedelta(seconds=1)
    attempts = row.attempts + 1
    fraction = fraction_of(row.name, attempts)
    if row.kind is Kind.CALLBACK:
        return callback_delay(attempts, fraction, result.after)
    return slack_delay(attempts, tx.at - row.created_at, fraction, result.after)
