"""Out of office: who can be a delegate, and for whom a vote stands. It gives nobody a right."""

from dataclasses import replace

import pytest

from approval_rules.away import AwayCommand, ComeBack, SetAway, decide_away, decline, stands_in_for
from approval_rules.decide import decide
from approval_rules.duty_events import AwayDeclined, AwayEnded, AwayRefused, AwaySet
from approval_rules.events import Approved, Voted, VoteRefused
from approval_rules.people import Flaw, Standing, human
from approval_rules.refusals import Refusal
from tests.rules.builders import (
    ANN,
    BEN,
    CEM,
    FINANCE,
    ID,
    INITIATOR,
    MANAGER,
    MANAGER_AND_FINANCE,
    OWNER,
    RUNNING,
    TWO_MANAGERS,
    after,
    at,
    only,
    opened,
    person,
    vote,
)

GUEST = person("guest", MANAGER, flaw=Flaw.GUEST)
DOWN = person("down", flaw=Flaw.DIRECTORY_DOWN)


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (SetAway(at(), GUEST, at(60), None), Refusal.GUEST),
        (SetAway(at(), ANN, at(60), ANN), Refusal.DELEGATE_SELF),
        (SetAway(at(), ANN, at(60), GUEST), Refusal.DELEGATE_CANNOT),
        (SetAway(at(), ANN, at(60), DOWN), Refusal.DIRECTORY_DOWN),
        (SetAway(at(), ANN, at(60), BEN, delegate_away=True), Refusal.DELEGATE_AWAY),
        (SetAway(at(), ANN, at(60), person("fin", FINANCE)), Refusal.DELEGATE_NOT_IN_ROLE),
        (ComeBack(at(), GUEST, away=True), Refusal.GUEST),
        (ComeBack(at(), ANN, away=False), Refusal.NOT_AWAY),
    ],
)
def test_what_is_refused(command: AwayCommand, code: Refusal) -> None:
    """Each refusal is an event with its code."""
    who = command.person.person
    assert decide_away(command) == AwayRefused(at(), human(who), who, code)


def test_a_delegate_says_no() -> None:
    """For everybody who named this one, whoever it is by now; where nobody did, that is a refusal."""
    by, named = human(BEN.person), {ANN.person: at(60), CEM.person: at(90)}
    assert decline(at(), BEN.person, named) == [
        AwayDeclined(at(), by, ANN.person, at(60)),
        AwayDeclined(at(), by, CEM.person, at(90)),
    ]
    assert decline(at(), BEN.person, {}) == [AwayRefused(at(), by, BEN.person, Refusal.NO_DELEGATE)]


def test_what_is_noted() -> None:
    """With a delegate, without one, and back; who takes turns in a role can be named while off duty."""
    off = replace(person("off"), off_duty=frozenset({MANAGER}))
    by = human(ANN.person)
    assert decide_away(SetAway(at(), ANN, at(60), None)) == AwaySet(at(), by, ANN.person, at(60), None)
    assert decide_away(SetAway(at(), ANN, at(60), off)) == AwaySet(at(), by, ANN.person, at(60), off.person)
    assert decide_away(ComeBack(at(), ANN, away=True)) == AwayEnded(at(), by, ANN.person)


def test_a_vote_names_for_whom_it_stands_and_is_one_vote() -> None:
    """Ben for Ann is Ben's yes: another person is needed, and Ann herself may be that one."""
    command = replace(vote(BEN), absent=(ANN,))
    assert only(decide(opened(), command, RUNNING), Voted).on_behalf_of == ANN.person
    half = after(opened(), command)
    assert [(v.voter, v.on_behalf_of) for v in half.votes] == [(BEN.person, ANN.person)]
    assert only(decide(half, vote(ANN, others=[BEN]), RUNNING), Approved).proposal == ID


def test_a_delegate_without_the_role_decides_nothing() -> None:
    """However many people are away: the vote is refused as anybody's."""
    stranger = person("zoe")
    command = replace(vote(stranger), absent=(ANN, CEM))
    assert only(decide(opened(), command, RUNNING), VoteRefused).code is Refusal.NOT_IN_ROLE


def test_for_whom_nobody_stands() -> None:
    """Not for who may not decide this, has another role, has voted, or is stood in for already."""
    proposal = opened(MANAGER_AND_FINANCE)
    cannot = [Standing(OWNER, frozenset({MANAGER})), Standing(INITIATOR, frozenset({MANAGER})), GUEST, DOWN]
    fin = person("fin", FINANCE)
    assert stands_in_for(proposal, {MANAGER}, [*cannot, fin]) is None
    assert stands_in_for(proposal, {MANAGER, FINANCE}, [*cannot, fin]) == fin.person
    voted = after(opened(TWO_MANAGERS), replace(vote(BEN), absent=(CEM,)))
    assert stands_in_for(voted, {MANAGER}, [BEN, CEM]) is None
    assert stands_in_for(voted, {MANAGER}, [BEN, CEM, ANN]) == ANN.person


def test_who_is_off_duty_needs_nobody_to_stand_in() -> None:
    """Whose turn is another's could not decide now, so nobody does it instead."""
    off = replace(person("off"), off_duty=frozenset({MANAGER}))
    assert stands_in_for(opened(), {MANAGER}, [off]) is None
