"""The shape of what agents get, for the OpenAPI document. A test holds `render` against it; nothing else runs it."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from approval_rules.action_tiers import ActionTier
from approval_rules.denials import DenialCategory
from approval_rules.events import Decision, Refusal
from approval_rules.requirement import Tier
from approval_rules.state import Status
from approval_rules.switch import ScopeKind
from handlers.http.problem_codes import KINDS

Time = Annotated[
    str, Field(json_schema_extra={"format": "date-time", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$"})
]
Absent = SkipJsonSchema[None]
Digest = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
Code = Annotated[str, Field(json_schema_extra={"enum": list(KINDS)})]
AnyObject = dict[str, object]


class Closed(BaseModel):
    """A shape with nothing in it that is not named."""

    model_config = ConfigDict(extra="forbid")


class AgentName(Closed):
    """An agent: its id and the name that people gave it."""

    id: str
    name: str


class SeatOut(Closed):
    """So many distinct people of one role."""

    role: str
    approvals: int


class RequirementOut(Closed):
    """What must happen before yes, frozen when the proposal came in. Every seat must be filled by other people.

    From half of the time on, people of the role `backup` can fill any seat. `action_tier` is the tool's, 0 to 4, where
    its policy says so.
    """

    approvals: int
    roles: list[str]
    seats: list[SeatOut]
    step_up: Literal["none", "totp", "passkey"]
    backup: str | Absent = None
    action_tier: ActionTier | Absent = None


class ProofOut(Closed):
    """The second factor of a vote, and the eight characters that the person saw in Slack and on the page."""

    factor: Literal["totp", "passkey"]
    code: str


class PersonOut(Closed):
    """A person; both are null once that person's data has been erased."""

    by: str | None
    name: str | None


class VoteOut(Closed):
    """A person's counted vote. `by` and `name` are null once that person's data has been erased.

    `on_behalf_of` is somebody who was away and had named the voter as delegate; the voter decided by an own right.
    """

    by: str | None
    name: str | None
    decision: Decision
    at: Time
    roles: list[str]
    on_behalf_of: PersonOut | Absent = None
    reason: str | Absent = None
    category: DenialCategory | Absent = None
    proof: ProofOut | Absent = None


class InitiatorOut(Closed):
    """The person who started it himself. `taken_up` is the blocked proposal of yours that he took up, if there was one.

    `by` and `name` are null once that person's data has been erased.
    """

    by: str | None
    name: str | None
    roles: list[str]
    taken_up: str | None
    proof: ProofOut


class EditOut(Closed):
    """A person lowered a field. Votes before it are void; `digest_before` is of the version that it replaced."""

    by: str | None
    name: str | None
    at: Time
    field: str
    digest_before: str


class QuestionOut(Closed):
    """A question that a person asked the agent, or another person; answer the agent's with POST .../answers."""

    id: str
    by: str | None
    name: str | None
    to: Literal["agent", "person"]
    at: Time
    text: str
    clock_stands_until: Time | Absent = None
    answer: str | Absent = None
    answered_at: Time | Absent = None


class TakenBackOut(Closed):
    """Who took the approval back, when, and why."""

    by: str | None
    name: str | None
    at: Time
    reason: str


class PolicyOut(Closed):
    """Which policy decided, and why, in words."""

    version: str
    rule: str | None
    because: str


class PauseOut(Closed):
    """A pause in force: what it stops, since when, and when it is meant to end by itself."""

    scope: ScopeKind
    since: Time
    until: Time | None


class ExecutionOut(Closed):
    """What became of the one permission. `overdue`: nobody reported an outcome in time, so people were told."""

    status: Literal["claimed", "succeeded", "failed", "unknown"]
    grant_id: str
    claimed_at: Time
    grant_expires_at: Time
    outcome_by: Time
    overdue: bool
    outcome_at: Time | Absent = None
    report: AnyObject | Absent = None


class LookedUpOut(Closed):
    """A fact that the server looked up: when, at which host, and the value or why there is none.

    `value` is null where the policy hides it, and once it has been erased.
    """

    at: Time
    source: str
    value: object = None
    failed: str | Absent = None


class ProposalOut(Closed):
    """A proposal as it stands. `frozen` names the pause that makes its clock stand still.

    `arguments_erased` names the personal arguments whose term is over; the digest is over the whole.
    `context` is what the agent sent; `looked_up` is what the server found itself, by the fact's name.
    `shadow`: a trial run. People may decide it, nothing of it is ever executed, and every claim is refused.
    `initiated_by`: no agent asked for it, a person started it himself; it is yours to claim once others have approved.
    `started_as`: a person took this blocked one up, and it lives on as that proposal.
    """

    id: str
    state: Status
    tier: Tier
    tool: str
    arguments: AnyObject
    arguments_erased: list[str] | Absent = None
    digest: Digest
    summary: str
    agent: AgentName
    requirement: RequirementOut | None
    votes: list[VoteOut]
    policy: PolicyOut
    shadow: Literal[True] | Absent = None
    created_at: Time
    initiated_by: InitiatorOut | Absent = None
    started_as: str | Absent = None
    expires_at: Time
    callback_url: str | Absent = None
    decided_at: Time | Absent = None
    claim_by: Time | Absent = None
    expired_why: Literal["unanswered", "unclaimed"] | Absent = None
    revoked_why: Refusal | Absent = None
    execution: ExecutionOut | Absent = None
    version: int | Absent = None
    edits: list[EditOut] | Absent = None
    questions: list[QuestionOut] | Absent = None
    taken_back: TakenBackOut | Absent = None
    frozen: PauseOut | None
    context: AnyObject
    looked_up: dict[str, LookedUpOut] | Absent = None
    run: AnyObject
    log_index: int
    grant: str | Absent = None


class ProposalList(Closed):
    """One page of proposals, oldest first; ask for the next with `after` set to the last id."""

    data: list[ProposalOut]
    has_more: bool


class GrantOut(Closed):
    """The single-use permission: a compact EdDSA JWS that verifies offline with /.well-known/jwks.json."""

    grant: str
    claimed_at: Time
    expires_at: Time


class EvaluationOut(Closed):
    """What would happen to a proposal now. Nothing was stored."""

    dry_run: Literal[True]
    would_be: Literal["approved", "pending", "blocked"]
    tier: Tier
    tool: str
    digest: Digest
    requirement: RequirementOut | None
    policy: PolicyOut
    shadow: Literal[True] | Absent = None
    paused: PauseOut | None


class BudgetOut(Closed):
    """A budget: `tool` where it is of that tool's proposals only; `used` within 24 hours, where it is a day's."""

    budget: str
    tool: str | None
    limit: int | float
    used: int | float | Absent = None


class AgentOut(Closed):
    """What an agent may know about itself."""

    id: str
    name: str
    tools: list[str]
    callback_hosts: list[str]
    paused: bool
    pauses: list[PauseOut]
    budgets: list[BudgetOut]


class OperatorPauseOut(Closed):
    """A pause in force, as operators see it. `name` is null for everything, `by` once that person's data is erased."""

    id: str
    scope: ScopeKind
    name: str | None
    since: Time
    until: Time | None
    by: str | None
    reason: str
    revokes: bool


class DrillOut(Closed):
    """A drill: whether a claim was refused in a pause and given after it, and how soon after the pause's commit."""

    at: Time
    ok: bool
    refused_after_us: int | None
    replica: str
    fault: str | None


class OperatorStatusOut(Closed):
    """The state of everything. `drill` is the newest one."""

    pauses: list[OperatorPauseOut]
    incident: bool
    pending: int
    approved_unclaimed: int
    outbox_waiting: int
    outbox_dead: int
    policy_version: str
    drill: DrillOut | None


class PausedOut(Closed):
    """It is stopped. `taken_back` counts the unused approvals that are revoked with it."""

    state: Literal["paused"]
    taken_back: int | Absent = None
    status: OperatorStatusOut


class ResumedOut(Closed):
    """It runs again, or a second person is waited for."""

    state: Literal["resumed", "waiting-for-a-second-person"]
    status: OperatorStatusOut


class FaultOut(Closed):
    """One thing that is wrong: an RFC 6901 pointer into the body, or `?name` for a query parameter."""

    pointer: str
    detail: str


class ProblemOut(Closed):
    """An RFC 9457 problem document. `code` is stable; `type` explains it on this server."""

    type: str
    title: str
    status: int
    detail: str
    code: Code
    errors: list[FaultOut] | Absent = None


class HealthOut(Closed):
    """The process is up."""

    status: Literal["ok"]
    time: Time


class CheckOut(Closed):
    """One reason for being ready or not."""

    name: str
    ok: bool
    detail: str


class ReadyOut(Closed):
    """Whether this process can serve."""

    ready: bool
    checks: list[CheckOut]


class KeySet(BaseModel):
    """A JSON Web Key Set (RFC 7517)."""

    keys: list[AnyObject]


MODELS: tuple[type[BaseModel], ...] = (
    ProposalOut,
    ProposalList,
    GrantOut,
    EvaluationOut,
    AgentOut,
    PausedOut,
    ResumedOut,
    OperatorStatusOut,
    DrillOut,
    ProblemOut,
    HealthOut,
    ReadyOut,
    KeySet,
)
