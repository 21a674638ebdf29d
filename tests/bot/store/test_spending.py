"""What budgets read: by indexes only, and from a database of an earlier version too."""

import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest

from approval_rules.events import SubmitRefused
from approval_rules.people import Actor, ActorKind, AgentId, ProposalId, ToolName
from approval_rules.text import AgentText
from bot.store import schema, spending
from bot.store.check import differences
from bot.store.engine import open_reader, open_writer
from bot.store.transaction import Transaction
from tests.bot.store.conftest import Store

QUERIES = {name: getattr(spending, name) for name in ("_TAKEN_IN", "_TURNED_AWAY", "_STOPPED", "_ALIKE")}


def refused(code: str, agent: str = "agt_1") -> Callable[[Transaction], object]:
    """Make a unit that turns a proposal away."""

    def unit(tx: Transaction) -> object:
        by = Actor(ActorKind.AGENT, agent)
        event = SubmitRefused(tx.at, by, ProposalId(tx.new_id("prop")), ToolName("pay"), code, AgentText("no"))
        return tx.record(event)

    return unit


@pytest.mark.parametrize("name", QUERIES)
def test_nothing_is_walked_whole(db: sqlite3.Connection, name: str) -> None:
    """Each look-up goes by an index, however large the log is."""
    where = {"agent": "a", "digest": '"sha256:x"', "most": 5}
    plan = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {QUERIES[name]}", where)]
    assert not [step for step in plan if step.startswith("SCAN")]


async def test_refusals_are_found_in_the_same_batch_and_after(store: Store) -> None:
    """What counts against an agent is seen by the next unit already; pauses, stops and other agents are not."""

    def look(tx: Transaction) -> list[str]:
        return sorted(each.code for each in spending.refusals(tx, AgentId("agt_1")))

    units = [refused("contract-violation"), refused("paused"), refused("budget-exceeded"), refused("x", "agt_2"), look]
    together = await store.together(*units)
    assert together[-1] == ["contract-violation"]
    assert await store.writer.run(look) == ["contract-violation"]


async def test_the_check_finds_a_row_that_lies(store: Store) -> None:
    """A row that was taken out, and one that was put in, differ from the log."""
    await store.together(refused("contract-violation"), refused("paused"))
    with closing(open_reader(store.path)) as reader:
        assert list(differences(reader)) == []
    store.writer.close()
    with closing(open_writer(store.path, checkpoints=True)) as writer:
        writer.execute("UPDATE turned_away SET agent_id = 'agt_9'")
        assert [line.partition(":")[0] for line in differences(writer)] == ["entry 0", "entry 0"]


async def test_an_earlier_database_is_filled(store: Store) -> None:
    """The upgrade finds who was turned away before it."""
    await store.together(refused("contract-violation"), refused("paused"))
    store.writer.close()
    with closing(open_writer(store.path, checkpoints=True)) as writer:
        writer.execute("DROP TABLE turned_away")
        writer.execute("DROP INDEX detached_digests")
        writer.execute("UPDATE alembic_version SET version_num = '0002'")
    schema.upgrade(store.path)
    schema.require_current(store.path)
    with closing(open_reader(store.path)) as reader:
        assert reader.execute("SELECT agent_id, seq FROM turned_away").fetchall() == [("agt_1", 0)]
        assert list(differences(reader)) == []
