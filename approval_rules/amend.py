"""Questions, answers, edits and taking back: what people may do to a proposal besides voting.

An edit never approves by itself: the policy judges the new version, and where it asks people, all of them are asked
anew. Taking an approval back only ever stops something, so a pause does not stand in its way.
"""

from datetime import timedelta
from typing import Final, assert_never

from approval_rules.amendments import Question, stood_for
from approval_rules.claims import POLICY, not_unused
from approval_rules.commands import Amendment, Answer, Ask, Edit, Shown, TakeBack
from approval_rules.duties import why_not
from approval_rules.events import Approved, Blocked, Refusal, Revoked
from approval_rules.people import Flaw, RoleName, Standing, human
from approval_rules.question_events import Answered, Asked, Edited, RequestRefused
from approval_rules.requirement import CLAIM_WITHIN, Tier
from approval_rules.state import Proposal, Status
from approval_rules.switch import Switch
from approval_rules.versions import CHANGE_TOOL

MOST_OPEN: Final = 5
"""So many questions wait at most: each may make the clock stand."""
STANDS: Final = timedelta(hours=24)
TAKES_BACK: Final = frozenset({RoleName("admin"), RoleName("operator")})

Amended = tuple[Asked | Answered | Edited | Approved | Blocked | Revoked | RequestRefused, ...]


def judge_amendment(proposal: Proposal, command: Amendment, switch: Switch) -> Amended:
    """Judge what somebody wants besides voting; nothing where an answer comes twice, or too late."""
    match command:
        case Ask():
            return _ask(proposal, command, switch)
        case Answer():
            return _answer(proposal, command)
        case Edit():
            return _edit(proposal, command, switch)
        case TakeBack():
            return _take_back(proposal, command)
        case _:
            assert_never(command)


def _ask(proposal: Proposal, command: Ask, switch: Switch) -> Amended:
    by = human(command.asker.person)
    refusal = _not_open(proposal, command, command.shown, switch) or why_not(command.asker, proposal)
    if refusal is None and (command.flawed or (command.to is None and proposal.tool == CHANGE_TOOL)):
        refusal = Refusal.CANNOT_BE_ASKED
    if refusal is None and sum(each.open for each in proposal.questions) >= MOST_OPEN:
        refusal = Refusal.TOO_MANY_QUESTIONS
    if refusal is not None:
        return (RequestRefused(command.at, by, proposal.id, "ask", refusal),)
    until = command.at + STANDS if command.stops_clock else None
    new = Question(command.question, command.asker.person, command.to, command.text, command.at, until)
    longer = stood_for([*proposal.questions, new]) - stood_for(proposal.questions)
    deadline = proposal.expires_at + longer
    return (Asked(command.at, by, proposal.id, new.id, new.to, new.text, until, deadline),)


def _answer(proposal: Proposal, command: Answer) -> Amended:
    asked = next((each for each in proposal.questions if each.id == command.question), None)
    due = proposal.status is Status.PENDING and command.at < proposal.expires_at
    if asked is None or not asked.open or not due or command.by != _whom(proposal, asked):
        return ()
    rest = [
        each.answered(command.text, command.by, command.at) if each is asked else each for each in proposal.questions
    ]
    deadline = proposal.expires_at + (stood_for(rest) - stood_for(proposal.questions))
    return (Answered(command.at, command.by, proposal.id, asked.id, command.text, deadline),)


def _whom(proposal: Proposal, asked: Question) -> object:
    return proposal.agent.actor if asked.to is None else human(asked.to)


def _edit(proposal: Proposal, command: Edit, switch: Switch) -> Amended:
    at, by, becomes = command.at, human(command.editor.person), command.becomes
    refusal = _not_open(proposal, command, command.shown, switch) or why_not(command.editor, proposal)
    if refusal is None and proposal.requirement.shadow is not None:
        refusal = Refusal.SHADOW
    # What a person started himself was confirmed with that very value.
    fixed = proposal.initiator is not None or command.field not in (proposal.requirement.editable or ())
    if refusal is None and fixed:
        refusal = Refusal.NOT_EDITABLE
    if refusal is not None:
        return (RequestRefused(at, by, proposal.id, "edit", refusal),)
    if isinstance(becomes, Refusal):
        return (RequestRefused(at, by, proposal.id, "edit", becomes),)
    edited = Edited(
        *(at, by, proposal.id, command.field, becomes.arguments, becomes.digest, becomes.requirement, becomes.known)
    )
    match becomes.requirement.tier:
        case Tier.GREEN:
            # A person lowered it, and the policy lets this through without people: nobody needs to be asked again.
            lasts = timedelta() if becomes.requirement.shadow else CLAIM_WITHIN
            return edited, Approved(at, POLICY, proposal.id, at + lasts)
        case Tier.YELLOW:
            return (edited,)
        case Tier.RED:
            return edited, Blocked(at, POLICY, proposal.id)
        case _:
            assert_never(becomes.requirement.tier)


def _take_back(proposal: Proposal, command: TakeBack) -> Amended:
    by = human(command.by.person)
    refusal = _nothing_to_take_back(proposal, command) or _may_not_take_back(proposal, command.by)
    if refusal is not None:
        return (RequestRefused(command.at, by, proposal.id, "take-back", refusal),)
    return (Revoked(command.at, by, proposal.id, Refusal.TAKEN_BACK, command.reason),)


def _nothing_to_take_back(proposal: Proposal, command: TakeBack) -> Refusal | None:
    """Say why there is no unused permission to take back."""
    if proposal.requirement.shadow is not None:
        return Refusal.SHADOW
    gone = not_unused(proposal)
    if gone is not None:
        return gone
    stale = _stale(proposal, command.shown)
    if stale is None and (proposal.claim_by is None or command.at >= proposal.claim_by):
        return Refusal.EXPIRED
    return stale


def _may_not_take_back(proposal: Proposal, who: Standing) -> Refusal | None:
    """Who approved may take it back even where Slack cannot say now who he is: stopping is safe."""
    approved = any(who.is_one_with(vote.voter) for vote in proposal.approved_by)
    if who.flaw is not None and not (approved and who.flaw is Flaw.DIRECTORY_DOWN):
        return Refusal(who.flaw.value)
    return None if approved or who.roles & TAKES_BACK else Refusal.NOT_APPROVER


def _not_open(proposal: Proposal, command: Ask | Edit, shown: Shown, switch: Switch) -> Refusal | None:
    """Say why nobody can decide this now, in the order in which a vote is told."""
    if proposal.status is Status.EXPIRED:
        return Refusal.EXPIRED
    if proposal.status is not Status.PENDING:
        return Refusal.NOT_PENDING
    stale = _stale(proposal, shown)
    if stale is not None:
        return stale
    if switch.stops(proposal.agent.id, proposal.tool) is not None:
        return Refusal.PAUSED
    return Refusal.EXPIRED if command.at >= proposal.expires_at else None


def _stale(proposal: Proposal, shown: Shown) -> Refusal | None:
    """Say why what the person had on the screen is not this proposal's packet as it is now."""
    if shown.digest != proposal.digest:
        return Refusal.DIGEST_MISMATCH
    if proposal.packet is None or (proposal.packet.channel, proposal.packet.ts) != (shown.channel, shown.ts):
        return Refusal.NOT_OUR_MESSAGE
    return None
