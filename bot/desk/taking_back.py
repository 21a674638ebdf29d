"""Takes back what is approved and unclaimed under a pause that revokes: some in the pause's transaction, the rest soon.

A claim looks for such a pause itself, so nothing slips through between two batches; nor after the resume, where
`bot.desk.thawing` takes back what is left.
"""

import json
from collections.abc import Mapping, Sequence

from approval_rules.commands import PassTime
from approval_rules.people import ProposalId
from approval_rules.switch import Scope, ScopeKind, Switch
from bot.desk.apply import apply
from bot.store.transaction import Transaction

AT_ONCE = 50
_UNLIMITED = -1
_UNCLAIMED = (
    " FROM proposals WHERE next_at IS NOT NULL AND clock = 'claim' AND (:all"
    " OR agent_id IN (SELECT value FROM json_each(:agents)) OR tool IN (SELECT value FROM json_each(:tools)))"
)
UNCLAIMED = f"SELECT id{_UNCLAIMED} LIMIT :limit"
_COUNT = f"SELECT count(*){_UNCLAIMED}"


def revoking(switch: Switch) -> Sequence[Scope]:
    """List the scopes in which a pause takes approvals back now."""
    return [pause.scope for pause in switch.active if pause.revokes]


def unclaimed_in(scopes: Sequence[Scope], limit: int) -> Mapping[str, object]:
    """Give what UNCLAIMED needs to find the unclaimed approvals of these scopes."""
    return {
        "all": any(scope.kind is ScopeKind.ALL for scope in scopes),
        "agents": json.dumps([scope.name for scope in scopes if scope.kind is ScopeKind.AGENT]),
        "tools": json.dumps([scope.name for scope in scopes if scope.kind is ScopeKind.TOOL]),
        "limit": limit,
    }


def count_unclaimed(tx: Transaction, scope: Scope) -> int:
    """Count what is approved and unclaimed in a scope."""
    return int(tx.rows(_COUNT, unclaimed_in([scope], _UNLIMITED))[0][0])


def take_back(tx: Transaction) -> int:
    """Take the next batch back; gives its size, which is AT_ONCE where there may be more."""
    scopes = revoking(tx.switch)
    found = tx.rows(UNCLAIMED, unclaimed_in(scopes, AT_ONCE)) if scopes else []
    for (proposal,) in found:
        apply(tx, tx.proposal(proposal), PassTime(tx.at, ProposalId(proposal)))
    return len(found)
