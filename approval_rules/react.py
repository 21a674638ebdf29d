"""What the world must be told about an event: effects, which become rows of the outbox. Tells nobody itself."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias, assert_never

from approval_rules.drill import DRILL_TOOL
from approval_rules.events import (
    Approved,
    Blocked,
    Cancelled,
    Claimed,
    ClaimRefused,
    Denied,
    Expired,
    OutcomeOverdue,
    OutcomeReported,
    PacketPosted,
    ProposalEvent,
    Reminded,
    Revoked,
    Submitted,
    Thawed,
    Voted,
    VoteRefused,
)
from approval_rules.requirement import Tier
from approval_rules.state import Proposal


class Note(StrEnum):
    """What a reply in the packet's thread says."""

    HALF_TIME = "half-time"
    DECIDED = "decided"
    OVERDUE = "overdue"


@dataclass(frozen=True, slots=True)
class ShowPacket:
    """Make the packet in Slack show the state as of this event or later: post it, or update it in place."""


@dataclass(frozen=True, slots=True)
class TellThread:
    """Reply in the packet's thread; an update of a packet notifies nobody."""

    note: Note


@dataclass(frozen=True, slots=True)
class TellAgent:
    """Send a signed callback; `kind` is its `type`, for example `proposal.approved`."""

    kind: str


Effect: TypeAlias = ShowPacket | TellThread | TellAgent


def react(proposal: Proposal, event: ProposalEvent) -> tuple[Effect, ...]:
    """Give the effects of `event`; `proposal` is the state right after it."""
    # Whoever was not asked is not bothered, until nobody knows whether something ran: then people must look.
    overdue = isinstance(event, OutcomeOverdue) and proposal.tool != DRILL_TOOL
    in_slack = proposal.requirement.tier is Tier.YELLOW or proposal.packet is not None or overdue
    calls_back = proposal.callback_url is not None
    return tuple(
        effect for effect in _effects(proposal, event) if (calls_back if isinstance(effect, TellAgent) else in_slack)
    )


def _effects(proposal: Proposal, event: ProposalEvent) -> tuple[Effect, ...]:
    match event:
        case Submitted() | Voted() | Thawed() | Claimed():
            return (ShowPacket(),)
        case Approved():
            return ShowPacket(), TellThread(Note.DECIDED), TellAgent("proposal.approved")
        case Denied():
            return ShowPacket(), TellThread(Note.DECIDED), TellAgent("proposal.denied")
        case Expired():
            return ShowPacket(), TellThread(Note.DECIDED), TellAgent("proposal.expired")
        case Cancelled():
            return ShowPacket(), TellThread(Note.DECIDED), TellAgent("proposal.cancelled")
        case Blocked():
            return (TellAgent("proposal.blocked"),)
        case Revoked():
            return ShowPacket(), TellThread(Note.DECIDED), TellAgent("proposal.revoked")
        case OutcomeReported():
            return (ShowPacket(),)
        case OutcomeOverdue():
            return ShowPacket(), TellThread(Note.OVERDUE)
        case Reminded() if proposal.backup is not None:
            # The packet says who may decide, and from now on others may too.
            return ShowPacket(), TellThread(Note.HALF_TIME)
        case Reminded():
            return (TellThread(Note.HALF_TIME),)
        case VoteRefused() | ClaimRefused() | PacketPosted():
            return ()
        case _:
            assert_never(event)
