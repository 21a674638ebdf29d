"""Courses of proposals as they are recorded, each with what a weekly review must find in it. Builds; never asserts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, timedelta
from typing import Any, cast

from approval_rules.commands import Command, RecordPosted
from approval_rules.decide import decide
from approval_rules.events import Decision, Event, ProposalEvent
from approval_rules.opinion import Opinion, Outcome
from approval_rules.people import ProposalId, Standing
from approval_rules.persons import Persons
from approval_rules.requirement import PolicyRef, Requirement, Seat, Shadowed, Tier
from approval_rules.state import Proposal, evolve
from bot.review.findings import Told
from bot.review.week import Week
from tests.rules.amending import edit, take_back
from tests.rules.builders import (
    AGENT,
    ANN,
    BEN,
    GREEN,
    ID,
    INITIATOR,
    MANAGER,
    OWNER,
    POSTED,
    RED,
    REFUND,
    RUNNING,
    START,
    TRIAL,
    TWO_MANAGERS,
    claim,
    deny,
    outcome,
    pass_time,
    person,
    submit,
    vote,
)

WEEK = Week(START.date(), UTC)
ONE = replace(TWO_MANAGERS, seats=(Seat(MANAGER, 1),))
DIAL = replace(
    ONE, policy=PolicyRef("sha256:policy", "payments.refund#1", "the dial of 20 % keeps this one for people")
)
RED_TRIAL = replace(TRIAL, shadow=Shadowed(Tier.RED, "payments.refund#1", "rule 1 blocks it"))
Found = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Ingredient:
    """Something that happens, and each finding that must come of it: its kind and its fixed word."""

    name: str
    requirement: Requirement
    commands: Sequence[Command]
    found: tuple[Found, ...] = ()
    candidate: Outcome | None = None


def put(voter: Standing, minutes: float = 5, *others: Standing, no: bool = False) -> Command:
    """Give somebody's vote, when the packet has stood for so long."""
    return vote(voter, Decision.DENY if no else Decision.APPROVE, minutes, others=others)


USED = (claim(minutes=10, approvers=(ANN,)), outcome())
HIGH = replace(ONE, action_tier=3)
INGREDIENTS = (
    Ingredient("one yes, used", ONE, (put(ANN), *USED)),
    Ingredient("one no", ONE, (deny(ANN),)),
    Ingredient("still open", ONE, ()),
    Ingredient("nobody answered", ONE, (pass_time(241),)),
    Ingredient("allowed by policy, used", GREEN, (claim(approvers=()), outcome())),
    Ingredient("blocked", RED, (), (("blocked", "blocked"),)),
    Ingredient("five seconds", ONE, (put(ANN, 5 / 60), *USED)),
    Ingredient("under five seconds", ONE, (put(ANN, 4.9 / 60), *USED), (("under-five-seconds", "approve"),)),
    Ingredient("a fast no", ONE, (put(ANN, 1 / 60, no=True),), (("under-five-seconds", "deny"),)),
    Ingredient(
        "two people", TWO_MANAGERS, (put(ANN), put(BEN, 6, ANN), claim(), outcome()), (("high-risk", "approved"),)
    ),
    Ingredient("tier 3 denied", HIGH, (deny(ANN),), (("high-risk", "denied"),)),
    Ingredient("tier 2", replace(ONE, action_tier=2), (put(ANN), *USED)),
    Ingredient(
        "tier 3 by policy",
        replace(GREEN, action_tier=3),
        (claim(approvers=()), outcome()),
        (("high-risk", "approved-by-policy"),),
    ),
    Ingredient(
        "own",
        ONE,
        (put(person(INITIATOR, MANAGER)), put(person(OWNER, MANAGER)), put(person("eve"))),
        (("self-approval", "initiator"), ("self-approval", "agent-owner")),
    ),
    Ingredient("lapsed", ONE, (put(ANN), pass_time(67)), (("unused", "lapsed"),)),
    Ingredient(
        "approver left",
        ONE,
        (put(ANN), claim(approvers=())),
        (("unused", "approvers-changed"), ("turned-away", "claim: approvers-changed")),
    ),
    Ingredient("taken back", ONE, (put(ANN), take_back()), (("override", "taken-back"),)),
    Ingredient(
        "lowered",
        replace(ONE, editable=("amount",)),
        (edit(requirement=ONE),),
        (("override", "lowered"),),
    ),
    Ingredient("the dial said no", DIAL, (deny(ANN),), (("override", "denied-though-allowed"),)),
    Ingredient("the dial said yes", DIAL, (put(ANN), *USED)),
    Ingredient("a trial said no", TRIAL, (deny(ANN),), (("override", "denied-though-allowed"),)),
    Ingredient("a trial said yes", TRIAL, (put(ANN), put(BEN, 6, ANN))),
    Ingredient(
        "a trial of red said yes", RED_TRIAL, (put(ANN), put(BEN, 6, ANN)), (("override", "approved-though-blocked"),)
    ),
    Ingredient("a trial of red said no", RED_TRIAL, (deny(ANN),)),
    Ingredient(
        "no to what a candidate allows",
        ONE,
        (deny(ANN),),
        (("override", "denied-though-candidate-allows"),),
        "allowed",
    ),
    Ingredient("yes to what a candidate allows", ONE, (put(ANN), *USED), (), "allowed"),
    Ingredient("yes where a candidate asks others", ONE, (put(ANN), *USED), (), "asked"),
    Ingredient(
        "yes to what a candidate blocks",
        ONE,
        (put(ANN), *USED),
        (("override", "approved-though-candidate-blocks"),),
        "blocked",
    ),
    Ingredient(
        "yes to what a candidate refuses",
        ONE,
        (put(ANN), *USED),
        (("override", "approved-though-candidate-blocks"),),
        "refused",
    ),
    Ingredient("no to what a candidate blocks", ONE, (deny(ANN),), (), "blocked"),
    Ingredient(
        "the policy alone allows what a candidate blocks", GREEN, (claim(approvers=()), outcome()), (), "blocked"
    ),
    Ingredient(
        "no to both that allow",
        DIAL,
        (deny(ANN),),
        (("override", "denied-though-allowed"),),
        "allowed",
    ),
    Ingredient(
        "lowered, then no: the candidate judged another amount",
        replace(ONE, editable=("amount",)),
        (edit(requirement=ONE), deny(ANN, minutes=20)),
        (("override", "lowered"),),
        "allowed",
    ),
)


def course(one: Ingredient, number: int = 1, shift: timedelta = timedelta()) -> list[ProposalEvent]:
    """Let it happen, so much later than `START`, to the proposal of this number."""
    proposal: Proposal | None = None
    events: list[ProposalEvent] = []
    opinion = None if one.candidate is None else Opinion("sha256:candidate", one.candidate, None)
    asked = replace(submit(one.requirement), candidate=opinion)
    for command in (asked, RecordPosted(START, ID, POSTED), *one.commands):
        for event in decide(proposal, command, RUNNING):
            proposal = evolve(proposal, cast("ProposalEvent", event))
            events.append(cast("ProposalEvent", event))
    ident = ProposalId(f"prop_{number}")
    return [replace(cast("Any", event), at=event.at + shift, proposal=ident) for event in events]


def told(courses: Iterable[Sequence[ProposalEvent]], loose: Sequence[Event] = (), persons: Persons = Persons()) -> Told:  # noqa: B008 - it is frozen
    """Put together what was recorded; refunds ask managers."""
    return Told(list(courses), loose, {REFUND: frozenset({MANAGER})}, persons, {AGENT.id: "refund-bot"})
