"""Slack in trouble, or we are: never a yes, nothing lost, and one live packet."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from approval_rules.events import PacketPosted, Refusal, Voted, VoteRefused
from bot.slack_standin.conversations import Message
from bot.slack_standin.faults import Delay, Fault, LostAnswer, RateLimited, Refuse, ResetBefore, ServerError
from bot.slack_standin.limits import Rates
from bot.slack_standin.workspace import JONAS, MAYA
from tests.world import Proposal, World, votable


@pytest.mark.parametrize(
    "fault",
    [
        ServerError(500),
        ServerError(503),
        ResetBefore(),
        RateLimited(1),
        Delay(0.3),
        LostAnswer(),
        Refuse("fatal_error"),
    ],
)
async def test_a_packet_is_posted_once_whatever_happens_to_the_post(world: World, fault: Fault) -> None:
    """Two posts in a row go wrong; afterwards exactly one packet stands, and it can be voted on."""
    world.slack.fail("chat.postMessage", fault, times=1 if isinstance(fault, LostAnswer) else 2)
    proposal = await world.propose(180)
    packet = await hurried(world, proposal)
    await world.approve(proposal)
    assert (await world.read(proposal))["state"] == "approved"
    await world.settled()
    assert world.packets(proposal) == [packet]
    assert not votable(packet)


async def hurried(world: World, proposal: Proposal) -> Message:
    """Wait for a packet, letting its retries come due at once."""

    async def posted() -> bool:
        world.clock.move(timedelta(seconds=0.5))
        return world.ledger().proposals[proposal["id"]].packet is not None

    await world.until(posted, "a packet")
    return await world.packet_of(proposal)


async def test_a_lost_answer_and_a_failing_search_leave_one_packet(world: World) -> None:
    """The post's answer is lost, then the search for it fails too: it is searched again, never posted blindly."""
    world.slack.fail("chat.postMessage", LostAnswer())
    world.slack.fail("conversations.history", RateLimited(1))
    world.slack.fail("conversations.history", ServerError())
    world.slack.fail("chat.update", RateLimited(1))
    proposal = await world.propose(180)
    packet = await hurried(world, proposal)
    await world.settled()
    assert world.packets(proposal) == [packet]


async def test_a_lost_answer_with_a_history_that_lags(tmp_path: Path) -> None:
    """Slack's history does not show the lost packet in the first seconds: we look again before posting."""
    async with World(tmp_path, history_lag_s=2.5) as world:
        world.slack.fail("chat.postMessage", LostAnswer())
        proposal = await world.propose(180)
        packet = await world.packet_of(proposal)
        await world.settled()
        assert world.packets(proposal) == [packet]


async def test_without_the_right_to_search_a_second_packet_cannot_count_twice(world: World) -> None:
    """Where history may not be read a lost packet is replaced; votes on the lost one are refused, none is doubled."""
    world.slack.set_scopes("commands", "chat:write", "users:read", "usergroups:read")
    world.slack.fail("chat.postMessage", LostAnswer())
    proposal = await world.propose(180)
    packet = await hurried(world, proposal)
    lost, kept = world.packets(proposal)
    assert kept == packet
    assert "not the message" in await world.click(MAYA, lost)
    await world.click(MAYA, kept)
    assert [vote.voter for vote in world.ledger().events(Voted)] == [world.ledger().events(Voted)[0].voter]


@pytest.mark.parametrize("lag", [0.0, 2.0])
async def test_a_crash_between_posting_and_recording_leaves_one_packet(tmp_path: Path, lag: float) -> None:
    """The process dies after Slack has the packet and before we know: after the restart it is found, not doubled."""
    died: list[str] = []

    def die(point: str) -> None:
        if point == "after-send" and not died:
            died.append(point)
            raise asyncio.CancelledError

    async with World(tmp_path, crash_point=die, history_lag_s=lag) as world:
        proposal = await world.propose(180)

        async def dead() -> bool:
            return bool(died)

        await world.until(dead, "the crash")
        assert world.ledger().proposals[proposal["id"]].packet is None
        assert len(world.packets(proposal)) == 1
        await world.restart()
        packet = await world.packet_of(proposal)
        assert world.packets(proposal) == [packet]
        await world.approve(proposal)
        await world.settled()
        assert world.packets(proposal) == [packet]
        assert (await world.read(proposal))["state"] == "approved"
        world.verify_log()


async def test_slack_is_down_for_a_while(world: World) -> None:
    """Everything fails for a while: proposals are accepted, and once Slack is back each has exactly one packet."""
    world.slack.fail("*", ServerError(503), times=10_000)
    proposals = [await world.propose(180 + number) for number in range(4)]
    await asyncio.sleep(0.3)
    assert [world.packets(proposal) for proposal in proposals] == [[], [], [], []]
    world.slack.faults.clear()
    for proposal in proposals:
        packet = await hurried(world, proposal)
        assert world.packets(proposal) == [packet]
    assert len(world.ledger().events(PacketPosted)) == 4


async def test_no_yes_while_slack_knows_nobody(world: World) -> None:
    """With the directory down a click is answered and counts nothing; a minute later the same person may vote."""
    proposal = await world.propose()
    packet = await world.packet_of(proposal)
    world.slack.fail("users.info", ServerError(), times=10_000)
    assert "unknown means no" in await world.click(MAYA, packet)
    assert [event.code for event in world.ledger().events(VoteRefused)] == [Refusal.DIRECTORY_DOWN]
    world.slack.faults.clear()
    await world.move(seconds=30)
    await world.approve(proposal)
    assert (await world.read(proposal))["state"] == "approved"


async def test_no_yes_while_the_first_voter_is_unknown(world: World) -> None:
    """A second yes decides nothing while Slack cannot vouch for the first voter any more; said again later, it does."""
    proposal = await world.propose()
    packet = await world.packet_of(proposal)
    await world.click(MAYA, packet)
    await world.move(minutes=2)
    world.slack.fail("users.info", ServerError(), times=10_000)
    assert "unknown means no" in await world.click(JONAS, packet)
    world.slack.faults.clear()
    await world.move(seconds=30)
    await world.click(JONAS, packet)
    assert (await world.read(proposal))["state"] == "approved"


async def test_no_claim_while_slack_knows_nobody(world: World) -> None:
    """A claim asks about the approvers; with the directory down it is 503 with Retry-After, and works again later."""
    proposal = await world.propose()
    await world.approve(proposal)
    await world.move(minutes=2)
    world.slack.fail("users.info", ServerError(), times=10_000)
    refused = await world.claim(proposal)
    assert (refused.status_code, refused.json()["code"]) == (503, "directory-unavailable")
    assert refused.headers["Retry-After"]
    world.slack.faults.clear()
    await world.move(seconds=30)
    assert (await world.claim(proposal)).status_code == 200


async def test_a_deleted_packet_is_posted_anew(world: World) -> None:
    """Somebody deletes the packet: the next change posts it again, and that one counts."""
    proposal = await world.propose()
    packet = await world.packet_of(proposal)
    world.slack.world.conversations.delete(packet)
    await world.say(MAYA, "pause agent refund-bot")
    await world.settled()
    await world.say(MAYA, "resume agent refund-bot")
    await world.settled()
    (second,) = world.packets(proposal)
    assert second.ts != packet.ts
    await world.approve(proposal)
    assert (await world.read(proposal))["state"] == "approved"


async def test_a_missing_update_is_made_up_for(world: World) -> None:
    """Updates that fail are sent until one arrives; the packet shows the true state at the end."""
    proposal = await world.propose()
    packet = await world.packet_of(proposal)
    world.slack.fail("chat.update", ServerError(), times=2)
    await world.approve(proposal)
    await world.settled()
    assert "Approved by" in packet.text
    assert not votable(packet)


async def test_a_lost_answer_to_an_update_leaves_no_stale_packet(world: World) -> None:
    """An update arrives, its answer is lost, and then the old state is true again: the packet shows it again."""
    proposal = await world.propose()
    packet = await world.packet_of(proposal)
    world.slack.fail("chat.update", LostAnswer())
    await world.say(MAYA, "pause agent refund-bot")
    await world.slack.until(lambda: not votable(packet), "a frozen packet")
    await world.say(MAYA, "resume agent refund-bot")
    await world.settled()
    assert votable(packet)


async def test_a_crash_after_an_update_leaves_no_stale_packet(tmp_path: Path) -> None:
    """The process dies after an update arrived, and then the old state is true again: the packet shows it again."""
    dying: list[bool] = []

    def die(point: str) -> None:
        if point == "after-send" and dying:
            raise asyncio.CancelledError

    async with World(tmp_path, crash_point=die) as world:
        packet = await world.packet_of(await world.propose())
        await world.settled()
        dying.append(True)
        await world.say(MAYA, "pause agent refund-bot")
        await world.slack.until(lambda: not votable(packet), "a frozen packet")
        world.slack.fail("chat.update", ServerError(), times=10_000)
        await world.say(MAYA, "resume agent refund-bot")
        await world.stop()
        dying.clear()
        world.slack.faults.clear()
        await world.start()
        await world.settled()
        assert votable(packet)


async def test_a_burst_of_packets_keeps_slacks_pace(tmp_path: Path) -> None:
    """With Slack's own limits on, a burst is posted no faster than allowed, and each packet once."""
    rates = Rates(channel_per_second=8.0)
    async with World(tmp_path, rates=rates, pace=timedelta(milliseconds=130)) as world:
        proposals = await asyncio.gather(*(world.propose(180 + number) for number in range(8)))
        for proposal in proposals:
            packet = await world.packet_of(proposal)
            assert world.packets(proposal) == [packet]
        posts = [call.outcome for call in world.slack.calls if call.method == "chat.postMessage"]
        assert posts == ["ok"] * 8


async def test_a_server_starts_while_slack_is_down(world: World) -> None:
    """Once the workspace is known, a restart needs no Slack: proposals are taken in, pauses work."""
    world.slack.fail("*", ServerError(), times=10_000)
    await world.restart()
    assert (await world.post_proposal(42)).status_code == 201
    assert "Paused" in await world.say(MAYA, "pause all")
    assert (await world.post_proposal(42)).status_code == 423
