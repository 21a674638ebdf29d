"""Votes: whose count, when, for which bytes, and what they decide."""

from dataclasses import replace
from datetime import timedelta

import pytest

from approval_rules.canonical import Digest
from approval_rules.commands import CastVote, RecordPosted, Submit
from approval_rules.decide import QUORUM, decide
from approval_rules.events import Approved, Decision, Denied, Posted, Refusal, Voted, VoteRefused
from approval_rules.people import Flaw, ProposalId, Standing, human
from approval_rules.requirement import Requirement, Seat, Tier
from approval_rules.state import Proposal, Status
from tests.rules.builders import (
    ANN,
    BECAUSE,
    BEN,
    CEM,
    DIGEST,
    FINANCE,
    ID,
    INITIATOR,
    MANAGER,
    MANAGER_AND_FINANCE,
    NOBODY,
    OWNER,
    POSTED,
    RUNNING,
    START,
    after,
    at,
    deny,
    only,
    opened,
    person,
    submit,
    vote,
)

HALF = after(opened(), vote(ANN))


def refused(proposal: Proposal, command: CastVote) -> Refusal:
    """The reason why this click does not count."""
    (event,) = decide(proposal, command, RUNNING)
    assert isinstance(event, VoteRefused)
    assert (event.at, event.by, event.decision) == (command.at, human(command.voter.person), command.decision)
    return event.code


def test_two_distinct_people_approve() -> None:
    """The second eligible person decides, and the permission lapses an hour later."""
    voted, approved = decide(HALF, vote(BEN, minutes=6, others=[ANN]), RUNNING)
    assert isinstance(voted, Voted)
    assert voted.by == human(BEN.person)
    assert approved == Approved(at(6), QUORUM, ID, at(66))


def test_a_vote_records_what_was_seen() -> None:
    """A vote holds the digest of the action, the digest of what was shown, and the counting roles as of then."""
    ann = person("ann", MANAGER, FINANCE)
    voted = only(decide(opened(), vote(ann), RUNNING), Voted)
    assert (voted.digest, voted.shown, voted.roles) == (DIGEST, POSTED.shown, (MANAGER,))


def test_a_click_that_says_the_same_again_is_refused() -> None:
    """A double click, or a second press of Approve, counts once."""
    assert refused(HALF, vote(ANN, others=[ANN])) is Refusal.ALREADY_VOTED


def test_a_no_denies_at_once() -> None:
    """One eligible no ends it, before and after a yes by others."""
    for proposal in (opened(), HALF):
        voted, denied = decide(proposal, deny(CEM), RUNNING)
        assert isinstance(voted, Voted)
        assert denied == Denied(at(5), human(CEM.person), ID)


def test_a_yes_may_become_a_no() -> None:
    """Somebody who approved may still deny; the vote is replaced, not added."""
    proposal = after(HALF, vote(ANN, Decision.DENY, 7))
    assert proposal.status is Status.DENIED
    assert [(cast.voter, cast.decision) for cast in proposal.votes] == [(ANN.person, Decision.DENY)]
    assert proposal.approved_by == ()


@pytest.mark.parametrize("ann", [person("ann"), person("ann", FINANCE), person("ann", MANAGER, flaw=Flaw.DEACTIVATED)])
def test_an_earlier_voter_who_lost_the_role_does_not_count(ann: Standing) -> None:
    """At the moment of deciding each voter is judged again."""
    assert after(HALF, vote(BEN, minutes=6, others=[ann])).status is Status.PENDING
    assert after(HALF, vote(BEN, minutes=6, others=[])).status is Status.PENDING


def test_saying_yes_again_decides_after_an_outage() -> None:
    """When the directory could not judge an earlier voter, a second click of either person decides later."""
    unknown = person("ann", MANAGER, flaw=Flaw.DIRECTORY_DOWN)
    both = after(HALF, vote(BEN, minutes=6, others=[unknown]))
    assert (both.status, len(both.votes)) == (Status.PENDING, 2)
    assert refused(both, vote(BEN, minutes=7, others=[unknown])) is Refusal.ALREADY_VOTED
    for again, other in ((ANN, BEN), (BEN, ANN)):
        decided = after(both, vote(again, minutes=8, others=[other]))
        assert (decided.status, len(decided.votes)) == (Status.APPROVED, 2)


def test_a_vote_fills_only_a_seat_of_a_role_held_when_voting() -> None:
    """Moving to finance after approving as a manager does not turn the vote into finance's."""
    voted_as_manager = after(opened(MANAGER_AND_FINANCE), vote(ANN))
    moved = person("ann", FINANCE)
    both = after(voted_as_manager, vote(BEN, minutes=6, others=[moved]))
    assert both.status is Status.PENDING
    assert after(both, vote(moved, minutes=7, others=[BEN])).status is Status.APPROVED


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_seats_of_two_roles_need_two_people(order: tuple[int, int]) -> None:
    """Somebody in both roles takes one seat, and gives way to whoever fits only one, in any order."""
    people = (person("both", MANAGER, FINANCE), BEN)
    first, second = people[order[0]], people[order[1]]
    half = after(opened(MANAGER_AND_FINANCE), vote(first))
    assert half.status is Status.PENDING
    assert after(half, vote(second, minutes=6, others=[first])).status is Status.APPROVED


def test_one_approval_must_be_enough_where_policy_says_so() -> None:
    """A seat for one person is filled by one person."""
    one = Requirement(Tier.YELLOW, (Seat(MANAGER, 1),), BECAUSE)
    assert after(opened(one), vote(ANN)).status is Status.APPROVED


@pytest.mark.parametrize(
    ("voter", "reason"),
    [
        (person(INITIATOR, MANAGER), Refusal.INITIATOR),
        (person(OWNER, MANAGER), Refusal.AGENT_OWNER),
        (person("zoe", FINANCE), Refusal.NOT_IN_ROLE),
        (person("gus", MANAGER, flaw=Flaw.GUEST), Refusal.GUEST),
    ],
)
@pytest.mark.parametrize("decision", list(Decision))
def test_who_may_not_decide_is_told_why(voter: Standing, decision: Decision, reason: Refusal) -> None:
    """Neither yes nor no counts of somebody who may not decide; the attempt is recorded."""
    assert refused(HALF, vote(voter, decision)) is reason


def test_an_empty_approver_list_means_nobody() -> None:
    """A proposal without seats is decided by nobody, whatever the role."""
    assert refused(opened(NOBODY), vote(ANN)) is Refusal.NOT_IN_ROLE


def test_a_vote_at_exactly_the_deadline_is_late() -> None:
    """The last moment is before the deadline, though no sweep has run."""
    assert refused(opened(), vote(ANN, minutes=240)) is Refusal.EXPIRED
    assert after(opened(), vote(ANN, minutes=239.999)).votes


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (vote(ANN, seen="sha256:other"), Refusal.DIGEST_MISMATCH),
        (vote(ANN, seen=""), Refusal.DIGEST_MISMATCH),
        (vote(ANN, channel="C2"), Refusal.NOT_OUR_MESSAGE),
        (vote(ANN, ts="1700000000.000200"), Refusal.NOT_OUR_MESSAGE),
    ],
)
def test_a_button_of_something_else_is_refused(wrong: CastVote, reason: Refusal) -> None:
    """A vote counts only for these bytes on the message where we posted them."""
    assert refused(opened(), wrong) is reason


def test_no_vote_before_the_packet_is_posted() -> None:
    """What nobody was shown, nobody can approve."""
    assert refused(after(None, submit()), vote(ANN)) is Refusal.NOT_OUR_MESSAGE


def test_a_reposted_packet_makes_the_old_buttons_dead() -> None:
    """After the packet moved, only the message that stands now can be clicked."""
    moved = after(opened(), RecordPosted(at(1), ID, Posted("C1", "1700000009.000100", Digest("sha256:again"))))
    assert refused(moved, vote(ANN)) is Refusal.NOT_OUR_MESSAGE
    voted = only(decide(moved, vote(ANN, ts="1700000009.000100"), RUNNING), Voted)
    assert voted.shown == "sha256:again"


def test_a_vote_for_another_proposal_is_a_mistake_of_the_caller() -> None:
    """A command that names another proposal is never applied to this one."""
    other = Submit(START, ProposalId("prop_2"), submit().agent, None, submit().draft, submit().requirement)
    with pytest.raises(ValueError, match="must look first"):
        decide(after(None, other), vote(ANN), RUNNING)
    assert opened().expires_at - START == timedelta(hours=4)


def test_whose_yes_does_not_count_any_more_is_not_among_those_who_approved() -> None:
    """Three said yes, and one may not decide when it is decided: record and permission name the other two."""
    gone = person("ann", MANAGER, flaw=Flaw.DEACTIVATED)
    both = after(HALF, vote(BEN, minutes=6, others=[gone]))
    events = decide(both, vote(CEM, minutes=7, others=[gone, BEN]), RUNNING)
    assert only(events, Approved).left_out == (ANN.person,)
    whole = after(both, vote(CEM, minutes=7, others=[gone, BEN]))
    assert [each.voter for each in whole.approved_by] == [BEN.person, CEM.person]
    assert len(whole.votes) == 3


def test_two_accounts_of_one_person_are_named_once() -> None:
    """Ann voted by both accounts before anybody knew that they are hers."""
    other = person("ann-again", MANAGER)
    both = after(
        opened(Requirement(Tier.YELLOW, (Seat(MANAGER, 3),), BECAUSE)), vote(ANN), vote(other, minutes=6, others=[ANN])
    )
    ann, again = replace(ANN, others=frozenset({other.person})), replace(other, others=frozenset({ANN.person}))
    three = after(both, vote(BEN, minutes=7, others=[ann, again]))
    assert three.status is Status.PENDING
    events = decide(three, vote(CEM, minutes=8, others=[ann, again, BEN]), RUNNING)
    assert only(events, Approved).left_out == (other.person,)


def test_a_no_of_somebody_who_has_left_is_no_yes_that_was_left_out() -> None:
    """Whoever is named as left out said yes."""
    gone = person("ann", MANAGER, flaw=Flaw.DEACTIVATED)
    no = replace(HALF, votes=(replace(HALF.votes[0], decision=Decision.DENY),))
    both = after(no, vote(BEN, minutes=6, others=[gone]))
    assert only(decide(both, vote(CEM, minutes=7, others=[gone, BEN]), RUNNING), Approved).left_out is None
