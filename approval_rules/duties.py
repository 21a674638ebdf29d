"""Separation of duties: the one choke point that every vote passes, whatever surface it came from."""

from approval_rules.events import Refusal
from approval_rules.people import RoleName, Standing
from approval_rules.state import Proposal


def why_not(voter: Standing, proposal: Proposal) -> Refusal | None:
    """Give the reason why this person may not decide this proposal, or None.

    Someone who cannot be known is refused. A requirement without seats is one that nobody can approve.
    """
    if voter.flaw is not None:
        return Refusal(voter.flaw.value)
    if voter.person == proposal.started_by:
        return Refusal.INITIATOR
    if voter.person == proposal.agent.owner:
        return Refusal.AGENT_OWNER
    if any(edit.editor == voter.person for edit in proposal.edits):
        return Refusal.EDITOR
    if not counting_roles(voter, proposal):
        return Refusal.NOT_IN_ROLE
    return None


def counting_roles(voter: Standing, proposal: Proposal) -> frozenset[RoleName]:
    """Give those of the person's roles that fill a seat of this proposal now."""
    asked = {seat.role for seat in proposal.requirement.seats}
    return voter.roles & (asked if proposal.backup is None else asked | {proposal.backup})
