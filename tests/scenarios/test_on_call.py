"""On call, through the whole product: only whoever has the turn decides, and a hand-over takes no vote back."""

from datetime import UTC, timedelta
from typing import Any

from approval_rules.events import Refusal, Revoked, VoteRefused
from bot.slack_standin.workspace import JONAS, MAYA, PRIYA
from tests.world import MANAGER, TOOL, World

ON_CALL = "oncall"
BOTH = f"{{seats: [{{role: {ON_CALL}}}, {{role: {MANAGER}}}]}}"


async def rota(world: World, *users: str, minutes: int = 30) -> None:
    """Let the first have the turn now, and hand over in so many minutes."""
    change = world.clock().astimezone(UTC) + timedelta(minutes=minutes)
    start = (change - timedelta(days=1)).date()
    turns: dict[str, Any] = {"rota": list(users), "every": "1d", "handover": f"{change:%H:%M}"}
    turns |= {"time_zone": "UTC", "start": f"{start}"}
    world.write_roles({"users": [PRIYA]}, **{ON_CALL: {"on_call": turns}})
    rules = f"policy:\n  tool: {TOOL}\n  rules:\n    - require_approval: {BOTH}\n"
    (world.policy / f"{TOOL}.yml").write_text(rules, encoding="utf-8")
    await world.running.watch.look()
    assert world.running.watch.fault is None


async def test_only_whoever_has_the_turn_decides(world: World) -> None:
    """The next one is told that it is not his yet; after the hand-over it is, and the first one's is over."""
    await rota(world, MAYA, JONAS)
    packet = await world.packet_of(await world.propose(180))
    assert "not in a role" in await world.click(JONAS, packet)
    assert "You are on call as oncall, until " in await world.say(MAYA, "whoami")
    assert "your turn begins" in await world.say(JONAS, "whoami")
    await world.move(minutes=31)
    assert "not in a role" in await world.click(MAYA, packet)
    assert "One more person must approve" in await world.click(JONAS, packet)
    assert [event.code for event in world.ledger().events(VoteRefused)] == [Refusal.NOT_IN_ROLE] * 2


async def test_a_hand_over_between_two_votes_and_before_the_claim(world: World) -> None:
    """Maya was on call when she approved: the second vote and the claim, both after it, find her vote as good."""
    await rota(world, MAYA, JONAS)
    proposal = await world.propose(180)
    packet = await world.packet_of(proposal)
    await world.click(MAYA, packet)
    await world.move(minutes=31)
    assert "the last one needed" in await world.click(PRIYA, packet)
    assert (await world.claim(proposal)).status_code == 200


async def test_who_was_taken_out_of_the_rota_approves_nothing_any_more(world: World) -> None:
    """That is no hand-over but a person who has left: the approval is taken back at the claim."""
    await rota(world, MAYA, JONAS)
    proposal = await world.propose(180)
    await world.approve(proposal, MAYA, PRIYA)
    await rota(world, JONAS, JONAS)
    answer = await world.claim(proposal)
    assert (answer.status_code, answer.json()["code"]) == (409, "approvers-changed")
    assert len(world.ledger().events(Revoked)) == 1


async def test_who_is_on_call_is_reminded(world: World) -> None:
    """The one who has the turn when the reminder goes out, not the one who had it when the packet came."""
    await rota(world, MAYA, JONAS)
    packet = await world.packet_of(await world.propose(180))
    await world.click(PRIYA, packet)
    await world.move(hours=2, minutes=1)
    await world.settled()
    pings = [each.pings for each in world.slack.messages(packet.channel) if each.thread_ts == packet.ts]
    assert pings == [[f"<@{JONAS}>"]]
