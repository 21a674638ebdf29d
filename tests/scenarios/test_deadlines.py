"""Time: half-time reminders, expiry, an agent's own shorter term, waiting for a decision."""

import asyncio
from datetime import datetime, timedelta
from time import monotonic

from approval_rules.events import Expired, Reminded
from bot.slack_standin.workspace import JONAS, MAYA
from tests.world import World, votable


def _lasts(proposal: dict[str, str]) -> timedelta:
    return datetime.fromisoformat(proposal["expires_at"]) - datetime.fromisoformat(proposal["created_at"])


async def test_people_are_reminded_at_half_time_and_when_little_is_left(world: World) -> None:
    """After two of four hours one reply in the thread reminds people, after 3:12 another, and never again."""
    proposal = await world.propose(180)
    packet = await world.packet_of(proposal)
    await world.move(hours=1, minutes=59)
    await world.settled()
    assert world.thread(packet) == []
    for _ in range(3):
        await world.move(minutes=10)
    await world.settled()
    assert [reply[:25] for reply in world.thread(packet)] == ["⏳ Half of the time is over"[:25]]
    for _ in range(4):
        await world.move(minutes=20)
    await world.settled()
    assert [reply[:9] for reply in world.thread(packet)] == ["⏳ Half of", "⏰ Little "]
    assert [event.last for event in world.ledger().events(Reminded)] == [None, True]
    await world.restart()
    await world.move(minutes=1)
    await world.settled()
    assert len(world.thread(packet)) == 2


async def test_nobody_answers_for_four_hours(world: World) -> None:
    """Four hours are the default; then it is expired, which is not a no, and the packet is dead."""
    proposal = await world.propose(180)
    assert _lasts(proposal) == timedelta(hours=4)
    packet = await world.packet_of(proposal)
    await world.move(hours=3, minutes=59)
    assert (await world.read(proposal))["state"] == "pending"
    await world.move(minutes=2)
    expired = await world.read(proposal)
    assert (expired["state"], expired["expired_why"]) == ("expired", "unanswered")
    await world.settled()
    assert not votable(packet)
    assert (await world.claim(proposal)).json()["code"] == "expired"
    assert len(world.ledger().events(Expired)) == 1


async def test_the_agent_may_choose_its_term(world: World) -> None:
    """Where the policy is silent the agent's own term counts."""
    proposal = await world.propose(180, expires_in_s=120)
    assert _lasts(proposal) == timedelta(minutes=2)
    await world.move(minutes=3)
    assert (await world.read(proposal))["state"] == "expired"


async def test_a_waiting_agent_hears_the_decision_at_once(world: World) -> None:
    """GET with `wait` returns when the decision commits, not at the end of the wait."""
    proposal = await world.propose(180)
    await world.packet_of(proposal)
    waiting = asyncio.create_task(world.read(proposal, wait=60))
    await asyncio.sleep(0.1)
    assert not waiting.done()
    await world.approve(proposal, MAYA, JONAS)
    async with asyncio.timeout(2):
        assert (await waiting)["state"] == "approved"


async def test_waiting_ends_in_time(world: World) -> None:
    """GET with `wait` returns the pending proposal when the time is over."""
    proposal = await world.propose(180)
    began = monotonic()
    assert (await world.read(proposal, wait=1))["state"] == "pending"
    assert 0.9 < monotonic() - began < 5


async def test_the_agent_takes_its_proposal_back(world: World) -> None:
    """Cancelled is its own state, ends the packet, and a second time is refused."""
    proposal = await world.propose(180)
    packet = await world.packet_of(proposal)
    answer = await world.http.post(f"/v1/proposals/{proposal['id']}/cancel")
    assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
    again = await world.http.post(f"/v1/proposals/{proposal['id']}/cancel")
    assert (again.status_code, again.json()["code"]) == (409, "not-pending")
    assert "decided already" in await world.click(MAYA, packet, force=True)
    await world.settled()
    assert not votable(packet)


async def test_a_clock_that_is_set_back_reopens_nothing(world: World) -> None:
    """What has expired stays so when the clock goes back an hour."""
    proposal = await world.propose(180, expires_in_s=60)
    packet = await world.packet_of(proposal)
    await world.move(minutes=2)
    await world.move(hours=-1)
    assert "time to decide is over" in await world.click(MAYA, packet, force=True)
    assert (await world.read(proposal))["state"] == "expired"


async def test_a_clock_set_back_between_two_starts_reopens_nothing(world: World) -> None:
    """What lapsed in the log's time stays lapsed, whatever the machine's clock says after a restart."""
    proposal = await world.propose(180, expires_in_s=600)
    packet = await world.packet_of(proposal)
    world.clock.move(timedelta(minutes=11))
    await world.propose(42)
    await world.stop()
    world.clock.move(timedelta(minutes=-11))
    await world.start()
    assert "the time to decide is over" in await world.click(MAYA, packet, force=True)
    assert (await world.read(proposal))["votes"] == []
