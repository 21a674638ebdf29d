"""A pause that takes back: unused approvals are gone for good, on every surface, whoever races against it."""

import sqlite3
from pathlib import Path

import pytest

from approval_rules.events import ClaimRefused, Refusal, Revoked
from bot.desk import taking_back
from bot.slack_standin.workspace import JONAS, MAYA, SAM
from tests.world import World, votable

SCOPES = ["all", "agent refund-bot", "tool payments.refund"]


@pytest.mark.parametrize("what", SCOPES)
async def test_unused_approvals_are_taken_back(world: World, what: str) -> None:
    """In the pause's own transaction; packets, the API and claims say so, and the resume brings nothing back."""
    by_policy, asked, waiting = await world.propose(42), await world.propose(180), await world.propose(180)
    packet = await world.approve(asked)
    told = await world.say(SAM, f"pause {what} revoke the feed was wrong")
    assert "2 approvals that were not yet used" in told
    assert "the feed was wrong" in told
    for proposal in (by_policy, asked):
        seen = await world.read(proposal)
        assert (seen["state"], seen["revoked_why"]) == ("revoked", "paused")
        claim = await world.claim(proposal)
        assert (claim.status_code, claim.json()["code"]) == (409, "revoked")
    assert (await world.read(waiting))["state"] == "pending"
    await world.settled()
    assert not votable(packet)
    assert "a pause stopped it" in packet.text
    await world.say(MAYA, f"resume {what}")
    if what == "all":
        await world.say(JONAS, "resume all")
    await world.settled()  # the buttons are back
    assert (await world.claim(asked)).status_code == 409
    await world.approve(waiting)
    assert (await world.claim(waiting)).status_code == 200
    ledger = world.ledger()
    assert {(event.code, ledger.user(event.by.ref)) for event in ledger.events(Revoked)} == {(Refusal.PAUSED, SAM)}
    world.verify_log()


async def test_nothing_slips_between_two_batches(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the pause's transaction left for later is refused to a claim, and revoked by it."""
    monkeypatch.setattr(taking_back, "AT_ONCE", 1)
    first, second = await world.propose(42), await world.propose(43)
    await world.say(SAM, "pause all revoke")
    states = {(await world.read(proposal))["state"] for proposal in (first, second)}
    for proposal in (first, second):
        assert (await world.claim(proposal)).json()["code"] == "revoked"
    assert "revoked" in states
    assert [event.code for event in world.ledger().events(ClaimRefused)] == [Refusal.REVOKED] * 2
    assert len(world.ledger().events(Revoked)) == 2


async def test_the_sweep_takes_the_rest(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many unused approvals are taken back in batches, and nobody has to claim them for it."""
    monkeypatch.setattr(taking_back, "AT_ONCE", 2)
    monkeypatch.setattr("bot.desk.sweeps.AT_ONCE_TAKEN", 2)
    proposals = [await world.propose(42) for _ in range(7)]
    await world.say(SAM, "pause tool payments.refund revoke")
    await world.running.sweeps.take_back()
    assert [(await world.read(proposal))["state"] for proposal in proposals] == ["revoked"] * 7
    await world.running.sweeps.take_back()
    assert len(world.ledger().events(Revoked)) == 7


async def test_a_resume_before_the_sweep_lets_nothing_through(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The resume takes back what the sweep has not reached yet, in its own transaction."""
    monkeypatch.setattr(taking_back, "AT_ONCE", 0)
    proposal = await world.propose(42)
    await world.say(SAM, "pause agent refund-bot revoke")
    await world.say(MAYA, "resume agent refund-bot")
    assert (await world.claim(proposal)).json()["code"] == "revoked"
    assert (await world.read(proposal))["state"] == "revoked"


async def test_the_index_finds_unclaimed_approvals_without_a_walk(world: World) -> None:
    """Looking for them each second costs the same with a million decided proposals."""
    with sqlite3.connect(Path(world.database)) as connection:
        plan = connection.execute(
            f"EXPLAIN QUERY PLAN {taking_back.UNCLAIMED}", taking_back.unclaimed_in([], 1)
        ).fetchall()
    assert not any("SCAN proposals" in row[3] and "INDEX" not in row[3] for row in plan), plan
