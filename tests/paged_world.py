"""A world that people's browsers reach, with a week behind it that has something of everything."""

import json
import re
import socket
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.settings import Settings
from bot.slack_standin.conversations import Message
from bot.slack_standin.workspace import AGENT_OPS, JONAS, MAYA, SAM
from tests.world import World


class PagedWorld(World):
    """A server with pages at `localhost`."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        with socket.socket() as chosen:
            chosen.bind(("127.0.0.1", 0))
            self.port = int(chosen.getsockname()[1])

    @property
    def settings(self) -> Settings:
        """Give the settings with an origin."""
        return replace(super().settings, public_url=f"http://localhost:{self.port}")

    async def busy_week(self) -> Message:
        """Let a week with something of everything pass, and give the message about it."""
        await self.until_day(weekday=2, hour=12)  # five hours from here are the same week, whatever day it is outside
        for amount in (180, 95.5, 240, 61, 129.9):
            proposal = await self.propose(amount)
            packet = await self.packet_of(proposal)
            if amount == 240:
                await self.click(SAM, packet, force=True)
            self.clock.move(timedelta(seconds=4 if amount == 61 else 90))
            for who in (MAYA, JONAS):
                await self.click(who, packet)
            if amount != 95.5:
                await self.claim(await self.read(proposal))
        await self.deny(MAYA, await self.packet_of(await self.propose(480)), "Not ours.")
        await self.post_proposal(75, tool="keys.rotate")
        await self.say(JONAS, "pause agent refund-bot it loops")
        await self.move(hours=5)
        await self.say(MAYA, "resume agent refund-bot")
        await self.until_monday()
        return self.review_message()

    async def until_monday(self) -> None:
        """Let time pass until the next Monday, a minute after nine, UTC, and let the server look."""
        await self.until_day(weekday=0, hour=9, minute=1)
        await self.running.weekly.look()
        await self.settled()

    async def until_day(self, weekday: int, hour: int, minute: int = 0) -> None:
        """Let time pass until the next such day (Monday is 0), never today, at this hour, UTC."""
        now = self.clock()
        day = now.date() + timedelta(days=(weekday - now.weekday() - 1) % 7 + 1)
        then = datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)
        await self.move(seconds=(then - now).total_seconds())

    def review_message(self) -> Message:
        """Give the newest message about a review."""
        found = [one for one in self.slack.messages(AGENT_OPS) if "Weekly review of" in json.dumps(one.blocks)]
        return found[-1]

    async def review_link(self, who: str, message: Message) -> str:
        """Let somebody ask for the whole, and give the address that the modal leads to."""
        return await self._link_of(who, message, "review_read")

    async def new_key_link(self, owner: str) -> str:
        """Pause the agent, let its owner end its keys, and give the address that the modal leads to."""
        await self.say(owner, "pause agent refund-bot its key leaked")
        await self.settled()
        return await self._link_of(owner, self.slack.messages(AGENT_OPS)[-1], "pause_end_keys")

    async def _link_of(self, who: str, message: Message, action: str) -> str:
        outcome = await self.slack.click(who, message.channel, message.ts, action)
        assert outcome.ok, outcome.warning
        return self.newest_link(who)

    def newest_link(self, who: str) -> str:
        """Give the address that the modal before somebody leads to."""
        view = json.dumps(self.slack.modals(who)[-1].view, ensure_ascii=False)
        found = re.search(r"http://localhost:[0-9]+/[^\"]+", view)
        assert found is not None, view
        return found[0]
