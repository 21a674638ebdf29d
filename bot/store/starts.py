"""What people have filled in to start themselves and not yet proved: kept for minutes, used once. Judges nothing."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from approval_rules.canonical import canonical_text
from approval_rules.people import AgentId, PersonId, ProposalId, ToolName
from approval_rules.text import AgentJson, AgentText, unwrap_canonical, unwrap_text
from approval_rules.times import format_time
from bot.store.reads import Snapshot
from bot.store.transaction import Transaction

FIND = "SELECT proposal, person, body FROM starts WHERE proposal = :proposal AND expires_at > :now"
_PUT = "INSERT INTO starts (proposal, person, body, expires_at) VALUES (?, ?, ?, ?)"
_DROP = "DELETE FROM starts WHERE proposal = ?"
_FORGET = "DELETE FROM starts WHERE expires_at <= ?"


@dataclass(frozen=True, slots=True)
class Start:
    """What one person is about to start, under the id that it will have; `policy` is the version that judged it."""

    proposal: ProposalId
    person: PersonId
    agent: AgentId
    tool: ToolName
    taken_up: ProposalId | None
    policy: str
    arguments: AgentJson
    typed: AgentText
    reason: AgentText


def keep(tx: Transaction, start: Start, expires_at: datetime) -> None:
    """Keep what was filled in until its proof comes, or its time is over."""
    fields = {
        "agent": start.agent,
        "tool": start.tool,
        "taken_up": start.taken_up,
        "policy": start.policy,
        "typed": unwrap_text(start.typed),
        "reason": unwrap_text(start.reason),
    }
    body = f'{{"arguments":{unwrap_canonical(start.arguments, canonical_text)},{json.dumps(fields)[1:]}'
    tx.write(_PUT, (start.proposal, start.person, body, format_time(expires_at)))


def found(rows: Sequence[Sequence[Any]]) -> Start | None:
    """Read the row that FIND gives."""
    if not rows:
        return None
    proposal, person, body = rows[0]
    read = json.loads(body, parse_float=Decimal)
    return Start(
        ProposalId(proposal),
        PersonId(person),
        AgentId(read["agent"]),
        ToolName(read["tool"]),
        None if read["taken_up"] is None else ProposalId(read["taken_up"]),
        read["policy"],
        AgentJson(read["arguments"]),
        AgentText(read["typed"]),
        AgentText(read["reason"]),
    )


async def waiting(snapshot: Snapshot, proposal: str, now: datetime) -> Start | None:
    """Give what waits under this id, for a reader."""
    return found(await snapshot.rows(FIND, {"proposal": proposal, "now": format_time(now)}))


def find(tx: Transaction, proposal: str) -> Start | None:
    """Give what waits under this id, as of now; None where nothing does any more."""
    dropped = {row[0] for row in tx.planned_rows(_DROP)}
    if proposal in dropped:
        return None
    return found(tx.rows(FIND, {"proposal": proposal, "now": format_time(tx.at)}))


def drop(tx: Transaction, proposal: str) -> None:
    """It was used, and never counts again."""
    tx.write(_DROP, (proposal,))


def forget(tx: Transaction) -> None:
    """Drop what was not proved in time."""
    tx.write(_FORGET, (format_time(tx.at),))
