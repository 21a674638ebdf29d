"""Eight people press the buttons of one packet in the same moment, again and again."""

import asyncio
import json
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from approval_rules.events import Approved, Denied, Voted, VoteRefused
from bot.slack_standin.conversations import Message
from bot.slack_standin.faults import Twice
from bot.slack_standin.workspace import JONAS, MAYA, SAM
from tests.crash.deeds import dice
from tests.crash.laws import broken_promises
from tests.world import World, denial

EIGHT = (MAYA, JONAS, SAM, *(f"U0RACER0{number:03}" for number in range(5)))
PROPOSALS = 60


async def raced(folder: Path, proposals: int, chance: Random) -> None:
    """Let eight people (one of them the agent's owner) race on each packet, and compare what everybody was told."""
    async with World(folder, managers=EIGHT) as world:
        answered: Counter[str] = Counter()
        for _ in range(proposals):
            packet = await world.packet_of(await world.propose(180))
            hesitating = chance.sample(EIGHT, chance.choice((0, 1, 1, 3)))
            asked = {user: await _asked_why(world, user, packet) for user in hesitating}
            if chance.random() < 0.3:
                world.slack.fail("app:*", Twice())
            presses = [(user, asked.get(user)) for user in (*EIGHT, *chance.choices(EIGHT, k=3))]
            chance.shuffle(presses)
            doubled = Counter(user for user, modal in presses if modal)
            raced_ones = [
                _denied(world, user, modal) if modal and doubled.pop(user, 0) else _approved(world, user, packet)
                for user, modal in presses
            ]
            answered.update([user for user in await asyncio.gather(*raced_ones) if user])
            answered.update(user for user, modal in asked.items() if modal is None)
        await world.settled(60)
        for user in EIGHT:
            assert len(world.slack.ephemerals(user)) == answered[user], f"each click of {user} is answered once"
            assert world.slack.warnings(user) == []
        _reckon(world, proposals)


async def _approved(world: World, user: str, packet: Message) -> str:
    """Press Approve; gives who must be told."""
    outcome = await world.slack.click(user, packet.channel, packet.ts, "approve", force=True)
    assert outcome.ok, outcome.warning
    return user


async def _asked_why(world: World, user: str, packet: Message) -> str | None:
    """Press Deny; gives the modal that asks why, None for whoever may not."""
    before = {modal.id for modal in world.slack.modals(user)}
    outcome = await world.slack.click(user, packet.channel, packet.ts, "deny", force=True)
    assert outcome.ok, outcome.warning
    return next((modal.id for modal in world.slack.modals(user) if modal.id not in before), None)


async def _denied(world: World, user: str, modal: str) -> str:
    """Give a reason; the answer stands in the modal."""
    outcome = await world.slack.submit(user, modal, denial("no"))
    assert outcome.ok, (outcome.warning, outcome.errors)
    said = json.dumps([view.view for view in world.slack.modals(user) if view.id == modal])
    assert "denial counts" in said or "did not count" in said, said
    return ""


def _reckon(world: World, proposals: int) -> None:
    ledger = world.ledger()
    world.verify_log()
    assert broken_promises(ledger) == []
    assert len(ledger.proposals) == proposals
    for ident in ledger.proposals:
        events = ledger.of(ident)
        assert len([event for event in events if isinstance(event, Approved | Denied)]) == 1
        voters = [ledger.user(event.voter) for event in events if isinstance(event, Voted)]
        yes = {ledger.user(e.voter) for e in events if isinstance(e, Voted) and e.decision.value == "approve"}
        assert SAM not in voters
        assert len(yes) <= 2
        assert any(isinstance(event, VoteRefused) for event in events)
    assert ledger.events(Approved)
    assert ledger.events(Denied)


async def test_eight_people_make_one_decision_each_time(tmp_path: Path) -> None:
    """Sixty raced packets: one decision each, by distinct eligible people, and every single click is answered."""
    await raced(tmp_path, PROPOSALS, dice(8))


async def test_a_press_of_deny_that_arrives_twice_opens_one_modal(tmp_path: Path) -> None:
    """The second delivery of one press finds the modal open already: no second one, and no warning by Slack."""
    async with World(tmp_path) as world:
        packet = await world.packet_of(await world.propose())
        world.slack.fail("app:block_actions", Twice())
        modal = await _asked_why(world, MAYA, packet)
        assert modal is not None
        assert [view.id for view in world.slack.modals(MAYA)] == [modal]
        assert world.slack.warnings(MAYA) == []
        assert await _denied(world, MAYA, modal) == ""


@pytest.mark.long
@pytest.mark.parametrize("seed", range(50))
async def test_eight_people_make_one_decision_ten_thousand_times(tmp_path: Path, seed: int) -> None:
    """The same for a release: 10,000 packets, 200 to a server."""
    await raced(tmp_path, 200, dice(800 + seed))
