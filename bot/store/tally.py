"""What a policy's counters come to, inside the transaction that takes a proposal in. Reads; never decides.

It reads the recorded arguments themselves, so that a new counter is right from its first second on.
"""

from collections.abc import Callable, Container, Iterator, Mapping
from decimal import Context, Decimal
from typing import NamedTuple

from approval_rules.commands import Draft
from approval_rules.counters import Counter
from approval_rules.people import Agent, AgentId, ProposalId, ToolName
from approval_rules.policy import Policy
from approval_rules.state import Status
from approval_rules.text import AgentJson, Json, unwrap_object
from approval_rules.times import format_time
from bot.store.codec import whole_arguments
from bot.store.transaction import Transaction

_STANDING = (Status.PENDING, Status.APPROVED)
_BEFORE = (
    "SELECT p.id, p.agent_id, a.value, c.value, l.value, s.value FROM proposals p"
    " JOIN entries e ON e.subject = p.id AND e.type = 'proposal.submitted'"
    # What a person lowered counts as it is now.
    " LEFT JOIN detached a ON a.name = 'arguments' AND a.seq = coalesce((SELECT max(n.seq) FROM entries n"
    " WHERE n.subject = p.id AND n.type = 'proposal.edited'), e.seq)"
    " LEFT JOIN detached s ON s.seq = a.seq AND s.name = 'personal'"
    " LEFT JOIN detached c ON c.seq = e.seq AND c.name = 'context'"
    " LEFT JOIN detached l ON l.seq = e.seq AND l.name = 'looked_up'"
    " WHERE p.tool = :tool AND p.created_at > :since AND p.state IN ('pending', 'approved')"
)
# Wide enough for the exact sum of any numbers that a double carries: an agent's odd amount must not break a sum.
WIDE = Context(prec=1000)


class Told(NamedTuple):
    """A proposal that was taken in before; `look` reads a name of it, and is None where that has been erased.

    Where it is not `whole`, something of it has been erased, and a name that it does not have may be one of that.
    """

    agent: AgentId
    look: Callable[[str], Json] | None
    whole: bool = True


def tallies(
    tx: Transaction, policy: Policy, agent: Agent, draft: Draft, without: ProposalId | None = None
) -> Mapping[str, Json]:
    """Give the policy's counters by name, None for one that cannot be told; the proposal `without` is left out."""
    now = Told(agent.id, reader(draft.arguments, draft.context, draft.looked_up, policy.lookups))
    return {counter.name: _tally(tx, counter, policy.tool, now, without) for counter in policy.counters}


def _tally(tx: Transaction, counter: Counter, tool: ToolName, now: Told, without: ProposalId | None) -> Decimal | None:
    mine = group_of(counter, now)
    if mine is None:
        return None
    total = Decimal(0)
    for past in _before(tx, counter, tool, without):
        theirs = group_of(counter, past)
        if (theirs is None and not past.whole) or (past.look is None and counter.field is not None):
            return None
        if theirs == mine:
            value = value_of(counter, past)
            if value is None:
                return None
            total = WIDE.add(total, value)
    return total


def _before(tx: Transaction, counter: Counter, tool: ToolName, without: ProposalId | None) -> Iterator[Told]:
    since = tx.at - counter.window
    planned = tx.planned()
    for ident, agent_id, rest, context, looked_up, mine in tx.rows(
        _BEFORE, {"tool": tool, "since": format_time(since)}
    ):
        if ident not in planned and ident != without:
            texts = [_stored(text) for text in (whole_arguments(rest, mine), context, looked_up)]
            look = None if rest is None else reader(texts[0], texts[1], texts[2])
            # Every proposal has a context, and whatever else is personal in it goes when that goes.
            yield Told(agent_id, look, look is not None and context is not None)
    for loaded in planned.values():
        proposal = loaded.proposal
        counts = proposal.tool == tool and proposal.status in _STANDING and proposal.created_at > since
        if counts and proposal.id != without:
            yield Told(proposal.agent.id, reader(proposal.arguments, proposal.context, proposal.looked_up))


def group_of(counter: Counter, past: Told) -> Json:
    """Give what proposals are counted apart by; None where this one does not tell."""
    if counter.by is None:
        return True
    if counter.by == "agent":
        return past.agent
    value = None if past.look is None else past.look(counter.by)
    return value if isinstance(value, str | int | Decimal) and not isinstance(value, bool) else None


def value_of(counter: Counter, past: Told) -> Decimal | None:
    """Give what a proposal adds; None where it is no number."""
    if counter.field is None:
        return Decimal(1)
    value = None if past.look is None else past.look(counter.field)
    return Decimal(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else None


def reader(
    arguments: AgentJson, context: AgentJson, looked_up: AgentJson | None, wanted: Container[str] = ()
) -> Callable[[str], Json]:
    """Read a name as conditions do: what was looked up, else an argument, else a fact, parsed only when it is wanted.

    `wanted` are the facts that the policy looks up: without a value they are missing, whatever the agent says.
    """

    def look(name: str) -> Json:
        found = {} if looked_up is None else unwrap_object(looked_up)
        if name in found or name in wanted:
            return found.get(name)
        sent = unwrap_object(arguments)
        if name in sent:
            return sent[name]
        facts = unwrap_object(context).get("facts")
        return facts.get(name) if isinstance(facts, Mapping) else None

    return look


def _stored(text: str | None) -> AgentJson:
    return AgentJson({}) if text is None else AgentJson.stored(text)
