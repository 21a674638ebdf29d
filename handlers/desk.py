"""What the edges may ask for. The edges own this interface; `bot.desk` provides it.

One method is one use case and, where it writes, one transaction: when it returns, the facts are committed. Nothing
here raises for a domain reason; a refusal is an answer. `DeskUnavailableError` means an outage, and never a yes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, Protocol

from approval_rules.canonical import Digest
from approval_rules.commands import Draft
from approval_rules.denials import DenialCategory
from approval_rules.events import Decision, Refusal
from approval_rules.people import Account, Agent, AgentId, PersonId, RoleName, ToolName
from approval_rules.requirement import Requirement
from approval_rules.state import Proposal, Status
from approval_rules.step_up import Factor
from approval_rules.stop_events import DrillHeld
from approval_rules.switch import Incident, Pause, Scope
from approval_rules.text import AgentText, Json
from handlers.away_desk import Away, AwayDesk, Duty

if TYPE_CHECKING:
    from approval_rules.explanation import Explanation
    from handlers.persons_desk import PersonsDesk
    from handlers.reveal_desk import RevealDesk
    from handlers.review_desk import ReviewDesk


class DeskUnavailableError(Exception):
    """The store or the directory cannot answer now; ask again later. Never a yes."""


@dataclass(frozen=True, slots=True)
class Face:
    """How a person is shown: the Slack user id and the display name. Both come from Slack and are hostile text."""

    user_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Seen:
    """One proposal with what is needed to show it; `index` is the log index of its newest entry.

    `explained` says why the policy decided so, where somebody wants to know and the policy of then can be had.
    """

    proposal: Proposal
    faces: Mapping[PersonId, Face]
    frozen_by: Pause | None
    index: int
    explained: "Explanation | None" = None


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with the input: RFC 6901 pointer into the body, and what to do."""

    pointer: str
    detail: str


@dataclass(frozen=True, slots=True)
class Refused:
    """No, and why. `code` is stable (a `Refusal` value or a problem code of the API); `detail` is for the developer."""

    code: str
    detail: str
    faults: Sequence[Fault] = ()
    retry_after: int | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """The single-use permission: a compact EdDSA JWS, and its life."""

    token: str = field(repr=False)
    claimed_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Intake:
    """What came with a draft over HTTP. `started_by` is the Slack user id of the human who started the run."""

    key: str
    body_digest: Digest
    started_by: str | None
    claim_if_allowed: bool


@dataclass(frozen=True, slots=True)
class Accepted:
    """The proposal stands; `replayed` when the same key and body had been accepted before."""

    seen: Seen
    replayed: bool
    grant: Grant | None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What would happen to a draft now; nothing was stored."""

    requirement: Requirement
    would_be: Literal["approved", "pending", "blocked"]
    digest: Digest
    paused_by: Pause | None


@dataclass(frozen=True, slots=True)
class BudgetLine:
    """One budget that concerns an agent; `tool` where that tool's file sets it, `used` of the last 24 hours or None."""

    budget: str
    tool: ToolName | None
    limit: Decimal
    used: Decimal | None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a listing, oldest first."""

    rows: Sequence[Seen]
    has_more: bool


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who acted in Slack and where, from the verified request only.

    `request_id` is the request's signature: the same request again has no effect. `team_id` is the *user's* team.
    """

    account: Account
    user_name: str
    channel: str
    request_id: str
    response_url: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Click:
    """One press of a packet's button, or the submission of its modal. Everything in it but `who` is unproved."""

    who: Envelope
    unverified_proposal: str
    unverified_digest: str
    ts: str
    decision: Decision
    reason: AgentText | None = None
    category: DenialCategory | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of a click: `refusal` is None where the vote counted. `seen` is None for an unknown proposal."""

    refusal: Refusal | None
    seen: Seen | None


@dataclass(frozen=True, slots=True)
class Challenge:
    """A second factor is asked for before the vote counts.

    `ticket` names it once, for a page's address or a modal; `code` is shown wherever it is asked for. `url` is the
    page, for a passkey.
    """

    seen: Seen
    factor: Factor
    ticket: str = field(repr=False)
    code: str
    expires_at: datetime
    url: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Switched:
    """What became of a pause or a resume: `refusal` None means done; `waiting` means a second person must confirm.

    `taken_back` counts the unused approvals that the pause takes back; None where it holds them.
    """

    refusal: Refusal | None
    scope: Scope
    pauses: Sequence[Pause] = ()
    waiting: bool = False
    until: datetime | None = None
    taken_back: int | None = None


@dataclass(frozen=True, slots=True)
class IncidentSaid:
    """What became of declaring or ending an incident: `refusal` None means done."""

    refusal: Refusal | None
    incident: Incident | None


@dataclass(frozen=True, slots=True)
class Overview:
    """The state of everything in a few figures."""

    pauses: Sequence[Pause]
    faces: Mapping[PersonId, Face]
    agents: Mapping[AgentId, str]
    pending: int
    oldest_pending_at: datetime | None
    approved_unclaimed: int
    outbox_waiting: int
    outbox_dead: int
    policy_version: str
    tools: Sequence[str] = ()
    incident: Incident | None = None
    away: Sequence[Away] = ()
    drill: DrillHeld | None = None


@dataclass(frozen=True, slots=True)
class Whoami:
    """What Foureyes knows about a person in Slack."""

    face: Face
    roles: Sequence[RoleName]
    flaw: Refusal | None
    owns: Sequence[str]
    may_resume: bool
    duties: Sequence[Duty] = ()
    away: Away | None = None


class AgentDesk(Protocol):
    """What an agent may ask for over HTTP."""

    async def agent_of(self, unverified_key: str) -> Agent | None:
        """Find the agent whose key this is; None for an unknown, rotated-out or revoked one."""

    async def submit(self, agent: Agent, draft: Draft, intake: Intake) -> Accepted | Refused:
        """Take a proposal in; a refusal is recorded."""

    async def refuse_intake(self, agent: Agent, code: str, detail: str, tool: str | None) -> None:
        """Record that a proposal of a known agent was turned away at the door (bad shape, too large)."""

    async def evaluate(self, agent: Agent, draft: Draft) -> Evaluation | Refused:
        """Tell what would happen; store nothing."""

    async def read(self, agent: Agent, unverified_id: str, wait: timedelta) -> Seen | None:
        """Give the agent's own proposal; with `wait`, return when it is no longer pending or the time is over."""

    async def list_own(self, agent: Agent, state: Status | None, limit: int, after: str | None) -> Page:
        """List the agent's own proposals, oldest first, after the proposal id `after`."""

    async def cancel(self, agent: Agent, unverified_id: str) -> Seen | Refused | None:
        """Take a pending proposal back; None for another agent's."""

    async def claim(self, agent: Agent, unverified_id: str, digest: str, key: str | None) -> Grant | Refused | None:
        """Give the one permission; the same `key` again gives the same grant. None for another agent's."""

    async def report(
        self, agent: Agent, unverified_id: str, status: Literal["succeeded", "failed", "unknown"], report: Json
    ) -> Seen | Refused | None:
        """Record how the execution went; None for another agent's."""

    async def budgets_of(self, agent: Agent) -> Sequence[BudgetLine]:
        """Give the budgets that concern this agent, with what is used of those of the day."""

    async def pause_on(self, agent: Agent) -> Sequence[Pause]:
        """Give the active pauses that concern this agent (all, the agent, or one of its tools)."""


class PeopleDesk(AwayDesk, Protocol):
    """What a person may ask for in Slack."""

    @property
    def persons(self) -> "PersonsDesk":
        """Who is one person."""

    @property
    def reviews(self) -> "ReviewDesk":
        """The access review."""

    @property
    def originals(self) -> "RevealDesk":
        """What people are not shown."""

    async def vote(self, click: Click) -> Judged:
        """Count or refuse a vote. The clicker is answered from the outbox where the envelope has a `response_url`."""

    async def begin_denial(self, click: Click) -> Judged:
        """Tell whether a denial by this person would count now; a refusal is recorded and answered like a vote's."""

    async def show(self, who: Envelope, unverified_id: str) -> Seen | Refusal | None:
        """Give one proposal to a person who may see it: any role, or the agent's owner."""

    async def pending(self, who: Envelope, limit: int) -> Sequence[Seen] | Refusal:
        """List what waits for people, most urgent first."""

    async def pause(
        self, who: Envelope, scope: Scope, lasts: timedelta | None, reason: AgentText, *, revoke: bool = False
    ) -> Switched:
        """Stop a scope now; any full member of the workspace may. With `revoke`, unused approvals are taken back."""

    async def resume(self, who: Envelope, scope: Scope, reason: AgentText) -> Switched:
        """Start a scope again; everything needs two people."""

    async def declare_incident(self, who: Envelope, reason: AgentText) -> IncidentSaid:
        """Say that an incident is going on; any full member of the workspace may."""

    async def clear_incident(self, who: Envelope, reason: AgentText) -> IncidentSaid:
        """Say that it is over; who may resume may."""

    async def overview(self) -> Overview:
        """Give the state of everything."""

    async def whoami(self, who: Envelope) -> Whoami:
        """Tell a person what they are here."""

    async def scope_named(self, kind: Literal["all", "agent", "tool"], name: str) -> Scope | None:
        """Find the scope that a person typed; None for an unknown agent or tool."""
