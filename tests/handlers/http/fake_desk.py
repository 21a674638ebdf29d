"""A desk in memory for the tests of the HTTP edge: just enough behaviour, and every refusal on request.

It remembers what it was asked, so that a test can tell that nothing was. It is no model of the rules.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Literal

from approval_rules.canonical import Digest
from approval_rules.commands import Draft
from approval_rules.people import Agent, AgentId, PersonId, ProposalId, RoleName, ToolName
from approval_rules.requirement import DEFAULT_TTL, PolicyRef, Requirement, Seat, Tier
from approval_rules.state import Execution, Proposal, Status
from approval_rules.switch import Pause
from approval_rules.text import AgentJson, Json, unwrap_object
from handlers.desk import Accepted, BudgetLine, DeskUnavailableError, Evaluation, Grant, Intake, Page, Refused, Seen

AT = datetime(2026, 3, 1, 12, 0, 0, 5, tzinfo=UTC)
KEY, OTHER_KEY = "fe_live_key-1", "fe_live_key-2"
AGENT = Agent(AgentId("agt_1"), "refund-bot", PersonId("p_owner"), (ToolName("payments.refund"),), ("hooks.example",))
OTHER_AGENT = replace(AGENT, id=AgentId("agt_2"), name="other-bot")
POLICY = PolicyRef("pv_1", "payments.refund#1", "amount_usd > 50")
YELLOW = Requirement(Tier.YELLOW, (Seat(RoleName("support_manager"), 2),), POLICY)
GREEN = Requirement(Tier.GREEN, (), POLICY)


@dataclass
class Stored:
    """One accepted proposal and the intake that it came with."""

    proposal: Proposal
    intake: Intake
    grant: Grant | None = None


@dataclass
class FakeDesk:
    """Keeps proposals in a dict; `refusals` answers a method by name, `fault` breaks every one."""

    stored: dict[str, Stored] = field(default_factory=dict)
    turned_away: list[tuple[AgentId, str, str, str | None]] = field(default_factory=list)
    refusals: dict[str, Refused] = field(default_factory=dict)
    pauses: Sequence[Pause] = ()
    budgets: Sequence[BudgetLine] = ()
    waits: list[timedelta] = field(default_factory=list)
    drafts: list[Draft] = field(default_factory=list)
    fault: Exception | None = None
    keys_fault: Exception | None = None

    async def agent_of(self, unverified_key: str) -> Agent | None:
        """Know two keys."""
        if self.keys_fault:
            raise self.keys_fault
        return {KEY: AGENT, OTHER_KEY: OTHER_AGENT}.get(unverified_key)

    async def submit(self, agent: Agent, draft: Draft, intake: Intake) -> Accepted | Refused:
        """Store it; up to 50 is green."""
        self._may_fail()
        self.drafts.append(draft)
        if "submit" in self.refusals:
            return self.refusals["submit"]
        for old in self.stored.values():
            if (old.proposal.agent, old.intake.key) == (agent, intake.key):
                if old.intake.body_digest != intake.body_digest:
                    return Refused("idempotency-key-reused", "The key was used with another body.")
                return Accepted(self._seen(old), replayed=True, grant=old.grant)
        stored = Stored(self._proposal(agent, draft), intake)
        self.stored[stored.proposal.id] = stored
        if stored.proposal.status is Status.APPROVED and intake.claim_if_allowed:
            self._claim(stored)
        return Accepted(self._seen(stored), replayed=False, grant=stored.grant)

    async def refuse_intake(self, agent: Agent, code: str, detail: str, tool: str | None) -> None:
        """Remember it."""
        self._may_fail()
        self.turned_away.append((agent.id, code, detail, tool))

    async def evaluate(self, agent: Agent, draft: Draft) -> Evaluation | Refused:
        """Tell the tier."""
        self._may_fail()
        self.drafts.append(draft)
        if "evaluate" in self.refusals:
            return self.refusals["evaluate"]
        proposal = self._proposal(agent, draft)
        paused = self.pauses[0] if self.pauses else None
        pending = proposal.status is Status.PENDING
        return Evaluation(proposal.requirement, "pending" if pending else "approved", draft.digest, paused)

    async def read(self, agent: Agent, unverified_id: str, wait: timedelta) -> Seen | None:
        """Give one; never wait."""
        self._may_fail()
        self.waits.append(wait)
        stored = self._own(agent, unverified_id)
        return self._seen(stored) if stored else None

    async def list_own(self, agent: Agent, state: Status | None, limit: int, after: str | None) -> Page:
        """List in the order of arrival."""
        self._may_fail()
        rows = [one for one in self.stored.values() if one.proposal.agent == agent]
        rows = [one for one in rows if state in (None, one.proposal.status) and one.proposal.id > (after or "")]
        return Page([self._seen(one) for one in rows[:limit]], has_more=len(rows) > limit)

    async def cancel(self, agent: Agent, unverified_id: str) -> Seen | Refused | None:
        """Cancel what is pending."""
        self._may_fail()
        stored = self._own(agent, unverified_id)
        if stored is None:
            return None
        if stored.proposal.status is not Status.PENDING:
            return Refused("not-pending", "It has been decided.")
        stored.proposal = replace(stored.proposal, status=Status.CANCELLED, decided_at=AT)
        return self._seen(stored)

    async def claim(self, agent: Agent, unverified_id: str, digest: str, key: str | None) -> Grant | Refused | None:
        """Give the grant once, or again for the same key."""
        self._may_fail()
        stored = self._own(agent, unverified_id)
        if stored is None:
            return None
        if digest != stored.proposal.digest:
            return Refused("digest-mismatch", "Another digest was approved.")
        if stored.grant:
            execution = stored.proposal.execution
            same = key is not None and execution is not None and execution.key == key
            return stored.grant if same else Refused("already-claimed", "It was claimed before.")
        return self._claim(stored, key)

    async def report(
        self, agent: Agent, unverified_id: str, status: Literal["succeeded", "failed", "unknown"], report: Json
    ) -> Seen | Refused | None:
        """Record the outcome of a claimed one."""
        self._may_fail()
        stored = self._own(agent, unverified_id)
        if stored is None:
            return None
        if stored.proposal.execution is None:
            return Refused("not-claimed", "Claim first.")
        execution = replace(stored.proposal.execution, status=status, outcome_at=AT, report=AgentJson(report))
        stored.proposal = replace(stored.proposal, execution=execution)
        return self._seen(stored)

    async def budgets_of(self, agent: Agent) -> Sequence[BudgetLine]:
        """Give what the test says, to its agent."""
        self._may_fail()
        return self.budgets if agent == AGENT else ()

    async def pause_on(self, agent: Agent) -> Sequence[Pause]:
        """Give the pauses."""
        self._may_fail()
        return [pause for pause in self.pauses if agent is not OTHER_AGENT]

    def _may_fail(self) -> None:
        if self.fault:
            raise self.fault

    def _own(self, agent: Agent, unverified_id: str) -> Stored | None:
        stored = self.stored.get(unverified_id)
        return stored if stored and stored.proposal.agent == agent else None

    def _seen(self, stored: Stored) -> Seen:
        return Seen(stored.proposal, {}, self.pauses[0] if self.pauses else None, 7)

    def _claim(self, stored: Stored, key: str | None = None) -> Grant:
        stored.grant = Grant("a.b.c", AT, AT + timedelta(minutes=10))
        execution = Execution("claimed", "grant_1", key, AT, stored.grant.expires_at, AT + timedelta(minutes=15))
        stored.proposal = replace(stored.proposal, execution=execution)
        return stored.grant

    def _proposal(self, agent: Agent, draft: Draft) -> Proposal:
        amount = unwrap_object(draft.arguments).get("amount_usd")
        green = isinstance(amount, int | Decimal) and amount <= 50
        pending = Proposal(
            id=ProposalId(f"prop_{len(self.stored):04d}"),
            status=Status.PENDING,
            agent=agent,
            started_by=None,
            tool=draft.tool,
            arguments=draft.arguments,
            digest=draft.digest,
            summary=draft.summary,
            context=draft.context,
            run=draft.run,
            callback_url=draft.callback_url,
            requirement=GREEN if green else YELLOW,
            created_at=AT,
            expires_at=AT + (draft.expires_in or DEFAULT_TTL),
            clock_from=AT,
        )
        if not green:
            return pending
        return replace(pending, status=Status.APPROVED, decided_at=AT, claim_by=AT + timedelta(hours=1))


DOWN = DeskUnavailableError("the store at 10.0.0.5 is away")
NO_DIGEST = Digest("sha256:" + "0" * 64)
