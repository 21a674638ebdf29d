"""What budgets read: by indexes only, and from a database of an earlier version too."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from approval_rules.canonical import digest_of
from approval_rules.commands import Cancel
from approval_rules.events import SubmitRefused
from approval_rules.people import Actor, ActorKind, AgentId, ProposalId, ToolName
from approval_rules.state import Status
from approval_rules.text import AgentText
from bot.desk.apply import apply
from bot.store import schema, spending
from bot.store.check import differences
from bot.store.engine import open_reader, open_writer
from bot.store.transaction import Transaction
from handlers.desk import Accepted
from tests.bot.desk.rig import Rig
from tests.bot.store.conftest import Store
from tests.bot.store.earlier import go_back
from tests.world import TOOL, World

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
    where = {"agent": "a", "today": b"t", "yesterday": b"y", "most": 5}
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
        go_back(writer, "0002")
    schema.upgrade(store.path)
    schema.require_current(store.path)
    with closing(open_reader(store.path)) as reader:
        assert reader.execute("SELECT agent_id, seq FROM turned_away").fetchall() == [("agt_1", 0)]
        assert list(differences(reader)) == []


async def test_what_is_a_day_old_counts_no_longer(tmp_path: Path) -> None:
    """Proposals, refusals and stops are forgotten together, after 24 hours; those of this very batch count at once."""
    async with World(tmp_path) as world:
        budgets = "budgets: {per_run: {tokens: 10, proposals: 50}, repeats: 50}"
        (world.policy / "budgets.yml").write_text(budgets, encoding="utf-8")
        await world.running.watch.look()
        bodies = [
            {"tool": TOOL, "arguments": {"amount_usd": 60}, "summary": "x", "run": {"id": "r"}},
            {"tool": TOOL, "arguments": {"amount_usd": 60}, "summary": "x", "run": {"id": "r", "tokens": 11}},
            {"tool": TOOL, "arguments": {"n": 1}, "summary": "x", "context": {"facts": {"n": 2}}, "run": {"id": "r"}},
        ]
        for number, body in enumerate([bodies[0], bodies[2], bodies[1], bodies[1]]):
            await world.http.post("/v1/proposals", json=body, headers={"Idempotency-Key": f"k{number}"})
        agent, digest = world.agent.agent.id, digest_of(TOOL, {"amount_usd": 60})

        def look(tx: Transaction) -> tuple[int, list[str], list[str], int]:
            return (
                len(list(spending.attempts(tx, agent))),
                [each.code for each in spending.refusals(tx, agent)],
                [each.budget for each in spending.stops(tx, agent)],
                len(list(spending.alike(tx, agent, digest))),
            )

        writer = world.running.wiring.writer
        assert await writer.run(look) == (3, ["contradictory-fact"], ["per_run.tokens"], 1)
        assert await writer.run(lambda tx: list(spending.alike(tx, AgentId("agt_other"), digest))) == []
        world.clock.move(timedelta(hours=24))
        assert await writer.run(look) == (0, [], [], 0)


async def test_a_batch_sees_itself(tmp_path: Path) -> None:
    """A proposal that another unit of the batch has just changed is counted once, as it is now."""
    rig = Rig(tmp_path)
    await rig.hire()
    agent = rig.agents[0]
    taken = await rig.submit(agent, 60, "a")
    assert isinstance(taken, Accepted)
    digest, ident = taken.seen.proposal.digest, taken.seen.proposal.id

    def unit(tx: Transaction) -> list[list[Status | None]]:
        apply(tx, tx.proposal(ident), Cancel(tx.at, ident, agent.id))
        counted = [spending.attempts(tx, agent.id), spending.alike(tx, agent.id, digest)]
        return [[each.status for each in some] for some in counted]

    assert await rig.writer.run(unit) == [[Status.CANCELLED], [Status.CANCELLED]]
    await rig.close()
