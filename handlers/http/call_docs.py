"""What each call takes and can answer: the one list that the OpenAPI document and the docs page are made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import BaseModel

from approval_rules.state import Status
from handlers.http import answers, examples, query, schemas

BODY_PROBLEMS = ("malformed-body", "body-too-large", "unsupported-media-type", "invalid-body", "invalid-query")
_JUDGED = (
    "tool-not-allowed",
    "agent-revoked",
    "budget-exceeded",
    "contract-violation",
    "contradictory-fact",
    "callback-host-not-allowed",
    "unknown-user",
    "other-workspace",
    "bot",
    "deactivated",
    "guest",
    "stranger",
    "directory-unavailable",
    "too-many-requests",
)


@dataclass(frozen=True, slots=True)
class Answer:
    """One way to succeed: the schemas, named examples, and headers beyond Request-Id.

    `also` are other media types with their examples, for texts.
    """

    says: str
    models: Sequence[type[BaseModel]]
    examples: Mapping[str, object] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    media: str = "application/json"
    also: Mapping[str, Mapping[str, object]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CallDoc:
    """One call: everything that its part of the document is made of."""

    method: str
    path: str
    name: str
    summary: str
    answers: Mapping[int, Answer]
    problems: Sequence[str]
    body: type[BaseModel] | None = None
    body_example: object = None
    parameters: Sequence[dict[str, object]] = ()
    keyed: bool = True
    key: str = "agentKey"
    also_key: str | None = None


def _header(name: str, says: str, *, required: bool) -> dict[str, object]:
    schema = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"}
    return {"name": name, "in": "header", "required": required, "description": says, "schema": schema}


def query_parameter(name: str, says: str, schema: Mapping[str, object]) -> dict[str, object]:
    """Describe a parameter of the query; every one may be left out."""
    return {"name": name, "in": "query", "required": False, "description": says, "schema": dict(schema)}


ID: dict[str, object] = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}


def agent_calls() -> Sequence[CallDoc]:
    """Describe the calls that need an agent's key."""
    return (_propose(), _read(), _list(), _cancel(), _claim(), _report(), _answer(), _evaluate(), _whoami())


def open_calls() -> Sequence[CallDoc]:
    """Describe the calls that need no key."""
    at = examples.example_time()
    ready = {"ready": True, "checks": [{"name": "database", "ok": True, "detail": "answers"}]}
    waiting = {"ready": False, "checks": [{"name": "database", "ok": False, "detail": "does not answer"}]}
    key = {"kty": "OKP", "crv": "Ed25519", "kid": "2026-11", "use": "sig", "alg": "EdDSA", "x": "11qYAYKxCrfVS_7Ty"}
    well = Answer("The process is up.", (answers.HealthOut,), {"up": {"status": "ok", "time": at}})
    yes = Answer("It can serve.", (answers.ReadyOut,), {"ready": ready})
    no = Answer("It cannot serve, and why.", (answers.ReadyOut,), {"not-ready": waiting})
    figures = Answer("Figures.", (), {"some": "foureyes_pending 3\n"}, media="text/plain")
    keys = Answer("The public keys.", (answers.KeySet,), {"one-key": {"keys": [key]}})
    return (
        CallDoc("get", "/healthz", "healthz", "Is the process up", {200: well}, (), keyed=False),
        CallDoc("get", "/readyz", "readyz", "Can it serve", {200: yes, 503: no}, (), keyed=False),
        CallDoc("get", "/metrics", "metrics", "Figures for Prometheus", {200: figures}, (), keyed=False),
        CallDoc("get", "/.well-known/jwks.json", "jwks", "Keys that sign grants", {200: keys}, (), keyed=False),
    )


def _propose() -> CallDoc:
    return CallDoc(
        "post",
        "/v1/proposals",
        "propose",
        "Propose an action",
        {
            201: Answer(
                "The proposal stands. It is recorded, and people are asked where policy says so.",
                (answers.ProposalOut,),
                examples.proposal_answers("pending", "approved-by-policy", "blocked", "in-shadow")
                | examples.claimed_at_once(),
                {"Location": "Where the proposal can be read"},
            ),
            200: Answer(
                "The same key and body again: the same proposal. Or a dry run: what would happen.",
                (answers.ProposalOut, answers.EvaluationOut),
                examples.proposal_answers("pending") | examples.evaluation_answers(),
                {"Idempotent-Replayed": "`true` where this was a replay"},
            ),
        },
        (
            *BODY_PROBLEMS,
            "idempotency-key-missing",
            "idempotency-key-invalid",
            "idempotency-key-reused",
            "in-progress",
            "paused",
            *_JUDGED,
        ),
        schemas.ProposalIn,
        examples.PROPOSAL_IN,
        [_header("Idempotency-Key", "Unique for the action; the same when it is retried", required=True)],
    )


def _read() -> CallDoc:
    return CallDoc(
        "get",
        "/v1/proposals/{id}",
        "read",
        "Read a proposal, or wait for its decision",
        {200: Answer("The proposal as it stands.", (answers.ProposalOut,), examples.proposal_answers())},
        ("not-found", "invalid-query"),
        parameters=[
            ID,
            query_parameter(
                "wait",
                "Seconds to wait for the proposal to leave `pending`",
                {"type": "integer", "minimum": 0, "maximum": query.MAX_WAIT_S, "default": 0},
            ),
        ],
    )


def _list() -> CallDoc:
    return CallDoc(
        "get",
        "/v1/proposals",
        "list",
        "List the agent's own proposals",
        {200: Answer("One page, oldest first.", (answers.ProposalList,), examples.page_answer())},
        ("invalid-query",),
        parameters=[
            query_parameter("state", "Only those in this state", {"enum": list(Status)}),
            query_parameter(
                "limit",
                "How many at most",
                {"type": "integer", "minimum": 1, "maximum": query.MAX_PAGE, "default": query.DEFAULT_PAGE},
            ),
            query_parameter("after", "The last id of the page before", {"type": "string"}),
        ],
    )


def _cancel() -> CallDoc:
    return CallDoc(
        "post",
        "/v1/proposals/{id}/cancel",
        "cancel",
        "Take a pending proposal back",
        {200: Answer("It is cancelled.", (answers.ProposalOut,), examples.proposal_answers("cancelled"))},
        ("not-found", "not-pending", "invalid-body", "invalid-query", "body-too-large"),
        schemas.NothingIn,
        {},
        [ID],
    )


def _claim() -> CallDoc:
    return CallDoc(
        "post",
        "/v1/proposals/{id}/claim",
        "claim",
        "Take the one permission, right before executing",
        {200: Answer("The permission. It is given once.", (answers.GrantOut,), examples.grant_answer())},
        (
            *BODY_PROBLEMS,
            "idempotency-key-invalid",
            "not-found",
            "shadow",
            "not-approved",
            "already-claimed",
            "digest-mismatch",
            "revoked",
            "approvers-changed",
            "policy-changed",
            "agent-revoked",
            "tool-not-allowed",
            "expired",
            "paused",
            "directory-unavailable",
        ),
        schemas.ClaimIn,
        examples.CLAIM_IN,
        [
            ID,
            _header(
                "Idempotency-Key", "The same key again is the same claim: the grant is given again", required=False
            ),
        ],
    )


def _report() -> CallDoc:
    return CallDoc(
        "post",
        "/v1/proposals/{id}/outcome",
        "report",
        "Report how the execution went",
        {200: Answer("It is recorded.", (answers.ProposalOut,), examples.proposal_answers("succeeded"))},
        (*BODY_PROBLEMS, "not-found", "not-claimed", "outcome-conflict"),
        schemas.OutcomeIn,
        examples.OUTCOME_IN,
        [ID],
    )


def _answer() -> CallDoc:
    return CallDoc(
        "post",
        "/v1/proposals/{id}/answers",
        "answer",
        "Answer a question that a person asked",
        {200: Answer("It stands on the packet.", (answers.ProposalOut,), examples.proposal_answers("answered"))},
        (*BODY_PROBLEMS, "not-found", "question-unknown", "already-answered", "not-pending", "expired"),
        schemas.AnswerIn,
        examples.ANSWER_IN,
        [ID],
    )


def _evaluate() -> CallDoc:
    return CallDoc(
        "post",
        "/v1/evaluate",
        "evaluate",
        "Ask what would happen; nothing is stored",
        {200: Answer("What would happen now.", (answers.EvaluationOut,), examples.evaluation_answers())},
        (*BODY_PROBLEMS, *_JUDGED),
        schemas.ProposalIn,
        examples.PROPOSAL_IN,
    )


def _whoami() -> CallDoc:
    return CallDoc(
        "get",
        "/v1/agent",
        "whoami",
        "Who am I, what may I, what is left of my budgets, am I paused",
        {200: Answer("The agent.", (answers.AgentOut,), examples.agent_answers())},
        ("invalid-query",),
    )
