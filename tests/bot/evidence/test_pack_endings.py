"""Every way in which a decision ends has its story, and each of its packets is rendered again as it was posted."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.slack_standin.workspace import JONAS, MAYA, PRIYA
from tests.bot.evidence.packed import pack, page_of, read
from tests.scenarios.test_amending import answer, asked, why
from tests.scenarios.test_on_call import rota
from tests.world import Proposal, World


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Start a product where three people may approve."""
    async with World(tmp_path / "world", managers=(MAYA, JONAS, PRIYA)) as made:
        yield made


async def require_told(world: World, proposal: Proposal, *sentences: str) -> None:
    """Assert that the story has each of these in order, and that every packet is as it was posted."""
    await world.settled()
    made = pack(world, proposal)
    assert made.broken == ()
    told = [moment["what"] for moment in read(made, "decision.json")["story"]]
    places = [next((at for at, what in enumerate(told) if sentence in what), None) for sentence in sentences]
    assert None not in places, (sentences, told)
    assert places == sorted(at for at in places if at is not None)
    packets = [read(made, name) for name in made.files if name.startswith("packets/")]
    assert packets
    assert [each["seq"] for each in packets if not each["same"]] == []
    assert "NOT proved" not in page_of(made)


async def test_cancelled_by_the_agent(world: World) -> None:
    """Nobody has to decide any more."""
    proposal = await world.propose()
    await world.packet_of(proposal)
    await world.http.post(f"/v1/proposals/{proposal['id']}/cancel")
    await require_told(world, proposal, "asked for", "the packet in Slack", "taken back by the agent")


async def test_reminded_and_expired(world: World) -> None:
    """Nobody decided, though they were reminded."""
    proposal = await world.propose()
    await world.packet_of(proposal)
    await world.move(hours=2, minutes=10)
    await world.settled()
    await world.move(hours=2)
    await require_told(world, proposal, "people were reminded", "expired: nobody decided")


async def test_approved_and_never_used(world: World) -> None:
    """It lapsed."""
    proposal = await world.propose()
    await world.approve(proposal)
    await world.settled()
    await world.move(hours=2)
    await require_told(world, proposal, "approved: the requirement is met", "expired: nobody used it")


async def test_taken_back(world: World) -> None:
    """By a person, with a reason, before it was used; the claim after it gets nothing."""
    proposal = await world.propose()
    packet = await world.approve(proposal)
    await world.settled()
    await world.fill(MAYA, packet, "take_back", why("The customer called."))
    assert (await world.claim(proposal)).status_code == 409
    told = "the approval was taken back", "a claim got no permission: the approval had been taken back (revoked)"
    await require_told(world, proposal, *told)


async def test_never_reported(world: World) -> None:
    """Nobody knows what became of it."""
    proposal = await world.propose()
    await world.approve(proposal)
    await world.settled()
    await world.claim(proposal)
    await world.settled()
    await world.move(hours=1)
    await require_told(world, proposal, "the one permission was given out", "the agent did not report in time")


async def test_asked_and_answered(world: World) -> None:
    """A question to the agent, and its answer."""
    proposal = await world.propose()
    packet = await world.packet_of(proposal)
    question = await asked(world, proposal, packet, text="Which order?", stop=True)
    assert (await answer(world, proposal, question, "The second.")).status_code == 200
    await world.settled()
    await world.approve(proposal)
    await require_told(world, proposal, "asked the agent refund-bot (the clock stands until", "answered: The second.")


async def test_a_vote_for_somebody_who_is_away(world: World) -> None:
    """Both names stand in the story."""
    proposal = await world.propose()
    packet = await world.packet_of(proposal)
    await world.say(MAYA, f"away for 3 days delegate <@{JONAS}>")
    await world.click(JONAS, packet)
    await require_told(world, proposal, "approved")


async def test_a_policy_that_blocks(world: World) -> None:
    """A blocked one has its reason, and no packet."""
    page = world.policy / "payments.refund.yml"
    text = page.read_text(encoding="utf-8").replace("rules:", "rules:\n    - {if: amount_usd > 900, block: too much}")
    page.write_text(text, encoding="utf-8")
    await world.running.watch.look()
    proposal = await world.propose(950)
    await world.settled()
    made = pack(world, proposal)
    told = [moment["what"] for moment in read(made, "decision.json")["story"]]
    assert told[-1] == "blocked by policy"
    assert "The policy blocked it" in told[0]


async def test_handed_over_while_it_waited(world: World) -> None:
    """Each packet says who was on call then, and is rendered again with who that was."""
    await rota(world, MAYA, JONAS)
    proposal = await world.propose()
    packet = await world.packet_of(proposal)
    await world.move(minutes=31)
    await world.running.sweeps.hand_over()
    await world.settled()
    assert f"({JONAS})" in packet.text
    await world.approve(proposal, JONAS, PRIYA)
    await require_told(world, proposal, "the packet in Slack", "approved: the requirement is met")
    pages = [read(pack(world, proposal), name) for name in pack(world, proposal).files if name.startswith("packets/")]
    assert [user in json.dumps(pages[0]) for user in (MAYA, JONAS)] == [True, False]
