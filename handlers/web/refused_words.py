"""Says to whoever looks afterwards why something did not count: of somebody, not of "you". It must never judge.

The stable code stands behind the words: the log has it, and the words may become better.
"""

from collections.abc import Mapping
from typing import Final

from approval_rules.refusals import Refusal
from handlers.slack.escape import Safe

_WHY: Final[Mapping[Refusal, str]] = {
    Refusal.UNKNOWN_USER: "Slack did not know the account",
    Refusal.DIRECTORY_DOWN: "Slack could not be asked who it was",
    Refusal.OTHER_WORKSPACE: "the account is of another workspace",
    Refusal.BOT: "the account is a bot's",
    Refusal.DEACTIVATED: "the account was deactivated",
    Refusal.GUEST: "a guest decides nothing here",
    Refusal.STRANGER: "Slack lists the account as a stranger's",
    Refusal.INITIATOR: "whoever starts something does not decide it",
    Refusal.AGENT_OWNER: "the agent's owner does not decide what it asks for",
    Refusal.NOT_IN_ROLE: "this person was in no role that decides it",
    Refusal.ALREADY_VOTED: "this person had decided before",
    Refusal.NOT_PENDING: "it was not open any more",
    Refusal.EXPIRED: "the time for it was over",
    Refusal.PAUSED: "it was paused",
    Refusal.DIGEST_MISMATCH: "it was meant for other arguments than those on record",
    Refusal.NOT_OUR_MESSAGE: "it came from another message than the one on record",
    Refusal.NOT_APPROVED: "it was not approved",
    Refusal.ALREADY_CLAIMED: "the one permission had been given out",
    Refusal.REVOKED: "the approval had been taken back",
    Refusal.APPROVERS_CHANGED: "somebody who approved may no longer approve",
    Refusal.POLICY_CHANGED: "the policy asks for more by now",
    Refusal.AGENT_REVOKED: "the agent was taken out of service",
    Refusal.TOOL_NOT_ALLOWED: "the agent may no longer use this tool",
    Refusal.SHADOW: "in a trial nothing is ever executed",
    Refusal.STEP_UP_NEEDED: "the policy asks for a second factor",
    Refusal.FACTOR_REFUSED: "the second factor could not be verified",
    Refusal.FACTOR_MISSING: "this person had no second factor that is strong enough",
    Refusal.FACTOR_LOCKED: "this person's second factor was locked",
    Refusal.CHANGED_SINCE: "what this person was asked about had changed",
    Refusal.LINK_USED: "the link had been used",
    Refusal.TOO_FAST: "it came too fast",
    Refusal.INTERESTED_PARTY: "the policy names this person as interested",
    Refusal.SEVERAL_PERSONS: "nobody has said whose the shared address of the account is",
    Refusal.EDITOR: "whoever lowered a value does not decide",
    Refusal.NOT_EDITABLE: "the policy lets nobody lower this value",
    Refusal.NOT_LOWER: "it was no smaller number above zero",
    Refusal.BREAKS_CONTRACT: "the tool's contract does not allow the value",
    Refusal.TOO_MANY_QUESTIONS: "five questions were waiting already",
    Refusal.CANNOT_BE_ASKED: "who was to be asked cannot be asked",
    Refusal.TAKEN_BACK: "a person took it back",
    Refusal.NOT_APPROVER: "this person had not approved it, and has no role that takes back",
}


def why_refused(code: Refusal) -> Safe:
    """Give the reason in words with its code; the code alone for what happens to no proposal."""
    return Safe(f"{_WHY[code]} ({code.value})" if code in _WHY else code.value)
