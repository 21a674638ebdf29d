"""Separation of duties: the one choke point that every vote passes, whatever surface it came from."""

from collections.abc import Iterable, Mapping

from approval_rules.events import Refusal
from approval_rules.people import PersonId, RoleName, Standing
from approval_rules.state import Proposal


def why_not(voter: Standing, proposal: Proposal) -> Refusal | None:
    """Give the reason why this person may not decide this proposal, or None.

    Someone who cannot be known is refused, and who is barred is so by every account. A requirement without seats is one
    that nobody can approve.
    """
    if voter.flaw is not None:
        return Refusal(voter.flaw.value)
    if voter.is_one_with(proposal.started_by):
        return Refusal.INITIATOR
    if proposal.initiator is not None and voter.is_one_with(proposal.initiator.person):
        return Refusal.INITIATOR
    if voter.is_one_with(proposal.agent.owner):
        return Refusal.AGENT_OWNER
    if any(map(voter.is_one_with, proposal.interested)):
        return Refusal.INTERESTED_PARTY
    if any(voter.is_one_with(edit.editor) for edit in proposal.edits):
        return Refusal.EDITOR
    if not counting_roles(voter, proposal):
        return Refusal.NOT_IN_ROLE
    return None


def humans(standings: Iterable[Standing]) -> dict[PersonId, PersonId]:
    """Give the person behind each pseudonym, to count votes by; two are one where either says so."""
    found: dict[PersonId, PersonId] = {}
    for standing in standings:
        accounts = {standing.person, *standing.others}
        names = {found.get(each, each) for each in accounts}
        everyone = accounts | {each for each, name in found.items() if name in names}
        found |= dict.fromkeys(everyone, min(names))
    return found


def counting_roles(voter: Standing, proposal: Proposal) -> frozenset[RoleName]:
    """Give those of the person's roles that fill a seat of this proposal now."""
    asked = {seat.role for seat in proposal.requirement.seats}
    return voter.roles & (asked if proposal.backup is None else asked | {proposal.backup})


def still_counting(voters: Iterable[Standing], proposal: Proposal) -> Mapping[PersonId, frozenset[RoleName]]:
    """Give those who voted and may decide still, with the roles in which they do.

    A tally takes of these only what a voter had when voting, so whoever was on call then is not undone by a hand-over.
    """
    then = [voter.as_voted for voter in voters]
    return {voter.person: counting_roles(voter, proposal) for voter in then if why_not(voter, proposal) is None}
