"""Clicks that come late, twice, all at once, or again: each is answered, and at most one decision is made."""

import asyncio
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from approval_rules.events import Approved, Decision, Denied, Refusal, Voted, VoteRefused
from bot.slack_standin.faults import LostAnswer, Twice
from bot.slack_standin.workspace import JONAS, MAYA, PRIYA, SAM
from tests.world import World, denial, votable

EIGHT = (MAYA, JONAS, *(f"U0MANAGER0{number}" for number in range(6)))


@pytest.mark.parametrize(
    ("state", "words"), [("approved", "decided already"), ("expired", "the time to decide is over")]
)
async def test_a_stale_click_is_answered(world: World, state: str, words: str) -> None:
    """A click on an old screen, after the decision or after the time, is answered and recorded, and adds nothing."""
    proposal = await world.propose()
    packet = await world.packet_of(proposal)
    if state == "approved":
        await world.approve(proposal)
    else:
        await world.move(hours=5)
    await world.settled()
    assert not votable(packet)
    assert words in await world.click(PRIYA, packet, force=True)
    assert (await world.read(proposal))["state"] == state
    assert len(world.ledger().events(VoteRefused)) == 1


async def test_a_late_sweep_lets_no_late_vote_through(world: World) -> None:
    """The deadline is checked when voting: a click after it is refused although no sweep has run yet."""
    proposal = await world.propose(expires_in_s=60)
    packet = await world.packet_of(proposal)
    world.clock.move(timedelta(seconds=61))
    answer = await world.click(MAYA, packet, force=True)
    assert "the time to decide is over" in answer
    assert world.ledger().events(Voted) == []


async def test_a_denial_needs_a_reason_and_ends_it_at_once(world: World) -> None:
    """One no by an eligible person, with a reason that the packet and the agent are shown, ends the matter."""
    proposal = await world.propose()
    packet = await world.packet_of(proposal)
    await world.click(MAYA, packet)
    told = await world.deny(JONAS, packet, "Refunded last week <!channel>")
    assert "Your denial counts" in told
    denied = await world.read(proposal)
    assert (denied["state"], denied["votes"][-1]["reason"]) == ("denied", "Refunded last week <!channel>")
    await world.settled()
    assert "Refunded last week" in str(packet.blocks)
    assert not votable(packet)
    assert packet.pings == []
    assert "decided already" in await world.click(PRIYA, packet, force=True)
    assert (await world.claim(proposal)).json()["code"] == "not-approved"


async def test_an_empty_reason_is_asked_for_again(world: World) -> None:
    """A denial whose reason says nothing is not sent; the modal says what is missing."""
    packet = await world.packet_of(await world.propose())
    await world.slack.click(JONAS, packet.channel, packet.ts, "deny")
    modal = world.slack.modals(JONAS)[-1]
    outcome = await world.slack.submit(JONAS, modal.id, denial(" \u200b "))
    assert outcome.errors
    assert world.ledger().events(Denied) == []


async def test_a_changed_mind_denies(world: World) -> None:
    """Whoever said yes may still say no while it is open; the yes no longer counts."""
    proposal = await world.propose()
    packet = await world.packet_of(proposal)
    await world.click(MAYA, packet)
    await world.deny(MAYA, packet, "I misread the amount")
    found = await world.read(proposal)
    assert found["state"] == "denied"
    assert [(vote["by"], vote["decision"]) for vote in found["votes"]] == [(MAYA, "deny")]


async def test_sixty_clicks_of_eight_people_make_one_decision(tmp_path: Path) -> None:
    """Raced clicks: exactly two votes and one approval, no error, and every single click is answered."""
    async with World(tmp_path, managers=EIGHT) as world:
        proposal = await world.propose()
        packet = await world.packet_of(proposal)
        clickers = [EIGHT[number % 8] for number in range(60)]
        outcomes = await asyncio.gather(
            *(world.slack.click(user, packet.channel, packet.ts, "approve", force=True) for user in clickers)
        )
        assert [outcome.warning for outcome in outcomes if not outcome.ok] == []
        await world.settled(30)
        ledger = world.ledger()
        assert len(ledger.events(Voted)) == 2
        assert len(ledger.events(Approved)) == 1
        assert len(ledger.events(VoteRefused)) == 58
        told = Counter({user: len(world.slack.ephemerals(user)) for user in EIGHT})
        assert told == Counter(clickers)
        assert (await world.read(proposal))["state"] == "approved"
        assert not votable(packet)
        world.verify_log()


async def test_a_yes_and_a_no_at_once_make_one_decision(tmp_path: Path) -> None:
    """When approvals race a denial, one of them decides and the other is told; never both."""
    async with World(tmp_path) as world:
        proposals = [await world.propose() for _ in range(6)]
        for proposal in proposals:
            packet = await world.packet_of(proposal)
            await world.slack.click(PRIYA, packet.channel, packet.ts, "deny")
            modal = world.slack.modals(PRIYA)[-1]
            await asyncio.gather(
                world.slack.submit(PRIYA, modal.id, denial("no")),
                *(world.slack.click(user, packet.channel, packet.ts, "approve", force=True) for user in (MAYA, JONAS)),
            )
        await world.settled()
        ledger = world.ledger()
        assert len(ledger.events(Approved)) + len(ledger.events(Denied)) == 6
        for proposal in proposals:
            ended = [event for event in ledger.of(proposal["id"]) if isinstance(event, Approved | Denied)]
            assert len(ended) == 1
        world.verify_log()


async def test_a_replayed_click_has_no_effect(world: World) -> None:
    """An eavesdropper who sends a signed click again changes nothing, not even the log; it is not even an error."""
    proposal = await world.propose()
    packet = await world.packet_of(proposal)
    outcome = await world.slack.click(MAYA, packet.channel, packet.ts, "approve")
    assert outcome.delivery is not None
    await world.settled()
    before = len(world.ledger().recorded)
    answer = await world.slack.replay(outcome.delivery)
    assert answer.status == 200
    await world.settled()
    assert len(world.ledger().recorded) == before
    assert len(world.slack.ephemerals(MAYA)) == 1


async def test_a_click_that_slack_delivers_twice_counts_once(world: World) -> None:
    """The same request arriving twice is one click: one vote, one answer, and no complaint to the clicker."""
    packet = await world.packet_of(await world.propose())
    world.slack.fail("app:block_actions", Twice())
    assert "One more person" in await world.click(MAYA, packet)
    await world.settled()
    assert len(world.ledger().events(Voted)) == 1
    assert world.ledger().events(VoteRefused) == []
    assert len(world.slack.ephemerals(MAYA)) == 1


async def test_a_denial_that_slack_delivers_twice_counts_once(world: World) -> None:
    """The same modal arriving twice is one denial, and both answers say that it counts."""
    proposal = await world.propose()
    packet = await world.packet_of(proposal)
    world.slack.fail("app:view_submission", Twice())
    assert "Your denial counts" in await world.deny(MAYA, packet, "no")
    assert len(world.ledger().events(Denied)) == 1


async def test_a_refused_denial_that_slack_delivers_twice_is_refused_both_times(world: World) -> None:
    """A refusal stays a refusal when the request comes again: nobody is told that a no counted which did not."""
    proposal = await world.propose()
    packet = await world.packet_of(proposal)
    await world.slack.click(MAYA, packet.channel, packet.ts, "deny")
    modal = world.slack.modals(MAYA)[-1]
    await world.move(hours=5)
    world.slack.fail("app:view_submission", Twice())
    await world.slack.submit(MAYA, modal.id, denial("no"))
    told = str(world.slack.modals(MAYA)[-1].view)
    assert "the time to decide is over" in told
    assert [event.code for event in world.ledger().events(VoteRefused)] == [Refusal.EXPIRED]


async def test_an_unknown_proposal_is_answered_each_time(world: World) -> None:
    """A button about a proposal that nobody knows is answered; the same request again does no harm."""
    packet = await world.packet_of(await world.propose())
    press = await world.slack.click(MAYA, packet.channel, packet.ts, "details")
    assert press.delivery is not None
    unknown = "prop_" + "0" * 26
    known = packet.metadata["event_payload"]["proposal"] if packet.metadata else ""
    body = press.delivery.body.replace(b"%22details%22", b"%22approve%22").replace(known.encode(), unknown.encode())
    first = await world.slack.send_signed(body)
    again = await world.slack.replay(first)
    assert (first.status, again.status) == (200, 200)
    await world.settled()
    assert len(world.slack.ephemerals(MAYA)) == 1
    assert (await world.http.get("/readyz")).status_code == 200


async def test_a_lost_acknowledgement_loses_no_vote(world: World) -> None:
    """Slack may never hear our answer to a click: the vote stands, the packet shows it, a second click is told so."""
    packet = await world.packet_of(await world.propose())
    world.slack.fail("app:block_actions", LostAnswer())
    outcome = await world.slack.click(MAYA, packet.channel, packet.ts, "approve")
    assert not outcome.ok
    await world.settled()
    assert [event.decision for event in world.ledger().events(Voted)] == [Decision.APPROVE]
    assert "1 of 2" in packet.text
    assert "first decision stands" in await world.click(MAYA, packet)


async def test_every_vote_is_for_what_was_shown(world: World) -> None:
    """A counted vote names the digest of the action and of the blocks that stood in Slack when it was cast."""
    proposal = await world.propose()
    packet = await world.approve(proposal)
    ledger = world.ledger()
    votes = ledger.events(Voted)
    assert {vote.digest for vote in votes} == {proposal["digest"]}
    assert all(vote.shown for vote in votes)
    assert SAM not in {ledger.user(vote.voter) for vote in votes}
    assert packet.versions
