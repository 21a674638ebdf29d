"""What an agent did within 24 hours, as its budgets count it, inside the transaction that takes a proposal in.

Reads what was recorded, and never decides: a budget is right from the first second after it was written.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import takewhile
from typing import Final, NamedTuple

from approval_rules.budgets import DAY, Attempt, Said, Stopped, said_in
from approval_rules.canonical import Digest
from approval_rules.events import BudgetExceeded, SubmitRefused
from approval_rules.people import AgentId, ToolName
from approval_rules.state import Proposal, Status
from approval_rules.text import AgentJson, AgentText
from approval_rules.times import format_time
from bot.store.rows import Loaded
from bot.store.transaction import Transaction, turned_away

MOST: Final = 1000
"""How many refusals, and how many stops, are looked at: no limit on them may be higher."""
MOST_ALIKE: Final = 50
"""How many proposals of one and the same action are looked at."""

# The newest first: ids sort by time, and so nobody walks further back than a day.
_TAKEN_IN = (
    "SELECT p.id, p.created_at, p.tool, p.state, r.value FROM proposals p LEFT JOIN detached r"
    " ON r.seq = (SELECT min(seq) FROM entries WHERE subject = p.id) AND r.name = 'run'"
    " WHERE p.agent_id = :agent ORDER BY p.id DESC"
)
_TURNED_AWAY = (
    "SELECT e.at, json_extract(CAST(e.body AS TEXT), '$.data.tool'), json_extract(CAST(e.body AS TEXT), '$.data.code'),"
    " d.value, r.value FROM turned_away t JOIN entries e ON e.seq = t.seq"
    " LEFT JOIN detached d ON d.seq = t.seq AND d.name = 'detail'"
    " LEFT JOIN detached r ON r.seq = t.seq AND r.name = 'run'"
    " WHERE t.agent_id = :agent ORDER BY t.seq DESC LIMIT :most"
)
_STOPPED = (
    "SELECT e.at, json_extract(CAST(e.body AS TEXT), '$.data.budget'), r.value FROM entries e"
    " LEFT JOIN detached r ON r.seq = e.seq AND r.name = 'run'"
    " WHERE e.subject = :agent AND e.type = 'budget.exceeded' ORDER BY e.seq DESC LIMIT :most"
)
_ALIKE = (
    "SELECT e.at, e.subject, json_extract(CAST(e.body AS TEXT), '$.actor.ref'),"
    " json_extract(CAST(e.body AS TEXT), '$.data.tool'), p.state, r.value"
    " FROM main.detached d INDEXED BY detached_marks"
    " JOIN entries e ON e.seq = d.seq LEFT JOIN proposals p ON p.id = e.subject"
    " LEFT JOIN detached r ON r.seq = d.seq AND r.name = 'run'"
    " WHERE d.mark IN (:today, :yesterday)"
    " AND e.type IN ('proposal.submitted', 'proposal.submit_refused')"
    " ORDER BY d.seq DESC LIMIT :most"
)


class TurnedAway(NamedTuple):
    """A proposal that was refused for a mistake; `detail` is None where it has been erased."""

    attempt: Attempt
    code: str
    detail: AgentText | None


def attempts(tx: Transaction, agent: AgentId) -> Iterator[Attempt]:
    """Give everything that the agent proposed within 24 hours."""
    planned, since = tx.planned(), format_time(tx.at - DAY)
    for proposal in _taken_in_now(tx, agent, planned):
        yield _attempt(proposal)
    for ident, created_at, attempt in _taken_in(tx, agent):
        if created_at > since and ident not in planned:
            yield attempt
    for refused in refusals(tx, agent):
        yield refused.attempt
    for stop in stops(tx, agent):
        yield Attempt(None, stop.said, None, stopped=True)


def _taken_in(tx: Transaction, agent: AgentId) -> Sequence[tuple[str, str, Attempt]]:
    """Read the committed proposals of 24 hours once for all units of a batch: id, time, and what they count as."""
    kept: list[tuple[str, str, Attempt]] | None = tx.kept.get((_TAKEN_IN, agent))
    if kept is None:
        since = format_time(tx.at - DAY)
        rows = takewhile(lambda row: row[1] > since, tx.walk(_TAKEN_IN, {"agent": agent}))
        kept = [(row[0], row[1], Attempt(ToolName(row[2]), _said(row[4]), Status(row[3]))) for row in rows]
        tx.kept[_TAKEN_IN, agent] = kept
    return kept


def refusals(tx: Transaction, agent: AgentId) -> Iterator[TurnedAway]:
    """Give what was turned away within 24 hours for a mistake of the agent, the newest at least."""
    for event in _refused_now(tx, agent):
        yield TurnedAway(_refused(event), event.code, event.detail)
    since = format_time(tx.at - DAY)
    for at, tool, code, detail, run in tx.walk(_TURNED_AWAY, {"agent": agent, "most": MOST}):
        if at <= since:
            break
        said = None if detail is None else AgentText(json.loads(detail))
        yield TurnedAway(Attempt(tool, _said(run), None), code, said)


def stops(tx: Transaction, agent: AgentId) -> Iterator[Stopped]:
    """Give the stops that were recorded within 24 hours, the newest at least."""
    for item in tx.loose():
        if isinstance(item.event, BudgetExceeded) and item.event.agent.id == agent:
            yield Stopped(item.event.budget, said_in(item.event.run))
    since = format_time(tx.at - DAY)
    for at, budget, run in tx.walk(_STOPPED, {"agent": agent, "most": MOST}):
        if at <= since:
            break
        yield Stopped(budget, _said(run))


def alike(tx: Transaction, agent: AgentId, digest: Digest) -> Iterator[Attempt]:
    """Give the agent's proposals of exactly this action within 24 hours, the newest at least."""
    planned, since = tx.planned(), ""
    yield from (_attempt(proposal) for proposal in _taken_in_now(tx, agent, planned) if proposal.digest == digest)
    yield from (_refused(event) for event in _refused_now(tx, agent) if event.digest == digest)
    today, yesterday = tx.marks(f'"{digest}"')
    marks = {"today": today, "yesterday": yesterday, "most": MOST_ALIKE}
    for at, subject, who, tool, state, run in tx.walk(_ALIKE, marks):
        since = since or format_time(tx.at - DAY)  # mostly there is nothing alike, and no need of it
        if at <= since:
            break
        if who == agent and subject not in planned:
            yield Attempt(ToolName(tool), _said(run), None if state is None else Status(state))


def _taken_in_now(tx: Transaction, agent: AgentId, planned: Mapping[str, Loaded]) -> Iterator[Proposal]:
    since = tx.at - DAY
    for loaded in planned.values():
        if loaded.proposal.agent.id == agent and loaded.proposal.created_at > since:
            yield loaded.proposal


def _refused_now(tx: Transaction, agent: AgentId) -> Iterator[SubmitRefused]:
    for item in tx.loose():
        if isinstance(item.event, SubmitRefused) and item.event.by.ref == agent and turned_away(item.event):
            yield item.event


def _attempt(proposal: Proposal) -> Attempt:
    return Attempt(proposal.tool, said_in(proposal.run), proposal.status)


def _refused(event: SubmitRefused) -> Attempt:
    return Attempt(event.tool, Said() if event.run is None else said_in(event.run), None)


@lru_cache(maxsize=8192)  # the same proposals are counted again for each one that follows them
def _said(run: str | None) -> Said:
    return Said() if run is None else said_in(AgentJson.stored(run))
