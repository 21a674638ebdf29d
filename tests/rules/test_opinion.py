"""What a candidate would have said: the verdict of its rules, beside the decision and never part of it."""

from dataclasses import replace

import pytest

from approval_rules.commands import Submit
from approval_rules.decide import decide
from approval_rules.events import Submitted
from approval_rules.opinion import Opinion, agree, opinion_from
from approval_rules.requirement import Requirement, Seat
from tests.rules.builders import (
    FINANCE,
    GREEN,
    MANAGER,
    RED,
    RUNNING,
    TRIAL,
    TWO_MANAGERS,
    only,
    submit,
)

BOLD = Opinion("sha256:other", "allowed", "payments.refund#9", because="rule 9 allows it")
PEOPLE = (Seat(MANAGER, 2), Seat(FINANCE, 1))


@pytest.mark.parametrize(
    ("requirement", "outcome", "seats"),
    [(GREEN, "allowed", ()), (TWO_MANAGERS, "asked", (Seat(MANAGER, 2),)), (RED, "blocked", ())],
)
def test_an_opinion_is_the_verdict_of_the_rules(requirement: Requirement, outcome: str, seats: object) -> None:
    """Outcome, people, rule, reason and version are those of the requirement."""
    opinion = opinion_from(requirement)
    assert (opinion.outcome, opinion.seats) == (outcome, seats)
    ref = requirement.policy
    assert (opinion.version, opinion.rule, opinion.because) == (ref.version, ref.rule, ref.because)


def test_in_shadow_an_opinion_is_what_the_rules_say() -> None:
    """Not that people are asked meanwhile."""
    opinion = opinion_from(TRIAL)
    assert (opinion.outcome, opinion.seats, opinion.because) == ("allowed", (), "rule 1 allows it")


def test_opinions_agree_on_outcome_and_people() -> None:
    """Whatever the version, the rule and the order of the seats."""
    asked = replace(BOLD, outcome="asked", seats=PEOPLE)
    assert agree(BOLD, replace(BOLD, version="v", rule=None, because=None))
    assert agree(asked, replace(asked, seats=PEOPLE[::-1]))
    assert not agree(asked, replace(asked, seats=PEOPLE[:1]))
    assert not agree(BOLD, asked)


@pytest.mark.parametrize("requirement", [GREEN, TWO_MANAGERS, RED, TRIAL])
def test_a_candidate_changes_nothing_about_the_decision(requirement: Requirement) -> None:
    """The same events with and without it, but for what it said."""
    command: Submit = submit(requirement)
    alone, beside = (decide(None, replace(command, candidate=said), RUNNING) for said in (None, BOLD))
    assert only(beside, Submitted) == replace(only(alone, Submitted), candidate=BOLD)
    assert beside[1:] == alone[1:]
