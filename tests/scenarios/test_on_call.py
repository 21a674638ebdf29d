"""On call, through the whole product: only whoever has the turn decides, and a hand-over takes no vote back."""

import json
from datetime import UTC, timedelta
from typing import Any

import pytest

from approval_rules.events import PacketPosted, Refusal, Revoked, VoteRefused
from bot.delivery.slack_post import SlackSenders
from bot.desk.sweeps import Sweeps
from bot.slack_standin.workspace import JONAS, MAYA, PRIYA, SAM
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


async def test_a_packet_says_whose_turn_it_is(world: World) -> None:
    """By name and until when, also for screen readers; nobody is called by it, then or at the hand-over."""
    await rota(world, MAYA, JONAS)
    packet = await world.packet_of(await world.propose(180))
    shown = json.dumps(packet.blocks)
    [turn] = world.ledger().events(PacketPosted)[0].on_duty or ()
    assert turn.until is not None
    first = f"On call now in the role oncall, until {turn.until:%Y-%m-%d %H:%M} UTC: Maya Chen ({MAYA})"
    assert timedelta(minutes=28) < turn.until - world.clock() <= timedelta(minutes=30)
    assert first in shown
    assert first in packet.text
    await world.move(minutes=31)
    await world.running.sweeps.hand_over()
    await world.settled()
    assert f"UTC: Jonas Weber ({JONAS})" in json.dumps(packet.blocks)
    assert f"UTC: Jonas Weber ({JONAS})" in packet.text
    assert "Maya" not in json.dumps(packet.blocks)
    assert not [ping for ping in packet.pings if not ping.startswith("<!date")]
    assert [message.ts for message in world.slack.messages(packet.channel)] == [packet.ts]


async def test_a_hand_over_shows_each_open_packet_again_once(world: World) -> None:
    """What is decided is left alone, a look in between sends nothing, and the log says who had the turn."""
    await rota(world, MAYA, JONAS)
    decided, waiting = await world.propose(180), await world.propose(190)
    await world.deny(MAYA, await world.packet_of(decided), "no")
    await world.packet_of(waiting)
    await world.settled()
    before = len(world.ledger().events(PacketPosted))
    for minutes in (0, 31, 0):
        await world.move(minutes=minutes)
        await world.running.sweeps.hand_over()
        await world.settled()
    ledger = world.ledger()
    posted = [event for event in ledger.of(waiting["id"]) if isinstance(event, PacketPosted)]
    shown = [[ledger.user(person) for turn in event.on_duty or () for person in turn.people] for event in posted]
    assert shown == [[MAYA], [JONAS]]
    assert len(ledger.events(PacketPosted)) == before + 1
    world.verify_log()


async def test_a_packet_on_its_way_at_the_hand_over_is_shown_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was drawn before and stands after: whoever notes that it stands sees that the turn has ended."""
    sends = SlackSenders._chat

    async def nothing(_self: Sweeps) -> None:
        return

    async def slowly(self: SlackSenders, begin: Any, **message: Any) -> Any:  # noqa: ANN401 - the SDK's
        answer = await sends(self, begin, **message)
        if message["text"].startswith("Refund"):
            world.clock.move(timedelta(minutes=31))
        return answer

    monkeypatch.setattr(Sweeps, "hand_over", nothing)
    monkeypatch.setattr(SlackSenders, "_chat", slowly)
    await rota(world, MAYA, JONAS)
    packet = await world.packet_of(await world.propose(180))
    await world.settled()
    assert f"UTC: Jonas Weber ({JONAS})" in packet.text


async def test_a_change_of_the_rota_shows_in_what_waits(world: World) -> None:
    """Somebody swaps a shift in roles.yml: the next look shows it."""
    await rota(world, MAYA, JONAS)
    packet = await world.packet_of(await world.propose(180))
    await rota(world, JONAS, MAYA)
    await world.running.sweeps.hand_over()
    await world.settled()
    assert f"UTC: Jonas Weber ({JONAS})" in packet.text


async def test_nobody_on_call_is_said(world: World) -> None:
    """Before the first turn nobody has it, and the packet says so and until when."""
    await rota(world, MAYA, JONAS, minutes=30 + 48 * 60)
    packet = await world.packet_of(await world.propose(180))
    assert "Nobody is on call in the role oncall now, until " in packet.text


async def test_a_packet_names_nobody_who_has_another_turn(world: World) -> None:
    """Who is on call in a role that it does not wait for is no matter of this packet."""
    await rota(world, MAYA, JONAS)
    rules = f"policy:\n  tool: {TOOL}\n  rules:\n    - require_approval: {MANAGER}\n"
    (world.policy / f"{TOOL}.yml").write_text(rules, encoding="utf-8")
    world.write_roles({"users": [PRIYA, JONAS]}, **{ON_CALL: _turns_of(MAYA)})
    await world.running.watch.look()
    assert world.running.watch.fault is None
    packet = await world.packet_of(await world.propose(180))
    assert "On call" not in str(packet.blocks)


def _turns_of(user: str) -> dict[str, Any]:
    return {"on_call": {"rota": [user], "every": "1d", "handover": "09:00", "time_zone": "UTC", "start": "2026-01-01"}}


async def test_while_all_is_frozen_nobody_is_named(world: World) -> None:
    """Nobody can decide then; after the resume the packet says again whose turn it is."""
    await rota(world, MAYA, JONAS)
    packet = await world.packet_of(await world.propose(180))
    await world.say(SAM, "pause tool payments.refund")
    await world.settled()
    assert "On call" not in packet.text
    await world.say(PRIYA, "resume tool payments.refund")
    await world.settled()
    assert f"UTC: Maya Chen ({MAYA})" in packet.text
