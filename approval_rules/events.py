"""What happened: past tense, a closed set. An event is a fact; it is never edited, and a refusal is a fact too.

Every event has `at` (aware UTC) and `by`. The class name is the entry's type in the log (`bot.store.codec` maps both
ways); a new meaning is a new class, never a new reading of an old one.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal, TypeAlias

from approval_rules.access_events import AccessEvent
from approval_rules.auditor_events import AuditorEvent
from approval_rules.canonical import Digest
from approval_rules.denials import DenialCategory
from approval_rules.duty_events import AwayDeclined, AwayEvent
from approval_rules.erasure_events import ErasureEvent, HoldEvent
from approval_rules.factor_events import FactorEvent
from approval_rules.facts import LookedUp
from approval_rules.initiation_events import Initiated, InitiationRefused, Initiator
from approval_rules.log_events import GuardsPutBack, LogEvent
from approval_rules.opinion import Opinion
from approval_rules.people import Actor, Agent, PersonId, ProposalId, RoleName, ToolName
from approval_rules.people_events import PersonsEvent
from approval_rules.policy_events import EnvironmentNamed, PolicyEvent, PolicyLoaded
from approval_rules.question_events import QuestionEvent
from approval_rules.refusals import Refusal as Refusal  # noqa: PLC0414 - events have always been where it is read
from approval_rules.requirement import Requirement
from approval_rules.reveal_events import RevealEvent
from approval_rules.review_events import ReviewEvent
from approval_rules.roles import OnDuty
from approval_rules.step_up import Proof
from approval_rules.stop_events import StopEvent
from approval_rules.switch import Scope
from approval_rules.text import AgentJson, AgentText


class Decision(StrEnum):
    """What a person says."""

    APPROVE = "approve"
    DENY = "deny"


@dataclass(frozen=True, slots=True)
class Posted:
    """Where a packet stands in Slack, and the digest of the blocks that were shown there."""

    channel: str
    ts: str
    shown: Digest


@dataclass(frozen=True, slots=True)
class Submitted:
    """An agent's proposal was accepted; what it needs is frozen here. The `candidate` only said what it thinks.

    `known` is what the server told the rules (`approval_rules.names.noted`); None where they read nothing of it.
    `lookups` stay for ever; the values, in `looked_up` (null for one that failed), can be erased. `interested` cannot
    decide it. Where a person started it, `initiator` is set, `typed` was typed again, `evidence` is of his factor.
    """

    at: datetime
    by: Actor
    proposal: ProposalId
    agent: Agent
    started_by: PersonId | None
    tool: ToolName
    arguments: AgentJson
    digest: Digest
    summary: AgentText
    context: AgentJson
    run: AgentJson
    callback_url: str | None
    requirement: Requirement
    expires_at: datetime
    candidate: Opinion | None = None
    known: AgentJson | None = None
    lookups: tuple[LookedUp, ...] | None = None
    looked_up: AgentJson | None = None
    interested: tuple[PersonId, ...] | None = None
    initiator: Initiator | None = None
    typed: AgentText | None = None
    evidence: AgentJson | None = None


@dataclass(frozen=True, slots=True)
class SubmitRefused:
    """A proposal was turned away before it became one.

    `digest` and `run` are kept where the refusal counts as a mistake of the agent's, for budgets and loops.
    """

    at: datetime
    by: Actor
    proposal: ProposalId
    tool: ToolName | None
    code: str
    detail: AgentText
    digest: Digest | None = None
    run: AgentJson | None = None


@dataclass(frozen=True, slots=True)
class BudgetExceeded:
    """An agent was stopped by a budget or in a loop, for the first time in this run, or in this day: people are told.

    `limit_of` is the tool whose file sets the limit, None for the folder's own; `used` and `limit` are decimals.
    """

    at: datetime
    by: Actor
    agent: Agent
    tool: ToolName
    budget: str
    limit_of: ToolName | None
    used: str
    limit: str
    summary: AgentText
    run: AgentJson


@dataclass(frozen=True, slots=True)
class Approved:
    """The requirement is met, without those `left_out`, whose earlier yes fills no seat any more.

    `claim_by` is when an unused permission lapses.
    """

    at: datetime
    by: Actor
    proposal: ProposalId
    claim_by: datetime
    left_out: tuple[PersonId, ...] | None = None


@dataclass(frozen=True, slots=True)
class Blocked:
    """Policy said no."""

    at: datetime
    by: Actor
    proposal: ProposalId


@dataclass(frozen=True, slots=True)
class Voted:
    """A person's vote counted: the roles as seen then, and the exact bytes that the person had in front of them.

    `on_behalf_of` is somebody who is away and named the voter as delegate; the voter's right is the voter's own.
    With a second factor, `proof` says which, and `evidence` is what anybody can verify it by, while it is kept.
    """

    at: datetime
    by: Actor
    proposal: ProposalId
    voter: PersonId
    decision: Decision
    roles: tuple[RoleName, ...]
    digest: Digest
    shown: Digest | None
    reason: AgentText | None
    proof: Proof | None = None
    evidence: AgentJson | None = None
    on_behalf_of: PersonId | None = None
    category: DenialCategory | None = None


@dataclass(frozen=True, slots=True)
class VoteRefused:
    """A click did not count."""

    at: datetime
    by: Actor
    proposal: ProposalId
    decision: Decision
    code: Refusal


@dataclass(frozen=True, slots=True)
class Denied:
    """An eligible person said no."""

    at: datetime
    by: Actor
    proposal: ProposalId


@dataclass(frozen=True, slots=True)
class Expired:
    """Time ran out: nobody decided (`unanswered`), or nobody used the permission (`unclaimed`)."""

    at: datetime
    by: Actor
    proposal: ProposalId
    why: Literal["unanswered", "unclaimed"]


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The agent took its proposal back."""

    at: datetime
    by: Actor
    proposal: ProposalId


@dataclass(frozen=True, slots=True)
class Revoked:
    """An approval was taken back before it was used; a person who did so said why."""

    at: datetime
    by: Actor
    proposal: ProposalId
    code: Refusal
    reason: AgentText | None = None


@dataclass(frozen=True, slots=True)
class Claimed:
    """The one permission was given out. `grant_id` is the grant's `jti`.

    `key_digest` is of the key under which the claim can be repeated; earlier versions wrote the `key` itself.
    """

    at: datetime
    by: Actor
    proposal: ProposalId
    grant_id: str
    key: str | None
    grant_expires_at: datetime
    outcome_by: datetime
    key_digest: Digest | None = None


@dataclass(frozen=True, slots=True)
class ClaimRefused:
    """A claim got no permission."""

    at: datetime
    by: Actor
    proposal: ProposalId
    code: Refusal


@dataclass(frozen=True, slots=True)
class OutcomeReported:
    """The agent said how it went."""

    at: datetime
    by: Actor
    proposal: ProposalId
    status: Literal["succeeded", "failed", "unknown"]
    report: AgentJson


@dataclass(frozen=True, slots=True)
class OutcomeOverdue:
    """The agent did not say how it went; nobody knows, and people must look."""

    at: datetime
    by: Actor
    proposal: ProposalId


@dataclass(frozen=True, slots=True)
class PacketPosted:
    """The packet stands in Slack, or was replaced there, with exactly these blocks.

    `on_duty` is who had the turn then, as it says; None where nobody takes turns.
    """

    at: datetime
    by: Actor
    proposal: ProposalId
    posted: Posted
    on_duty: tuple[OnDuty, ...] | None = None


@dataclass(frozen=True, slots=True)
class Reminded:
    """Half of the time was over and people were reminded; `last` is set where four fifths of it were."""

    at: datetime
    by: Actor
    proposal: ProposalId
    last: bool | None = None


@dataclass(frozen=True, slots=True)
class Thawed:
    """A pause ended and the open clock moved by the time it stood still."""

    at: datetime
    by: Actor
    proposal: ProposalId
    deadline: datetime


@dataclass(frozen=True, slots=True)
class Paused:
    """Everything, one agent or one tool was stopped; with `revoke`, unclaimed approvals there are taken back."""

    at: datetime
    by: Actor
    pause: str
    scope: Scope
    until: datetime | None
    reason: AgentText
    revoke: bool | None = None


@dataclass(frozen=True, slots=True)
class ResumeAsked:
    """The first of two people asked to resume everything."""

    at: datetime
    by: Actor
    scope: Scope


@dataclass(frozen=True, slots=True)
class Resumed:
    """These pauses of one scope ended, or `every` one: by people, or because their announced time was over."""

    at: datetime
    by: Actor
    scope: Scope
    pauses: tuple[str, ...]
    reason: AgentText
    every: bool | None = None


@dataclass(frozen=True, slots=True)
class SwitchRefused:
    """A pause or a resume did not count."""

    at: datetime
    by: Actor
    scope: Scope
    code: Refusal


@dataclass(frozen=True, slots=True)
class AgentChanged:
    """An agent was added, its keys were rotated, or it was revoked. `fingerprint` tells which key it was given."""

    at: datetime
    by: Actor
    agent: Agent
    change: Literal["added", "rotated", "revoked"]
    fingerprint: str | None = None


@dataclass(frozen=True, slots=True)
class IncidentChanged:
    """Somebody said that an incident is going on, or that it is over."""

    at: datetime
    by: Actor
    change: Literal["declared", "cleared"]
    reason: AgentText


@dataclass(frozen=True, slots=True)
class IncidentRefused:
    """An incident was not declared, or not cleared."""

    at: datetime
    by: Actor
    code: Refusal


_FirstOfAProposal: TypeAlias = (
    Submitted
    | Approved
    | Blocked
    | Voted
    | VoteRefused
    | Denied
    | Expired
    | Cancelled
    | Revoked
    | Claimed
    | ClaimRefused
    | OutcomeReported
    | OutcomeOverdue
    | PacketPosted
    | Reminded
    | Thawed
)
ProposalEvent: TypeAlias = _FirstOfAProposal | Initiated | QuestionEvent
SwitchEvent: TypeAlias = Paused | ResumeAsked | Resumed | SwitchRefused
IncidentEvent: TypeAlias = IncidentChanged | IncidentRefused
# In the order in which the kinds came: the golden log is one chain of them.
_First: TypeAlias = _FirstOfAProposal | SwitchEvent | SubmitRefused | AgentChanged | PolicyLoaded | PolicyEvent
_Then: TypeAlias = BudgetExceeded | IncidentEvent | EnvironmentNamed | FactorEvent | PersonsEvent | Initiated
_Later: TypeAlias = InitiationRefused | AwayEvent | QuestionEvent | StopEvent | AccessEvent | AuditorEvent | ReviewEvent
_Last: TypeAlias = AwayDeclined | LogEvent | ErasureEvent | HoldEvent | RevealEvent | GuardsPutBack
Event: TypeAlias = _First | _Then | _Later | _Last
