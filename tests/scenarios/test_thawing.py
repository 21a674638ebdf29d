"""A resume moves many deadlines in batches; whoever acts on a proposal meanwhile meets its deadline as it should be."""

import sqlite3
from asyncio import gather
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from approval_rules.events import Expired, Paused, Resumed, Thawed
from bot.desk import thawing
from bot.desk.sweeps import Sweeps
from bot.slack_standin.workspace import JONAS, MAYA, SAM
from bot.store.transaction import Transaction
from tests.world import World, votable

MANY = 220


THAW = Sweeps.thaw


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no tick thaw what the resume left."""

    async def nothing(_self: Sweeps) -> None:
        return

    monkeypatch.setattr(Sweeps, "thaw", nothing)


@pytest.fixture
def left(slow: None, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001 - a fixture
    """Let the resume itself thaw nothing either: as if 10,000 others stood before these."""
    monkeypatch.setattr(thawing, "AT_ONCE", 0)


def deadline(proposal: dict[str, Any]) -> datetime:
    """Read when the open clock ends."""
    return datetime.fromisoformat(proposal["claim_by" if proposal["state"] == "approved" else "expires_at"])


@pytest.mark.usefixtures("slow")
async def test_hundreds_are_thawed_in_batches_and_exactly(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """No transaction thaws more than fifty; each deadline moves once, by the pause's length, also after a crash."""
    sizes: list[int] = []
    one_batch = thawing.thaw_these

    def counting(proposals: Sequence[str], tx: Transaction) -> None:
        sizes.append(len(proposals))
        one_batch(proposals, tx)

    for module in ("thawing", "sweeps"):
        monkeypatch.setattr(f"bot.desk.{module}.thaw_these", counting)
    made = [proposal for _ in range(MANY // 20) for proposal in await gather(*(world.propose(42) for _ in range(20)))]
    await world.say(SAM, "pause tool payments.refund")
    await world.move(hours=9)
    await world.say(MAYA, "resume tool payments.refund")
    assert len(world.ledger().events(Thawed)) == thawing.AT_ONCE
    await world.restart()
    for _ in range(2):
        await THAW(world.running.sweeps)
    assert max(sizes) == thawing.AT_ONCE  # whatever the sweep for deadlines met before, it has thawed one by one
    ledger = world.ledger()
    lasted = ledger.events(Resumed)[0].at - ledger.events(Paused)[0].at
    moved = {str(event.proposal): event.deadline for event in ledger.events(Thawed)}
    assert moved == {before["id"]: deadline(before) + lasted for before in made}
    assert len(ledger.events(Thawed)) == MANY


@pytest.mark.usefixtures("left")
async def test_whoever_looks_before_its_turn_sees_the_right_deadline(world: World) -> None:
    """The API, the packet with its buttons and the command line's reading show what will be."""
    allowed, asked = await world.propose(42), await world.propose(180)
    packet = await world.packet_of(asked)
    await world.say(SAM, "pause tool payments.refund")
    await world.move(hours=9)
    await world.say(MAYA, "resume tool payments.refund")
    for proposal in (allowed, asked):
        assert deadline(await world.read(proposal)) - deadline(proposal) >= timedelta(hours=9)
    # Nothing thaws what has no packet; the other one's message may have been noted by now, which thaws it.
    assert [event for event in world.ledger().events(Thawed) if event.proposal == allowed["id"]] == []
    await world.settled()
    assert votable(packet)


@pytest.mark.usefixtures("left")
async def test_a_packet_that_is_shown_again_takes_its_turn(world: World) -> None:
    """The sweep passes over what was touched since the resume; so whoever notes the new message thaws it."""
    asked = await world.propose(180)
    await world.packet_of(asked)
    await world.say(SAM, "pause tool payments.refund")
    await world.settled()
    await world.move(minutes=9)
    await world.say(MAYA, "resume tool payments.refund")
    await world.settled()
    assert [event.proposal for event in world.ledger().events(Thawed)] == [asked["id"]]


@pytest.mark.usefixtures("left")
async def test_a_claim_before_its_turn_is_given(world: World) -> None:
    """The deadline in the index is long over; the claim moves it first, and is good."""
    approved = await world.propose(42)
    await world.say(SAM, "pause all")
    await world.move(hours=9)
    for person in (MAYA, JONAS):
        await world.say(person, "resume all")
    assert (await world.claim(approved)).status_code == 200
    assert world.ledger().events(Expired) == []


@pytest.mark.usefixtures("left")
async def test_votes_before_their_turn_count(world: World) -> None:
    """Two people decide what has not been thawed yet."""
    asked = await world.propose(180)
    packet = await world.packet_of(asked)
    await world.say(SAM, "pause agent refund-bot")
    await world.move(hours=9)
    await world.say(MAYA, "resume agent refund-bot")
    await world.settled()
    assert "One more person" in await world.click(MAYA, packet)
    assert "last one needed" in await world.click(JONAS, packet)


@pytest.mark.usefixtures("left")
async def test_the_sweep_expires_nothing_before_its_turn(world: World) -> None:
    """What looks overdue is thawed by the sweep instead; when its time is really over, it expires."""
    made = [await world.propose(42), await world.propose(180)]
    await world.say(SAM, "pause tool payments.refund")
    await world.move(hours=9)
    await world.say(MAYA, "resume tool payments.refund")
    await world.running.sweeps.pass_time()
    assert world.ledger().events(Expired) == []
    for before in made:
        now = await world.read(before)
        assert now["state"] == before["state"]
        assert deadline(now) - deadline(before) >= timedelta(hours=9)
    await world.move(hours=4)
    await world.running.sweeps.pass_time()
    assert [(await world.read(one))["state"] for one in made] == ["expired", "expired"]


@pytest.mark.usefixtures("left")
async def test_a_second_pause_before_its_turn_adds_up(world: World) -> None:
    """Paused again before it was thawed: a claim is refused, and afterwards both pauses have moved its deadline."""
    approved = await world.propose(42)
    for _ in range(2):
        await world.say(SAM, "pause tool payments.refund")
        await world.move(hours=5)
        assert (await world.claim(approved)).json()["code"] == "paused"
        await world.say(MAYA, "resume tool payments.refund")
    assert (await world.claim(approved)).status_code == 200
    ledger = world.ledger()
    stops, ends = ledger.events(Paused), ledger.events(Resumed)
    lasted = sum((end.at - stop.at for stop, end in zip(stops, ends, strict=True)), timedelta())
    [moved] = ledger.events(Thawed)
    assert moved.deadline - deadline(approved) == lasted


async def test_looking_for_what_is_behind_walks_no_decided_proposal(world: World) -> None:
    """It costs what is open, also beside a million decided ones."""
    with sqlite3.connect(world.database) as connection:
        plan = connection.execute(f"EXPLAIN QUERY PLAN {thawing.BEHIND}", {"seq": 1}).fetchall()
    assert not any("SCAN proposals" in row[3] and "INDEX" not in row[3] for row in plan), plan
