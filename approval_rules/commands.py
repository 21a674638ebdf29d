"""What somebody wants: imperative, a closed set. Each carries time, actor and ids; deciding needs no more."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from approval_rules.canonical import Digest
from approval_rules.denials import DenialCategory
from approval_rules.events import Decision, Posted
from approval_rules.facts import LookedUp
from approval_rules.opinion import Opinion
from approval_rules.people import Actor, Agent, AgentId, PersonId, ProposalId, Standing, Standings, ToolName
from approval_rules.refusals import Refusal
from approval_rules.requirement import Requirement
from approval_rules.roles import OnDuty
from approval_rules.step_up import Proof
from approval_rules.switch import Scope
from approval_rules.text import AgentJson, AgentText


@dataclass(frozen=True, slots=True)
class Draft:
    """What an agent asks for, checked for shape and not yet judged. `digest` is of `{"arguments", "tool"}`.

    `looked_up` has the value of each fact that the server asked for, null where it has none; `lookups` says why. Both
    are None where nothing was looked up.
    """

    tool: ToolName
    arguments: AgentJson
    digest: Digest
    summary: AgentText
    context: AgentJson
    run: AgentJson
    callback_url: str | None = None
    expires_in: timedelta | None = None
    lookups: tuple[LookedUp, ...] | None = None
    looked_up: AgentJson | None = None


@dataclass(frozen=True, slots=True)
class Submit:
    """Propose an action; `requirement` is what the policy said about exactly this draft, `candidate` another.

    `known` is what the server told the rules. `interested` are the people whom the requirement's `excluded` name.
    """

    at: datetime
    proposal: ProposalId
    agent: Agent
    started_by: PersonId | None
    draft: Draft
    requirement: Requirement
    candidate: Opinion | None = None
    known: AgentJson | None = None
    interested: tuple[PersonId, ...] = ()


@dataclass(frozen=True, slots=True)
class Initiate:
    """A person starts what is blocked himself. `starter` comes from Slack's verified envelope, `agent` will execute it.

    It is judged against the blocked proposal that he takes up, or against none. `requirement` is what the policy said
    about exactly this draft. `field` names the argument that had to be `typed` again, None for the tool's name. `proof`
    is set where a second factor was verified, `evidence` is what anybody can verify it by. `interested` are the people
    whom the requirement's `excluded` name.
    """

    at: datetime
    proposal: ProposalId
    agent: Agent
    starter: Standing
    draft: Draft
    requirement: Requirement
    field: str | None
    typed: AgentText
    known: AgentJson | None = None
    proof: Proof | None = None
    evidence: AgentJson | None = None
    interested: tuple[PersonId, ...] = ()


@dataclass(frozen=True, slots=True)
class CastVote:
    """Approve or deny. `voter` comes from Slack's verified envelope; `others` are the earlier voters as of now.

    `seen` is the digest that the button carried; `channel` and `ts` name the message it was on. `proof` is set where a
    second factor was verified, `evidence` is what anybody can verify it by; `unproved` is why one does not hold.
    `absent` are those who are away and have named the voter as delegate, as of now.
    """

    at: datetime
    proposal: ProposalId
    voter: Standing
    others: Standings
    decision: Decision
    seen: str
    channel: str
    ts: str
    reason: AgentText | None = None
    proof: Proof | None = None
    evidence: AgentJson | None = None
    unproved: Refusal | None = None
    absent: Sequence[Standing] = ()
    category: DenialCategory | None = None


@dataclass(frozen=True, slots=True)
class Cancel:
    """Take the proposal back; only its own agent may."""

    at: datetime
    proposal: ProposalId
    agent: AgentId


@dataclass(frozen=True, slots=True)
class Claim:
    """Ask for the one permission. `approvers` are the voters as of now; `key` makes a repeated claim the same claim.

    `current` is what the policy that decides now says of the action; None where that is the version that judged it.
    """

    at: datetime
    proposal: ProposalId
    agent: Agent
    digest: str
    grant_id: str
    key: str | None
    approvers: Standings
    current: Requirement | None = None


@dataclass(frozen=True, slots=True)
class ReportOutcome:
    """Say how the execution went."""

    at: datetime
    proposal: ProposalId
    agent: AgentId
    status: Literal["succeeded", "failed", "unknown"]
    report: AgentJson


@dataclass(frozen=True, slots=True)
class RecordPosted:
    """Record where the packet stands and what it shows."""

    at: datetime
    proposal: ProposalId
    posted: Posted
    on_duty: tuple[OnDuty, ...] = ()


@dataclass(frozen=True, slots=True)
class PassTime:
    """Look at the clock: expire, lapse or remind where it is time. Idempotent."""

    at: datetime
    proposal: ProposalId


@dataclass(frozen=True, slots=True)
class Thaw:
    """Follow a pause that has ended: take back what it revoked, else move the deadline by the time that it stood."""

    at: datetime
    proposal: ProposalId


@dataclass(frozen=True, slots=True)
class Shown:
    """What a person had on the screen: the digest, and the message. Unproved until it was compared."""

    digest: str
    channel: str
    ts: str


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask the agent, or the person `to`, where the directory found nothing wrong with him (`flawed`)."""

    at: datetime
    proposal: ProposalId
    asker: Standing
    shown: Shown
    question: str
    to: PersonId | None
    flawed: bool
    text: AgentText
    stops_clock: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer a question; `by` is the agent, or the person who was asked."""

    at: datetime
    proposal: ProposalId
    question: str
    by: Actor
    text: AgentText


@dataclass(frozen=True, slots=True)
class Lowered:
    """The action with a lower value, and what the policy that decides now asks for it."""

    arguments: AgentJson
    digest: Digest
    requirement: Requirement
    known: AgentJson | None


@dataclass(frozen=True, slots=True)
class Edit:
    """Lower one field; `becomes` is what then stands, or why it cannot."""

    at: datetime
    proposal: ProposalId
    editor: Standing
    shown: Shown
    field: str
    becomes: Lowered | Refusal


@dataclass(frozen=True, slots=True)
class TakeBack:
    """Take an approval back before it is used."""

    at: datetime
    proposal: ProposalId
    by: Standing
    shown: Shown
    reason: AgentText


Amendment: TypeAlias = Ask | Answer | Edit | TakeBack
Command: TypeAlias = (
    Submit | Initiate | CastVote | Cancel | Claim | ReportOutcome | RecordPosted | PassTime | Thaw | Amendment
)


@dataclass(frozen=True, slots=True)
class StartPause:
    """Stop a scope at once; with `revoke`, what is approved there and not yet claimed is taken back for good."""

    at: datetime
    by: Actor
    pause: str
    scope: Scope
    lasts: timedelta | None
    reason: AgentText
    standing: Standing | None
    revoke: bool = False


@dataclass(frozen=True, slots=True)
class Resume:
    """Start a scope again; everything needs two people. `standing` is None on the machine's own command line."""

    at: datetime
    by: Actor
    scope: Scope
    reason: AgentText
    standing: Standing | None
    may_resume: bool


@dataclass(frozen=True, slots=True)
class LiftTimedPauses:
    """Lift each pause whose announced time is over. Idempotent."""

    at: datetime


SwitchCommand: TypeAlias = StartPause | Resume | LiftTimedPauses


@dataclass(frozen=True, slots=True)
class DeclareIncident:
    """Say that an incident is going on. `standing` is None on the machine's own command line."""

    at: datetime
    by: Actor
    reason: AgentText
    standing: Standing | None


@dataclass(frozen=True, slots=True)
class ClearIncident:
    """Say that it is over; who may resume a pause may."""

    at: datetime
    by: Actor
    reason: AgentText
    standing: Standing | None
    may_resume: bool


IncidentCommand: TypeAlias = DeclareIncident | ClearIncident
