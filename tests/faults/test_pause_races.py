"""A pause that commits while something else is under way: whatever has not committed by then does not happen."""

import asyncio
from pathlib import Path

import pytest

from approval_rules.events import Claimed, Paused, Voted
from bot.slack_standin.faults import Delay
from bot.slack_standin.workspace import JONAS, MAYA, SAM
from tests.crash.laws import broken_promises
from tests.world import World

SLOW_S = 0.4


@pytest.mark.parametrize("what", ["claim", "vote"])
async def test_a_pause_wins_over_what_waits_for_slack(tmp_path: Path, what: str) -> None:
    """A claim or a vote that is waiting for Slack's directory when the pause commits is refused after it."""
    async with World(tmp_path) as world:
        proposal = await world.propose()
        packet = await world.packet_of(proposal)
        await world.click(MAYA, packet)
        if what == "claim":
            await world.click(JONAS, packet)
        await world.settled()
        await world.move(minutes=2)
        await world.say(SAM, "whoami")  # so that the pause itself waits for nobody
        world.slack.fail("users.info", Delay(SLOW_S))
        waiting = asyncio.create_task(world.claim(proposal) if what == "claim" else world.click(JONAS, packet))
        await asyncio.sleep(SLOW_S / 4)
        assert "Paused" in await world.say(SAM, "pause all")
        assert not waiting.done(), "the pause came first"
        await waiting
        ledger = world.ledger()
        assert len(ledger.events(Paused)) == 1
        assert ledger.events(Claimed) == []
        assert len(ledger.events(Voted)) == (2 if what == "claim" else 1)
        assert broken_promises(ledger) == []
        world.verify_log()


async def test_a_pause_in_the_middle_of_many_claims_divides_them(tmp_path: Path) -> None:
    """Fifty claims race one pause: each is granted before it or refused after it, and the log shows no other order."""
    async with World(tmp_path) as world:
        proposals = [await world.propose(20) for _ in range(50)]

        claims = [asyncio.create_task(world.claim(proposal)) for proposal in proposals]
        await asyncio.sleep(0.02)
        assert "Paused" in await world.say(SAM, "pause all")
        statuses = [(await claim).status_code for claim in claims]
        granted, refused = statuses.count(200), statuses.count(423)
        assert granted + refused == 50
        ledger = world.ledger()
        assert len(ledger.events(Claimed)) == granted
        assert broken_promises(ledger) == []
        again = [await world.claim(proposal) for proposal in proposals[:3]]
        assert {answer.status_code for answer in again} <= {409, 423}
        world.verify_log()
