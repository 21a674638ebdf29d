"""Tells what happened to one proposal, a line for each thing that was recorded, in words for whoever looks afterwards.

Everything is escaped here; it decides nothing, and leaves out what policy hides.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, assert_never

from approval_rules.events import (
    Approved,
    Blocked,
    Cancelled,
    Claimed,
    ClaimRefused,
    Decision,
    Denied,
    Expired,
    OutcomeOverdue,
    OutcomeReported,
    PacketPosted,
    Paused,
    ProposalEvent,
    Reminded,
    Resumed,
    Revoked,
    Submitted,
    Thawed,
    Voted,
    VoteRefused,
)
from approval_rules.initiation_events import Initiated
from approval_rules.people import Actor, ActorKind, PersonId
from approval_rules.question_events import Answered, Asked, Edited, RequestRefused
from approval_rules.requirement import Tier
from handlers.counting import counted
from handlers.desk import Seen
from handlers.slack.blocks import utc
from handlers.slack.escape import Safe, named, visible
from handlers.slack.sentence import sentence_of
from handlers.slack.standing import FACTOR, name_of, scope_words, who_decides
from handlers.slack.text import fields_of, numbers_of, words
from handlers.slack.wording import DENIED_FOR
from handlers.web.refused_words import why_refused

Kind = Literal["known", "shown", "decided", "done"]
Click = Literal["counted", "in vain"]
_TIERS: Final = {Tier.GREEN: "let it through", Tier.YELLOW: "asked people", Tier.RED: "blocked it"}

_TRIED: Final = {"ask": "a question", "edit": "a lowered value", "take-back": "taking it back"}


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened: its log index, when, of what kind, who did it, and what it was.

    `click` tells a vote, and what somebody tried that did not count, from everything else.
    """

    seq: int
    at: datetime
    kind: Kind
    who: Safe
    what: Safe
    click: Click | None = None


def moment_of(seq: int, event: ProposalEvent | Paused | Resumed, seen: Seen) -> Moment:
    """Tell one event; `seen` is the proposal right after it."""
    kind, what = _told(event, seen)
    return Moment(seq, event.at, kind, actor_words(event.by, seen), Safe(what), _click(event))


def _click(event: ProposalEvent | Paused | Resumed) -> Click | None:
    if isinstance(event, Voted):
        return "counted"
    return "in vain" if isinstance(event, VoteRefused | RequestRefused | ClaimRefused) else None


def actor_words(by: Actor, seen: Seen) -> Safe:
    """Name who did something: the agent, a person, or a part of Foureyes."""
    match by.kind:
        case ActorKind.AGENT:
            return Safe(f"the agent {named(seen.proposal.agent.name)}")
        case ActorKind.HUMAN | ActorKind.OPERATOR_KEY | ActorKind.AUDITOR_KEY:
            return name_of(PersonId(by.ref), seen)
        case ActorKind.OPERATOR:
            return Safe(f"{named(by.ref)}, on the server's command line")
        case ActorKind.SYSTEM:
            return Safe(f"Foureyes ({named(by.ref)})")


def _told(  # noqa: C901, PLR0912 - one line for each kind, so that a new one breaks the type check
    event: ProposalEvent | Paused | Resumed, seen: Seen
) -> tuple[Kind, str]:
    match event:
        case Submitted():
            return "known", _submitted(event, seen)
        case Voted():
            return "decided", _voted(event, seen)
        case VoteRefused():
            tried = "approval" if event.decision is Decision.APPROVE else "denial"
            return "decided", f"{_article(tried)} did not count: {why_refused(event.code)}"
        case Approved():
            left_out = f"; without {len(event.left_out)} whose yes no longer counts" if event.left_out else ""
            return "decided", f"approved: the requirement is met{left_out}; to be started by {utc(event.claim_by)}"
        case Blocked():
            return "decided", "blocked by policy"
        case Denied():
            return "decided", "denied"
        case Expired():
            return "decided", "expired: " + ("nobody decided" if event.why == "unanswered" else "nobody used it")
        case Cancelled():
            return "decided", "taken back by the agent"
        case Revoked():
            why = f": {words(event.reason)}" if event.reason else ""
            return "decided", f"the approval was taken back ({why_refused(event.code)}){why}"
        case Claimed():
            ends = utc(event.grant_expires_at)
            return "done", f"the one permission was given out: grant {visible(event.grant_id)}, until {ends}"
        case ClaimRefused():
            return "done", f"a claim got no permission: {why_refused(event.code)}"
        case OutcomeReported():
            return "done", _reported(event, seen)
        case OutcomeOverdue():
            return "done", "the agent did not report in time: nobody knows the outcome"
        case PacketPosted():
            return "shown", "the packet in Slack, as it was from here on"
        case Reminded():
            return "shown", _reminded(event, seen)
        case Thawed():
            return "known", f"a pause ended, and the open clock moved to {utc(event.deadline)}"
        case Initiated():
            return "decided", f"a person took it up and started it himself, as {visible(event.started_as)}"
        case Asked() | Answered():
            return "known", _asked(event, seen)
        case Edited():
            return "decided", _edited(event, seen)
        case RequestRefused():
            return "decided", f"{_TRIED[event.what]} did not count: {why_refused(event.code)}"
        case Paused():
            return "decided", f"paused {scope_words(event.scope, seen.proposal.agent.name)}: {words(event.reason)}"
        case Resumed():
            return "decided", f"resumed {scope_words(event.scope, seen.proposal.agent.name)}: {words(event.reason)}"
        case _:
            assert_never(event)


def _submitted(event: Submitted, seen: Seen) -> str:
    headline = sentence_of(seen.proposal).headline if event.digest else "(erased)"
    asked = "started" if event.initiator else "asked for"
    needs = f"; needs {who_decides(event.requirement)}" if event.requirement.seats else ""
    because = visible(event.requirement.policy.because)
    proof = event.initiator.proof if event.initiator else None
    proved = f"; proved with a {FACTOR[proof.factor]} (code {proof.code})" if proof else ""
    return f"{asked}: {headline}{proved}. The policy {_TIERS[event.requirement.tier]}: {because}{needs}"


def _voted(event: Voted, seen: Seen) -> str:
    did = "approved" if event.decision is Decision.APPROVE else "denied"
    absent = f" for {name_of(event.on_behalf_of, seen)} (away)" if event.on_behalf_of else ""
    roles = ", ".join([named(role) for role in event.roles]) or "no role"
    proof = f", with a {FACTOR[event.proof.factor]} (code {event.proof.code})" if event.proof else ", no second factor"
    kind = f", {DENIED_FOR[event.category].lower()}" if event.category else ""
    why = f": {words(event.reason)}" if event.reason else ""
    return f"{did}{absent} as {roles}{proof}{kind}{why}"


def _reported(event: OutcomeReported, seen: Seen) -> str:
    said = "; ".join([line.in_one() for line in fields_of(event.report, seen.proposal.requirement.hidden)])
    return f"the agent reported: {event.status}" + (f" ({said})" if said else "")


def _reminded(event: Reminded, seen: Seen) -> str:
    if event.last:
        return "people were reminded, for the last time"
    backup = seen.proposal.requirement.backup
    return "people were reminded" + (f"; from now on the role {named(backup)} is asked too" if backup else "")


def _asked(event: Asked | Answered, seen: Seen) -> str:
    if isinstance(event, Answered):
        return f"answered: {words(event.text)}"
    whom = name_of(event.to, seen) if event.to else f"the agent {named(seen.proposal.agent.name)}"
    stands = f" (the clock stands until {utc(event.stands_until)} at most)" if event.stands_until else ""
    return f"asked {whom}{stands}: {words(event.text)}"


def _edited(event: Edited, seen: Seen) -> str:
    now = next(
        (line.in_one() for _, line in numbers_of(event.arguments, [event.field], seen.proposal.requirement.hidden)), ""
    )
    voided = len(seen.proposal.edits[-1].voided) if seen.proposal.edits else 0
    void = f"; {counted(voided, 'earlier vote')} void" if voided else ""
    told = f"The policy {_TIERS[event.requirement.tier]}: {visible(event.requirement.policy.because)}"
    return f"lowered {visible(event.field)} ({now or 'erased'}){void}. {told}"


def _article(word: str) -> str:
    return f"an {word}" if word[0] in "aeiou" else f"a {word}"
