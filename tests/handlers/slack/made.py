"""Made-up proposals in every state, and people, for the tests of the Slack edge. Nothing here checks anything."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from approval_rules.amendments import Edit, Question, TakenBack
from approval_rules.canonical import digest_of
from approval_rules.denials import DenialCategory
from approval_rules.events import Decision, Refusal
from approval_rules.people import Agent, AgentId, PersonId, ProposalId, RoleName, ToolName, human
from approval_rules.requirement import PolicyRef, Requirement, Seat, Shadowed, Tier
from approval_rules.state import Execution, Proposal, Status, Vote
from approval_rules.switch import EVERYTHING, Pause
from approval_rules.text import AgentJson, AgentText, Json
from handlers.desk import Face, Seen

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
ADA, GRACE, OWNER, STARTER = PersonId("per_ada"), PersonId("per_grace"), PersonId("per_owner"), PersonId("per_starter")
FACES = {
    ADA: Face("U0MAYACHEN1", "Maya Chen"),
    GRACE: Face("U0JONASWEB1", "Jonas Weber"),
    OWNER: Face("U0SAMOKAFO1", "Sam Okafor"),
    STARTER: Face("U0LENAFISC1", "Lena Fischer"),
}
REFUND: Mapping[str, Json] = {
    "amount_usd": Decimal("180.00"),
    "customer_id": "C-2041",
    "order_id": "ORD-7731",
    "reason": "parcel lost",
}
CONTEXT: Mapping[str, Json] = {
    "facts": {"customer_tier": "pro", "orders_last_year": 14},
    "history": ["2026-03-02 refund of $20.00", {"at": "2026-06-01", "what": "complaint", "solved": True}],
    "steps_attempted": ["asked the carrier", "offered a replacement"],
    "evidence": [{"title": "Ticket 8812", "url": "https://desk.example/8812", "excerpt": "It never came."}],
    "if_declined": "I will offer a replacement instead.",
    "rollback": "Charge the card again.",
}
RUN: Mapping[str, Json] = {
    "id": "run-1",
    "model": "some-model-1",
    "tool_calls": 5,
    "tokens": 12345,
    "cost_usd": Decimal("0.42"),
    "elapsed_s": 34,
}
AGENT = Agent(AgentId("agt_1"), "refund-bot", OWNER, (ToolName("payments.refund"),))
IN_SHADOW = (
    "payments.refund is in shadow, so people say what they would do: "
    "two people in the role support_manager must approve"
)
BY_ITSELF = Shadowed(Tier.GREEN, "payments.refund#1", "rule 1 of payments.refund: amount_usd <= 200, so it is allowed")
NEEDS = Requirement(
    Tier.YELLOW,
    (Seat(RoleName("support_manager"), 2),),
    PolicyRef(
        "sha256:0f1e2d",
        "payments.refund#3",
        "rule 3 of payments.refund: amount_usd > 50, so two people in the role support_manager must approve",
    ),
    redact=("card_number", "bank_account"),
)


def proposal(arguments: Mapping[str, Json] = REFUND, tool: str = "payments.refund", **changes: object) -> Proposal:
    """Make a pending refund; `changes` replace fields of it."""
    made = Proposal(
        id=ProposalId("prop_01jd8z4q6r7s"),
        status=Status.PENDING,
        agent=AGENT,
        started_by=STARTER,
        tool=ToolName(tool),
        arguments=AgentJson(arguments),
        digest=digest_of(tool, arguments),
        summary=AgentText("The parcel was lost.\nThe customer waits since Monday."),
        context=AgentJson(CONTEXT),
        run=AgentJson(RUN),
        callback_url=None,
        requirement=NEEDS,
        created_at=NOW,
        expires_at=NOW + timedelta(hours=4),
        clock_from=NOW,
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # a test may replace any field


def seen(made: Proposal | None = None, frozen_by: Pause | None = None, index: int = 17) -> Seen:
    """Show a proposal with everybody's faces."""
    return Seen(made or proposal(), FACES, frozen_by, index)


def vote(who: PersonId = ADA, decision: Decision = Decision.APPROVE, reason: str | None = None) -> Vote:
    """Make a counted vote."""
    at = NOW + timedelta(minutes=3 if who == ADA else 9)
    words = AgentText(reason) if reason is not None else None
    return Vote(who, decision, at, (RoleName("support_manager"),), digest_of("payments.refund", REFUND), words)


def pause() -> Pause:
    """Make a pause of everything."""
    return Pause("pau_1", EVERYTHING, NOW + timedelta(minutes=5), human(GRACE), AgentText("looks like a loop"))


def execution(**changes: object) -> Execution:
    """Make a taken permission."""
    at = NOW + timedelta(minutes=20)
    made = Execution("claimed", "gra_1", None, at, at + timedelta(minutes=10), at + timedelta(minutes=15))
    return replace(made, **changes)  # type: ignore[arg-type]  # a test may replace any field


def states() -> dict[str, Seen]:
    """Make one proposal in each state that a packet can show."""
    later = NOW + timedelta(minutes=10)
    both = (vote(), vote(GRACE))
    approved = proposal(status=Status.APPROVED, votes=both, decided_at=later, claim_by=later + timedelta(hours=1))
    told = {"execution": execution(status="succeeded", outcome_at=NOW + timedelta(minutes=21))}
    by_policy = replace(NEEDS, tier=Tier.GREEN, seats=())
    made = {
        "pending_0_of_2": proposal(),
        "pending_1_of_2": proposal(votes=(vote(),)),
        "pending_nobody": proposal(requirement=replace(NEEDS, seats=())),
        "pending_overdue": proposal(expires_at=NOW - timedelta(minutes=1)),
        "pending_redacted": proposal({**REFUND, "card_number": "4111111111111111"}),
        "approved_by_policy": replace(approved, votes=(), requirement=by_policy),
        "approved_by_people": approved,
        "claimed": replace(approved, execution=execution()),
        "succeeded": replace(approved, **told),  # type: ignore[arg-type]  # one field
        "failed": replace(approved, execution=execution(status="failed", outcome_at=later)),
        "unknown": replace(approved, execution=execution(status="unknown", outcome_at=later)),
        "overdue": replace(approved, execution=execution(status="unknown", overdue=True)),
        "denied": proposal(
            status=Status.DENIED,
            votes=(vote(), vote(GRACE, Decision.DENY, "Offer a replacement first.")),
            decided_at=later,
        ),
        "expired_unanswered": proposal(status=Status.EXPIRED, expired_why="unanswered", decided_at=later),
        "expired_unclaimed": replace(approved, status=Status.EXPIRED, expired_why="unclaimed"),
        "cancelled": proposal(status=Status.CANCELLED, decided_at=later),
        "blocked": proposal(status=Status.BLOCKED, decided_at=NOW, requirement=replace(NEEDS, seats=(), tier=Tier.RED)),
        "revoked": replace(approved, status=Status.REVOKED, revoked_why=Refusal.PAUSED),
    }
    trial = replace(NEEDS, policy=replace(NEEDS.policy, rule=None, because=IN_SHADOW), shadow=BY_ITSELF)
    made |= {
        "trial_0_of_2": proposal(requirement=trial),
        "trial_approved": replace(approved, requirement=trial, claim_by=None),
        "trial_denied": replace(made["denied"], requirement=trial),
    }
    question = Question("qst_1", ADA, None, AgentText("Is it <!channel> ours?"), NOW, NOW + timedelta(hours=24))
    to_person = Question("qst_2", GRACE, OWNER, AgentText("Did you\u202e call?"), later)
    edit = Edit(GRACE, later, "amount_usd", digest_of("payments.refund", REFUND), (ADA,), AgentJson(REFUND))
    back = TakenBack(human(ADA), NOW + timedelta(minutes=30), AgentText("The customer called."))
    no = replace(vote(GRACE, Decision.DENY, "Offer a replacement first."), category=DenialCategory.NOT_NEEDED)
    lowerable = replace(NEEDS, editable=("amount_usd",))
    made |= {
        "pending_lowerable": proposal(requirement=lowerable),
        "pending_asked": proposal(questions=(question,), expires_at=NOW + timedelta(hours=28)),
        "pending_answered": proposal(
            votes=(vote(),),
            questions=(question.answered(AgentText("Yes. <@U1>"), AGENT.actor, later), to_person),
        ),
        "pending_lowered": proposal({**REFUND, "amount_usd": Decimal("120.00")}, requirement=lowerable, edits=(edit,)),
        "denied_for": proposal(status=Status.DENIED, votes=(no,), decided_at=later),
        "taken_back": replace(approved, status=Status.REVOKED, revoked_why=Refusal.TAKEN_BACK, taken_back=back),
    }
    shown = {name: seen(each) for name, each in made.items()}
    shown["pending_frozen"] = seen(made["pending_1_of_2"], frozen_by=pause())
    shown["approved_frozen"] = seen(approved, frozen_by=pause())
    long = "\n".join([f"Line {number} of a long letter to the customer." for number in range(200)])
    shown["pending_too_long"] = seen(proposal({"to": "pat@example.com", "body": long}, "mail.send"))
    return shown
