"""Where a proposal stands, in an icon and plain words, and what happens next by itself. It decides nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, assert_never

from approval_rules.amendments import TakenBack
from approval_rules.events import Decision, Refusal
from approval_rules.people import ActorKind, PersonId
from approval_rules.quorum import filled, open_roles
from approval_rules.requirement import Requirement
from approval_rules.roles import OnDuty
from approval_rules.state import Execution, Proposal, Status, Vote
from approval_rules.switch import Pause, Scope, ScopeKind
from handlers.counting import counted
from handlers.desk import Seen
from handlers.slack.blocks import utc
from handlers.slack.escape import Safe, named
from handlers.slack.text import person, words
from handlers.slack.wording import CHANGED, DENIED_FOR, changes_policy, words_of

NOTHING_RAN: Final = "Nothing ran."
_LONG_REASON: Final = 200
FACTOR: Final = {"passkey": "passkey", "totp": "one-time code"}
_MANY: Final = 3
_WHY_REVOKED: Final = {
    Refusal.PAUSED: "a pause stopped it",
    Refusal.APPROVERS_CHANGED: "someone who approved may no longer approve",
    Refusal.POLICY_CHANGED: "the policy was changed and asks for more than was approved",
    Refusal.AGENT_REVOKED: "the agent was taken out of service",
    Refusal.TOOL_NOT_ALLOWED: "the agent may no longer use this tool",
}

_BECAME: Final = {
    "claimed": "Exactly this is running",
    "succeeded": "Exactly this ran",
    "failed": "Exactly this was tried",
    "unknown": "Exactly this may have run",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """One status line, and whether a vote could count now."""

    text: Safe
    open: bool


def standing_of(seen: Seen, at: datetime) -> Standing:
    """Say where the proposal stands at `at`; a pending one whose time is over or that is frozen is not open."""
    proposal = seen.proposal
    match proposal.status:
        case Status.PENDING:
            return _pending(seen, at)
        case Status.APPROVED:
            return Standing(_approved(seen), open=False)
        case Status.DENIED:
            return Standing(_denied(seen), open=False)
        case Status.EXPIRED if proposal.expired_why == "unclaimed":
            told = "⌛ Approved, but the agent did not use the permission in time; it lapsed."
        case Status.EXPIRED:
            return Standing(Safe(words_of(proposal).expired.format(_decided(proposal))), open=False)
        case Status.CANCELLED:
            return Standing(Safe(words_of(proposal).cancelled.format(_decided(proposal))), open=False)
        case Status.BLOCKED if proposal.requirement.initiation is not None:
            told = "⛔ Blocked by policy: no agent may do this."
        case Status.BLOCKED:
            told = "⛔ Blocked by policy. No person can approve it."
        case Status.REVOKED:
            if proposal.taken_back is not None:
                return Standing(_taken_back(proposal.taken_back, seen), open=False)
            why = _WHY_REVOKED.get(proposal.revoked_why or Refusal.REVOKED, "it was taken back")
            told = f"⛔ Revoked: the approval was taken back before it was used, because {why}."
        case _:
            assert_never(proposal.status)
    return Standing(Safe(f"{told} {NOTHING_RAN}"), open=False)


def _taken_back(by: TakenBack, seen: Seen) -> Safe:
    reason = words(by.reason)
    why = reason if len(reason) <= _LONG_REASON else "(a long reason, whole in Details)"
    who = name_of(PersonId(by.by.ref), seen)
    end = "" if why.endswith((".", "!", "?")) else "."
    return Safe(f"⛔ Taken back by {who} at {utc(by.at)}, before it was used: “{why}”{end} {NOTHING_RAN}")


def what_became(proposal: Proposal) -> Safe:
    """Head the arguments: what stands below them will run, runs, ran, or was only proposed."""
    match proposal.status:
        case Status.PENDING | Status.APPROVED if proposal.requirement.shadow:
            return Safe("Exactly this would run")
        case Status.PENDING:
            return Safe(words_of(proposal).will)
        case Status.APPROVED if changes_policy(proposal):
            return Safe("Exactly this was changed")
        case Status.APPROVED:
            return Safe(_BECAME[proposal.execution.status] if proposal.execution else "Exactly this will run")
        case _:
            return Safe("Exactly this was proposed")


def trial_words(proposal: Proposal) -> Safe | None:
    """Say that nothing of a tool in shadow is executed; None where it is live."""
    if proposal.requirement.shadow is None:
        return None
    if proposal.status is Status.PENDING:
        return Safe(
            "🧪 Trial run: nothing will be executed, whatever you decide. Your answer is compared with the policy's."
        )
    return Safe("🧪 Trial run: nothing is executed. Details tells what the policy says.")


def progress(proposal: Proposal) -> Safe:
    """Count the seats that approvals fill: `1 of 2 people have approved`, and where it is not plain, who is next."""
    seats, needed = proposal.requirement.seats, proposal.requirement.approvals
    done = filled(proposal.approved_by, seats, proposal.backup)
    said = f"{done} of {counted(needed, 'person has', 'people have')} approved"
    if done >= needed > 0:
        return Safe(f"{said}, and not all of them count now, so another must")
    if done == 0 or len(seats) == 1:
        return Safe(said)
    roles = sorted(open_roles(proposal.approved_by, seats))
    return Safe(f"{said}; the next must be in the role {' or '.join([named(role) for role in roles])}")


def who_decides(requirement: Requirement) -> Safe:
    """Say who must say yes: `2 different people in the role support_manager`."""
    people = counted(requirement.approvals, "person", "different people")
    if len(requirement.seats) == 1:
        return Safe(f"{people} in the role {named(requirement.seats[0].role)}")
    seats = " and ".join([f"{seat.count} in the role {named(seat.role)}" for seat in requirement.seats])
    return Safe(f"{people}: {seats}" if seats else "nobody")


def backup_words(seen: Seen) -> Safe | None:
    """Say when another role is asked too, or that it is by now; None where none is, or while nothing moves."""
    proposal, role = seen.proposal, seen.proposal.requirement.backup
    if role is None or proposal.status is not Status.PENDING or seen.frozen_by is not None:
        return None
    if proposal.remind_at is not None and not proposal.reminded:
        return Safe(f"Unanswered by {utc(proposal.remind_at)}, the role {named(role)} is asked too.")
    return Safe(f"Half of the time is over, so the role {named(role)} may decide too.")


def on_duty_words(seen: Seen) -> list[Safe]:
    """Say who has the turn in each role that is a schedule, by name and calling nobody; nothing while nothing moves."""
    proposal = seen.proposal
    if proposal.status is not Status.PENDING or seen.frozen_by is not None:
        return []
    return [_on_duty(shift, seen) for shift in proposal.on_duty[:_MANY]]


def _on_duty(shift: OnDuty, seen: Seen) -> Safe:
    until = f", until {utc(shift.until)}" if shift.until else ""
    if not shift.people:
        return Safe(f"⚠ Nobody is on call in the role {named(shift.role)} now{until}")
    names = " and ".join(_few([name_of(person, seen) for person in shift.people]))
    return Safe(f"☎ On call now in the role {named(shift.role)}{until}: {names}")


def _few(names: Sequence[str]) -> list[str]:
    """Give some names, and how many more there are."""
    return [*names[:_MANY], f"{len(names) - _MANY} more"] if len(names) > _MANY else list(names)


def vote_words(vote: Vote, seen: Seen) -> Safe:
    """Tell one vote: who, what, when and why; a long reason is named, for it stands whole in Details."""
    icon, did = ("✔", "approved") if vote.decision is Decision.APPROVE else ("✖", "denied")
    proved = f" with a {FACTOR[vote.proof.factor]} (code {vote.proof.code})" if vote.proof else ""
    absent = f" for {name_of(vote.on_behalf_of, seen)} (away)" if vote.on_behalf_of else ""
    kind = f", {DENIED_FOR[vote.category].lower()}" if vote.category else ""
    left_out = " (no longer counted)" if vote.voter in seen.proposal.left_out else ""
    line = f"{icon} {name_of(vote.voter, seen)}{absent} {did} at {utc(vote.at)}{kind}{proved}{left_out}"
    if vote.reason is None:
        return Safe(line)
    reason = words(vote.reason)
    return Safe(f"{line}: {reason if len(reason) <= _LONG_REASON else '(a long reason, whole in Details)'}")


def name_of(who: PersonId, seen: Seen) -> Safe:
    """Name a person; one whose name was erased is still a person."""
    face = seen.faces.get(who)
    return person(face.name, face.user_id) if face else Safe("a person whose name is no longer kept")


def author_of(seen: Seen) -> Safe:
    """Name who wrote a change of the policy, where somebody is known to have."""
    author = seen.proposal.started_by
    return Safe(f"Author: {name_of(author, seen) if author else 'not known, the folder was changed on the server'}")


def scope_words(scope: Scope, agent_name: str | None = None) -> Safe:
    """Name what a pause covers; an agent by its name where it is known."""
    match scope.kind:
        case ScopeKind.ALL:
            return Safe("everything")
        case ScopeKind.AGENT:
            return Safe(f"the agent {named(agent_name or scope.name)}")
        case ScopeKind.TOOL:
            return Safe(f"the tool {named(scope.name)}")


def next_step(seen: Seen) -> Safe:
    """Say what happens when nobody does anything before the deadline."""
    proposal = seen.proposal
    if proposal.status is Status.PENDING:
        return Safe(words_of(proposal).unanswered)
    if proposal.execution is None:
        return Safe("If the agent does not start by then the permission lapses and nothing runs.")
    return Safe("If the agent does not report by then the outcome counts as unknown and people are told.")


def _pending(seen: Seen, at: datetime) -> Standing:
    proposal = seen.proposal
    if seen.frozen_by is not None:
        return Standing(_frozen(seen, seen.frozen_by), open=False)
    if at >= proposal.expires_at:
        return Standing(Safe(f"⌛ Time is over since {utc(proposal.expires_at)}. {NOTHING_RAN}"), open=False)
    if not proposal.requirement.seats:
        return Standing(
            Safe("⛔ Waiting, but the policy names nobody who may approve this; it will expire."), open=False
        )
    waiting = "Waiting, in a trial run" if proposal.requirement.shadow else "Waiting"
    return Standing(Safe(f"⏳ {waiting}: {progress(proposal)}."), open=True)


def _frozen(seen: Seen, pause: Pause) -> Safe:
    scope = scope_words(pause.scope, seen.proposal.agent.name)
    return Safe(
        f"⏸ Frozen: {scope} is paused since {utc(pause.since)} by {paused_by(seen, pause)}. The clock stands still and "
        f"no vote counts until it is resumed; {progress(seen.proposal)} so far."
    )


def paused_by(seen: Seen, pause: Pause) -> Safe:
    """Name who paused: a person, or the machine's own command line."""
    match pause.by.kind:
        case ActorKind.HUMAN:
            return name_of(PersonId(pause.by.ref), seen)
        case ActorKind.OPERATOR | ActorKind.OPERATOR_KEY | ActorKind.AUDITOR_KEY:
            return Safe("an operator on the server")
        case ActorKind.AGENT | ActorKind.SYSTEM:
            return named(pause.by.ref)


def _approved(seen: Seen) -> Safe:
    proposal = seen.proposal
    by = _people(proposal.approved_by, seen) or "policy alone, no person was needed"
    if proposal.requirement.shadow is not None:
        return Safe(f"☑ Approved by {by}, in a trial run. {NOTHING_RAN}")
    if proposal.execution is not None:
        became = CHANGED.format(_decided(proposal)) if changes_policy(proposal) else _execution(proposal.execution)
        return Safe(f"{became} Approved by {by}.")
    if seen.frozen_by is not None:
        scope = scope_words(seen.frozen_by.scope, proposal.agent.name)
        return Safe(
            f"⏸ Approved by {by}, but frozen: {scope} is paused since {utc(seen.frozen_by.since)}. Not yet run."
        )
    return Safe(f"☑ Approved by {by}. Waiting for the agent to run it.")


def _execution(execution: Execution) -> str:
    match execution.status:
        case "claimed":
            return f"▶ Running: the agent took its one permission at {utc(execution.claimed_at)}."
        case "succeeded":
            return f"✅ Done: the agent reported success at {_reported(execution)}."
        case "failed":
            return f"❗ Failed: the agent reported a failure at {_reported(execution)}."
        case "unknown" if execution.overdue:
            return "❓ Outcome unknown: the agent has not reported in time. Look before anyone tries again."
        case "unknown":
            return f"❓ Outcome unknown, says the agent at {_reported(execution)}. Look before anyone tries again."


def _denied(seen: Seen) -> Safe:
    by = _people([vote for vote in seen.proposal.votes if vote.decision is Decision.DENY], seen) or "a person"
    return Safe(f"✖ Denied by {by} at {_decided(seen.proposal)}. {words_of(seen.proposal).denied}")


def _people(votes: Sequence[Vote], seen: Seen) -> str:
    return " and ".join(_few([name_of(vote.voter, seen) for vote in votes]))


def _decided(proposal: Proposal) -> Safe:
    return utc(proposal.decided_at) if proposal.decided_at else Safe("a time not recorded")


def _reported(execution: Execution) -> Safe:
    return utc(execution.outcome_at) if execution.outcome_at else Safe("a time not recorded")
