"""The second factor in the rules: what is asked for must have been brought, by each yes, and at the claim still."""

from dataclasses import replace

import pytest

from approval_rules.commands import CastVote, Claim
from approval_rules.decide import decide
from approval_rules.events import ClaimRefused, Decision, Refusal, Voted, VoteRefused
from approval_rules.opinion import agree, opinion_from
from approval_rules.people import Standing
from approval_rules.requirement import Seat
from approval_rules.state import Proposal, Status
from approval_rules.step_up import STEP_UPS, Factor, Proof, StepUp, suffices
from approval_rules.verdicts import Ask, consequence
from tests.rules.builders import (
    ANN,
    BEN,
    FINANCE,
    MANAGER,
    REFUND,
    RUNNING,
    TWO_MANAGERS,
    after,
    claim,
    deny,
    opened,
    vote,
)
from tests.rules.policies import folder


def proof(factor: Factor) -> Proof:
    """Make a proof as the desk verifies it."""
    return Proof(factor, "cred_1", "sha256:" + "0" * 64, "ABCD2345")


def refused(proposal: Proposal, command: CastVote | Claim) -> Refusal:
    """The reason why this does not count."""
    event = decide(proposal, command, RUNNING)[-1]
    assert isinstance(event, VoteRefused | ClaimRefused)
    return event.code


def asked(step_up: StepUp) -> Proposal:
    """Open a proposal that asks two managers for a factor."""
    return opened(replace(TWO_MANAGERS, step_up=step_up))


@pytest.mark.parametrize("step_up", STEP_UPS)
@pytest.mark.parametrize("brought", [None, proof("totp"), proof("passkey")])
def test_a_yes_needs_at_least_the_factor_that_is_asked_for(step_up: StepUp, brought: Proof | None) -> None:
    """A stronger factor is enough for a weaker one, and nothing is enough for something."""
    enough = (0 if brought is None else 1 if brought.factor == "totp" else 2) >= STEP_UPS.index(step_up)
    assert suffices(brought, step_up) is enough
    cast = replace(vote(ANN), proof=brought)
    if not enough:
        assert refused(asked(step_up), cast) is Refusal.STEP_UP_NEEDED
        return
    assert after(asked(step_up), cast).votes[0].proof == brought


def test_where_nobody_knows_the_strongest_factor_of_the_file_is_asked_for() -> None:
    """No match asks the strictest people, and not with less proof than any rule of the file wants."""
    three, two = Ask((Seat(MANAGER, 3),)), Ask((Seat(FINANCE, 2),), step_up="passkey")
    file = folder((None, three), (None, two)).policies[REFUND]
    assert file.strictest is not None
    assert file.strictest == replace(three, step_up="passkey")
    assert "each with a passkey" in consequence(file.strictest)


def test_opinions_differ_by_the_factor_too() -> None:
    """A candidate that drops the passkey does not come to the same."""
    strict = opinion_from(replace(TWO_MANAGERS, step_up="passkey"))
    assert not agree(strict, opinion_from(TWO_MANAGERS))
    assert agree(strict, strict)
    assert opinion_from(TWO_MANAGERS).step_up is None


@pytest.mark.parametrize("step_up", STEP_UPS)
def test_a_no_needs_no_factor(step_up: StepUp) -> None:
    """Stopping is safe: whoever has lost the key can still deny."""
    assert after(asked(step_up), deny(ANN)).status is Status.DENIED


def test_who_may_not_decide_is_told_that_and_not_asked_for_a_factor() -> None:
    """A factor makes nobody eligible: the reason that does not go away comes first."""
    stranger = Standing(ANN.person)
    assert refused(asked("passkey"), vote(stranger)) is Refusal.NOT_IN_ROLE
    assert refused(asked("passkey"), replace(vote(stranger), proof=proof("passkey"))) is Refusal.NOT_IN_ROLE


def test_each_of_both_people_brings_a_factor() -> None:
    """One proved yes does not prove the other."""
    half = after(asked("passkey"), replace(vote(ANN), proof=proof("passkey")))
    second = vote(BEN, minutes=6, others=[ANN])
    assert refused(half, second) is Refusal.STEP_UP_NEEDED
    whole = after(half, replace(second, proof=proof("passkey")))
    assert whole.status is Status.APPROVED
    assert after(whole, claim()).execution is not None


def test_the_record_keeps_what_was_proved() -> None:
    """The event has the proof, and the fold has it from there."""
    told = after(asked("totp"), replace(vote(ANN), proof=proof("totp")))
    assert told.votes[0].decision is Decision.APPROVE
    assert told.votes[0].proof == proof("totp")
    assert Voted.__dataclass_fields__["proof"].default is None


def test_an_approval_without_the_factor_gives_no_permission() -> None:
    """Whatever brought an unproved approval about, the claim looks again."""
    unproved = after(opened(), vote(ANN), vote(BEN, minutes=6, others=[ANN]))
    forged = replace(unproved, requirement=replace(unproved.requirement, step_up="totp"))
    assert refused(forged, claim()) is Refusal.APPROVERS_CHANGED


def test_a_factor_that_does_not_hold_voids_the_yes_whatever_was_asked_for() -> None:
    """Its own reason is given where nothing else stands against the vote; a no still needs no factor."""
    brought = replace(vote(ANN), unproved=Refusal.FACTOR_REFUSED)
    for step_up in STEP_UPS:
        assert refused(asked(step_up), brought) is Refusal.FACTOR_REFUSED
        assert refused(asked(step_up), replace(brought, proof=proof("passkey"))) is Refusal.FACTOR_REFUSED
        assert after(asked(step_up), replace(deny(ANN), unproved=Refusal.FACTOR_REFUSED)).status is Status.DENIED
    assert refused(asked("passkey"), replace(brought, voter=Standing(ANN.person))) is Refusal.NOT_IN_ROLE
