"""Voters who keep arriving while their predecessors are being looked up: somebody unknown never helps a yes."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from approval_rules.events import Decision
from approval_rules.people import Account, Flaw
from approval_rules.state import Status
from bot.directory import Member
from handlers.desk import Accepted
from tests.bot.desk.rig import PEOPLE, Rig


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    """Open a rig."""
    made = Rig(tmp_path)
    await made.hire()
    yield made
    await made.close()


async def pending(rig: Rig) -> tuple[str, str]:
    """Make a proposal whose packet is posted."""
    answer = await rig.submit(rig.agents[0], 180, "k")
    assert isinstance(answer, Accepted)
    proposal = answer.seen.proposal
    await rig.post(proposal.id, "1.1")
    return proposal.id, proposal.digest


async def test_an_earlier_voter_is_asked_about_again(rig: Rig) -> None:
    """The second yes decides only if the first voter is still eligible at that moment."""
    proposal, digest = await pending(rig)
    first, second, third = PEOPLE[:3]
    await rig.for_people.vote(rig.click(first, proposal, digest, "1.1", Decision.APPROVE))
    rig.staff.flaws[first] = Flaw.DEACTIVATED
    judged = await rig.for_people.vote(rig.click(second, proposal, digest, "1.1", Decision.APPROVE))
    assert judged.refusal is None
    assert judged.seen is not None
    assert judged.seen.proposal.status is Status.PENDING
    judged = await rig.for_people.vote(rig.click(third, proposal, digest, "1.1", Decision.APPROVE))
    assert judged.seen is not None
    assert judged.seen.proposal.status is Status.APPROVED


async def test_voters_who_arrive_faster_than_they_can_be_looked_up_are_not_vouched_for(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever voted while we were asking, again and again, counts as unknown: the vote is kept, nothing is approved."""
    proposal, digest = await pending(rig)
    real = rig.staff.look_up
    waiting = list(PEOPLE[:3])

    async def somebody_else_first(account: Account) -> Member:
        member = await real(account)
        if waiting and account.user_id != waiting[0]:
            other = waiting.pop(0)
            await rig.for_people.vote(rig.click(other, proposal, digest, "1.1", Decision.APPROVE))
        return member

    monkeypatch.setattr(rig.staff, "look_up", somebody_else_first)
    monkeypatch.setattr("bot.desk.people._ROUNDS", 0)
    judged = await rig.for_people.vote(rig.click(PEOPLE[3], proposal, digest, "1.1", Decision.APPROVE))
    assert judged.seen is not None
    votes = {vote.voter for vote in judged.seen.proposal.votes}
    assert len(votes) >= 2
    assert rig.faults() == []


async def test_a_denial_is_rehearsed_and_recorded_only_if_refused(rig: Rig) -> None:
    """Pressing Deny writes nothing where the denial would count, and the refusal where it would not."""
    proposal, digest = await pending(rig)
    size = await rig.reads.glance().size()
    ahead = await rig.for_people.begin_denial(rig.click(PEOPLE[0], proposal, digest, "1.1", Decision.DENY))
    assert ahead.refusal is None
    assert await rig.reads.glance().size() == size
    owner = await rig.for_people.begin_denial(rig.click(PEOPLE[4], proposal, digest, "1.1", Decision.DENY))
    assert owner.refusal == "agent-owner"
    assert await rig.reads.glance().size() == size + 1
