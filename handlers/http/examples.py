"""Examples of every answer, made by the code that makes the answers, so that they cannot drift from it."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from approval_rules.amendments import Edit, Question, TakenBack
from approval_rules.canonical import digest_of
from approval_rules.denials import DenialCategory
from approval_rules.events import Decision, Refusal
from approval_rules.people import Agent, AgentId, PersonId, ProposalId, RoleName, ToolName
from approval_rules.people import human as _human
from approval_rules.requirement import (
    DEFAULT_TTL,
    GRANT_LIFE,
    OUTCOME_WITHIN,
    PolicyRef,
    Requirement,
    Seat,
    Shadowed,
    Tier,
)
from approval_rules.state import Execution, Proposal, Status, Vote
from approval_rules.switch import Pause, Scope, ScopeKind
from approval_rules.text import AgentJson, AgentText, Json
from approval_rules.times import format_time
from handlers.desk import BudgetLine, Evaluation, Face, Fault, Grant, Page, Seen
from handlers.http import render
from handlers.http.problem_codes import KINDS
from handlers.http.problems import ProblemError

AT = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
TOKEN = "eyJhbGciOiJFZERTQSJ9.eyJqdGkiOiJnX…In0.c2ln…"  # noqa: S105 - an example that no key ever signed
_TOOL = ToolName("payments.refund")
_ARGUMENTS: Json = {"order_id": "A-10294", "amount_usd": Decimal("180.00"), "currency": "USD"}
_SUMMARY = "Refund a damaged espresso machine; the customer sent photos."
_FACTS: Json = {"customer_tier": "pro"}
_KIM, _ANA = PersonId("p_kim"), PersonId("p_ana")
_LEAD = RoleName("support_manager")
_AGENT = Agent(
    AgentId("agent_01k9zx1m4c8t2v6r0q5n3h7d9w"), "refund-bot", PersonId("p_own"), (_TOOL,), ("agents.example.com",)
)
_PAUSE = Pause(
    "pause_01k9zy0b7d3f5h9k1m2p4r6t8w",
    Scope(ScopeKind.TOOL, _TOOL),
    AT,
    _human(_KIM),
    AgentText(""),
    AT + timedelta(minutes=30),
)
_BUDGETS = (
    BudgetLine("per_run.tool_calls", None, Decimal(8), None),
    BudgetLine("per_agent_and_day.cost_usd", None, Decimal(50), Decimal("12.75")),
    BudgetLine("repeats", None, Decimal(5), None),
)
_FACES = {_KIM: Face("U012AB3CD", "Kim"), _ANA: Face("U045EF6GH", "Ana")}
_DIGEST = digest_of(_TOOL, _ARGUMENTS)
_POLICY = PolicyRef(
    "sha256:3f2a9c0d61be7845f0a1c2d3e4b59687786950c1d2e3f4a5b6c7d8e9fa0b1c2d",
    "payments.refund#3",
    "rule 3 of payments.refund: amount_usd > 50, so two people in the role support_manager must approve",
)
_ALLOWED = "rule 2 of payments.refund: amount_usd <= 200 and customer_tier == 'enterprise', so it is allowed"
_BLOCKED = "rule 4 of payments.refund: chargeback_open, so it is blocked: the bank pays this one back"
_YELLOW = Requirement(Tier.YELLOW, (Seat(_LEAD, 2),), _POLICY)
_GREEN = Requirement(Tier.GREEN, (), replace(_POLICY, rule="payments.refund#2", because=_ALLOWED))
_RED = Requirement(Tier.RED, (), replace(_POLICY, rule="payments.refund#4", because=_BLOCKED))
_TRIAL = replace(
    _YELLOW,
    policy=PolicyRef(
        _POLICY.version,
        None,
        "payments.refund is in shadow, so people say what they would do: two people in the role support_manager"
        " must approve",
    ),
    shadow=Shadowed(Tier.YELLOW, _POLICY.rule, _POLICY.because),
)
_REPORT: dict[str, Json] = {"detail": "refund re_88 created", "post_conditions": {"refund_visible": True}}

PROPOSAL_IN = {
    "tool": _TOOL,
    "arguments": {"order_id": "A-10294", "amount_usd": 180.0, "currency": "USD"},
    "summary": _SUMMARY,
    "context": {
        "facts": _FACTS,
        "history": ["2026-11-19 the customer wrote that the machine leaks"],
        "steps_attempted": ["offered a replacement; the customer declined"],
        "evidence": [{"title": "Photo of the damage", "url": "https://shop.example.com/p/1"}],
        "if_declined": "The customer is told that a person will call.",
    },
    "run": {"id": "run_8812", "model": "model-1", "tokens": 5120, "cost_usd": 0.03, "started_by": "U099ZZ9ZZ"},
    "callback_url": "https://agents.example.com/foureyes",
    "expires_in_s": 14400,
}
_QUESTION = Question(
    "qst_01k9zx4b8n2d5f7h9k1m3p5r7t",
    *(_KIM, None, AgentText("Does the customer have the machine still?"), AT + timedelta(minutes=2)),
    AT + timedelta(hours=24, minutes=2),
)
_ANSWER = "No, he sent it back on 2026-11-20; the carrier has confirmed it."
_LESS: Json = {"order_id": "A-10294", "amount_usd": Decimal("120.00"), "currency": "USD"}
_EDIT = Edit(_KIM, AT + timedelta(minutes=3), "amount_usd", _DIGEST, (_ANA,))
_BACK = TakenBack(_human(_KIM), AT + timedelta(minutes=8), AgentText("The customer called: he keeps it."))
ANSWER_IN = {"question": _QUESTION.id, "text": _ANSWER}
CLAIM_IN = {"digest": _DIGEST}
OUTCOME_IN = {"status": "succeeded", **_REPORT, "cost_usd": 0.05}

_FAULTS = {
    "invalid-body": Fault("/arguments", "must be a JSON object"),
    "contract-violation": Fault("/arguments/amount_usd", "must be at most 500"),
    "budget-exceeded": Fault("/run/tool_calls", "per_run.tool_calls: 9 of 8"),
    "contradictory-fact": Fault("/context/facts/amount_usd", "is also an argument, with another value"),
    "callback-host-not-allowed": Fault("/callback_url", "this host is not registered for the agent"),
    "invalid-query": Fault("?wait", "must be a whole number from 0 to 60"),
}


def proposals() -> dict[str, Seen]:
    """Give one proposal for each way in which it can stand."""
    vote = Vote(_KIM, Decision.APPROVE, AT + timedelta(minutes=2), (_LEAD,), _DIGEST, None)
    second = replace(vote, voter=_ANA, at=AT + timedelta(minutes=5))
    no = replace(second, decision=Decision.DENY, reason=AgentText("The order was refunded yesterday."))
    no = replace(no, category=DenialCategory.NOT_NEEDED)
    pending = _proposal(_YELLOW)
    decided = replace(pending, decided_at=second.at)
    approved = replace(decided, status=Status.APPROVED, votes=(vote, second), claim_by=second.at + timedelta(hours=1))
    execution = _execution(second.at + timedelta(minutes=1))
    reported = replace(
        execution, status="succeeded", outcome_at=execution.claimed_at + timedelta(seconds=3), report=AgentJson(_REPORT)
    )
    expired = replace(decided, status=Status.EXPIRED, expired_why="unanswered")
    states = {
        "pending": pending,
        "approved": approved,
        "approved-by-policy": _green(),
        "claimed": replace(approved, execution=execution),
        "succeeded": replace(approved, execution=reported),
        "outcome-unknown": replace(approved, execution=replace(execution, status="unknown", overdue=True)),
        "denied": replace(decided, status=Status.DENIED, votes=(vote, no)),
        "expired-unanswered": expired,
        "expired-unclaimed": replace(approved, status=Status.EXPIRED, expired_why="unclaimed"),
        "cancelled": replace(decided, status=Status.CANCELLED, decided_at=AT + timedelta(minutes=1)),
        "blocked": replace(decided, status=Status.BLOCKED, requirement=_RED, decided_at=AT),
        "revoked": replace(approved, status=Status.REVOKED, revoked_why=Refusal.PAUSED),
        "taken-back": replace(approved, status=Status.REVOKED, revoked_why=Refusal.TAKEN_BACK, taken_back=_BACK),
        "asked": replace(pending, questions=(_QUESTION,)),
        "answered": replace(pending, questions=(_QUESTION.answered(AgentText(_ANSWER), _AGENT.actor, second.at),)),
        "lowered": replace(pending, arguments=AgentJson(_LESS), digest=digest_of(_TOOL, _LESS), edits=(_EDIT,)),
        "in-shadow": _proposal(_TRIAL),
    }
    seen = {name: Seen(proposal, _FACES, None, 4711) for name, proposal in states.items()}
    return seen | {"frozen-by-a-pause": Seen(pending, _FACES, _PAUSE, 4711)}


def proposal_answers(*names: str) -> dict[str, object]:
    """Give the named proposals as an agent gets them; all where none is named."""
    seen = proposals()
    return {name: json.loads(render.proposal_json(seen[name])) for name in names or seen}


def claimed_at_once() -> dict[str, object]:
    """Give the answer to `claim_if_allowed` for an action that the policy allows."""
    green = replace(_green(), execution=_execution(AT))
    return {"claimed-at-once": json.loads(render.proposal_json(Seen(green, {}, None, 4711), grant()))}


def grant() -> Grant:
    """Give a permission that nobody signed."""
    return Grant(TOKEN, AT, AT + GRANT_LIFE)


def page_answer() -> dict[str, object]:
    """Give one page of a listing."""
    rows = proposals()
    page = Page((rows["succeeded"], rows["pending"]), has_more=False)
    return {"one-page": json.loads(render.page_json(page))}


def evaluation_answers() -> dict[str, object]:
    """Give what would happen, for each thing that can."""
    told = {
        "would-ask": Evaluation(_YELLOW, "pending", _DIGEST, None),
        "would-be-allowed": Evaluation(_GREEN, "approved", _DIGEST, None),
        "would-be-blocked": Evaluation(_RED, "blocked", _DIGEST, None),
        "would-be-refused-while-paused": Evaluation(_YELLOW, "pending", _DIGEST, _PAUSE),
    }
    return {name: json.loads(render.evaluation_json(_TOOL, one)) for name, one in told.items()}


def agent_answers() -> dict[str, object]:
    """Give an agent's view of itself, running and paused."""
    pauses = {"running": [], "paused": [_PAUSE]}
    return {name: json.loads(render.agent_json(_AGENT, listed, _BUDGETS)) for name, listed in pauses.items()}


def grant_answer() -> dict[str, object]:
    """Give the answer to a claim."""
    return {"the-one-permission": json.loads(render.grant_json(grant()))}


def problem_example(code: str) -> dict[str, object]:
    """Give the problem document of one code."""
    faults = [_FAULTS[code]] if code in _FAULTS else []
    return ProblemError(code, KINDS[code].remedy, faults).document()


def _proposal(requirement: Requirement) -> Proposal:
    return Proposal(
        id=ProposalId("prop_01k9zx3v7q5m8c2t6r0n4h9d1w"),
        status=Status.PENDING,
        agent=_AGENT,
        started_by=None,
        tool=_TOOL,
        arguments=AgentJson(_ARGUMENTS),
        digest=_DIGEST,
        summary=AgentText(_SUMMARY),
        context=AgentJson({"facts": _FACTS}),
        run=AgentJson({"id": "run_8812", "cost_usd": Decimal("0.03")}),
        callback_url=None,
        requirement=requirement,
        created_at=AT,
        expires_at=AT + DEFAULT_TTL,
        clock_from=AT,
    )


def _green() -> Proposal:
    enterprise = AgentJson({"facts": {"customer_tier": "enterprise"}})
    approved = replace(_proposal(_GREEN), status=Status.APPROVED, context=enterprise)
    return replace(approved, decided_at=AT, claim_by=AT + timedelta(hours=1))


def _execution(at: datetime) -> Execution:
    return Execution("claimed", "grant_01k9zxh2d6s0v4m8q1c5t9r3nw", None, at, at + GRANT_LIFE, at + OUTCOME_WITHIN)


def example_time() -> str:
    """Give the time that the examples play at."""
    return format_time(AT)
