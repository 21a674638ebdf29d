"""What people did to a proposal besides voting: asked, lowered, tried in vain; and what was answered. Facts, as events.

What was asked and answered is text of people and agents: it stands beside the log and can be erased.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from approval_rules.canonical import Digest
from approval_rules.people import Actor, PersonId, ProposalId
from approval_rules.refusals import Refusal
from approval_rules.requirement import Requirement
from approval_rules.text import AgentJson, AgentText


@dataclass(frozen=True, slots=True)
class Asked:
    """A person asked the agent, or the person `to`. With `stands_until` the clock stands: the deadline has moved."""

    at: datetime
    by: Actor
    proposal: ProposalId
    question: str
    to: PersonId | None
    text: AgentText
    stands_until: datetime | None
    deadline: datetime


@dataclass(frozen=True, slots=True)
class Answered:
    """Whoever was asked answered. Where the clock stood for it, the deadline came back."""

    at: datetime
    by: Actor
    proposal: ProposalId
    question: str
    text: AgentText
    deadline: datetime


@dataclass(frozen=True, slots=True)
class Edited:
    """A person lowered a field: from here on this is another action, judged anew, and no earlier vote is for it.

    `known` is what the server told the rules when they judged it.
    """

    at: datetime
    by: Actor
    proposal: ProposalId
    field: str
    arguments: AgentJson
    digest: Digest
    requirement: Requirement
    known: AgentJson | None = None


@dataclass(frozen=True, slots=True)
class RequestRefused:
    """A question, an edit or a taking back did not count."""

    at: datetime
    by: Actor
    proposal: ProposalId
    what: Literal["ask", "edit", "take-back"]
    code: Refusal


QuestionEvent: TypeAlias = Asked | Answered | Edited | RequestRefused
