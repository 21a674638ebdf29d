"""The claim: the one moment of permission, and what is known about the execution after it."""

import asyncio

from approval_rules.events import Claimed, ClaimRefused, OutcomeOverdue
from bot.slack_standin.workspace import JONAS, MAYA
from tests.world import World, votable


async def test_twenty_claims_at_once_give_one_permission(world: World) -> None:
    """Raced claims: one grant, nineteen refusals that say so."""
    proposal = await world.propose(42)
    answers = await asyncio.gather(*(world.claim(proposal) for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 19
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"already-claimed"}
    assert len(world.ledger().events(Claimed)) == 1


async def test_the_same_claim_again_gives_the_same_grant(world: World) -> None:
    """A claim that is repeated with its key replays the answer; with another digest it does not."""
    proposal = await world.propose(180)
    await world.approve(proposal)
    first = await world.claim(proposal, key="claim-1")
    await world.move(minutes=2)
    again = await world.claim(proposal, key="claim-1")
    assert first.status_code == again.status_code == 200
    assert first.json() == again.json()
    other = await world.claim(proposal, key="claim-1", digest="sha256:" + "0" * 64)
    assert (other.status_code, other.json()["code"]) == (409, "digest-mismatch")
    assert (await world.claim(proposal, key="claim-2")).json()["code"] == "already-claimed"


async def test_a_claim_for_another_action_is_refused(world: World) -> None:
    """The digest of anything but the approved action gets no permission, and costs none."""
    proposal, other = await world.propose(42), await world.propose(43)
    refused = await world.claim(proposal, digest=other["digest"])
    assert (refused.status_code, refused.json()["code"]) == (409, "digest-mismatch")
    assert (await world.claim(proposal)).status_code == 200
    assert len(world.ledger().events(ClaimRefused)) == 1


async def test_an_unused_permission_lapses(world: World) -> None:
    """An approval that nobody claims within the hour is expired, and the agent is told that it was not a no."""
    proposal = await world.propose(42)
    await world.move(minutes=61)
    lapsed = await world.read(proposal)
    assert (lapsed["state"], lapsed["expired_why"]) == ("expired", "unclaimed")
    refused = await world.claim(proposal)
    assert (refused.status_code, refused.json()["code"]) == (410, "expired")


async def test_a_claim_after_the_hour_is_refused_before_any_sweep(world: World) -> None:
    """The hour is checked in the claim itself."""
    proposal = await world.propose(42)
    world.running.sweeps.pass_time = _nothing  # type: ignore[method-assign]
    await world.move(minutes=61)
    assert (await world.claim(proposal)).status_code == 410


async def _nothing() -> int:
    return 0


async def test_nothing_is_claimed_before_the_yes(world: World) -> None:
    """A pending proposal gives no permission, nor does one with half of the votes."""
    proposal = await world.propose(180)
    assert (await world.claim(proposal)).json()["code"] == "not-approved"
    await world.approve(proposal, MAYA)
    assert (await world.claim(proposal)).json()["code"] == "not-approved"
    await world.approve(proposal, JONAS)
    assert (await world.claim(proposal)).status_code == 200


async def test_the_packet_shows_the_execution(world: World) -> None:
    """Claimed, then failed: the packet and the API say both; another outcome later is refused."""
    proposal = await world.propose(180)
    packet = await world.approve(proposal)
    assert (await world.report(proposal)).json()["code"] == "not-claimed"
    await world.claim(proposal)
    await world.settled()
    assert "has not said yet" in packet.text or "took" in packet.text
    assert (await world.report(proposal, "failed")).status_code == 200
    assert (await world.report(proposal, "failed")).status_code == 200
    conflict = await world.report(proposal, "succeeded")
    assert (conflict.status_code, conflict.json()["code"]) == (409, "outcome-conflict")
    await world.settled()
    assert "failure" in packet.text
    assert (await world.read(proposal))["execution"]["status"] == "failed"


async def test_an_outcome_that_never_comes_alarms_people(world: World) -> None:
    """A quarter of an hour without an outcome: unknown, and people are told to look; the report still counts later."""
    proposal = await world.propose(180)
    packet = await world.approve(proposal)
    await world.claim(proposal)
    await world.move(minutes=16)
    await world.settled()
    execution = (await world.read(proposal))["execution"]
    assert (execution["status"], execution["overdue"]) == ("unknown", True)
    assert any("never said how it went" in reply for reply in world.thread(packet))
    await world.move(minutes=16)
    assert len(world.ledger().events(OutcomeOverdue)) == 1
    assert (await world.report(proposal)).status_code == 200
    assert (await world.read(proposal))["execution"]["status"] == "succeeded"


async def test_an_outcome_that_never_comes_alarms_people_even_where_nobody_was_asked(world: World) -> None:
    """What ran under policy alone and never reported is shown to people too: somebody has to look."""
    proposal = await world.propose(42, claim_if_allowed=True)
    await world.move(minutes=16)
    packet = await world.packet_of(proposal)
    await world.settled()
    assert not votable(packet)
    assert any("never said how it went" in reply for reply in world.thread(packet))
