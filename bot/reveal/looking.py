"""Records looks at originals, in the transaction after which they may be shown. Shows nothing itself."""

from typing import Final

from approval_rules.people import Actor, ProposalId, RoleName
from approval_rules.refusals import Refusal
from approval_rules.reveal_events import Door, Revealed, RevealRefused
from approval_rules.text import AgentText
from bot.reveal.originals import Covered
from bot.store.transaction import Transaction
from handlers.reveal_desk import Choice, Look, Uncovered

REVEAL: Final = RoleName("reveal")
"""The role that roles.yml gives to whoever may look at originals in Slack."""


def looked(covered: Covered, field: str) -> Uncovered | Choice:
    """Say what asking for a field comes to."""
    originals = covered.originals.get(field)
    if not originals:
        return Choice(covered.proposal, sorted(covered.originals))
    return Uncovered(covered.proposal, field, originals)


def record_look(tx: Transaction, by: Actor, door: Door, look: Uncovered, reason: AgentText) -> None:
    """Record that somebody is about to be shown this."""
    tx.record(Revealed(tx.at, by, ProposalId(look.proposal), look.field, door, reason))


def record_refusal(tx: Transaction, by: Actor, door: Door, proposal: ProposalId, code: Refusal) -> Look:
    """Record that somebody may not be shown anything of this proposal, and say so."""
    tx.record(RevealRefused(tx.at, by, proposal, door, code))
    return code
