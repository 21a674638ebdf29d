"""What people are told in answer to what they did: what happened, why, and what to do now. It decides nothing."""

from collections.abc import Mapping
from typing import Any, Final

from approval_rules.events import (
    Decision,
    IncidentChanged,
    Paused,
    Refusal,
    ResumeAsked,
    Resumed,
)
from approval_rules.people import AgentId
from approval_rules.quorum import filled
from approval_rules.state import Proposal, Status
from approval_rules.stop_events import AgentKeysEnded, DrillHeld
from approval_rules.switch import EVERYTHING, Scope, ScopeKind
from approval_rules.text import AgentText
from handlers.counting import counted
from handlers.desk import Face, Seen
from handlers.slack.amending_words import edit_words
from handlers.slack.blocks import MAX_SECTION, section, utc
from handlers.slack.escape import Safe, clipped, mrkdwn_safe, visible
from handlers.slack.standing import progress, scope_words, standing_of
from handlers.slack.text import person, says_nothing, words
from handlers.slack.wording import words_of

UNAVAILABLE: Final = Safe(
    "This did not count: Foureyes could not reach its records or Slack's directory just now. Nothing was recorded. "
    "Please try again in a minute."
)
TIMED_OUT: Final = Safe(
    "Foureyes took too long to answer, so it is not certain whether this counted. The packet always shows the true "
    "state; look there before you try again. Trying again does no harm."
)
BROKEN: Final = Safe(
    "Something went wrong in Foureyes, so it is not certain whether this counted. The packet always shows the true "
    "state. If it stays as it is, please tell whoever runs Foureyes."
)
UNREADABLE: Final = Safe(
    "This did not count: the message or its button is not one that Foureyes can read. Please use the packet that "
    "Foureyes posted, or find it with /agent pending."
)
UNKNOWN_PROPOSAL: Final = Safe(
    "Foureyes does not know this proposal. It may have been removed after its term. /agent pending lists what waits."
)

_REFUSED: Final[Mapping[Refusal, str]] = {
    Refusal.UNKNOWN_USER: "Slack does not know your account here, so it did not count. Please ask someone else to "
    "decide, and tell whoever runs Foureyes.",
    Refusal.DIRECTORY_DOWN: "It did not count: Slack could not be asked who you are just now, and unknown means no. "
    "Please try again in a minute.",
    Refusal.OTHER_WORKSPACE: "It did not count: your account belongs to another workspace. Someone of this workspace "
    "must do this.",
    Refusal.BOT: "It did not count: this account is a bot, and only people count here.",
    Refusal.DEACTIVATED: "It did not count: this account is deactivated in Slack. Someone with an active account must "
    "do this.",
    Refusal.GUEST: "It did not count: you are a guest here, and only full members count. Please ask a full member.",
    Refusal.STRANGER: "It did not count: Slack lists you as a stranger to this workspace. Someone of this workspace "
    "must do this.",
    Refusal.INITIATOR: "It did not count: you proposed this, yourself or through an agent, so someone else must "
    "decide.",
    Refusal.AGENT_OWNER: "It did not count: you own the agent that asks, so someone else must decide.",
    Refusal.NOT_IN_ROLE: "It did not count: you are not in a role that may decide this. Please ask someone who is; "
    "/agent whoami shows your roles.",
    Refusal.ALREADY_VOTED: "You have decided already, and your first decision stands. This time nothing was added.",
    Refusal.NOT_PENDING: "It did not count: this has been decided already. Nothing was changed.",
    Refusal.EXPIRED: "It did not count: the time to decide is over. If it is still wanted, the agent must propose it "
    "again.",
    Refusal.PAUSED: "It did not count: this is paused, and no vote counts during a pause. Please come back after it "
    "was resumed; /agent status shows the pause.",
    Refusal.DIGEST_MISMATCH: "It did not count: the button does not match the action as it is recorded. Please open "
    "the newest packet and read it again before you decide.",
    Refusal.NOT_OUR_MESSAGE: "It did not count: this is not the message that Foureyes has on record for it. If it "
    "came a moment ago, please press again; else use the original packet, which /agent pending lists.",
    Refusal.NOT_APPROVED: "It did not count: this has not been approved, so there is nothing to run.",
    Refusal.ALREADY_CLAIMED: "It did not count: the agent has already taken its one permission, so this can no longer "
    "be changed here. To stop the agent, type /agent pause.",
    Refusal.REVOKED: "It did not count: the approval was taken back. If it is still wanted, the agent must propose it "
    "again.",
    Refusal.APPROVERS_CHANGED: "It did not count: someone who approved may no longer approve. The agent must propose "
    "it again.",
    Refusal.POLICY_CHANGED: "It did not count: the policy was changed and asks for more than was approved. The agent "
    "must propose it again.",
    Refusal.AGENT_REVOKED: "It did not count: the agent was taken out of service, so nothing of it can run.",
    Refusal.TOOL_NOT_ALLOWED: "It did not count: the agent may no longer use this tool, so this cannot run.",
    Refusal.NOT_CLAIMED: "It did not count: the agent has not taken its permission yet, so there is no outcome.",
    Refusal.OUTCOME_CONFLICT: "It did not count: another outcome was reported before, and the first one stands.",
    Refusal.NOT_OPERATOR: "It did not count: you may not resume or end an incident. Whoever has the role operator "
    "may or, where no such role exists, whoever has any role; /agent whoami shows yours.",
    Refusal.NOTHING_PAUSED: "Nothing was changed: this is not paused. /agent status shows what is.",
    Refusal.SHADOW: "It did not count: this is a trial run, so nothing of it is ever executed.",
    Refusal.STEP_UP_NEEDED: "It did not count: the policy asks for a second factor here. Press Approve, and "
    "confirm with your passkey or code.",
    Refusal.FACTOR_REFUSED: "It did not count: the second factor could not be verified. Please press Approve again.",
    Refusal.FACTOR_MISSING: "It did not count: the policy asks for a second factor here, and you have none that counts "
    "and is strong enough. To get one: /agent factor add passkey, or /agent factor add totp.",
    Refusal.FACTOR_LOCKED: "It did not count: your second factor is locked. Another person must confirm it again; "
    "/agent factor shows it. If the wrong codes were not yours, tell whoever runs Foureyes now.",
    Refusal.CHANGED_SINCE: "It did not count: what you were asked about is over or is no longer the same. Please read "
    "the packet again, and press Approve there.",
    Refusal.LINK_USED: "It did not count: this was answered before, or its few minutes are over. Please press Approve "
    "again where it is still open.",
    Refusal.TOO_FAST: "It did not count: that was too fast. Please wait a moment and try again.",
    Refusal.OWN_FACTOR: "It did not count: nobody confirms his own second factor.",
    Refusal.NOT_FACTOR_ADMIN: "It did not count: only the role admin, or operator, confirms second factors.",
    Refusal.OTHER_ADMIN_NEEDED: "It did not count: you asked for this, so somebody else must confirm it.",
    Refusal.NOT_WAITING: "Nothing was changed: nothing like that waits.",
    Refusal.SEVERAL_WAIT: "Nothing was changed: there is more than one.",
    Refusal.NO_PAGES: "There is no page for this yet: whoever runs Foureyes must set FOUREYES_PUBLIC_URL.",
    Refusal.INTERESTED_PARTY: "It did not count: the policy names you as somebody with an interest in this, so someone "
    "else must decide.",
    Refusal.SEVERAL_PERSONS: "It did not count: your account has an address that several people share, and nobody has "
    "said whose it is. Two admins must: /agent people join, or apart.",
    Refusal.NOT_ADMIN: "Nothing was changed: whoever has the role admin may say who is one person or, where no such "
    "role exists, the role operator; /agent whoami shows yours.",
    Refusal.OWN_ACCOUNT: "Nothing was changed: one of these accounts is your own, so two others must say it.",
    Refusal.NOTHING_CHANGED: "Nothing was changed: that is so already. /agent people shows who is one person.",
    Refusal.SECOND_ADMIN_NEEDED: "Your half is recorded. A second admin must say the same before anything changes.",
    Refusal.NOT_BLOCKED: "Nothing was started: the policy does not block this, so the agent can propose it itself.",
    Refusal.NOBODY_MAY_START: "Nothing was started: the policy blocks this, and names nobody who may start it. Who is "
    "right about that is settled in the policy's file.",
    Refusal.STARTED_BEFORE: "Nothing was started a second time: this has been started already, and stands in a packet "
    "of its own.",
    Refusal.TYPED_WRONG: "Nothing was started: what you typed again is not the value above.",
    Refusal.CONTRACT_BROKEN: "Nothing was started: the arguments break the tool's contract, and that "
    "holds for people too.",
    Refusal.CONTRADICTION: "Nothing was started: a value in the arguments contradicts a fact.",
    Refusal.NOT_AWAY: "Nothing was changed: you are not away, so there is nothing to end.",
    Refusal.DELEGATE_SELF: "Nothing was changed: you cannot be your own delegate. Name a colleague, or nobody.",
    Refusal.DELEGATE_CANNOT: "Nothing was changed: that account can decide nothing here (a bot, a guest, deactivated, "
    "or of another workspace). Name a full member.",
    Refusal.DELEGATE_AWAY: "Nothing was changed: that colleague is away too. Name somebody who is there.",
    Refusal.DELEGATE_NOT_IN_ROLE: "Nothing was changed: that colleague is in none of your roles and could decide "
    "nothing for you. Name somebody who is.",
    Refusal.NO_DELEGATE: "Nothing was changed: nobody who is away has named you, so you stand in for nobody.",
    Refusal.EDITOR: "It did not count: you lowered a value of this, so others must decide.",
    Refusal.NOT_EDITABLE: "It did not count: the policy does not let people lower this value.",
    Refusal.NOT_LOWER: "It did not count: please write a smaller number above zero, such as 120.50.",
    Refusal.BREAKS_CONTRACT: "It did not count: the tool does not take this value. Please choose another one.",
    Refusal.TOO_MANY_QUESTIONS: "It did not count: five questions wait for an answer already.",
    Refusal.CANNOT_BE_ASKED: "It did not count: please choose another full member of this workspace to ask.",
    Refusal.TAKEN_BACK: "It did not count: a person took the approval back.",
    Refusal.NOT_APPROVER: "It did not count: only who approved this, or the role admin or operator, may take it back. "
    "To stop the agent at once, type /agent pause.",
    Refusal.INCIDENT_ON: "Nothing was changed: an incident is on already. /agent status shows since when.",
    Refusal.NO_INCIDENT: "Nothing was changed: no incident is on. /agent status shows what is going on.",
    Refusal.NOT_REVIEWER: "It did not count: access is reviewed by whoever has the role policy_admin, operator or "
    "auditor or, where roles.yml names none of these, any role; /agent whoami shows yours.",
    Refusal.UNKNOWN_REPORT: "It did not count: Foureyes does not keep this report. /agent access makes a new one.",
    Refusal.REPORT_TOO_OLD: "It did not count: this report is more than 30 days old. /agent access makes a new one.",
    Refusal.ALREADY_SIGNED: "You have signed this report already. Nothing was added.",
    Refusal.REVIEW_SUPERSEDED: "It did not count: the report on the next week has taken the place of this one. Please "
    "use its message.",
    Refusal.NO_SUCH_ITEM: "Nothing was flagged: the report has no item of this number, or those are too many at once.",
    Refusal.MAY_NOT_REVEAL: "Nothing was shown: only whoever has the role reveal in roles.yml sees what is hidden. "
    "That you asked is recorded; /agent whoami shows your roles.",
    Refusal.SECOND_PERSON_NEEDED: "Your half is recorded. A second person must type /agent resume all, or press Resume "
    "everything in the channel, before anything runs again.",
}
INCIDENT_MEANS: Final = Safe(
    "Policies can be stricter from now on. What waits or is approved stays as it is; to stop that, type /agent pause."
)
_REASON: Final = 800
_DECIDED: Final = frozenset({Refusal.NOT_PENDING, Refusal.ALREADY_VOTED, Refusal.EXPIRED, Refusal.PAUSED})


def refusal_sentence(code: Refusal, seen: Seen | None = None) -> Safe:
    """Tell why something did not count; with `seen`, also where the proposal stands now."""
    if code is Refusal.DIGEST_MISMATCH and seen is not None and seen.proposal.edits:
        return Safe(f"{_REFUSED[code]} {edit_words(seen.proposal.edits[-1], seen)}")
    if seen is None or code not in _DECIDED:
        return Safe(_REFUSED[code])
    # The clock that judged was the desk's; a proposal that is still pending is told as of its deadline's near side.
    at = seen.proposal.expires_at if code is Refusal.EXPIRED else seen.proposal.created_at
    return Safe(f"{_REFUSED[code]} Now: {standing_of(seen, at).text}")


def counted_sentence(proposal: Proposal, decision: Decision) -> Safe:
    """Tell that a vote counted and what is still missing."""
    if decision is Decision.DENY:
        return Safe(words_of(proposal).denial_counts)
    if proposal.status is Status.APPROVED and proposal.requirement.shadow:
        return Safe(
            "Your approval counts, and it was the last one needed. This is a trial run, so nothing is executed."
        )
    if proposal.status is Status.APPROVED:
        return Safe(words_of(proposal).approval_counts)
    seats, votes = proposal.requirement.seats, proposal.approved_by
    done = filled(votes, seats, proposal.backup)
    if votes and done == filled(votes[:-1], seats, proposal.backup):
        return Safe(f"Your approval is recorded, and fills no seat that is open: {progress(proposal)}.")
    missing = max(proposal.requirement.approvals - done, 1)
    more = "One more person must approve." if missing == 1 else f"{missing} more people must approve."
    return Safe(f"Your approval counts: {progress(proposal)}. {more}")


def resume_command(scope: Scope, agent_name: str | None = None) -> Safe:
    """Write what to type to resume a scope."""
    name = agent_name or scope.name
    return Safe("/agent resume all" if scope == EVERYTHING else f"/agent resume {scope.kind.value} {named_word(name)}")


def held_words(taken_back: int | None) -> Safe:
    """Say what becomes of approvals that were not used yet."""
    if taken_back is None:
        return Safe("What is approved and not yet used waits too.")
    unused = counted(taken_back, "approval that was", "approvals that were")
    return Safe(f"Taken back for good: {unused} not yet used. What is still wanted must be proposed again.")


def named_word(name: str) -> Safe:
    """Write a name as a person would have to type it."""
    shown = visible(name)
    return Safe(f'"{shown}"') if " " in shown else shown


def announcement(
    event: Paused | ResumeAsked | Resumed, face: Face | None, agents: Mapping[AgentId, str] | None = None
) -> Safe:
    """Tell a channel what somebody did to the kill switch; `face` is None where it was done on the server."""
    who = person(face.name, face.user_id) if face else Safe("An operator on the server")
    name = (agents or {}).get(AgentId(event.scope.name)) if event.scope.kind is ScopeKind.AGENT else None
    scope = scope_words(event.scope, name)
    match event:
        case Paused():
            why = because(event.reason)
            until = f"until {utc(event.until)}" if event.until else "until people resume it"
            resume = resume_command(event.scope, name)
            gone = " What was approved and not yet used is taken back." if event.revoke else ""
            return Safe(f"⏸ {who} paused {scope}, {until}. Nothing of it runs.{gone}{why} To resume: {resume}")
        case ResumeAsked():
            return Safe(
                f"⏯ {who} asks to resume {scope}. One more person must type {resume_command(event.scope, name)}; "
                "until then nothing of it runs."
            )
        case Resumed():
            why = because(event.reason)
            return Safe(f"▶ {who} resumed {scope}. Clocks that stood still run again.{why}")


def keys_announcement(event: AgentKeysEnded, face: Face | None) -> Safe:
    """Tell a channel that an agent has no key any more."""
    who = person(face.name, face.user_id) if face else Safe("An operator on the server")
    name = visible(event.agent.name)
    return Safe(
        f"🔑 {who} ended every key of the agent {name}: nothing of it can propose or claim. Its owner is told how to "
        f"make a new one; or, on the server: foureyes agent rotate {name}"
    )


def drill_announcement(event: DrillHeld) -> Safe:
    """Tell the operators that the kill switch cannot be relied on."""
    return Safe(
        f"🚨 The drill of the kill switch failed: {visible(event.fault or 'no reason was recorded')}. Until this is "
        "understood, stop agents by taking their keys away (foureyes agent revoke NAME); call whoever runs Foureyes."
    )


def incident_announcement(event: IncidentChanged, face: Face | None) -> Safe:
    """Tell a channel that somebody declared an incident or ended it."""
    who = person(face.name, face.user_id) if face else Safe("An operator on the server")
    why = because(event.reason)
    if event.change == "cleared":
        return Safe(f"✅ {who} ended the incident.{why}")
    return Safe(f"🚨 {who} declared an incident.{why} {INCIDENT_MEANS} When it is over: /agent incident off")


def because(reason: AgentText) -> str:
    """Write a reason behind a sentence; nothing where none was given."""
    return "" if says_nothing(reason) else f" Reason: “{clipped(words(reason), _REASON)}”."


def answer_body(sentence: Safe) -> dict[str, Any]:
    """Make the body to POST to a `response_url`: for the clicker only, and the packet stays as it is."""
    return {
        "response_type": "ephemeral",
        "replace_original": False,
        "text": mrkdwn_safe(sentence),
        "blocks": [section(clipped(sentence, MAX_SECTION))],
    }
