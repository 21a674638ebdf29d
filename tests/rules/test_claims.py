"""The one permission: given once, for exactly these bytes, to this agent, while nothing forbids it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from approval_rules.canonical import sha256_name
from approval_rules.commands import Claim
from approval_rules.decide import QUORUM, decide
from approval_rules.events import Claimed, ClaimRefused, Refusal, Revoked
from approval_rules.people import Flaw, Standing
from approval_rules.requirement import GRANT_LIFE, OUTCOME_WITHIN
from approval_rules.state import Execution, Proposal, Status, evolve
from approval_rules.switch import Scope, ScopeKind, Switch
from tests.rules.builders import (
    AGENT,
    ANN,
    BEN,
    CEM,
    FINANCE,
    GREEN,
    ID,
    MANAGER,
    MANAGER_AND_FINANCE,
    RUNNING,
    STRANGE_AGENT,
    after,
    approved,
    at,
    cancel,
    claim,
    claimed,
    opened,
    outcome,
    person,
    resume,
    start_pause,
    submit,
    switched,
    vote,
)

K1 = sha256_name(f"{ID}\nk1".encode())


def refused(proposal: Proposal, command: Claim, switch: Switch = RUNNING) -> Refusal:
    """The reason why this claim gets nothing."""
    (event,) = decide(proposal, command, switch)
    assert isinstance(event, ClaimRefused)
    assert (event.at, event.by) == (command.at, command.agent.actor)
    return event.code


def test_a_claim_gives_the_permission_once() -> None:
    """The first claim is granted for ten minutes and owes a report within fifteen; a second key gets nothing."""
    (granted,) = decide(approved(), claim(), RUNNING)
    times = at(10) + GRANT_LIFE, at(10) + OUTCOME_WITHIN
    assert granted == Claimed(at(10), AGENT.actor, ID, "grant_1", None, *times, key_digest=K1)
    assert timedelta(minutes=10) == GRANT_LIFE
    for key in ("k2", None):
        assert refused(claimed(), claim(11, key=key, grant_id="grant_2")) is Refusal.ALREADY_CLAIMED


def test_the_same_key_is_the_same_claim() -> None:
    """A repeated claim changes nothing and keeps the first grant, even long after; another digest is refused."""
    assert decide(claimed(), claim(11, grant_id="grant_2"), RUNNING) == ()
    assert decide(claimed(), claim(500, grant_id="grant_2"), RUNNING) == ()
    assert refused(claimed(), claim(11, digest="sha256:other")) is Refusal.DIGEST_MISMATCH


def test_a_repeated_claim_gives_nothing_during_a_pause() -> None:
    """The first answer may have been lost: then this would be the first permission after the pause."""
    assert refused(claimed(), claim(11), switched(RUNNING, start_pause(7))) is Refusal.PAUSED


def test_without_a_key_no_claim_is_repeated() -> None:
    """Two claims without a key are two claims."""
    proposal = after(approved(), claim(key=None))
    assert refused(proposal, claim(11, key=None)) is Refusal.ALREADY_CLAIMED


def test_a_claim_at_exactly_the_deadline_is_late() -> None:
    """An hour after approval the permission has lapsed, though no sweep has run."""
    assert refused(approved(), claim(66)) is Refusal.EXPIRED
    assert isinstance(decide(approved(), claim(65.99), RUNNING)[0], Claimed)


@pytest.mark.parametrize("scope", [None, Scope(ScopeKind.AGENT, AGENT.id), Scope(ScopeKind.TOOL, "payments.refund")])
def test_no_claim_during_a_pause(scope: Scope | None) -> None:
    """A pause of everything, of the agent or of the tool stops what was approved before it; resuming lets it go on."""
    start = start_pause(7) if scope is None else start_pause(7, scope)
    paused = switched(RUNNING, start)
    assert refused(approved(), claim(8), paused) is Refusal.PAUSED
    running = switched(paused, *([resume(9, ANN), resume(9, BEN)] if scope is None else [resume(9, ANN, scope)]))
    assert isinstance(decide(approved(), claim(10), running)[0], Claimed)


def test_another_digest_gets_nothing() -> None:
    """What executes is what was shown: a claim for other bytes is refused."""
    assert refused(approved(), claim(digest="sha256:other")) is Refusal.DIGEST_MISMATCH


def test_the_agent_must_still_be_allowed() -> None:
    """An agent that was revoked, or whose tool was taken away, after approval gets nothing."""
    assert refused(approved(), claim(agent=replace(AGENT, revoked=True))) is Refusal.AGENT_REVOKED
    assert refused(approved(), claim(agent=replace(AGENT, tools=()))) is Refusal.TOOL_NOT_ALLOWED


def test_another_agent_is_a_mistake_of_the_caller() -> None:
    """Only its own agent can claim, cancel or report; for another the proposal does not exist, so none is judged."""
    stranger = STRANGE_AGENT.id
    for proposal, command in (
        (approved(), claim(agent=STRANGE_AGENT)),
        (opened(), replace(cancel(), agent=stranger)),
        (claimed(), replace(outcome(), agent=stranger)),
    ):
        with pytest.raises(ValueError, match="must look first"):
            decide(proposal, command, RUNNING)


@pytest.mark.parametrize(
    "approvers",
    [
        [],
        [ANN],
        [ANN, CEM],
        [ANN, person("ben", FINANCE)],
        [ANN, person("ben", MANAGER, flaw=Flaw.DEACTIVATED)],
        [ANN, person("ben", MANAGER, flaw=Flaw.UNKNOWN)],
    ],
)
def test_changed_approvers_revoke(approvers: list[Standing]) -> None:
    """When the people who approved no longer fill the seats, the approval is taken back for good."""
    revoked, refusal = decide(approved(), claim(approvers=approvers), RUNNING)
    assert revoked == Revoked(at(10), QUORUM, ID, Refusal.APPROVERS_CHANGED)
    assert refusal == ClaimRefused(at(10), AGENT.actor, ID, Refusal.APPROVERS_CHANGED)
    proposal = after(approved(), claim(approvers=approvers))
    assert (proposal.status, proposal.revoked_why) == (Status.REVOKED, Refusal.APPROVERS_CHANGED)
    assert refused(proposal, claim(11)) is Refusal.REVOKED


def test_an_approver_who_changed_roles_revokes() -> None:
    """A vote given as a manager does not permit as finance's."""
    mia = person("mia", MANAGER)
    fin = person("fin", FINANCE, MANAGER)
    proposal = after(opened(MANAGER_AND_FINANCE), vote(mia), vote(fin, minutes=6, others=[mia]))
    swapped = [person("mia", FINANCE), person("fin", MANAGER)]
    assert isinstance(decide(proposal, claim(approvers=swapped), RUNNING)[0], Revoked)
    assert isinstance(decide(proposal, claim(approvers=[mia, fin]), RUNNING)[0], Claimed)


def test_an_unreachable_directory_refuses_and_revokes_nothing() -> None:
    """While nobody can say who the approvers are, the answer is no for now; later the claim goes through."""
    down = person("ben", flaw=Flaw.DIRECTORY_DOWN)
    assert refused(approved(), claim(approvers=[ANN, down])) is Refusal.DIRECTORY_DOWN
    proposal = after(approved(), claim(approvers=[ANN, down]))
    assert after(proposal, claim(11)).execution is not None


def test_a_third_approver_may_leave() -> None:
    """As long as those who are left fill the seats, the approval stands."""
    dan = person("dan", MANAGER)
    half = after(opened(), vote(dan), vote(ANN, others=[]))
    proposal = after(half, vote(BEN, minutes=6, others=[ANN, dan]))
    assert len(proposal.approved_by) == 3
    assert isinstance(decide(proposal, claim(approvers=[person("dan"), ANN, BEN]), RUNNING)[0], Claimed)


def test_approval_by_policy_needs_no_people() -> None:
    """A green proposal is claimed without any approver, and still not during a pause."""
    green = after(None, submit(GREEN))
    assert isinstance(decide(green, claim(approvers=[]), RUNNING)[0], Claimed)
    assert refused(green, claim(8, approvers=[]), switched(RUNNING, start_pause(7))) is Refusal.PAUSED


def test_what_the_state_says_of_a_claim() -> None:
    """The execution holds the first claim's grant, the digest of its key, and its times."""
    assert claimed().execution == Execution("claimed", "grant_1", None, at(10), at(20), at(25), key_digest=K1)


def test_a_claim_that_an_earlier_version_recorded_is_repeated_by_its_key() -> None:
    """It has the key itself; and once the digest of a key is erased, nothing repeats that claim any more."""
    granted = decide(approved(), claim(), RUNNING)[0]
    assert isinstance(granted, Claimed)
    earlier = evolve(approved(), replace(granted, key="k1", key_digest=None))
    assert decide(earlier, claim(11, grant_id="grant_2"), RUNNING) == ()
    assert refused(earlier, claim(11, key="k2", grant_id="grant_2")) is Refusal.ALREADY_CLAIMED
    gone = evolve(approved(), replace(granted, key_digest=None))
    for key in ("k1", None):
        assert refused(gone, claim(11, key=key, grant_id="grant_2")) is Refusal.ALREADY_CLAIMED
