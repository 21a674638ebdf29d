"""A pause that takes back: unused approvals are gone for good, on every surface, whoever races against it."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest

from approval_rules.events import ClaimRefused, Refusal, Revoked, Thawed
from bot.desk import taking_back, thawing
from bot.desk.sweeps import Sweeps
from bot.slack_standin.workspace import JONAS, MAYA, SAM
from bot.store.transaction import Transaction
from tests.world import World, votable

SCOPES = ["all", "agent refund-bot", "tool payments.refund"]
THAW = Sweeps.thaw


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


@pytest.fixture
def left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let neither the pause, nor the resume, nor a tick reach anything: as if 10,000 others stood before these."""

    async def nothing(_self: Sweeps) -> None:
        return

    for name in ("thaw", "take_back"):
        monkeypatch.setattr(Sweeps, name, nothing)
    for module in (taking_back, thawing):
        monkeypatch.setattr(module, "AT_ONCE", 0)


@pytest.mark.usefixtures("left")
async def test_a_resume_before_the_sweep_lets_nothing_through(world: World) -> None:
    """What the sweep has not reached yet reads as revoked, is refused to a claim, and is revoked by it."""
    proposal = await world.propose(42)
    await world.say(SAM, "pause agent refund-bot revoke")
    await world.say(MAYA, "resume agent refund-bot")
    assert world.ledger().events(Revoked) == []
    assert (await world.read(proposal))["state"] == "revoked"
    assert (await world.claim(proposal)).json()["code"] == "revoked"
    assert len(world.ledger().events(Revoked)) == 1


@pytest.mark.usefixtures("left")
async def test_the_packet_shows_at_once_what_a_batch_will_say(world: World) -> None:
    """A packet shows no approval that can never be used; whoever shows it again takes it back in its turn."""
    packet = await world.approve(await world.propose(180))
    await world.say(SAM, "pause all revoke")
    await world.settled()
    assert "a pause stopped it" in packet.text
    assert len(world.ledger().events(Revoked)) == 1


@pytest.mark.usefixtures("left")
async def test_what_a_resume_leaves_is_taken_back_in_batches_after_a_restart(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No transaction takes back more than fifty, a kill in between loses none, and later approvals are left alone."""
    made = [await world.propose(42) for _ in range(7)]
    await world.say(SAM, "pause tool payments.refund revoke")
    await world.say(MAYA, "resume tool payments.refund")
    later = await world.propose(43)
    await world.restart()
    monkeypatch.setattr("bot.desk.sweeps.AT_ONCE_THAWED", 3)
    sizes: list[int] = []

    def counting(proposals: Sequence[str], tx: Transaction) -> None:
        sizes.append(len(proposals))
        thawing.thaw_these(proposals, tx)

    monkeypatch.setattr("bot.desk.sweeps.thaw_these", counting)
    for _ in range(2):
        await THAW(world.running.sweeps)
    assert sizes == [3, 3, 1]
    assert {str(event.proposal) for event in world.ledger().events(Revoked)} == {before["id"] for before in made}
    assert world.ledger().events(Thawed) == []
    assert (await world.claim(later)).status_code == 200
    world.verify_log()


async def test_the_index_finds_unclaimed_approvals_without_a_walk(world: World) -> None:
    """Looking for them each second costs the same with a million decided proposals."""
    with sqlite3.connect(Path(world.database)) as connection:
        plan = connection.execute(
            f"EXPLAIN QUERY PLAN {taking_back.UNCLAIMED}", taking_back.unclaimed_in([], 1)
        ).fetchall()
    assert not any("SCAN proposals" in row[3] and "INDEX" not in row[3] for row in plan), plan
