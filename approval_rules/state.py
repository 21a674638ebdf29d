"""What is, folded from what happened. `evolve` believes every event and never judges."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal, assert_never

from approval_rules.amendments import Edit, Question, TakenBack, stood_for
from approval_rules.canonical import Digest
from approval_rules.commands import Draft
from approval_rules.denials import DenialCategory
from approval_rules.events import (
    Approved,
    Blocked,
    Cancelled,
    Claimed,
    ClaimRefused,
    Decision,
    Denied,
    Expired,
    IncidentChanged,
    IncidentEvent,
    IncidentRefused,
    OutcomeOverdue,
    OutcomeReported,
    PacketPosted,
    Paused,
    Posted,
    ProposalEvent,
    Refusal,
    Reminded,
    ResumeAsked,
    Resumed,
    Revoked,
    Submitted,
    SwitchEvent,
    SwitchRefused,
    Thawed,
    Voted,
    VoteRefused,
)
from approval_rules.facts import LookedUp
from approval_rules.initiation_events import Initiated, Initiator
from approval_rules.people import Agent, PersonId, ProposalId, RoleName, ToolName
from approval_rules.question_events import Answered, Asked, Edited, RequestRefused
from approval_rules.requirement import Requirement
from approval_rules.roles import OnDuty
from approval_rules.step_up import Proof
from approval_rules.switch import EVERYTHING, Incident, Pause, Switch, ended
from approval_rules.text import AgentJson, AgentText

FIRST_REMINDER = 0.5
LAST_REMINDER = 0.8


class Status(StrEnum):
    """The states of a proposal; all but `pending` and `approved` are final, and a claimed `approved` is too."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    BLOCKED = "blocked"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Vote:
    """One person's counted vote."""

    voter: PersonId
    decision: Decision
    at: datetime
    roles: tuple[RoleName, ...]
    digest: Digest
    reason: AgentText | None
    proof: Proof | None = None
    on_behalf_of: PersonId | None = None
    category: DenialCategory | None = None


@dataclass(frozen=True, slots=True)
class Execution:
    """What became of the permission. `overdue` means that the agent never said."""

    status: Literal["claimed", "succeeded", "failed", "unknown"]
    grant_id: str
    key: str | None
    claimed_at: datetime
    grant_expires_at: datetime
    outcome_by: datetime
    outcome_at: datetime | None = None
    report: AgentJson | None = None
    overdue: bool = False
    key_digest: Digest | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """One proposal as of its last event. `clock_from` is when the open clock (to decide, or to claim) was last set.

    `on_duty` is who has the turn, as its packet says.

    `initiator` is the person who started it himself; `started_as` is what became of a blocked one that a person took
    up.
    """

    id: ProposalId
    status: Status
    agent: Agent
    started_by: PersonId | None
    tool: ToolName
    arguments: AgentJson
    digest: Digest
    summary: AgentText
    context: AgentJson
    run: AgentJson
    callback_url: str | None
    requirement: Requirement
    created_at: datetime
    expires_at: datetime
    clock_from: datetime
    votes: tuple[Vote, ...] = ()
    decided_at: datetime | None = None
    claim_by: datetime | None = None
    expired_why: Literal["unanswered", "unclaimed"] | None = None
    revoked_why: Refusal | None = None
    execution: Execution | None = None
    packet: Posted | None = None
    reminded: bool = False
    reminded_last: bool = False
    stood_still: timedelta = timedelta()
    left_out: tuple[PersonId, ...] = ()
    known: AgentJson | None = None
    lookups: tuple[LookedUp, ...] | None = None
    looked_up: AgentJson | None = None
    interested: tuple[PersonId, ...] = ()
    initiator: Initiator | None = None
    typed: AgentText | None = None
    started_as: ProposalId | None = None
    questions: tuple[Question, ...] = ()
    edits: tuple[Edit, ...] = ()
    taken_back: TakenBack | None = None
    on_duty: tuple[OnDuty, ...] = ()

    @property
    def version(self) -> int:
        """Which version of the action this is: each edit makes a new one."""
        return 1 + len(self.edits)

    @property
    def judged_at(self) -> datetime:
        """When the policy judged the action as it is now."""
        return self.edits[-1].at if self.edits else self.created_at

    @property
    def deadline(self) -> datetime | None:
        """When something happens by itself next: expiry, lapse of the permission, or the outcome being overdue."""
        if self.status is Status.PENDING:
            return self.expires_at
        if self.status is not Status.APPROVED:
            return None
        if self.execution is None:
            return self.claim_by
        waiting = self.execution.status == "claimed"
        return self.execution.outcome_by if waiting else None

    @property
    def remind_at(self) -> datetime | None:
        """When the next reminder is due: after half of the open time, then after four fifths of it."""
        if self.status is not Status.PENDING or self.reminded_last:
            return None
        return self.after_share(LAST_REMINDER if self.reminded else FIRST_REMINDER)

    def after_share(self, share: float) -> datetime:
        """When such a share of the time to decide is over; a pause does not count."""
        begun = self.created_at + self.stood_still
        return begun + (self.expires_at - begun) * share

    @property
    def backup(self) -> RoleName | None:
        """Whose votes fill any seat too, now that people were reminded."""
        return self.requirement.backup if self.reminded and self.requirement.seats else None

    @property
    def by_person(self) -> bool:
        """Whether a person starts it himself: no agent asked for it."""
        return self.initiator is not None or self.typed is not None

    @property
    def vouched_by(self) -> tuple[PersonId, ...]:
        """Who must be eligible still when it is claimed: whoever said yes, and whoever started it."""
        started = () if self.initiator is None else (self.initiator.person,)
        return (*started, *(vote.voter for vote in self.approved_by))

    @property
    def approved_by(self) -> tuple[Vote, ...]:
        """The votes for yes; once it is approved, those that count."""
        said_yes = [vote for vote in self.votes if vote.decision is Decision.APPROVE]
        return tuple(vote for vote in said_yes if vote.voter not in self.left_out)


def evolve(proposal: Proposal | None, event: ProposalEvent) -> Proposal:
    """Apply one event. MUST accept every event that `decide` ever gave out."""
    if isinstance(event, Submitted):
        return _opened(event)
    if proposal is None:
        raise ValueError(f"the log of {event.proposal} does not begin with Submitted")
    match event:
        case Voted():
            vote = Vote(
                *(event.voter, event.decision, event.at, event.roles, event.digest, event.reason, event.proof),
                category=event.category,
                on_behalf_of=event.on_behalf_of,
            )
            kept = tuple(old for old in proposal.votes if old.voter != event.voter)
            return replace(proposal, votes=(*kept, vote))
        case PacketPosted():
            return replace(proposal, packet=event.posted, on_duty=event.on_duty or ())
        case Reminded():
            return replace(proposal, reminded=True, reminded_last=event.last is True)
        case VoteRefused() | ClaimRefused() | RequestRefused():
            return proposal
        case Asked() | Answered():
            return _asked(proposal, event)
        case Edited():
            return _edited(proposal, event)
        case Claimed() | OutcomeReported() | OutcomeOverdue():
            return replace(proposal, execution=_executed(proposal, event))
        case Thawed():
            return _thawed(proposal, event)
        case Initiated():
            return replace(proposal, started_as=event.started_as)
        case Approved() | Blocked() | Denied() | Expired() | Cancelled() | Revoked():
            return _decided(proposal, event)
        case _:
            assert_never(event)


def fold(events: Iterable[ProposalEvent]) -> Proposal | None:
    """Apply all events of one proposal in order; None where there are none."""
    proposal: Proposal | None = None
    for event in events:
        proposal = evolve(proposal, event)
    return proposal


def evolve_switch(switch: Switch, event: SwitchEvent | IncidentEvent) -> Switch:
    """Apply one event to the kill switch."""
    match event:
        case Paused():
            revokes = event.revoke is True
            pause = Pause(event.pause, event.scope, event.at, event.by, event.reason, event.until, revokes=revokes)
            asked_by = () if event.scope == EVERYTHING else switch.resume_asked_by
            return replace(switch, pauses=(*switch.pauses, pause), resume_asked_by=asked_by)
        case ResumeAsked():
            return replace(switch, resume_asked_by=(*switch.resume_asked_by, event.by))
        case Resumed():
            ids = [pause.id for pause in switch.of(event.scope)] if event.every else event.pauses
            return ended(switch, ids, event.at)
        case IncidentChanged():
            declared = event.change == "declared"
            return replace(switch, incident=Incident(event.at, event.by, event.reason) if declared else None)
        case SwitchRefused() | IncidentRefused():
            return switch
        case _:
            assert_never(event)


def draft_again(then: "Submitted | Proposal") -> Draft:
    """Give what was asked for then, with the facts that were looked up, to be judged again."""
    draft = Draft(then.tool, then.arguments, then.digest, then.summary, then.context, then.run)
    return replace(draft, lookups=then.lookups, looked_up=then.looked_up)


def _opened(event: Submitted) -> Proposal:
    return Proposal(
        id=event.proposal,
        status=Status.PENDING,
        agent=event.agent,
        started_by=event.started_by,
        tool=event.tool,
        arguments=event.arguments,
        digest=event.digest,
        summary=event.summary,
        context=event.context,
        run=event.run,
        callback_url=event.callback_url,
        requirement=event.requirement,
        created_at=event.at,
        expires_at=event.expires_at,
        clock_from=event.at,
        known=event.known,
        lookups=event.lookups,
        looked_up=event.looked_up,
        interested=event.interested or (),
        initiator=event.initiator,
        typed=event.typed,
    )


def _decided(proposal: Proposal, event: Approved | Blocked | Denied | Expired | Cancelled | Revoked) -> Proposal:
    match event:
        case Approved():
            # An approval in shadow is the end of it: no clock runs, for nobody can use it.
            claim_by = None if proposal.requirement.shadow else event.claim_by
            return replace(
                proposal,
                status=Status.APPROVED,
                decided_at=event.at,
                claim_by=claim_by,
                clock_from=event.at,
                left_out=event.left_out or (),
            )
        case Blocked():
            return replace(proposal, status=Status.BLOCKED, decided_at=event.at)
        case Denied():
            return replace(proposal, status=Status.DENIED, decided_at=event.at)
        case Expired():
            decided_at = proposal.decided_at or event.at
            return replace(proposal, status=Status.EXPIRED, decided_at=decided_at, expired_why=event.why)
        case Cancelled():
            return replace(proposal, status=Status.CANCELLED, decided_at=event.at)
        case Revoked():
            taken_back = None if event.reason is None else TakenBack(event.by, event.at, event.reason)
            return replace(proposal, status=Status.REVOKED, revoked_why=event.code, taken_back=taken_back)
        case _:
            assert_never(event)


def _executed(proposal: Proposal, event: Claimed | OutcomeReported | OutcomeOverdue) -> Execution:
    if isinstance(event, Claimed):
        times = event.at, event.grant_expires_at, event.outcome_by
        return Execution("claimed", event.grant_id, event.key, *times, key_digest=event.key_digest)
    if proposal.execution is None:
        raise ValueError(f"{event.proposal} has an outcome and no claim")
    if isinstance(event, OutcomeReported):
        return replace(proposal.execution, status=event.status, outcome_at=event.at, report=event.report, overdue=False)
    return replace(proposal.execution, status="unknown", overdue=True)


def _thawed(proposal: Proposal, event: Thawed) -> Proposal:
    if proposal.status is Status.PENDING:
        still = proposal.stood_still + (event.deadline - proposal.expires_at)
        return replace(proposal, expires_at=event.deadline, clock_from=event.at, stood_still=still)
    return replace(proposal, claim_by=event.deadline, clock_from=event.at)


def _asked(proposal: Proposal, event: Asked | Answered) -> Proposal:
    if isinstance(event, Asked):
        by = PersonId(event.by.ref)
        questions = (
            *proposal.questions,
            Question(event.question, by, event.to, event.text, event.at, event.stands_until),
        )
    else:
        questions = tuple(
            each.answered(event.text, event.by, event.at) if each.id == event.question else each
            for each in proposal.questions
        )
    still = proposal.stood_still + (stood_for(questions) - stood_for(proposal.questions))
    return replace(proposal, questions=questions, expires_at=event.deadline, stood_still=still)


def _edited(proposal: Proposal, event: Edited) -> Proposal:
    voided = tuple(vote.voter for vote in proposal.votes)
    edit = Edit(PersonId(event.by.ref), event.at, event.field, proposal.digest, voided, proposal.arguments)
    return replace(
        proposal,
        arguments=event.arguments,
        digest=event.digest,
        requirement=event.requirement,
        known=event.known,
        votes=(),
        edits=(*proposal.edits, edit),
    )
