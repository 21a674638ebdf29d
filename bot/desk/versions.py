"""Which policy version decides, and how another one comes to: recorded in the log, its files kept in the store."""

from approval_rules.decide import POLICY
from approval_rules.events import PolicyActivated, PolicySeen
from bot.policy_content import PolicyContent
from bot.store import policies, rows
from bot.store.codec import POLICY as POLICY_SUBJECT
from bot.store.transaction import Transaction


def take_up(tx: Transaction, content: PolicyContent) -> PolicyActivated | None:
    """Record what the policy folder holds now, where that is new; gives the activation that follows from it."""
    if content.version == tx.versions.folder:
        return None
    first = tx.rows(rows.NEWEST_OF, {"subject": POLICY_SUBJECT})[0][0] is None
    policies.keep(tx, content)
    tx.record(PolicySeen(tx.at, POLICY, content.version))
    previous = tx.versions.active
    if previous == content.version:
        return None
    activated = PolicyActivated(tx.at, POLICY, content.version, previous, "first" if first else "changed")
    tx.record(activated)
    return activated
