"""The backup role: nobody before the reminder, and from then on a person like any other, on any seat, counted once."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approval_rules.decide import decide
from approval_rules.duties import counting_roles, why_not
from approval_rules.events import Approved, Denied, Refusal, Reminded, Voted, VoteRefused
from approval_rules.people import PersonId, RoleName, Standing, human
from approval_rules.quorum import tally
from approval_rules.react import ShowPacket, TellThread, react
from approval_rules.requirement import Requirement, Seat
from approval_rules.state import Proposal, Status
from approval_rules.verdicts import Ask, consequence
from tests.rules.builders import (
    ANN,
    FINANCE,
    MANAGER,
    NOBODY,
    OWNER,
    RUNNING,
    TWO_MANAGERS,
    after,
    claim,
    deny,
    only,
    opened,
    pass_time,
    person,
    vote,
)
from tests.rules.test_quorum import PEOPLE, ROLES, SEATS, VOTERS, said, some_filling

LEAD = RoleName("finance_lead")
LIA, LEO = person("lia", LEAD), person("leo", LEAD)
HALF = 120
WITH_BACKUP = replace(TWO_MANAGERS, backup=LEAD)


def waiting(requirement: Requirement = WITH_BACKUP) -> Proposal:
    """Half of the four hours is over, and people were reminded."""
    return after(opened(requirement), pass_time(HALF))


def test_before_the_reminder_the_backup_is_nobody() -> None:
    """A vote that comes too early is refused as anybody's without a role, and is not counted later either."""
    early = opened(WITH_BACKUP)
    refused = only(decide(early, vote(LIA, minutes=HALF - 1), RUNNING), VoteRefused)
    assert refused.code is Refusal.NOT_IN_ROLE
    later = after(early, vote(LIA, minutes=5), pass_time(HALF))
    assert later.votes == ()


def test_from_the_reminder_on_the_backup_fills_a_seat() -> None:
    """One manager and one finance lead are the two people; the record says in which role each of them voted."""
    half = after(waiting(), vote(ANN, minutes=HALF + 1))
    events = decide(half, vote(LIA, minutes=HALF + 2, others=[ANN]), RUNNING)
    assert only(events, Voted).roles == (LEAD,)
    assert only(events, Approved).proposal == half.id
    approved = after(half, vote(LIA, minutes=HALF + 2, others=[ANN]))
    assert [v.roles for v in approved.votes] == [(MANAGER,), (LEAD,)]


def test_two_people_stay_two_people() -> None:
    """Whoever is a manager and a finance lead fills one seat, not two; two leads are two people."""
    both = person("ann", MANAGER, LEAD)
    assert after(waiting(), vote(both, minutes=HALF + 1)).status is Status.PENDING
    assert after(waiting(), vote(LIA, minutes=HALF + 1), vote(LEO, minutes=HALF + 2, others=[LIA])).status is (
        Status.APPROVED
    )


def test_the_backup_is_bound_by_the_same_duties() -> None:
    """A finance lead who owns the agent decides nothing; one who may decide may also say no."""
    assert why_not(Standing(OWNER, frozenset({LEAD})), waiting()) is Refusal.AGENT_OWNER
    assert only(decide(waiting(), deny(LIA, minutes=HALF + 1), RUNNING), Denied).by == human(LIA.person)


def test_what_the_backup_approved_can_be_claimed() -> None:
    """At the claim the same people still count, and no longer once one of them has lost the role."""
    approved = after(waiting(), vote(ANN, minutes=HALF + 1), vote(LIA, minutes=HALF + 2, others=[ANN]))
    assert after(approved, claim(HALF + 3, approvers=[ANN, LIA])).execution is not None
    lost = after(approved, claim(HALF + 3, approvers=[ANN, person("lia", FINANCE)]))
    assert (lost.status, lost.revoked_why) == (Status.REVOKED, Refusal.APPROVERS_CHANGED)


def test_nobody_stays_nobody() -> None:
    """A requirement without seats is one that nobody can approve, with a backup or without."""
    proposal = waiting(replace(NOBODY, backup=LEAD))
    assert proposal.backup is None
    assert counting_roles(LIA, proposal) == frozenset()


@pytest.mark.parametrize("requirement", [TWO_MANAGERS, WITH_BACKUP])
def test_the_packet_is_shown_afresh_where_it_says_something_new(requirement: Requirement) -> None:
    """The reminder replies in the thread; only where others may vote now the packet changes too."""
    before = opened(requirement)
    (event,) = decide(before, pass_time(HALF), RUNNING)
    assert isinstance(event, Reminded)
    effects = [type(effect) for effect in react(after(before, pass_time(HALF)), event)]
    assert effects == ([ShowPacket, TellThread] if requirement.backup else [TellThread])


def test_the_words_say_who_and_from_when() -> None:
    """A manager reads it in the reason."""
    assert consequence(Ask(TWO_MANAGERS.seats, backup=LEAD)) == (
        "two people in the role support_manager must approve (from half of the time on also the role finance_lead)"
    )


@given(SEATS, VOTERS, st.frozensets(st.sampled_from(PEOPLE)))
def test_a_backup_counts_as_somebody_of_every_role(
    seats: list[Seat], voters: dict[PersonId, frozenset[RoleName]], leads: frozenset[PersonId]
) -> None:
    """Approved exactly where some assignment works when each backup person is taken to hold every role."""
    roles = {one: has | ({LEAD} if one in leads else set()) for one, has in voters.items()}
    anywhere = {one: has | frozenset(ROLES) if LEAD in has else has for one, has in roles.items()}
    votes = [said(one, frozenset({*ROLES, LEAD})) for one in roles]
    assert (tally(votes, roles, seats, LEAD) == "approved") is some_filling(seats, anywhere)
    assert (tally(votes, roles, seats) == "approved") is some_filling(seats, voters)
