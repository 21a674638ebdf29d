"""What the world must be told about an event: effects, which become rows of the outbox. Tells nobody itself."""

from collections.abc import Mapping
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
from approval_rules.initiation_events import Initiated
from approval_rules.question_events import Answered, Asked, Edited, QuestionEvent, RequestRefused
from approval_rules.requirement import Tier
from approval_rules.state import Proposal


class Note(StrEnum):
    """What a reply in the packet's thread says."""

    HALF_TIME = "half-time"
    LAST_CALL = "last-call"
    DECIDED = "decided"
    OVERDUE = "overdue"
    ASKED = "asked"
    ANSWERED = "answered"
    EDITED = "edited"


@dataclass(frozen=True, slots=True)
class ShowPacket:
    """Make the packet in Slack show the state as of this event or later: post it, or update it in place."""


@dataclass(frozen=True, slots=True)
class TellThread:
    """Reply in the packet's thread; an update of a packet notifies nobody. `about` is a question's id."""

    note: Note
    about: str | None = None


@dataclass(frozen=True, slots=True)
class TellAgent:
    """Send a signed callback; `kind` is its `type`, for example `proposal.approved`."""

    kind: str


Effect: TypeAlias = ShowPacket | TellThread | TellAgent


_BECAME: Mapping[type[ProposalEvent], str] = {
    Approved: "approved",
    Denied: "denied",
    Expired: "expired",
    Cancelled: "cancelled",
    Revoked: "revoked",
}


def react(proposal: Proposal, event: ProposalEvent) -> tuple[Effect, ...]:
    """Give the effects of `event`; `proposal` is the state right after it."""
    # Whoever was not asked is not bothered, until nobody knows whether something ran: then people must look.
    # What is blocked for everybody would only be noise there; what somebody may start is a matter of people.
    overdue = isinstance(event, OutcomeOverdue) and proposal.tool != DRILL_TOOL
    in_slack = (
        proposal.requirement.tier is Tier.YELLOW
        or proposal.requirement.initiation is not None
        or proposal.packet is not None
        or overdue
    )
    calls_back = proposal.callback_url is not None
    return tuple(
        effect for effect in _effects(proposal, event) if (calls_back if isinstance(effect, TellAgent) else in_slack)
    )


def _effects(proposal: Proposal, event: ProposalEvent) -> tuple[Effect, ...]:
    match event:
        case Submitted() if proposal.initiator is not None:
            return ShowPacket(), TellAgent("proposal.initiated")
        case Submitted() | Voted() | Thawed() | Claimed() | Initiated():
            return (ShowPacket(),)
        case Approved() | Denied() | Expired() | Cancelled() | Revoked():
            return ShowPacket(), TellThread(Note.DECIDED), TellAgent(f"proposal.{_BECAME[type(event)]}")
        case Blocked():
            return ShowPacket(), TellAgent("proposal.blocked")
        case OutcomeReported():
            return (ShowPacket(),)
        case OutcomeOverdue():
            return ShowPacket(), TellThread(Note.OVERDUE)
        case Reminded() if proposal.backup is not None:
            # The packet says who may decide, and from now on others may too.
            return ShowPacket(), TellThread(_reminder(event))
        case Reminded():
            return (TellThread(_reminder(event)),)
        case Asked() | Answered() | Edited() | RequestRefused():
            return _amended(event)
        case VoteRefused() | ClaimRefused() | PacketPosted():
            return ()
        case _:
            assert_never(event)


def _reminder(event: Reminded) -> Note:
    return Note.LAST_CALL if event.last else Note.HALF_TIME


def _amended(event: QuestionEvent) -> tuple[Effect, ...]:
    match event:
        case Asked():
            asked = (ShowPacket(), TellThread(Note.ASKED, event.question))
            return asked if event.to else (*asked, TellAgent("proposal.question"))
        case Answered():
            return ShowPacket(), TellThread(Note.ANSWERED, event.question)
        case Edited():
            return ShowPacket(), TellThread(Note.EDITED), TellAgent("proposal.edited")
        case RequestRefused():
            return ()
        case _:
            assert_never(event)
