"""Moves the deadlines of what a pause held: some in the resume's transaction, the rest batch after batch.

What the pause revoked, and no batch has reached before the resume, is taken back instead.

Whoever loads a proposal to act on it thaws it first (`bot.desk.apply.known`), and so does the sweep that expires:
nothing is judged by a deadline that a pause should have moved, or as an approval that it revoked, however long the
batches take.
"""

from collections.abc import Sequence

from approval_rules.commands import Thaw
from approval_rules.people import ProposalId
from approval_rules.switch import Scope, ScopeKind
from bot.desk.apply import apply
from bot.store.transaction import Transaction

AT_ONCE = 50
_HELD = "next_at IS NOT NULL AND clock IN ('decide', 'claim')"
_COLUMNS = {ScopeKind.ALL: "1", ScopeKind.AGENT: "agent_id = :name", ScopeKind.TOOL: "tool = :name"}
# Whatever was touched since the switch was has been thawed.
BEHIND = f"SELECT id FROM proposals INDEXED BY proposals_by_time WHERE {_HELD} AND last_seq < :seq"  # noqa: S608 - same


def thaw_some(tx: Transaction, scope: Scope) -> None:
    """Thaw the first of what a pause of this scope held."""
    sql = f"SELECT id FROM proposals WHERE {_HELD} AND {_COLUMNS[scope.kind]} LIMIT :limit"  # noqa: S608 - constants
    thaw_these([row[0] for row in tx.rows(sql, {"name": scope.name, "limit": AT_ONCE})], tx)


def thaw_these(proposals: Sequence[str], tx: Transaction) -> None:
    """Thaw some proposals; those whose clock needs it not are left as they are."""
    for proposal in proposals:
        apply(tx, tx.proposal(proposal), Thaw(tx.at, ProposalId(proposal)))
