"""People who start a blocked action themselves, for the tests of the rules. Builds only; never asserts."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from approval_rules.commands import CastVote, Claim, Initiate
from approval_rules.events import Decision
from approval_rules.people import ProposalId, Standing
from approval_rules.requirement import Initiation, Requirement, Seat, Tier
from approval_rules.state import Proposal
from approval_rules.step_up import Factor, Proof
from approval_rules.text import AgentText
from tests.rules.builders import (
    AGENT,
    BECAUSE,
    DIGEST,
    FINANCE,
    MANAGER,
    POSTED,
    after,
    at,
    draft,
    opened,
    person,
    standings,
)

STARTED = ProposalId("prop_2")
MAYA = person("maya", MANAGER, FINANCE)
FAY, FRED = person("fay", FINANCE), person("fred", FINANCE)
STARTABLE = Requirement(
    Tier.RED, (Seat(FINANCE, 2),), BECAUSE, step_up="passkey", initiation=Initiation(MANAGER, "passkey")
)


def proof(factor: Factor = "passkey") -> Proof:
    """Make a proof as the desk verifies it."""
    return Proof(factor, "cred_1", "sha256:" + "0" * 64, "ABCD-2345")


def initiate(starter: Standing = MAYA, requirement: Requirement = STARTABLE, **changes: Any) -> Initiate:  # noqa: ANN401 - fields of the command
    """A manager starts the refund of $180.00 himself, and types the amount again."""
    command = Initiate(
        at(30), STARTED, AGENT, starter, draft(), requirement, "amount", AgentText("180.00"), proof=proof()
    )
    return replace(command, **changes)


def blocked() -> Proposal:
    """The agent's own proposal, which the policy blocked."""
    return opened(STARTABLE)


def started(requirement: Requirement = STARTABLE) -> Proposal:
    """What Maya has started, and its packet; nobody has voted yet."""
    made = after(None, initiate(requirement=requirement))
    return replace(made, packet=POSTED)


def yes(voter: Standing, minutes: float = 35, *, others: Iterable[Standing] = (), **changes: Any) -> CastVote:  # noqa: ANN401 - fields of the command
    """Somebody approves with a passkey what was started."""
    command = CastVote(
        at(minutes), STARTED, voter, standings(others), Decision.APPROVE, DIGEST, POSTED.channel, POSTED.ts
    )
    return replace(command, **{"proof": proof(), **changes})


def approved_start(requirement: Requirement = STARTABLE) -> Proposal:
    """Started by Maya, approved by Fay and Fred."""
    return after(started(requirement), yes(FAY), yes(FRED, 36, others=[FAY]))


def claim_start(people: Iterable[Standing] = (MAYA, FAY, FRED), current: Requirement | None = None) -> Claim:
    """The agent asks for the permission to do what a person started."""
    return Claim(at(40), STARTED, AGENT, DIGEST, "grant_1", "k1", standings(people), current)
