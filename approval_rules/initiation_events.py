"""What is recorded where a person starts an action himself: facts in the past tense. Judges nothing."""

from dataclasses import dataclass
from datetime import datetime

from approval_rules.people import Actor, PersonId, ProposalId, RoleName, ToolName
from approval_rules.refusals import Refusal
from approval_rules.step_up import Proof


@dataclass(frozen=True, slots=True)
class Initiator:
    """The person who started an action, with the roles as seen then and the second factor that proved it was he.

    `of` is the agent's blocked proposal that he took up; `field` is the argument whose value he typed again, None where
    it was the tool's name.
    """

    person: PersonId
    roles: tuple[RoleName, ...]
    proof: Proof
    of: ProposalId | None = None
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Initiated:
    """A person took a blocked proposal up and started the action himself, as the proposal `started_as`."""

    at: datetime
    by: Actor
    proposal: ProposalId
    started_as: ProposalId


@dataclass(frozen=True, slots=True)
class InitiationRefused:
    """A person may not start an action, or not so; `of` is the blocked proposal that it was about."""

    at: datetime
    by: Actor
    proposal: ProposalId
    tool: ToolName
    code: Refusal
    of: ProposalId | None = None
