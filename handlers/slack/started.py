"""The words that tell who started an action: a person himself, or who might. It decides nothing."""

from typing import Final

from approval_rules.state import Proposal, Status
from handlers.desk import Seen
from handlers.slack.blocks import utc
from handlers.slack.escape import Safe, clipped, named, visible
from handlers.slack.standing import FACTOR, name_of, who_decides
from handlers.slack.text import words

NEVER_THE_STARTER: Final = ", never the person who started this"
_FIELD: Final = 80
_TYPED: Final = 120


def may_be_started(proposal: Proposal) -> bool:
    """Tell whether a person could start this blocked proposal still."""
    blocked = proposal.status is Status.BLOCKED and proposal.requirement.initiation is not None
    return blocked and proposal.started_as is None


def start_words(seen: Seen) -> Safe | None:
    """Say who started it, and by what he proved it; of a blocked one, who may; None where an agent proposes as ever."""
    proposal = seen.proposal
    initiation = proposal.requirement.initiation
    if proposal.by_person:
        return _by_person(seen)
    if proposal.status is not Status.BLOCKED or initiation is None:
        return None
    if proposal.started_as is not None:
        return Safe(f"A person has started this himself: {proposal.started_as} is its packet.")
    then = who_decides(proposal.requirement)
    return Safe(f"A person in the role {named(initiation.role)} may start it himself; then {then} must approve.")


def whose_words(seen: Seen) -> Safe:
    """Head the words that explain a proposal: an agent's are unverified, a person's are his."""
    if not seen.proposal.by_person:
        return Safe("What the agent says (unverified)")
    initiator = seen.proposal.initiator
    return Safe(f"Why, says {name_of(initiator.person, seen)}" if initiator else "Why you start this")


def _by_person(seen: Seen) -> Safe:
    proposal, initiator = seen.proposal, seen.proposal.initiator
    if initiator is None:
        return Safe("🔴 Red: you start this yourself; no agent does.")
    who, proof = name_of(initiator.person, seen), initiator.proof
    what = "the tool's name" if initiator.field is None else clipped(visible(initiator.field), _FIELD)
    typed = f" ({clipped(words(proposal.typed), _TYPED)})" if proposal.typed and not _hidden(proposal) else ""
    origin = "A blocked proposal of the agent was taken up." if initiator.of else "No agent had asked for it."
    return Safe(
        f"🔴 Red: started by {who}, a person, not by an agent, at {utc(proposal.created_at)}. {origin} "
        f"Typed again: {what}{typed}. Proved with a {FACTOR[proof.factor]} (code {proof.code})."
    )


def _hidden(proposal: Proposal) -> bool:
    field = proposal.initiator.field if proposal.initiator else None
    return field is not None and field in proposal.requirement.hidden
