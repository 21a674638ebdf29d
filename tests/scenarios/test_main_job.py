"""The main job: a refund asks two people in Slack and only then executes, once."""

import jwt

from bot.slack_standin.workspace import JONAS, MAYA
from tests.world import World, votable


async def test_a_refund_asks_two_people_and_runs_once(world: World) -> None:
    """Two people say yes in Slack, the agent claims once, reports, and the packet shows it all."""
    proposal = await world.propose(180, tier="pro")
    assert proposal["state"] == "pending"
    assert proposal["requirement"]["approvals"] == 2
    packet = await world.packet_of(proposal)
    assert "$180.00" in packet.text
    assert votable(packet)

    assert "One more person must approve" in await world.click(MAYA, packet)
    assert (await world.read(proposal))["state"] == "pending"
    assert "last one needed" in await world.click(JONAS, packet)
    decided = await world.read(proposal)
    assert decided["state"] == "approved"
    assert [vote["by"] for vote in decided["votes"]] == [MAYA, JONAS]

    claimed = await world.claim(proposal)
    assert claimed.status_code == 200
    claims = jwt.decode(claimed.json()["grant"], options={"verify_signature": False, "verify_exp": False})
    assert claims["args_sha256"] == proposal["digest"]
    assert len(set(claims["approvers"])) == 2
    again = await world.claim(proposal)
    assert (again.status_code, again.json()["code"]) == (409, "already-claimed")

    assert (await world.report(proposal)).status_code == 200
    await world.settled()
    assert "Done" in packet.text
    assert not votable(packet)
    assert world.packets(proposal) == [packet]


async def test_a_green_action_needs_nobody_and_a_claim_still(world: World) -> None:
    """What the policy allows is approved at once, posts nothing, and executes only with a claim."""
    proposal = await world.propose(42.5)
    assert (proposal["state"], proposal["tier"]) == ("approved", "green")
    assert proposal["requirement"] is None
    assert (await world.claim(proposal)).status_code == 200
    assert (await world.claim(proposal)).status_code == 409
    await world.settled()
    assert world.packets(proposal) == []
