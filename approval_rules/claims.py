"""The claim: the one moment of permission, for what people or policy approved and nothing has forbidden since.

Never grants on what was true before: pauses, deadlines, people and the policy are judged as of the command.
"""

from dataclasses import replace
from datetime import datetime

from approval_rules.canonical import Digest, sha256_name
from approval_rules.commands import Claim
from approval_rules.duties import humans, still_counting
from approval_rules.events import Claimed, ClaimRefused, Refusal, Revoked
from approval_rules.initiation import may_still_start
from approval_rules.people import Flaw, system
from approval_rules.quorum import tally
from approval_rules.requirement import GRANT_LIFE, OUTCOME_WITHIN, Requirement, Tier
from approval_rules.state import Execution, Proposal, Status
from approval_rules.step_up import suffices
from approval_rules.switch import Switch

POLICY = system("policy")
QUORUM = system("quorum")


def judge_claim(proposal: Proposal, command: Claim, switch: Switch) -> tuple[Claimed | ClaimRefused | Revoked, ...]:
    """Judge a claim: the permission, a refusal, or an approval taken back; nothing where it was given before."""
    by = command.agent.actor
    if proposal.requirement.shadow is not None:
        return (ClaimRefused(command.at, by, proposal.id, Refusal.SHADOW),)
    execution = proposal.execution
    if execution is not None and _is_repeated(execution, command):
        repeated = _repeat_refusal(proposal, command, switch)
        return () if repeated is None else (ClaimRefused(command.at, by, proposal.id, repeated),)
    revoked = taken_back(command.at, proposal, switch)
    if revoked is not None:
        return revoked, ClaimRefused(command.at, by, proposal.id, Refusal.REVOKED)
    refusal = _claim_refusal(proposal, command, switch)
    if refusal in (Refusal.APPROVERS_CHANGED, Refusal.POLICY_CHANGED):
        revoked_by = QUORUM if refusal is Refusal.APPROVERS_CHANGED else POLICY
        return (
            Revoked(command.at, revoked_by, proposal.id, refusal),
            ClaimRefused(command.at, by, proposal.id, refusal),
        )
    if refusal is not None:
        return (ClaimRefused(command.at, by, proposal.id, refusal),)
    return (
        Claimed(
            at=command.at,
            by=by,
            proposal=proposal.id,
            grant_id=command.grant_id,
            key=None,
            grant_expires_at=command.at + GRANT_LIFE,
            outcome_by=command.at + OUTCOME_WITHIN,
            key_digest=_key_digest(command),
        ),
    )


def _key_digest(command: Claim) -> Digest | None:
    """Digest the key with whose it is: an agent may have put anybody's name in it, so it is not kept itself."""
    return None if command.key is None else sha256_name(f"{command.proposal}\n{command.key}".encode())


def _is_repeated(execution: Execution, command: Claim) -> bool:
    if command.key is None:
        return False
    return execution.key == command.key or execution.key_digest == _key_digest(command)


def taken_back(at: datetime, proposal: Proposal, switch: Switch) -> Revoked | None:
    """Take an unclaimed approval back for a pause that revokes; None where there is no such pause, or no such approval.

    The pause may be over: what it takes back is found batch after batch.
    """
    unclaimed = proposal.status is Status.APPROVED and proposal.execution is None and proposal.claim_by is not None
    approved_at = proposal.decided_at if unclaimed else None
    pause = None if approved_at is None else switch.takes_back(proposal.agent.id, proposal.tool, approved_at)
    return None if pause is None else Revoked(at, pause.by, proposal.id, Refusal.PAUSED)


def _repeat_refusal(proposal: Proposal, command: Claim, switch: Switch) -> Refusal | None:
    """The same claim again gets the same permission, but not during a pause: its first answer may have been lost."""
    if command.digest != proposal.digest:
        return Refusal.DIGEST_MISMATCH
    return Refusal.PAUSED if switch.stops(proposal.agent.id, proposal.tool) is not None else None


def not_unused(proposal: Proposal) -> Refusal | None:
    """Say why there is no unused permission, whatever the time is."""
    if proposal.execution is not None:
        return Refusal.ALREADY_CLAIMED
    if proposal.status is Status.REVOKED:
        return Refusal.REVOKED
    if proposal.status is Status.EXPIRED:
        return Refusal.EXPIRED
    return None if proposal.status is Status.APPROVED else Refusal.NOT_APPROVED


def _claim_refusal(proposal: Proposal, command: Claim, switch: Switch) -> Refusal | None:
    gone = not_unused(proposal)
    if gone is not None:
        return gone
    if command.digest != proposal.digest:
        return Refusal.DIGEST_MISMATCH
    if switch.stops(proposal.agent.id, proposal.tool) is not None:
        return Refusal.PAUSED
    if proposal.claim_by is None or command.at >= proposal.claim_by:
        return Refusal.EXPIRED
    if command.agent.revoked:
        return Refusal.AGENT_REVOKED
    if proposal.tool not in command.agent.tools:
        return Refusal.TOOL_NOT_ALLOWED
    return _requirements_refusal(proposal, command)


def _requirements_refusal(proposal: Proposal, command: Claim) -> Refusal | None:
    """What was asked for at submit must be met still, and so must what the policy asks for now: the stricter counts."""
    now = command.current
    if now is not None and (now.shadow is not None or _is_blocked(proposal, now)):
        return Refusal.POLICY_CHANGED
    asked = proposal.requirement
    if asked.tier is not Tier.GREEN and any(
        standing.flaw is Flaw.DIRECTORY_DOWN for standing in command.approvers.values()
    ):
        return Refusal.DIRECTORY_DOWN
    if not _is_met(proposal, command):
        return Refusal.APPROVERS_CHANGED
    if now is None:
        return None
    # Who has an interest is found when it is proposed; a field that is named only now was never looked at.
    if set(now.excluded or ()) - set(asked.excluded or ()):
        return Refusal.POLICY_CHANGED
    return None if _is_met(replace(proposal, requirement=now), command) else Refusal.POLICY_CHANGED


def _is_blocked(proposal: Proposal, asked: Requirement) -> bool:
    """Red is blocked, but for what a person started who may do so."""
    return asked.tier is Tier.RED and (proposal.initiator is None or asked.initiation is None)


def _is_met(proposal: Proposal, command: Claim) -> bool:
    """Approval by policy needs no people; by people it needs them to be eligible still, and proved as is asked for.

    So it does whoever started what the policy blocks.
    """
    asked = proposal.requirement
    if asked.tier is Tier.GREEN:
        return True
    if asked.tier is Tier.RED and not may_still_start(proposal, asked, command.approvers):
        return False
    roles = still_counting(command.approvers.values(), proposal)
    proved = [vote for vote in proposal.votes if suffices(vote.proof, asked.step_up)]
    people = humans(command.approvers.values())
    return tally(proved, roles, asked.seats, proposal.backup, people) == "approved"
