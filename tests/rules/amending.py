"""Questions, edits and taking back for the tests of the rules. Builds only; never asserts."""

from dataclasses import replace
from decimal import Decimal

from approval_rules.canonical import digest_of
from approval_rules.commands import Answer, Ask, Edit, Lowered, Shown, TakeBack
from approval_rules.events import Refusal
from approval_rules.people import Actor, PersonId, Standing, human
from approval_rules.requirement import Requirement
from approval_rules.switch import EVERYTHING, Pause, Switch
from approval_rules.text import AgentJson, AgentText, unwrap_json
from tests.rules.builders import (
    AGENT,
    ANN,
    DIGEST,
    ID,
    OWNER,
    POSTED,
    REFUND,
    TWO_MANAGERS,
    at,
)


def paused(since: float = 0, until: float | None = None) -> Switch:
    """A pause of everything, over by now where `until` says so."""
    by = human(OWNER)
    end = None if until is None else at(until)
    return Switch((Pause("p1", EVERYTHING, at(since), by, AgentText("why"), None, end),))


SHOWN = Shown(DIGEST, POSTED.channel, POSTED.ts)
LOWERABLE = replace(TWO_MANAGERS, editable=("amount",))
LESS = AgentJson({"order_id": "A-1", "amount": Decimal("100.00")})
LESS_DIGEST = digest_of(REFUND, unwrap_json(LESS))


def ask(
    who: Standing = ANN,
    minutes: float = 5,
    *,
    question: str = "q1",
    to: str | None = None,
    stops: bool = False,
    shown: Shown = SHOWN,
    flawed: bool = False,
) -> Ask:
    """Ask the agent, or somebody."""
    whom = None if to is None else PersonId(to)
    return Ask(at(minutes), ID, who, shown, question, whom, flawed, AgentText("Is it ours?"), stops)


def answer(minutes: float = 10, *, question: str = "q1", by: Actor = AGENT.actor) -> Answer:
    """Answer the question."""
    return Answer(at(minutes), ID, question, by, AgentText("Yes."))


def edit(
    who: Standing = ANN,
    minutes: float = 5,
    *,
    field: str = "amount",
    requirement: Requirement = LOWERABLE,
    wrong: Refusal | None = None,
    shown: Shown = SHOWN,
) -> Edit:
    """Lower the amount to $100."""
    return Edit(at(minutes), ID, who, shown, field, wrong or Lowered(LESS, LESS_DIGEST, requirement, None))


def take_back(who: Standing = ANN, minutes: float = 10, *, shown: Shown = SHOWN) -> TakeBack:
    """Take the approval back."""
    return TakeBack(at(minutes), ID, who, shown, AgentText("The customer called."))
