"""The channel for packets moves between a post whose fate nobody knows and the search for it: one packet stands."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.settings import Settings
from bot.slack_standin.conversations import Message
from bot.slack_standin.faults import LostAnswer, ResetBefore, ServerError
from bot.slack_standin.workspace import AGENT_OPS, JONAS, MAYA, REFUND_APPROVALS
from tests.world import MANAGER, Proposal, World, votable


class Movable(World):
    """A world in which no policy names a channel: packets go where the settings say, until the policy says it."""

    def __init__(self, folder: Path, **options: Any) -> None:  # noqa: ANN401 - World's own
        super().__init__(folder, **options)
        self.channel: str | None = REFUND_APPROVALS
        self.name_default(None)

    @property
    def settings(self) -> Settings:
        """Give the settings with the channel of now."""
        return replace(super().settings, channel=self.channel)

    def name_default(self, channel: str | None) -> None:
        """Write a default channel into the policy folder, or none."""
        channels = {"announcements": AGENT_OPS} | ({} if channel is None else {"default": channel})
        text = json.dumps({"roles": {MANAGER: {"users": [MAYA, JONAS]}}, "channels": channels})
        (self.policy / "roles.yml").write_text(text, encoding="utf-8")

    async def move_default(self, channel: str | None) -> None:
        """Let packets go elsewhere from now on."""
        self.name_default(channel)
        await self.running.watch.look()


async def failed(world: World, error: str) -> None:
    """Wait until the packet's post has failed with these words."""

    async def there() -> bool:
        return any(error in str(row["last_error"]) for row in world.ledger().outbox)

    await world.until(there, error)


async def hurried(world: World, proposal: Proposal) -> Message:
    """Wait for the packet, letting its retries come due at once."""

    async def posted() -> bool:
        world.clock.move(timedelta(milliseconds=500))
        return world.ledger().proposals[proposal["id"]].packet is not None

    await world.until(posted, "a packet")
    await world.settled()
    return await world.packet_of(proposal)


async def test_a_lost_packet_is_found_where_it_was_posted(tmp_path: Path) -> None:
    """The answer to a post is lost and packets go elsewhere since: the packet is found in the old channel."""
    async with Movable(tmp_path) as world:
        world.slack.fail("chat.postMessage", LostAnswer())
        proposal = await world.propose(180)
        await failed(world, "unreachable")
        await world.move_default(AGENT_OPS)
        packet = await hurried(world, proposal)
        assert world.packets(proposal) == [packet]
        assert (packet.channel, votable(packet)) == (REFUND_APPROVALS, True)
        await world.approve(proposal)
        assert (await world.read(proposal))["state"] == "approved"
        world.verify_log()


async def test_a_post_that_never_arrived_goes_where_packets_go_now(tmp_path: Path) -> None:
    """Once the old channel was searched in vain, the packet is posted in the new one."""
    async with Movable(tmp_path) as world:
        world.slack.fail("chat.postMessage", ResetBefore())
        proposal = await world.propose(180)
        await failed(world, "unreachable")
        await world.move_default(AGENT_OPS)
        packet = await hurried(world, proposal)
        assert world.packets(proposal) == [packet]
        assert packet.channel == AGENT_OPS


async def test_each_try_is_searched_where_it_was_made(tmp_path: Path) -> None:
    """A try in the old channel never arrived; the answer to the next, in the new one, is lost: that is found."""
    async with Movable(tmp_path) as world:
        world.slack.fail("chat.postMessage", ResetBefore())
        world.slack.fail("chat.postMessage", LostAnswer())
        proposal = await world.propose(180)
        await failed(world, "unreachable")
        await world.move_default(AGENT_OPS)

        async def lost() -> bool:
            world.clock.move(timedelta(milliseconds=500))
            return bool(world.packets(proposal))

        await world.until(lost, "a packet whose answer is lost")
        await world.move_default(REFUND_APPROVALS)
        packet = await hurried(world, proposal)
        assert world.packets(proposal) == [packet]
        assert packet.channel == AGENT_OPS


async def test_a_lost_packet_is_searched_even_where_packets_go_nowhere(tmp_path: Path) -> None:
    """With no channel in force any more, a packet that may stand is searched all the same, and never posted twice."""
    async with Movable(tmp_path) as world:
        world.slack.fail("chat.postMessage", LostAnswer())
        world.slack.fail("conversations.history", ServerError(), times=1000)
        proposal = await world.propose(180)
        await failed(world, "unreachable")
        world.channel = None
        await world.restart()
        world.slack.faults.clear()
        packet = await hurried(world, proposal)
        assert world.packets(proposal) == [packet]
        assert packet.channel == REFUND_APPROVALS


@pytest.mark.parametrize("lag", [0.0, 2.0])
async def test_after_a_crash_the_packet_is_found_where_it_was_posted(tmp_path: Path, lag: float) -> None:
    """The server dies after Slack has the packet, and starts with another channel: the packet is found, not doubled."""
    died: list[str] = []

    def die(point: str) -> None:
        if point == "after-send" and not died:
            died.append(point)
            raise asyncio.CancelledError

    async with Movable(tmp_path, crash_point=die, history_lag_s=lag) as world:
        proposal = await world.propose(180)

        async def dead() -> bool:
            return bool(died)

        await world.until(dead, "the crash")
        await world.stop()
        world.channel = AGENT_OPS
        await world.start()
        packet = await world.packet_of(proposal)
        await world.settled()
        assert world.packets(proposal) == [packet]
        assert packet.channel == REFUND_APPROVALS


async def test_a_bug_after_a_post_does_not_post_again(tmp_path: Path) -> None:
    """Something of ours breaks when the packet stands already: nobody knows, so it is searched like a lost one."""
    broken: list[str] = []

    def once(point: str) -> None:
        if point == "after-send" and not broken:
            broken.append(point)
            raise ValueError("a bug")

    async with Movable(tmp_path, crash_point=once) as world:
        proposal = await world.propose(180)
        packet = await hurried(world, proposal)
        assert broken
        assert world.packets(proposal) == [packet]
