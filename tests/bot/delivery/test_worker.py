"""The outbox worker: whatever a sender, the store or the reader does, each row ends as delivered, later, or dead."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from approval_rules.times import format_time
from bot.delivery.worker import LANES, Attempt, Later, Never, OutboxWorker, Result, Sent
from bot.desk.wiring import Wiring
from bot.store import outbox
from bot.store.engine import StoreUnavailableError
from bot.store.outbox import Kind, OutboxRow
from bot.store.transaction import Transaction
from tests.world import World, until


class Outbox:
    """A worker of our own over a real store, with a sender that a test decides about."""

    def __init__(self, wiring: Wiring) -> None:
        self.wiring = wiring
        self.sent: list[OutboxRow] = []
        self.orphaned: list[bool] = []
        self.results: list[Result | Exception] = []
        self.hold = asyncio.Event()
        self.hold.set()
        self.at_once = 0
        self.most_at_once = 0
        self.worker = OutboxWorker(wiring, dict.fromkeys(Kind, self.send))

    async def send(self, row: OutboxRow, attempt: Attempt) -> Result:
        """Do what the test says."""
        await attempt.begin()
        self.sent.append(row)
        self.orphaned.append(attempt.orphaned)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await self.hold.wait()
        self.at_once -= 1
        result = self.results.pop(0) if self.results else Sent(row.wanted_seq)
        if isinstance(result, Exception):
            raise result
        return result

    async def plan(self, *kinds: Kind) -> None:
        """Plan rows."""

        def unit(tx: Transaction) -> None:
            for number, kind in enumerate(kinds):
                outbox.plan(tx, kind, "s", 1, {}, name=f"{kind.value}-{number}-{tx.new_id('x')}")

        await self.wiring.writer.run(unit)
        self.worker.wake()

    async def rows(self) -> Sequence[Sequence[Any]]:
        """Give state, attempts, last error and due time of each row."""
        return await self.wiring.reads.glance().rows(
            "SELECT state, attempts, last_error, due_at FROM outbox ORDER BY id", {}
        )

    async def fails(self) -> Sequence[Any]:
        """Wait until the only row has failed, and give it."""

        async def there() -> bool:
            return (await self.rows())[0][2] is not None

        await until(there, "a failure")
        return (await self.rows())[0]

    async def becomes(self, *states: str) -> Sequence[Sequence[Any]]:
        """Wait until the rows have these states."""

        async def there() -> bool:
            return [row[0] for row in await self.rows()] == list(states)

        await until(there, f"{states}, there is {await self.rows()}")
        return await self.rows()


@pytest.fixture
async def box(tmp_path: Path) -> AsyncIterator[Outbox]:
    """Run a worker of our own; the world's own one is stopped."""
    async with World(tmp_path) as world:
        world.running.worker.start_due = _idle  # type: ignore[method-assign]
        made = Outbox(world.running.wiring)
        task = asyncio.create_task(made.worker.run())
        yield made
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _idle() -> None:
    return


async def test_a_delivered_row_is_done(box: Outbox) -> None:
    """Delivered once, done, with nothing left of earlier errors; what `record` adds is in the same commit."""
    recorded: list[Transaction] = []
    box.results = [Sent(1, recorded.append)]
    await box.plan(Kind.CALLBACK)
    rows = await box.becomes("done")
    assert (rows[0][1], rows[0][2], len(box.sent), len(recorded)) == (0, None, 1, 1)


async def test_a_row_that_failed_comes_later(box: Outbox) -> None:
    """A failure is written down with its reason, its due time moves away, and the attempt is counted."""
    box.results = [Later("http-500")]
    await box.plan(Kind.CALLBACK)
    state, attempts, error, due_at = await box.fails()
    assert (state, attempts, error) == ("queued", 1, "http-500")
    assert due_at > format_time(box.wiring.clock() + timedelta(seconds=3))
    assert len(box.sent) == 1


async def test_a_row_that_was_not_tried_costs_no_attempt(box: Outbox) -> None:
    """What only waits for its turn comes again after the wait that it asked for."""
    box.results = [Later("not yet", timedelta(milliseconds=20), not_tried=True)]
    await box.plan(Kind.THREAD)
    await box.becomes("done")
    assert len(box.sent) == 2


async def test_a_row_that_never_arrives_is_a_dead_letter(box: Outbox) -> None:
    """A sender that gives up leaves the row for people to see; revived by hand it is tried again."""
    box.results = [Never("http-410")]
    await box.plan(Kind.CALLBACK)
    ((_, _, error, _),) = await box.becomes("dead")
    assert error == "http-410"
    await box.wiring.writer.run(lambda tx: outbox.revive(tx, box.sent[0].id))
    await box.becomes("done")
    assert len(box.sent) == 2


async def test_a_sender_that_breaks_is_a_failure_like_another(box: Outbox) -> None:
    """A bug in a sender is written down without its words, which may hold a secret, and the row comes again."""
    box.results = [RuntimeError("https://hooks.example/T0/secret")]
    await box.plan(Kind.ANSWER)
    assert (await box.fails())[2] == "internal-error"


async def test_a_store_that_cannot_be_written_leaves_the_row_as_it_is(box: Outbox) -> None:
    """Nothing is written down, nothing is hammered: the row is still being sent, for its lease to bring it back."""
    box.results = [StoreUnavailableError("full")]
    await box.plan(Kind.CALLBACK)
    await asyncio.sleep(0.3)
    assert [row[0] for row in await box.rows()] == ["sending"]
    assert len(box.sent) == 1


async def test_a_reader_that_fails_does_not_end_the_worker(box: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever goes wrong while looking for work, the worker looks again."""
    real = box.worker.start_due
    failures: list[Exception] = [StoreUnavailableError("busy"), ValueError("a bug")]

    async def shaky() -> None:
        if failures:
            raise failures.pop()
        await real()

    monkeypatch.setattr(box.worker, "start_due", shaky)
    await box.plan(Kind.POST)
    await box.becomes("done")
    assert failures == []


@pytest.mark.parametrize("kind", [Kind.POST, Kind.ANSWER])
async def test_a_lane_is_as_wide_as_it_is(box: Outbox, kind: Kind) -> None:
    """No more rows of a kind are under way at once than its lane is wide; all are delivered."""
    many = LANES[kind] * 2 + 3
    box.hold.clear()
    await box.plan(*[kind] * many)
    await asyncio.sleep(0.1)
    assert box.at_once == LANES[kind]
    box.hold.set()
    await box.becomes(*["done"] * many)
    assert box.most_at_once == LANES[kind]


async def test_a_full_lane_does_not_hold_up_another(box: Outbox) -> None:
    """While packets wait, an answer to a click goes out."""
    box.hold.clear()
    await box.plan(*[Kind.POST] * 10)
    await asyncio.sleep(0.05)
    await box.plan(Kind.ANSWER)

    async def answered() -> bool:
        return any(row.kind is Kind.ANSWER for row in box.sent)

    await until(answered, "an answer under way")
    box.hold.set()


async def test_a_row_that_was_being_sent_when_the_process_died_is_known_as_that(box: Outbox) -> None:
    """After a restart a half-sent row is looked at at once, and its sender is told that an earlier try began."""
    await box.plan(Kind.CALLBACK)
    await box.becomes("done")
    await box.wiring.writer.run(_died_while_sending)
    await asyncio.sleep(0.05)
    assert len(box.sent) == 1  # its lease still runs
    await box.wiring.writer.run(outbox.free_orphans)
    box.worker.wake()
    await box.becomes("done")
    assert box.orphaned == [False, True]


def _died_while_sending(tx: Transaction) -> None:
    tx.write("UPDATE outbox SET state = 'sending', due_at = ?", (format_time(tx.at + timedelta(seconds=60)),))


async def test_more_that_was_wanted_meanwhile_goes_out_too(box: Outbox) -> None:
    """A packet that changed while it was being sent is sent again, and only then done."""
    ident = "prop_x"
    box.hold.clear()

    def want(seq: int) -> Callable[[Transaction], None]:
        return lambda tx: outbox.plan_packet(tx, ident, seq, posted=True)

    await box.wiring.writer.run(want(5))
    box.worker.wake()
    await asyncio.sleep(0.1)
    await box.wiring.writer.run(want(9))
    box.results = [Sent(5)]
    box.hold.set()
    await box.becomes("done")
    assert [row.wanted_seq for row in box.sent] == [5, 9]
