"""A claim after the policy changed: permission needs what was asked for at submit, and what is asked for now."""

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approval_rules.decide import POLICY, decide
from approval_rules.duties import why_not
from approval_rules.events import Claimed, ClaimRefused, Refusal, Revoked
from approval_rules.people import Flaw, Standing
from approval_rules.requirement import Requirement, Seat, Shadowed, Tier
from approval_rules.state import Proposal, Status
from approval_rules.step_up import Proof
from tests.rules.builders import (
    AGENT,
    ANN,
    BECAUSE,
    BEN,
    CEM,
    FINANCE,
    GREEN,
    ID,
    MANAGER,
    MANAGER_AND_FINANCE,
    NOBODY,
    RED,
    RUNNING,
    TWO_MANAGERS,
    after,
    approved,
    at,
    claim,
    opened,
    person,
    submit,
    vote,
)

THREE_MANAGERS = replace(TWO_MANAGERS, seats=(Seat(MANAGER, 3),))
IN_SHADOW = replace(TWO_MANAGERS, shadow=Shadowed(Tier.GREEN, None, "in shadow"))
ONE_MANAGER = replace(TWO_MANAGERS, seats=(Seat(MANAGER, 1),))


def claimed_under(proposal: Proposal, now: Requirement | None, *approvers: Standing) -> Refusal | None:
    """Claim while the policy asks for `now`; gives the refusal."""
    events = decide(proposal, replace(claim(approvers=approvers), current=now), RUNNING)
    last = events[-1]
    return last.code if isinstance(last, ClaimRefused) else None


EXCLUDING = replace(TWO_MANAGERS, excluded=("account_manager",))


@pytest.mark.parametrize("now", [RED, THREE_MANAGERS, MANAGER_AND_FINANCE, NOBODY, IN_SHADOW, EXCLUDING])
def test_a_stricter_policy_takes_the_approval_back(now: Requirement) -> None:
    """Blocked, in shadow, more people, others or nobody who could: the approval is gone for good, and says why."""
    command = replace(claim(), current=now)
    assert decide(approved(), command, RUNNING) == (
        Revoked(at(10), POLICY, ID, Refusal.POLICY_CHANGED),
        ClaimRefused(at(10), AGENT.actor, ID, Refusal.POLICY_CHANGED),
    )
    proposal = after(approved(), command)
    assert (proposal.status, proposal.revoked_why) == (Status.REVOKED, Refusal.POLICY_CHANGED)


@pytest.mark.parametrize("now", [None, GREEN, ONE_MANAGER, TWO_MANAGERS])
def test_a_looser_policy_changes_nothing(now: Requirement | None) -> None:
    """Those who approved suffice still; and they are needed still."""
    assert claimed_under(approved(), now, ANN, BEN) is None
    assert claimed_under(approved(), now, ANN) is Refusal.APPROVERS_CHANGED


@pytest.mark.parametrize("now", [RED, TWO_MANAGERS, NOBODY])
def test_what_policy_allowed_needs_the_policy_still(now: Requirement) -> None:
    """A green proposal under a policy that blocks or asks: nobody was asked, so nobody said yes."""
    assert claimed_under(after(None, submit(GREEN)), now) is Refusal.POLICY_CHANGED
    assert claimed_under(after(None, submit(GREEN)), GREEN) is None


def test_a_factor_that_is_asked_for_now() -> None:
    """Who approved without a second factor did not approve with one; a factor more than is needed does no harm."""
    factor = replace(TWO_MANAGERS, step_up="passkey")
    assert claimed_under(approved(), factor, ANN, BEN) is Refusal.POLICY_CHANGED
    votes = tuple(replace(vote, proof=Proof("passkey", "cred_1", "sha256:", "ABCD2345")) for vote in approved().votes)
    proved = replace(approved(), requirement=factor, votes=votes)
    assert claimed_under(proved, factor, ANN, BEN) is None
    assert claimed_under(proved, TWO_MANAGERS, ANN, BEN) is None


def test_a_silent_directory_takes_nothing_back_unless_it_is_blocked() -> None:
    """Who approved cannot be told just now: no for the moment. A block needs nobody to be asked."""
    down = person("ben", flaw=Flaw.DIRECTORY_DOWN)
    assert claimed_under(approved(), THREE_MANAGERS, ANN, down) is Refusal.DIRECTORY_DOWN
    assert claimed_under(approved(), RED, ANN, down) is Refusal.POLICY_CHANGED


_people = st.builds(
    lambda name, roles: person(name, *roles),
    st.sampled_from(["ann", "ben", "cem", "dan"]),
    st.sets(st.sampled_from([MANAGER, FINANCE]), min_size=1),
)
_teams = st.lists(_people, max_size=4, unique_by=lambda standing: standing.person)
_seats = st.lists(
    st.builds(Seat, st.sampled_from([MANAGER, FINANCE]), st.integers(1, 2)),
    max_size=2,
    unique_by=lambda seat: seat.role,
)
_requirements = st.one_of(
    st.sampled_from([GREEN, RED]), st.builds(lambda seats: Requirement(Tier.YELLOW, tuple(seats), BECAUSE), _seats)
)


def meets(requirement: Requirement, proposal: Proposal, people: list[Standing]) -> bool:
    """Whether these people's recorded votes meet a requirement, by trying every order."""
    if requirement.tier is not Tier.YELLOW:
        return requirement.tier is Tier.GREEN
    judged = replace(proposal, requirement=requirement)
    eligible = {standing.person: standing.roles for standing in people if why_not(standing, judged) is None}
    voters = [eligible[vote.voter] & frozenset(vote.roles) for vote in proposal.approved_by if vote.voter in eligible]
    wanted = [seat.role for seat in requirement.seats for _ in range(seat.count)]
    return bool(wanted) and any(
        all(seat in roles for seat, roles in zip(wanted, order, strict=True))
        for order in permutations(voters, len(wanted))
    )


@given(_requirements, _requirements, _teams, _teams)
def test_permission_needs_both(
    then: Requirement, now: Requirement, voters: list[Standing], later: list[Standing]
) -> None:
    """Whoever voted and whatever changed: a permission means that the approvers meet both requirements."""
    proposal = after(None, submit(then)) if then.tier is not Tier.YELLOW else opened(then)
    for place, voter in enumerate(voters):
        proposal = after(proposal, vote(voter, others=voters[:place]))
    votes = {vote.voter for vote in proposal.approved_by}
    approvers = [standing for standing in later if standing.person in votes]
    command = replace(claim(approvers=approvers), current=now)
    granted = any(isinstance(event, Claimed) for event in decide(proposal, command, RUNNING))
    met = meets(then, proposal, approvers) and meets(now, proposal, approvers)
    assert granted == (met and proposal.status is Status.APPROVED)


def test_the_examples_above_can_tell_people_apart() -> None:
    """The builders' third manager is eligible: a test that never grants would prove nothing."""
    proposal = after(opened(THREE_MANAGERS), vote(ANN), vote(BEN, others=[ANN]), vote(CEM, others=[ANN, BEN]))
    assert claimed_under(proposal, TWO_MANAGERS, ANN, BEN, CEM) is None
