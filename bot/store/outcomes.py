"""Reads what became of the proposals that were taken in since a moment: what the policy said, and what people did.

It only looks, and only at what a comparison needs of them: an amount, and who decided.
"""

import json
import sqlite3
from datetime import datetime
from typing import Any, Literal, NamedTuple, TypeAlias

from approval_rules.events import Approved, Denied, Submitted
from approval_rules.people import ProposalId
from approval_rules.requirement import Tier
from approval_rules.times import format_time
from bot.store import rows
from bot.store.rows import Row

Said: TypeAlias = Literal["approved", "denied"]
_ENTRIES = (
    "SELECT seq, body, leaf_hash FROM entries WHERE at >= :since AND type IN"
    " ('proposal.submitted', 'proposal.approved', 'proposal.denied') ORDER BY seq"
)
_ARGUMENTS = (
    "SELECT seq, name, value FROM detached WHERE name IN ('arguments', 'personal')"
    " AND seq IN (SELECT value FROM json_each(:seqs))"
)
_CHUNK = 500


class Came(NamedTuple):
    """A proposal, whether its arguments still live, and what people said where they decided it."""

    submitted: Submitted
    living: bool
    people: Said | None


def outcomes_since(connection: sqlite3.Connection, since: datetime) -> list[Came]:
    """Give every proposal that was taken in since then, oldest first."""
    found: dict[ProposalId, Came] = {}
    cursor = connection.execute(_ENTRIES, {"since": format_time(since)})
    while chunk := cursor.fetchmany(_CHUNK):
        living = _arguments(connection, chunk)
        alive = {seq for seq, name, value in living if name == "arguments" and value is not None}
        for recorded in rows.recorded_from(chunk, living):
            event = recorded.event
            if isinstance(event, Submitted):
                found[event.proposal] = Came(event, recorded.seq in alive, None)
            elif isinstance(event, Approved | Denied) and event.proposal in found:
                found[event.proposal] = _decided(found[event.proposal], event)
    return list(found.values())


def _decided(outcome: Came, event: Approved | Denied) -> Came:
    """Only what people were asked is theirs: what the policy lets through by itself is approved by nobody."""
    if outcome.submitted.requirement.tier is not Tier.YELLOW:
        return outcome
    return outcome._replace(people="approved" if isinstance(event, Approved) else "denied")


def _arguments(connection: sqlite3.Connection, entries: list[Any]) -> list[Row]:
    return connection.execute(_ARGUMENTS, {"seqs": json.dumps([row[0] for row in entries])}).fetchall()
