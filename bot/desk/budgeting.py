"""Stops an agent that has used up a budget or goes in circles: the agent is told, it is recorded, people hear it once.

Judges nothing itself: `approval_rules.budgets` does, by what `bot.store.spending` reads.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from approval_rules.budgets import (
    MOST_TOLD,
    REPEATS,
    Attempt,
    Exceeded,
    Placed,
    Said,
    amount,
    first_time,
    in_words,
    looping,
    over,
    said_in,
    usage_of,
)
from approval_rules.commands import Draft
from approval_rules.decide import barred
from approval_rules.events import BudgetExceeded, SubmitRefused
from approval_rules.people import Agent, ProposalId, ToolName, system
from approval_rules.policy import PolicyFolder
from approval_rules.text import AgentText
from bot.desk.contracted import CODE as BREACH
from bot.store import outbox, spending
from bot.store.outbox import Kind
from bot.store.transaction import Transaction
from handlers.desk import BudgetLine, Fault, Refused

CODE = "budget-exceeded"
BUDGETS = system("budgets")


def exceeded(
    tx: Transaction, folder: PolicyFolder, agent: Agent, draft: Draft, refused: Refused | None
) -> Exceeded | None:
    """Name the budget that this proposal is over; `refused` is why it would be turned away otherwise.

    Nothing is said to an agent that is paused or may not use the tool: that comes first.
    """
    placed = _placed(folder, [draft.tool])
    now = said_in(draft.run)
    breaches = _same_breach(tx, agent, draft, refused) if refused is not None and refused.code == BREACH else ()
    found = looping(placed, now, spending.alike(tx, agent.id, draft.digest), breaches)
    if found is None and any(each.limited for _, each in placed):
        found = over(placed, usage_of(spending.attempts(tx, agent.id), now))
    if found is None:
        return None
    current = tx.agent(agent.id)
    return None if barred(agent if current is None else current.agent, draft.tool, tx.switch) else found


def _placed(folder: PolicyFolder, tools: Iterable[ToolName]) -> Placed:
    own = [(tool, folder.policies[tool].budgets) for tool in tools if tool in folder.policies]
    return [(None, folder.budgets), *((tool, each) for tool, each in own if each is not None)]


def _same_breach(tx: Transaction, agent: Agent, draft: Draft, refused: Refused) -> Iterator[Attempt]:
    detail = AgentText(refused.detail)
    for each in spending.refusals(tx, agent.id):
        if (each.attempt.tool, each.code, each.detail) == (draft.tool, refused.code, detail):
            yield each.attempt


def stop(tx: Transaction, agent: Agent, draft: Draft, found: Exceeded) -> Refused:
    """Turn a proposal away, and let people know where this run, or this agent's day, was not stopped before."""
    told = in_words(found)
    record_refusal(tx, agent, CODE, told, draft.tool)
    earlier = list(spending.stops(tx, agent.id))
    if first_time(earlier, found, said_in(draft.run)):
        recorded = tx.record(
            BudgetExceeded(
                at=tx.at,
                by=BUDGETS,
                agent=agent.named,
                tool=draft.tool,
                budget=found.budget,
                limit_of=found.tool,
                used=amount(found.used),
                limit=amount(found.limit),
                summary=draft.summary,
                run=draft.run,
            )
        )
        if len(earlier) < MOST_TOLD:
            outbox.plan(tx, Kind.ESCALATE, agent.id, recorded.seq, {})
    return refusal(found)


def refusal(found: Exceeded) -> Refused:
    """Make the answer to a proposal that is over a budget."""
    return Refused(CODE, in_words(found), (Fault(found.pointer, f"{found.budget}: {found.measure}"),))


def record_refusal(
    tx: Transaction, agent: Agent, code: str, detail: str, tool: str | None, draft: Draft | None = None
) -> None:
    """Record that a proposal was turned away; `draft` where that counts against its run and its action."""
    refused = SubmitRefused(
        at=tx.at,
        by=agent.actor,
        proposal=ProposalId(tx.new_id("prop")),
        tool=None if tool is None else ToolName(tool),
        code=code,
        detail=AgentText(detail),
        digest=None if draft is None else draft.digest,
        run=None if draft is None else draft.run,
    )
    tx.record(refused)


def budget_lines(tx: Transaction, folder: PolicyFolder, agent: Agent) -> list[BudgetLine]:
    """List the budgets that concern an agent, with what is used of the day's."""
    placed = _placed(folder, agent.tools)
    usage = usage_of(spending.attempts(tx, agent.id), Said()) if any(each.per_day for _, each in placed) else None
    lines: list[BudgetLine] = []
    for tool, each in placed:
        lines += [BudgetLine(f"per_run.{name}", tool, limit, None) for name, limit in each.per_run.items()]
        lines += [
            BudgetLine(f"per_agent_and_day.{name}", tool, limit, usage.of("day", name, tool) if usage else None)
            for name, limit in each.per_day.items()
        ]
        if tool is None or each.repeats is not None:
            lines.append(BudgetLine("repeats", tool, Decimal(each.repeats or REPEATS), None))
    return lines
