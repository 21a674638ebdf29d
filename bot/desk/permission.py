"""The permission that a claim recorded: what must be read of it inside the transaction, and its grant after the commit.

It must never be signed inside the transaction: what is not committed permits nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass

from approval_rules.events import Claimed
from approval_rules.state import Proposal
from bot.grants import GrantClaims, LogHead, sign_grant
from bot.keys import SigningKey
from bot.store.rows import Loaded
from bot.store.transaction import Transaction
from handlers.desk import Grant

ISSUER = "foureyes"


@dataclass(frozen=True, slots=True)
class Permission:
    """A recorded claim of a proposal, and the log right after it."""

    proposal: Proposal
    claimed: Claimed
    log: LogHead


def permission(tx: Transaction, loaded: Loaded) -> Permission | None:
    """Give what was permitted; None where nothing was."""
    return permitted(loaded, tx.root)


def permitted(loaded: Loaded, root: Callable[[int], bytes]) -> Permission | None:
    """Give what was permitted, None where nothing was; `root` gives the log's root at a size."""
    for item in loaded.recorded:
        if isinstance(item.event, Claimed):
            size = item.seq + 1
            log = LogHead(item.seq, size, item.leaf_hash.hex(), root(size).hex())
            return Permission(loaded.proposal, item.event, log)
    return None


def grant_for(key: SigningKey, permitted: Permission) -> Grant:
    """Sign the permission that was recorded; the same record always gives the same bytes."""
    proposal, event = permitted.proposal, permitted.claimed
    claims = GrantClaims(
        iss=ISSUER,
        aud=proposal.agent.id,
        jti=event.grant_id,
        proposal=proposal.id,
        tool=proposal.tool,
        args_sha256=proposal.digest,
        policy=proposal.requirement.policy.version,
        approvers=tuple(vote.voter for vote in proposal.approved_by),
        iat=event.at,
        exp=event.grant_expires_at,
        log=permitted.log,
    )
    return Grant(sign_grant(key, claims), event.at, event.grant_expires_at)
