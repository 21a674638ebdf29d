"""What follows from a command: events. The one place where anything is allowed, refused or ended.

`decide` never raises for a domain reason (a refusal is an event) and never looks at a clock: the command brings its
time. An empty answer means that the command changes nothing, as with a second sweep.
"""

from datetime import timedelta
from typing import TypeAlias, assert_never

from approval_rules import claims
from approval_rules.amend import judge_amendment
from approval_rules.amendments import stops
from approval_rules.away import stands_in_for
from approval_rules.budgets import NO_REJECTION
from approval_rules.claims import judge_claim
from approval_rules.commands import (
    Answer,
    Ask,
    Cancel,
    CastVote,
    Claim,
    Command,
    Edit,
    Initiate,
    LiftTimedPauses,
    PassTime,
    RecordPosted,
    ReportOutcome,
    Resume,
    StartPause,
    Submit,
    SwitchCommand,
    TakeBack,
    Thaw,
)
from approval_rules.duties import counting_roles, humans, still_counting, why_not
from approval_rules.events import (
    Approved,
    Blocked,
    Cancelled,
    Decision,
    Denied,
    Expired,
    OutcomeOverdue,
    OutcomeReported,
    PacketPosted,
    Paused,
    ProposalEvent,
    Refusal,
    Reminded,
    ResumeAsked,
    Resumed,
    Revoked,
    SubmitRefused,
    Submitted,
    SwitchEvent,
    SwitchRefused,
    Thawed,
    Voted,
    VoteRefused,
)
from approval_rules.initiation import judge_initiation
from approval_rules.initiation_events import InitiationRefused
from approval_rules.people import Actor, Agent, Flaw, PersonId, ToolName, human, system
from approval_rules.quorum import tally, uncounted
from approval_rules.requirement import (
    CLAIM_WITHIN,
    DEFAULT_TTL,
    MAX_TTL,
    Requirement,
    Tier,
)
from approval_rules.state import LAST_REMINDER, Proposal, Status, evolve
from approval_rules.step_up import suffices
from approval_rules.switch import EVERYTHING, Pause, Scope, Switch
from approval_rules.text import AgentText
from approval_rules.versions import SERVER

Events: TypeAlias = tuple[ProposalEvent | SubmitRefused | InitiationRefused, ...]

CLOCK = system("clock")
_MOST_NAMED = 200
POLICY, QUORUM = claims.POLICY, claims.QUORUM
OUTBOX = system("outbox")


def decide(proposal: Proposal | None, command: Command, switch: Switch) -> Events:
    """Judge one command against one proposal and the kill switch.

    None only for Submit, and for an Initiate that takes no blocked proposal up.
    """
    if isinstance(command, Initiate):
        refusal = barred(command.agent, command.draft.tool, switch)
        return judge_initiation(proposal, command, refusal[0] if refusal else None)
    if isinstance(command, Submit):
        return _submit(command, switch) if proposal is None else ()
    if proposal is None or not _about(command, proposal):
        raise ValueError(f"{command.proposal} is not this proposal, or not this agent's: the caller must look first")
    match command:
        case CastVote():
            return _vote(proposal, command, switch)
        case Claim():
            return judge_claim(proposal, command, switch)
        case Cancel():
            return _cancel(proposal, command)
        case ReportOutcome():
            return _outcome(proposal, command)
        case PassTime():
            return _pass_time(proposal, command, switch)
        case Thaw():
            return _thaw(proposal, command, switch)
        case RecordPosted():
            same = proposal.packet == command.posted
            on_duty = command.on_duty or None
            return () if same else (PacketPosted(command.at, OUTBOX, proposal.id, command.posted, on_duty),)
        case Ask() | Answer() | Edit() | TakeBack():
            return judge_amendment(proposal, command, switch)
        case _:
            assert_never(command)


def _about(command: Command, proposal: Proposal) -> bool:
    """Tell whether the command names this proposal and, where an agent gives it, comes from the proposal's agent."""
    match command:
        case Claim():
            agent = command.agent.id
        case Cancel() | ReportOutcome():
            agent = command.agent
        case _:
            agent = proposal.agent.id
    return command.proposal == proposal.id and agent == proposal.agent.id


def _submit(command: Submit, switch: Switch) -> Events:
    draft, agent, requirement = command.draft, command.agent, command.requirement
    refusal = barred(agent, draft.tool, switch)
    if refusal is not None:
        code, said = refusal[0].value, AgentText(refusal[1])
        kept = None if code in NO_REJECTION else draft
        digest, run = (kept.digest, kept.run) if kept else (None, None)
        return (SubmitRefused(command.at, agent.actor, command.proposal, draft.tool, code, said, digest, run),)
    submitted = Submitted(
        at=command.at,
        by=agent.actor,
        proposal=command.proposal,
        agent=agent.named,
        started_by=command.started_by,
        tool=draft.tool,
        arguments=draft.arguments,
        digest=draft.digest,
        summary=draft.summary,
        context=draft.context,
        run=draft.run,
        callback_url=draft.callback_url,
        requirement=requirement,
        expires_at=command.at + _open_for(command),
        candidate=command.candidate,
        known=command.known,
        lookups=draft.lookups,
        looked_up=draft.looked_up,
        interested=command.interested or None,
    )
    match requirement.tier:
        case Tier.GREEN:
            return submitted, _approved(command, POLICY, requirement)
        case Tier.YELLOW:
            return (submitted,)
        case Tier.RED:
            return submitted, Blocked(command.at, POLICY, command.proposal)
        case _:
            assert_never(requirement.tier)


def barred(agent: Agent, tool: ToolName, switch: Switch) -> tuple[Refusal, str] | None:
    """Tell why an agent may not propose anything with a tool now, whatever it is; None where it may."""
    if agent.revoked:
        return Refusal.AGENT_REVOKED, "this agent has been revoked"
    if tool not in agent.tools or (tool in SERVER.tools and agent.id != SERVER.id):
        return Refusal.TOOL_NOT_ALLOWED, "this tool is not on the agent's list; ask its owner to add it"
    if switch.stops(agent.id, tool) is not None:
        return Refusal.PAUSED, "paused by a person: stop, and propose again after it is resumed"
    return None


def _open_for(command: Submit) -> timedelta:
    """The agent may shorten the time that a policy names, and may choose freely where the policy is silent."""
    wish, ttl = command.draft.expires_in, command.requirement.ttl
    if wish is None:
        return DEFAULT_TTL if ttl is None else ttl
    return min(wish, MAX_TTL if ttl is None else ttl)


def _vote(proposal: Proposal, command: CastVote, switch: Switch) -> Events:
    by = human(command.voter.person)
    refusal = _vote_refusal(proposal, command, switch)
    if refusal is not None:
        return (VoteRefused(command.at, by, proposal.id, command.decision, refusal),)
    roles = counting_roles(command.voter, proposal)
    voted = Voted(
        at=command.at,
        by=by,
        proposal=proposal.id,
        voter=command.voter.person,
        decision=command.decision,
        roles=tuple(sorted(roles)),
        digest=proposal.digest,
        shown=proposal.packet.shown if proposal.packet else None,
        reason=command.reason,
        proof=command.proof,
        evidence=command.evidence,
        on_behalf_of=stands_in_for(proposal, roles, command.absent),
        category=command.category,
    )
    after = evolve(proposal, voted)
    standings = {**command.others, command.voter.person: command.voter}
    counting, people = still_counting(standings.values(), proposal), humans(standings.values())
    result = tally(after.votes, counting, proposal.requirement.seats, proposal.backup, people)
    match result:
        # Saying the same again counts only where it now decides: an earlier voter may have been unknown for a while.
        case "open" if _said_before(proposal, command):
            return (VoteRefused(command.at, by, proposal.id, command.decision, Refusal.ALREADY_VOTED),)
        case "approved":
            left_out = uncounted(after.votes, counting, people)
            return voted, _approved(command, QUORUM, proposal.requirement, left_out)
        case "denied":
            return voted, Denied(command.at, by, proposal.id)
        case "open":
            return (voted,)
        case _:
            assert_never(result)


def _approved(
    command: Submit | CastVote, by: Actor, requirement: Requirement, left_out: tuple[PersonId, ...] = ()
) -> Approved:
    """Say yes. There is nothing to claim of what is in shadow, so there its permission lapses at once."""
    lasts = timedelta() if requirement.shadow else CLAIM_WITHIN
    return Approved(command.at, by, command.proposal, command.at + lasts, left_out or None)


def _vote_refusal(proposal: Proposal, command: CastVote, switch: Switch) -> Refusal | None:
    if proposal.status is Status.EXPIRED:
        return Refusal.EXPIRED
    if proposal.status is not Status.PENDING:
        return Refusal.NOT_PENDING
    if command.seen != proposal.digest:
        return Refusal.DIGEST_MISMATCH
    if proposal.packet is None or (proposal.packet.channel, proposal.packet.ts) != (command.channel, command.ts):
        return Refusal.NOT_OUR_MESSAGE
    if switch.stops(proposal.agent.id, proposal.tool) is not None:
        return Refusal.PAUSED
    if command.at >= proposal.expires_at:
        return Refusal.EXPIRED
    refusal = why_not(command.voter, proposal)
    # A no is safe: only a yes needs the second factor.
    if refusal is None and command.decision is Decision.APPROVE:
        enough = suffices(command.proof, proposal.requirement.step_up)
        return command.unproved or (None if enough else Refusal.STEP_UP_NEEDED)
    return refusal


def _said_before(proposal: Proposal, command: CastVote) -> bool:
    voter, decision = command.voter, command.decision
    return any(voter.is_one_with(vote.voter) and vote.decision is decision for vote in proposal.votes)


def _cancel(proposal: Proposal, command: Cancel) -> Events:
    if proposal.status is not Status.PENDING:
        return ()
    return (Cancelled(command.at, proposal.agent.actor, proposal.id),)


def _outcome(proposal: Proposal, command: ReportOutcome) -> Events:
    execution = proposal.execution
    if execution is None or execution.outcome_at is not None:
        return ()
    return (OutcomeReported(command.at, proposal.agent.actor, proposal.id, command.status, command.report),)


def _pass_time(proposal: Proposal, command: PassTime, switch: Switch) -> Events:
    at = command.at
    execution = proposal.execution
    if execution is not None:
        late = execution.status == "claimed" and at >= execution.outcome_by
        return (OutcomeOverdue(at, CLOCK, proposal.id),) if late else ()
    revoked = claims.taken_back(at, proposal, switch)
    if revoked is not None:
        return (revoked,)
    if proposal.deadline is None or switch.stops(proposal.agent.id, proposal.tool) is not None:
        return ()
    if at >= proposal.deadline:
        return (Expired(at, CLOCK, proposal.id, "unanswered" if proposal.status is Status.PENDING else "unclaimed"),)
    if proposal.remind_at is not None and at >= proposal.remind_at:
        # Where the first was missed, one is enough: a server that was down need not say two things at once.
        last = True if at >= proposal.after_share(LAST_REMINDER) else None
        return (Reminded(at, CLOCK, proposal.id, last),)
    return ()


def _thaw(proposal: Proposal, command: Thaw, switch: Switch) -> tuple[Thawed | Revoked, ...]:
    if proposal.deadline is None or proposal.execution is not None:
        return ()
    revoked = claims.taken_back(command.at, proposal, switch)
    if revoked is not None:
        return (revoked,)
    if switch.stops(proposal.agent.id, proposal.tool) is not None:
        return ()
    still = switch.stood_still(
        proposal.agent.id, proposal.tool, proposal.clock_from, command.at, stops(proposal.questions)
    )
    if not still:
        return ()
    return (Thawed(command.at, CLOCK, proposal.id, proposal.deadline + still),)


def as_resumed(proposal: Proposal, switch: Switch) -> Proposal:
    """Give a proposal as it will be when its turn comes to be thawed or taken back: for whoever looks before."""
    turns = [pause.ended_at or pause.since for pause in switch.pauses]
    for event in _thaw(proposal, Thaw(max(turns), proposal.id), switch) if turns else ():
        proposal = evolve(proposal, event)
    return proposal


def decide_switch(switch: Switch, command: SwitchCommand) -> tuple[SwitchEvent, ...]:
    """Judge one command against the kill switch."""
    match command:
        case StartPause():
            return (_pause(command),)
        case Resume():
            return (_resume(switch, command),)
        case LiftTimedPauses():
            over = [pause for pause in switch.active if pause.until is not None and pause.until <= command.at]
            scopes = dict.fromkeys(pause.scope for pause in over)
            return tuple(_lifted(command, scope, over) for scope in scopes)
        case _:
            assert_never(command)


def _pause(command: StartPause) -> SwitchEvent:
    flaw = command.standing.flaw if command.standing else None
    # Stopping is safe: when Slack cannot say who somebody is, a pause still counts.
    if flaw is not None and flaw is not Flaw.DIRECTORY_DOWN:
        return SwitchRefused(command.at, command.by, command.scope, Refusal(flaw.value))
    until = None if command.lasts is None else command.at + command.lasts
    return Paused(command.at, command.by, command.pause, command.scope, until, command.reason, command.revoke or None)


def _resume(switch: Switch, command: Resume) -> SwitchEvent:
    at, by, scope = command.at, command.by, command.scope
    refusal = _resume_refusal(switch, command)
    if refusal is not None:
        return SwitchRefused(at, by, scope, refusal)
    # Two people of the same kind: a Slack person and an account on the machine may be one and the same human.
    seconded = any(asked.kind is by.kind and not _is_same(asked, command) for asked in switch.resume_asked_by)
    if scope == EVERYTHING and not seconded:
        return ResumeAsked(at, by, scope)
    ids = tuple(pause.id for pause in switch.of(scope))
    if len(ids) > _MOST_NAMED:  # anybody may pause, and nobody may make a resume too large to be recorded
        return Resumed(at, by, scope, (), command.reason, every=True)
    return Resumed(at, by, scope, ids, command.reason)


def _resume_refusal(switch: Switch, command: Resume) -> Refusal | None:
    if command.standing is not None and command.standing.flaw is not None:
        return Refusal(command.standing.flaw.value)
    if not command.may_resume:
        return Refusal.NOT_OPERATOR
    if not switch.of(command.scope):
        return Refusal.NOTHING_PAUSED
    if command.scope == EVERYTHING and any(_is_same(asked, command) for asked in switch.resume_asked_by):
        return Refusal.SECOND_PERSON_NEEDED
    return None


def _is_same(asked: Actor, command: Resume) -> bool:
    """One person, by whichever account."""
    if asked.kind is not command.by.kind:
        return False
    return asked == command.by or (command.standing is not None and command.standing.is_one_with(PersonId(asked.ref)))


def _lifted(command: LiftTimedPauses, scope: Scope, over: list[Pause]) -> SwitchEvent:
    ids = tuple(pause.id for pause in over if pause.scope == scope)[:_MOST_NAMED]  # the next tick lifts the rest
    return Resumed(command.at, CLOCK, scope, ids, AgentText("the announced time is over"))
