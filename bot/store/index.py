"""A proposal's row of the index: always the fold of its events, as far as look-ups and sweeps need it. No I/O."""

from datetime import datetime

from approval_rules.state import Proposal, Status
from approval_rules.times import format_time
from bot.store.rows import Row

INDEX_COLUMNS = (
    "id",
    "agent_id",
    "tool",
    "state",
    "clock",
    "next_at",
    "deadline",
    "channel",
    "ts",
    "created_at",
    "last_seq",
)


def index_row(proposal: Proposal, last_seq: int) -> Row:
    """Give a proposal's row of the index (INDEX_COLUMNS): always the fold of its events."""
    clock, next_at = clock_of(proposal)
    deadline = proposal.deadline
    packet = proposal.packet
    return (
        proposal.id,
        proposal.agent.id,
        proposal.tool,
        proposal.status.value,
        clock,
        None if next_at is None else format_time(next_at),
        None if deadline is None else format_time(deadline),
        packet.channel if packet else None,
        packet.ts if packet else None,
        format_time(proposal.created_at),
        last_seq,
    )


def clock_of(proposal: Proposal) -> tuple[str | None, datetime | None]:
    """Name the open clock of a proposal and when a sweep must look at it next."""
    deadline = proposal.deadline
    if deadline is None:
        return None, None
    if proposal.status is Status.PENDING:
        return "decide", min(proposal.remind_at or deadline, deadline)
    return ("claim" if proposal.execution is None else "outcome"), deadline
