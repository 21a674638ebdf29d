"""The single writer: one commit for many, each for itself, answers only after COMMIT."""

import asyncio
import sqlite3
from contextlib import closing

import pytest

from approval_rules.people import Account, AgentId
from bot.agents import AddAgent, AgentError
from bot.clock import new_token
from bot.store.engine import StoreUnavailableError
from bot.store.transaction import KeyUse, Transaction
from tests.bot.store.conftest import Store, fact


def broken(_tx: Transaction) -> str:
    """Raise as a bug would."""
    raise ValueError("a bug")


async def test_units_that_wait_are_committed_together(store: Store) -> None:
    """Twenty units that wait for one commit share the next one."""
    names = [f"f{number}" for number in range(20)]
    assert await store.together(*map(fact, names)) == names
    store.writer.close()  # a commit is told after its callers have their answers
    assert len(store.commits) == 2  # the one that held the gate, and the batch
    assert store.facts() == set(names)


async def test_a_failing_unit_does_not_fail_its_batch(store: Store) -> None:
    """A unit that raises gets its own error, leaves nothing behind, and the others are written."""

    def half(tx: Transaction) -> str:
        fact("half")(tx)
        raise ValueError("after the first row")

    results = await store.together(fact("a"), broken, half, fact("b"))
    assert results[0] == "a"
    assert isinstance(results[1], ValueError)
    assert isinstance(results[2], ValueError)
    assert results[3] == "b"
    assert store.facts() == {"a", "b"}


async def test_a_batch_that_cannot_be_written_is_tried_one_by_one(store: Store) -> None:
    """A unit whose rows the database refuses fails alone; the rest of its batch is written."""
    results = await store.together(fact("a"), fact("a"), fact("b"), broken)
    assert results[0] == "a"
    assert isinstance(results[1], StoreUnavailableError)
    assert results[2] == "b"
    assert isinstance(results[3], ValueError)
    assert store.facts() == {"a", "b"}


async def test_an_answer_comes_only_after_the_commit(store: Store) -> None:
    """When a caller is answered, another connection sees the row; while it waits for COMMIT, nobody is answered."""
    seen: dict[str, set[str]] = {}
    waiting: list[asyncio.Task[str]] = []
    answered: list[bool] = []

    def look(point: str) -> None:
        seen[point] = store.facts()
        answered.append(waiting[0].done())

    store.at_point = look
    waiting.append(asyncio.create_task(store.writer.run(fact("a"))))
    assert await waiting[0] == "a"
    assert store.facts() == {"a"}
    assert seen == {"before-commit": set(), "after-commit": {"a"}}
    assert answered == [False, False]


async def test_a_caller_that_goes_away_does_not_take_its_write_with_it(store: Store) -> None:
    """A cancelled request has been written nevertheless."""
    task = asyncio.create_task(store.writer.run(fact("a")))
    await asyncio.sleep(0)
    task.cancel()
    await store.writer.run(fact("b"))
    assert task.cancelled()
    assert store.facts() == {"a", "b"}


async def test_a_failure_before_the_commit_leaves_nothing(store: Store) -> None:
    """Whatever breaks between the rows and COMMIT: nothing is written, every caller hears it, the next write works."""

    def boom(point: str) -> None:
        if point == "before-commit":
            raise OSError("the disk is gone")

    store.at_point = boom
    results = await store.together(fact("a"), fact("b"))
    assert all(isinstance(result, StoreUnavailableError) for result in results)
    assert not store.writer.healthy
    assert store.facts() == set()
    store.at_point = store.points.append
    assert await store.writer.run(fact("a")) == "a"
    assert store.writer.healthy


async def test_a_database_that_another_process_holds_is_unavailable_soon(store: Store) -> None:
    """Many waiting writes wait for the other process once, not one after the other; afterwards all goes on."""
    store.connection.execute("PRAGMA busy_timeout = 200")
    began = asyncio.get_running_loop().time()
    with closing(sqlite3.connect(store.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        waiting = [asyncio.create_task(store.writer.run(fact(f"f{number}"))) for number in range(50)]
        results = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(result, StoreUnavailableError) for result in results)
    assert asyncio.get_running_loop().time() - began < 3
    assert await store.writer.run(fact("later")) == "later"


async def test_a_writer_that_breaks_leaves_nobody_waiting(store: Store) -> None:
    """Even an error in the writer itself is answered, and the thread lives on."""

    def bell(_committed: object) -> None:
        raise RuntimeError("the bell is broken")

    store.writer._on_commit = bell
    assert await store.writer.run(fact("a")) == "a"
    store.writer._on_commit = store.commits.append
    assert await store.writer.run(fact("b")) == "b"
    assert store.facts() == {"a", "b"}


async def test_a_closed_writer_refuses(store: Store) -> None:
    """What waits when the writer closes is written; what comes later is refused."""
    last = asyncio.create_task(store.writer.run(fact("last")))
    await asyncio.sleep(0)
    store.writer.close()
    assert await last == "last"
    with pytest.raises(StoreUnavailableError, match="stopping"):
        await store.writer.run(fact("late"))
    store.writer.close()


async def test_units_of_one_batch_see_each_other(store: Store) -> None:
    """A key, a person and a signature that an earlier unit of the batch wrote are known to a later one."""
    person = Account("T1", "U1")
    agent = AgentId("agent_1")

    def write(tx: Transaction) -> object:
        tx.use_key(agent, "k", KeyUse("d", "prop_1", 3))
        return tx.person(person, "Ann"), tx.first_seen("r1")

    def read(tx: Transaction) -> object:
        return tx.person(person, ""), tx.first_seen("r1"), tx.key_use(agent, "k")

    wrote, found = await store.together(write, read)
    assert isinstance(wrote, tuple)
    assert found == (wrote[0], False, KeyUse("d", "prop_1", 3))
    assert store.look("SELECT name FROM people") == [("Ann",)]


async def test_what_a_dropped_unit_met_is_forgotten(store: Store) -> None:
    """A unit that failed leaves no person, key or signature for the later ones of its batch."""

    def write(tx: Transaction) -> object:
        tx.use_key(AgentId("agent_1"), "k", KeyUse("d", "prop_1", 3))
        tx.first_seen("r1")
        raise ValueError("no")

    def read(tx: Transaction) -> object:
        return tx.key_use(AgentId("agent_1"), "k"), tx.first_seen("r1"), tx.size

    _, found = await store.together(write, read)
    assert found == (None, True, 0)


async def test_two_agents_of_one_name_in_one_batch(store: Store) -> None:
    """The second `agent add` of a name is refused in words, even where both arrive at once."""
    unit = AddAgent("bot", "U1", ("t",), (), "root", new_token)
    results = await store.together(unit, unit)
    assert isinstance(results[1], AgentError)
    assert store.look("SELECT count(*) FROM agents") == [(1,)]
    assert store.look("SELECT count(*), max(seq) FROM entries") == [(1, 0)]


async def test_too_many_waiting_writes_are_refused(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """When too much waits, the next write is refused at once instead of making everybody wait longer."""
    monkeypatch.setattr("bot.store.writer.WAITING_MAX", 0)
    with pytest.raises(StoreUnavailableError, match="too many"):
        await store.writer.run(fact("a"))
